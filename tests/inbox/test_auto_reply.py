from __future__ import annotations

from datetime import date

import pytest

from outreach.inbox.auto_words import is_acknowledgement, is_note, subject_says, successor
from outreach.inbox.classify import classify
from outreach.inbox.verdict import Kind
from tests.inbox.human_sets import HEADERS, mail


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "X-Autoreply: yes",
        "X-Autorespond: x",
        "Precedence: auto_reply",
        "X-Vacation: yes",
    ],
)
def test_a_header_is_proof(header: str) -> None:
    assert classify(mail("We will see.", headers=header + "\n")).kind is Kind.AUTOREPLY


def test_wishing_no_automatic_answer_is_no_proof() -> None:
    """Every Exchange server adds X-Auto-Response-Suppress to letters of people."""
    raw = mail("Please quote 200 pcs.", headers="X-Auto-Response-Suppress: OOF, AutoReply\n" + HEADERS["R"])
    assert classify(raw).kind is Kind.REPLY


def test_notifications_and_newsletters_are_no_answers() -> None:
    report = mail("Your weekly report is ready.", "Weekly report", "Auto-Submitted: auto-generated\n")
    letter = mail(
        "This is an automated message. Our office is closed.", "News", "List-Unsubscribe: <https://x.example>\n"
    )
    assert classify(report).kind is Kind.OTHER
    assert classify(letter).kind is Kind.OTHER


def test_a_quoted_note_does_not_make_an_answer_automatic() -> None:
    quoted = "\n\nOn 19 Nov 2026 at 10:02, Ann wrote:\n> This is an automatic reply. I am out of the office until 5 December."
    assert classify(mail("Fine, I will wait." + quoted, headers=HEADERS["R"])).kind is Kind.REPLY


@pytest.mark.parametrize("subject", ["Automatic reply: x", "自动回复: x", "Abwesenheitsnotiz", "Re: Automatic reply"])
def test_subjects(subject: str) -> None:
    assert subject_says(subject)


@pytest.mark.parametrize("subject", ["Re: automation", "Office lamps", "Question about automatic doors", ""])
def test_subjects_of_people(subject: str) -> None:
    assert not subject_says(subject)


def test_words() -> None:
    assert is_note("I am out of the office until 5 December. For urgent matters call Bob.", date(2026, 11, 20))
    assert not is_note("I am out of the office today, can we talk tomorrow?", date(2026, 11, 20))
    assert is_acknowledgement("This is an automated response. We have received your request.")
    assert not is_acknowledgement("We have received your samples, thank you.")


def test_the_successor_is_never_the_sender() -> None:
    assert successor("Not ann@buyer.example but bob@buyer.example", "Ann@buyer.example") == "bob@buyer.example"
    assert successor("I left.", "ann@buyer.example") is None


def test_read_receipts_are_other() -> None:
    raw = mail("x", "Read: Offer").replace(
        b"text/plain; charset=utf-8", b'multipart/report; report-type=disposition-notification; boundary="b"'
    )
    assert classify(raw).kind is Kind.OTHER
    assert classify(mail("Your message\n To: A\n was read on Friday.", "Read: Offer")).kind is Kind.OTHER
    assert classify(mail("I read it. What does it cost?", "Read: Offer", HEADERS["R"])).kind is Kind.REPLY


def test_challenges_are_automatic() -> None:
    verdict = classify(mail("Please verify that you are a real person: https://x.example", "Confirm"))
    assert (verdict.kind, verdict.reason) == (Kind.AUTOREPLY, "challenge")


LEFT = (
    "I no longer work at Firm Lighting.",
    "Please note that I have left Firm Lighting as of 30 November 2026. Your mail is not forwarded.",
    "Ann Berg is no longer with the company.",
    "您好，本人已离职，感谢您的支持。",
    "您好，本人已離職，謝謝。",
    "Ich bin ab dem 1. Dezember 2026 nicht mehr bei der Firma Licht tätig.",
    "Je ne travaille plus chez Lumière SA. Votre message n'est pas transmis.",
    "Hola, ya no trabajo en Luz S.A. Este buzón no se lee.",
    "Buongiorno, non lavoro più presso Luce srl.",
    "Olá, já não trabalho na Luz Lda.",
    "Ik ben niet meer werkzaam bij Licht BV.",
    "このたび退職いたしました。お世話になりました。",
    "저는 회사를 퇴사하였습니다.",
    "Я больше не работаю в компании Свет.",
    "Nie pracuję już w firmie Światło.",
    "Jag har slutat på Ljus AB.",
    "Jeg arbejder ikke længere hos Lys A/S.",
    "En työskentele enää yhtiössä Valo Oy.",
    "Şirketten ayrıldım, artık burada çalışmıyorum.",
    "Tôi đã nghỉ việc tại công ty.",
    "لم أعد أعمل في شركة الضوء.",
    "V této firmě již nepracuji.",
    "Már nem dolgozom a cégnél.",
    "Nu mai lucrez la Lumina SRL.",
    "Δεν εργάζομαι πλέον στην εταιρεία.",
    "Я більше не працюю в компанії.",
    "Saya sudah tidak bekerja di PT Cahaya.",
    "ดิฉันได้ลาออกจากบริษัทแล้ว",
    "אינני עובד עוד בחברה.",
)


@pytest.mark.parametrize("text", LEFT)
def test_who_left_has_left_though_nobody_is_named_instead(text: str) -> None:
    verdict = classify(mail(text, "Automatic reply: Offer", HEADERS["A"]))
    assert (verdict.kind, verdict.left, verdict.successor, verdict.return_date) == (Kind.AUTOREPLY, True, None, None)


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("I have left the office for today and will be back on 5 January 2027.", date(2027, 1, 5)),
        ("I have left the office, ask bob@buyer.example. I am back on 5 January 2027.", date(2027, 1, 5)),
        ("Our phone number no longer works. I am on holiday until 4 January 2027.", date(2027, 1, 5)),
        ("J'ai quitté le bureau, de retour le 5 janvier 2027.", date(2027, 1, 5)),
        ("My e-mail address has changed.", None),
        ("Wir sind heute nicht mehr erreichbar.", None),
        ("Oggi non sono più in ufficio.", None),
        ("Ik heb het kantoor verlaten.", None),
        ("En ole töissä huomenna.", None),
        ("Nepracujeme v pátek.", None),
        ("您好，我不再负责华东区业务。", None),
        ("このたび異動いたしました。", None),
        ("Jeg er ikke længere på kontoret i dag.", None),
        ("Kami tidak bekerja pada akhir pekan.", None),
    ],
)
def test_who_left_the_office_or_a_post_works_there_still(text: str, back: date | None) -> None:
    verdict = classify(mail(text, "Automatic reply: Offer", HEADERS["A"]))
    assert (verdict.kind, verdict.left, verdict.successor, verdict.return_date) == (Kind.AUTOREPLY, False, None, back)


def test_another_post_is_a_departure_where_the_note_says_who_comes_instead() -> None:
    verdict = classify(mail("我不再负责采购，请联系 li@buyer.example", "自动回复: Offer", HEADERS["A"]))
    assert (verdict.left, verdict.successor) == (True, "li@buyer.example")
