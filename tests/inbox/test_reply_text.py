from __future__ import annotations

import pytest

from outreach.inbox.parse import parse
from outreach.inbox.reply_html import reply_source
from outreach.inbox.reply_text import own_words, reply_text, visible
from tests.inbox.human_sets import mail

QUOTE = "> Dear Ann,\n> our new catalogue is out.\n"
MARKS = [
    "On Thu, Nov 19, 2026 at 10:02 AM Li Na <li.na@senders.example> wrote:\n" + QUOTE,
    "On Thu, Nov 19, 2026 at 10:02 AM Li Na of the Export Department <\nli.na@senders.example> wrote:\n" + QUOTE,
    "Am Do., 19. Nov. 2026 um 10:02 Uhr schrieb Li Na <li.na@senders.example>:\n" + QUOTE,
    "Am 19.11.2026 um 10:02 schrieb Li Na:\n" + QUOTE,
    "Le jeu. 19 nov. 2026 à 10:02, Li Na <li.na@senders.example> a écrit :\n" + QUOTE,
    "El jue, 19 nov 2026 a las 10:02, Li Na (<li.na@senders.example>) escribió:\n" + QUOTE,
    "Em qui., 19 de nov. de 2026 às 10:02, Li Na <li.na@senders.example> escreveu:\n" + QUOTE,
    "Il giorno gio 19 nov 2026 alle ore 10:02 Li Na <li.na@senders.example> ha scritto:\n" + QUOTE,
    "чт, 19 нояб. 2026 г. в 10:02, Li Na <li.na@senders.example>:\n" + QUOTE,
    "19.11.2026 10:02, Li Na пишет:\n" + QUOTE,
    "في الخميس، 19 نوفمبر 2026 في 10:02 ص كتب Li Na <li.na@senders.example>:\n" + QUOTE,
    "Li Na <li.na@senders.example>, 19 Kas 2026 Per, 10:02 tarihinde şunu yazdı:\n" + QUOTE,
    "2026年11月19日(木) 10:02 Li Na <li.na@senders.example>:\n" + QUOTE,
    "2026년 11월 19일 (목) 오전 10:02, Li Na <li.na@senders.example>님이 작성:\n" + QUOTE,
    "Vào Th 5, 19 thg 11, 2026 vào lúc 10:02 Li Na <li.na@senders.example> đã viết:\n" + QUOTE,
    "Op do 19 nov 2026 om 10:02 schreef Li Na <li.na@senders.example>:\n" + QUOTE,
    "czw., 19 lis 2026 o 10:02 Li Na <li.na@senders.example> napisał(a):\n" + QUOTE,
    "Den tors 19 nov. 2026 kl 10:02 skrev Li Na <li.na@senders.example>:\n" + QUOTE,
    "在 2026-11-19 10:02:11，\"李娜\" <li.na@senders.example> 写道：\n>您好\n",
    "李娜 于2026年11月19日周四 10:02写道：\n> 您好\n",
    "李娜 於 2026年11月19日 週四 上午10:02寫道：\n> 您好\n",
    '------------------ 原始邮件 ------------------\n发件人: "李娜" <li.na@senders.example>;\n发送时间: 2026年11月19日\n',
    "发件人： li.na@senders.example\n发送时间： 2026-11-19 10:02\n收件人： ann@buyer.example\n主题： 新品\n\n您好\n",
    "---- Replied Message ----\nFrom: Li Na\nDate: 19/11/2026\nTo: Ann\nSubject: New\n\nhello\n",
    "-----Original Message-----\nFrom: Li Na\nSent: Thursday\nTo: Ann\nSubject: New\n\nhello\n",
    "________________________________\nFrom: Li Na\nSent: Thursday\nTo: Ann\nSubject: New\n\nhello\n",
    "Von: Li Na <li.na@senders.example>\nGesendet: Donnerstag, 19. November 2026 10:02\nAn: Ann\nBetreff: Neu\n\nHallo\n",
    "De : Li Na <li.na@senders.example>\nEnvoyé : jeudi 19 novembre 2026 10:02\nÀ : Ann\nObjet : Bonjour\n\nBonjour\n",
    "De: Li Na <li.na@senders.example>\nEnviado: jueves, 19 de noviembre\nPara: Ann\nAsunto: Hola\n\nHola\n",
    "Da: Li Na\nInviato: giovedì 19 novembre 2026\nA: Ann\nOggetto: Novità\n\nBuongiorno\n",
    "От: Li Na\nОтправлено: 19 ноября 2026 г. 10:02\nКому: Ann\nТема: Новинки\n\nЗдравствуйте\n",
    "寄件者: Li Na\n寄件日期: 2026年11月19日\n收件者: Ann\n主旨: 新品\n\n您好\n",
    "差出人: Li Na\n送信日時: 2026年11月19日\n宛先: Ann\n件名: 新製品\n\nお世話に\n",
    "보낸 사람: Li Na\n보낸 날짜: 2026년 11월 19일\n받는 사람: Ann\n제목: 신제품\n\n안녕하세요\n",
    "> Begin forwarded message:\n>\n> From: Li Na\n",
]  # fmt: skip


