"""What comes back: delivery reports, out-of-office notes, unsubscribe wishes and letters of people. Pure."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime

from outreach.demo.fate import Fate, fate_of
from outreach.demo.people import number_of
from outreach.demo.server import Accepted

HUMAN = {
    "en": (
        "Thank you for the invitation. Could you send us your price list for 500 pcs, FOB Ningbo?",
        "We would like to see two samples before we decide. What is the lead time?",
        "Sounds good. Can we meet at your booth on the second day, around 11?",
        "Not now please, our budget for this year is spent. Ask me again in March.",
        "I am not the right person for this, please write to our purchasing department.",
        "The last delivery had eleven broken lamps. Nobody has answered my complaint so far!",
    ),
    "de": (
        "Vielen Dank für Ihre Nachricht. Bitte senden Sie uns Ihre aktuelle Preisliste.",
        "Können wir einen Termin auf der Messe vereinbaren? Dienstag würde passen.",
        "Im Moment haben wir keinen Bedarf, melden Sie sich gern im Frühjahr wieder.",
    ),
    "fr": (
        "Merci pour votre message. Pouvez-vous nous envoyer votre catalogue et vos prix ?",
        "Nous souhaitons recevoir un échantillon avant de commander.",
    ),
    "es": (
        "Gracias por la invitación. ¿Podrían enviarnos una cotización para 300 unidades?",
        "Nos interesa, ¿tienen muestras disponibles?",
    ),
    "it": ("Grazie, potete inviarci il vostro catalogo aggiornato?",),
    "pt": ("Obrigado pelo convite. Podem enviar a tabela de preços?",),
    "ru": ("Здравствуйте! Пришлите, пожалуйста, прайс-лист и условия поставки.",),
    "tr": ("Merhaba, fiyat teklifinizi gönderebilir misiniz?",),
    "ja": ("お世話になっております。カタログを送っていただけますでしょうか。",),
    "ar": ("شكرا على الدعوة، هل يمكنكم إرسال قائمة الأسعار؟",),
}
AWAY = {
    "en": ("Out of office", "Thank you for your message. I am out of the office until {day:%d %B %Y}."),
    "de": ("Abwesenheitsnotiz", "Vielen Dank für Ihre Nachricht. Ich bin bis zum {day:%d.%m.%Y} nicht im Büro."),
    "fr": ("Absence du bureau", "Merci pour votre message. Je suis absent jusqu'au {day:%d/%m/%Y}."),
    "es": ("Respuesta automática", "Gracias por su mensaje. Estaré fuera de la oficina hasta el {day:%d/%m/%Y}."),
    "zh": ("自动回复", "您好，我正在休假，{day:%Y}年{day:%m}月{day:%d}日返回办公室。"),
}
UNSUBSCRIBE = {
    "en": "Please remove me from your mailing list.",
    "de": "Bitte nehmen Sie mich aus Ihrem Verteiler.",
    "fr": "Merci de me désinscrire de votre liste de diffusion.",
    "es": "Por favor, dénme de baja de su lista de correo.",
    "it": "Vi prego di cancellarmi dalla vostra mailing list.",
    "pt": "Por favor, retirem meu endereço da lista de e-mails.",
    "ru": "Пожалуйста, удалите меня из рассылки.",
    "tr": "Lütfen beni e-posta listenizden çıkarın.",
}
LANGUAGES = {
    "DE": "de", "AT": "de", "CH": "de", "FR": "fr", "BE": "fr", "ES": "es", "MX": "es", "CL": "es", "IT": "it",
    "PT": "pt", "BR": "pt", "RU": "ru", "KZ": "ru", "TR": "tr", "JP": "ja", "AE": "ar", "SA": "ar", "EG": "ar",
}  # fmt: skip


def answer_to(mail: Accepted, country: str | None, now: datetime) -> bytes | None:
    """Return what comes back for an accepted mail, None where nothing does."""
    number = number_of(mail.recipient)
    fate = fate_of(number)
    language = LANGUAGES.get(country or "", "en")
    if fate.bounce:
        return _bounce(mail, fate, now)
    if fate.answer == "away":
        return _away(mail, language, now, number)
    if fate.answer == "left":
        return _left(mail, now)
    if fate.answer == "unsubscribe":
        return _reply(mail, UNSUBSCRIBE.get(language, UNSUBSCRIBE["en"]), now)
    if fate.answer == "human":
        letters = HUMAN.get(language, HUMAN["en"])
        return _reply(mail, letters[number % len(letters)], now)
    return None


def _headers(raw: bytes) -> EmailMessage:
    found = message_from_bytes(raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n", policy=policy.default)
    assert isinstance(found, EmailMessage)
    return found


def _start(mail: Accepted, now: datetime, sender: str, subject: str) -> tuple[EmailMessage, EmailMessage]:
    original = _headers(mail.data)
    answer = EmailMessage(policy=policy.SMTP)
    answer["From"] = sender
    answer["To"] = str(original["From"])
    answer["Subject"] = subject
    answer["Date"] = format_datetime(now)
    number = number_of(mail.recipient)
    answer["Message-ID"] = f"<{now.timestamp():.0f}.{number}@{mail.recipient.partition('@')[2]}>"
    return answer, original


def _reply(mail: Accepted, text: str, now: datetime) -> bytes:
    answer, original = _start(mail, now, mail.recipient, f"Re: {_headers(mail.data)['Subject']}")
    answer["In-Reply-To"] = answer["References"] = str(original["Message-ID"])
    sent = original["Date"]
    answer.set_content(
        f"{text}\n\nBest regards\n\nOn {sent}, {original['From']} wrote:\n> {original['Subject']}\n> …\n"
    )
    return answer.as_bytes()


def _away(mail: Accepted, language: str, now: datetime, number: int) -> bytes:
    subject, text = AWAY.get(language, AWAY["en"])
    day: date = (now + timedelta(days=3 + number % 9)).date()
    answer, original = _start(mail, now, mail.recipient, f"{subject}: {_headers(mail.data)['Subject']}")
    answer["Auto-Submitted"] = "auto-replied"
    answer["In-Reply-To"] = str(original["Message-ID"])
    answer.set_content(text.format(day=day))
    return answer.as_bytes()


def _left(mail: Accepted, now: datetime) -> bytes:
    answer, original = _start(mail, now, mail.recipient, f"Automatic reply: {_headers(mail.data)['Subject']}")
    answer["Auto-Submitted"] = "auto-replied"
    answer["In-Reply-To"] = str(original["Message-ID"])
    successor = f"purchasing@{mail.recipient.partition('@')[2]}"
    answer.set_content(f"I no longer work for the company. Please contact my successor at {successor}.")
    return answer.as_bytes()


def _bounce(mail: Accepted, fate: Fate, now: datetime) -> bytes:
    host = mail.recipient.partition("@")[2]
    status, words = {
        "hard": ("5.1.1", f"550 5.1.1 <{mail.recipient}>: Recipient address rejected: User unknown"),
        "soft": ("4.2.2", f"452 4.2.2 <{mail.recipient}>: Mailbox full"),
    }[fate.bounce or "hard"]
    sender = f"MAILER-DAEMON@mx.{host}"
    answer, original = _start(mail, now, f"Mail Delivery System <{sender}>", "Undelivered Mail Returned to Sender")
    answer["Auto-Submitted"] = "auto-replied"
    boundary = f"=_{number_of(mail.recipient)}_report"
    head = answer.as_bytes().partition(b"\r\n\r\n")[0].decode()
    parts = (
        f"{head}\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"\r\n\r\n'
        f"--{boundary}\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n"
        f"Your message could not be delivered to one or more recipients.\r\n\r\n<{mail.recipient}>: {words}\r\n\r\n"
        f"--{boundary}\r\nContent-Type: message/delivery-status\r\n\r\n"
        f"Reporting-MTA: dns; mx.{host}\r\nArrival-Date: {format_datetime(now)}\r\n\r\n"
        f"Final-Recipient: rfc822; {mail.recipient}\r\nAction: failed\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: smtp; {words}\r\n\r\n"
        f"--{boundary}\r\nContent-Type: text/rfc822-headers\r\n\r\n"
    )
    returned = "\r\n".join(f"{name}: {original[name]}" for name in ("From", "To", "Subject", "Date", "Message-ID"))
    own = f"X-Outreach-Message: {original['X-Outreach-Message']}"
    return (parts + f"{returned}\r\n{own}\r\n\r\n--{boundary}--\r\n").encode("utf-8")