@pytest.mark.parametrize("mark", MARKS, ids=range(len(MARKS)))
def test_quotation_is_cut(mark: str) -> None:
    assert visible(f"What is the price?\n\nWe need 200.\n\n{mark}") == "What is the price?\n\nWe need 200."


@pytest.mark.parametrize(
    "device",
    [
        "Sent from my iPhone", "Get Outlook for iOS", "Sent from Mail for Windows", "发自我的iPhone", "发自我的小米手机",
        "Von meinem iPhone gesendet", "Gesendet von Outlook für Android", "Envoyé de mon iPhone", "Enviado desde mi iPhone",
        "Enviado do meu iPhone", "Inviato da iPhone", "Отправлено с iPhone", "iPhoneから送信", "나의 iPhone에서 보냄",
        "iPhone'umdan gönderildi", "Verstuurd vanaf mijn iPhone", "Skickat från min iPhone", "從我的 iPhone 傳送",
    ],
)  # fmt: skip
def test_a_telephones_advertisement_is_cut(device: str) -> None:
    assert visible(f"Two boxes, please.\n\n{device}\n") == "Two boxes, please."


@pytest.mark.parametrize(
    "end",
    [
        "Best regards,\nAnn Roe\nBuyer", "Kind regards", "-- \nAnn Roe\nTel. +44 20 5550 100", "Mit freundlichen Grüßen\nA. Roe",
        "Cordialement,\nA. Roe", "Saludos cordiales,\nA. Roe", "Atenciosamente,\nA. Roe", "Cordiali saluti\nA. Roe",
        "С уважением,\nА. Роу", "İyi çalışmalar,\nA. Roe", "Met vriendelijke groet,\nA. Roe", "Med vänlig hälsning\nA. Roe",
        "Z poważaniem\nA. Roe", "此致\n敬礼\n王强", "Trân trọng,\nA. Roe", "مع التحية\nA. Roe",
    ],
)  # fmt: skip
def test_closing_and_signature_are_cut(end: str) -> None:
    assert visible(f"Two boxes, please.\n\n{end}\n") == "Two boxes, please."


def test_the_senders_bare_name_is_a_signature() -> None:
    assert visible("Two boxes, please.\n\nAnn\n", "Ann Roe") == "Two boxes, please."
    assert visible("Two boxes, please.\n\nBob\n", "Ann Roe") == "Two boxes, please.\n\nBob"


@pytest.mark.parametrize(
    "text",
    [
        "Sent from my desk, which is easier than my telephone.",
        "From: is a word I use at the beginning of a sentence.",
        "On 3 May we need the goods. As John wrote: no delay.",
        "Best regards to your wife, we enjoyed the dinner.",
        "The note says: call back at 10:30.",
    ],
)
def test_prose_that_looks_like_a_mark_is_kept(text: str) -> None:
    assert visible(f"Hello\n{text}\nWe need 200 pieces.") == f"Hello\n{text}\nWe need 200 pieces."


def test_an_answer_below_the_quotation() -> None:
    assert visible(f"On 19 Nov 2026 at 10:02, Li Na wrote:\n{QUOTE}\nYes, 200.\n") == "Yes, 200."


def test_answers_between_quoted_lines_keep_them_and_own_words_do_not() -> None:
    text = visible("> How many?\n200\n\n> Which colour?\nblack\n")
    assert "200" in text
    assert "> Which colour?" in text
    assert own_words(text).split() == ["200", "black"]


def test_a_mail_of_nothing_but_quotation_keeps_it() -> None:
    assert visible("> only this") == "> only this"
    assert visible("") == ""


@pytest.mark.parametrize(
    "tail",
    [
        '<div class="gmail_quote">On Mon, 2 Apr 2026 at 6:26 PM Li &lt;l@s.example&gt; wrote:<blockquote>old</blockquote></div>',
        '<div id="divRplyFwdMsg"><b>From:</b> Li Na<br><b>Sent:</b> today</div><div>old</div>',
        '<div id="appendonsend"></div><div>old</div>',
        '<div style="border:none;border-top:solid #E1E1E1 1.0pt"><p>From: Li</p></div><p>old</p>',
        '<div class="moz-cite-prefix">Am 19.11.2026 um 10:02 schrieb Li Na:</div><blockquote type="cite">old</blockquote>',
        '<div class="gmail_signature">Ann<br>+44 20 5550 100</div>',
        "<div>------------------ 原始邮件 ------------------</div><div>old</div>",
    ],
)  # fmt: skip
def test_html_answers(tail: str) -> None:
    raw = mail(f"<html><body><p>Two boxes, please.</p>{tail}</body></html>").replace(b"text/plain", b"text/html")
    assert reply_text(parse(raw)) == "Two boxes, please."


def test_nested_quotes_in_html_are_marked() -> None:
    assert reply_source("<p>a</p><blockquote>b<blockquote>c</blockquote></blockquote>").split("\n")[-1] == "> > c"


def test_hostile_text_takes_no_time_and_raises_nothing() -> None:
    for text in (
        "On 10:30 " * 20_000,
        "a:\n" * 50_000,
        "> " * 90_000,
        "<" * 90_000,
        "-- \n" * 30_000,
        "从 我 " * 30_000,
    ):
        assert isinstance(visible(text), str)
        assert isinstance(reply_source(f"<blockquote>{text[:9_000]}" * 3), str)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("We need 10.30 m\nOn 9 Jan 2026 at 2:47, Li wrote:\n> x", "We need 10.30 m"),
        ("Yes\n---- On Tue, 02 Feb 2026 10:00:00 Li <l@s.example> wrote ----\nold", "Yes"),
        ("好的\n\n| |\n李\n|\n|\nli@buyer.example\n|\n---- 回复的原邮件 ----\n| 发件人 | l |", "好的"),
        ("Fine\n\nLi escreveu no dia segunda, 1/02/2026 à(s)\n10:22:\n\n> old", "Fine"),
        (
            "Boxes of 5.50\nand three.\n\nLi <l@s.example> 于2026年1月2日周五 10:00写道:\n> q",
            "Boxes of 5.50\nand three.",
        ),
    ],
)
def test_a_date_in_the_letter_does_not_begin_the_quotation(text: str, answer: str) -> None:
    assert visible(text) == answer


def test_program_text_between_fences_is_kept() -> None:
    text = "Please look:\n```\n# a\n####\n> not quoted\n```\nThank you for looking."
    assert visible(text) == text


def test_below_a_phones_advertisement_stands_the_quotation() -> None:
    assert visible("We take 200.\n\nSent from my Pixel\n\nDear Ann,\nour new catalogue is out.") == "We take 200."


def test_a_forward_without_a_word_is_the_forwarded_letter() -> None:
    head = "---------- Forwarded message ----------\nFrom: Li Na\nDate: Thu, 19 Nov 2026\nSubject: New\nTo: Ann\n"
    assert visible(f"{head}\nOur new catalogue is out.") == "Our new catalogue is out."


def test_a_supercite_mark_on_an_empty_line_is_quoted() -> None:
    assert visible("We take 200.\n\nLN> Dear Ann,\nLN>\nLN> it is out.\n") == "We take 200."
