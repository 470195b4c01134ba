"""Answers that a program gives: absences, left-the-company notes, acknowledgements. Never a human reply."""

from __future__ import annotations

import re

from outreach.inbox.fold import fold
from outreach.inbox.human_words import pattern
from outreach.inbox.parse import Mail
from outreach.inbox.reply_text import reply_text
from outreach.inbox.return_date import return_date
from outreach.inbox.verdict import Kind, Verdict

#: RFC 3834 5: auto-replied, auto-generated, auto-notified; "no" is a person's word.
_AUTO = re.compile(r"^\s*auto-", re.I)
#: Headers that only programs set, whatever their value.
_TELLING = (
    "X-Autoreply",
    "X-Autorespond",
    "X-Autoresponder",
    "X-Mail-Autoreply",
    "X-Auto-Reply",
    "X-AutoReply-From",
    "X-Vacation",
)
_SUBJECT = re.compile(
    r"^\s*(?:automatic reply|auto[- ]?reply|autoreply|auto[- ]?response|autoresponder|out[- ]of[- ](?:the[- ])?office|ooo\b|vacation (?:notice|reply)|automatische antwort|"
    r"automatisch antwoord|abwesenheit\w*|abwesend|reponse automatique|absence du bureau|absent\w*|respuesta automatica|fuera de (?:la )?oficina|resposta automatica|"
    r"fora do escritorio|risposta automatica|fuori (?:ufficio|sede)|assen(?:te|za)|автоматическ\w+ ответ|автоответ\w*|otomatik (?:yanit|cevap)|ofis disi|自动回复|自動回覆|自动答复|自動応答|自動返信|"
    r"자동 ?(?:회신|응답|답장)|부재|不在|رد تلقائي|الرد التلقائي|tra loi tu dong|autosvar|automatiskt svar|automatyczna odpowiedz|odpowiedz automatyczna)",
    re.I,
)
_PRECEDENCE = re.compile(r"^\s*(?:auto_reply|auto-reply)\s*$", re.I)
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
#: Mail servers report; they are not away.
_DAEMON = re.compile(
    r"(?:mailer-daemon|mail-daemon|postmaster|mdaemon|mmdf|uucp|delivery|bounce\w*|microsoftexchange\w*)(?:@|\+|$)",
    re.I,
)
_UNDELIVERED = re.compile(
    r"undeliver|non-?deliver|delivery (?:status|failure|report|notification|problem|has failed|error)|returned (?:mail|to sender)|mail (?:delivery|system|could not)|"
    r"failure notice|unzustellbar|non remis|no (?:se )?entreg|mancato recapito|退信|无法送达|未送达|配信不能|배달 실패|не доставлен"
)
#: Bulk mail and lists answer nobody.
_LIST = ("List-Id", "List-Post")
READ = 3_000


def detect(mail: Mail) -> Verdict | None:
    """An auto-reply, with the first day back and the successor where it names them."""
    if _DAEMON.match(mail.from_addr) or _UNDELIVERED.search(fold(mail.subject)):
        return None
    text = reply_text(mail)[:READ]
    low = fold(text)
    if not _is_automatic(mail, low):
        return None
    sent = mail.date.date() if mail.date else None
    left = bool(pattern("LEFT").search(low))
    back = None if left else return_date(text, sent)
    return Verdict(
        Kind.AUTOREPLY,
        reply_text=text or None,
        return_date=back,
        successor=_successor(text, mail.from_addr) if left else None,
        detector="auto_reply",
    )


def _is_automatic(mail: Mail, low: str) -> bool:
    subject = fold(mail.subject)
    if _by_header(mail):
        return not any(mail.get(name) for name in _LIST)
    words = pattern("AWAY").search(low) or pattern("LEFT").search(low) or pattern("TICKET").search(low)
    if _SUBJECT.match(re.sub(r"^(?:\s*(?:re|aw|sv|fw|fwd)\s*:)+", "", subject)):
        return True
    if mail.get("X-Auto-Response-Suppress") and words:
        return True
    if (
        re.match(r"\s*(?:bulk|junk)\s*$", mail.get("Precedence"), re.I)
        and words
        and not any(mail.get(n) for n in _LIST)
    ):
        return True
    return bool(words) and _sounds_automatic(low)


def _by_header(mail: Mail) -> bool:
    if _AUTO.match(mail.get("Auto-Submitted")):
        return True
    if any(mail.get(name).strip().lower() not in ("", "no", "false") for name in _TELLING):
        return True
    return bool(_PRECEDENCE.match(mail.get("Precedence")))


_NOTE = re.compile(
    r"\bi (?:am|'m|will be) (?:currently )?(?:out of|away|on (?:annual |maternity |parental |sick )?(?:leave|vacation|holiday))|i will be out of|no longer (?:with|work|employed)|"
    r"thank you for (?:your (?:e-?mail|message)|contacting)|this is an? (?:automat|auto-generated)|do not reply to this|ich bin (?:bis|vom|ab|derzeit|zurzeit|im|nicht)|"
    r"je (?:suis|serai) (?:actuellement )?(?:absent|en conge|hors)|(?:estoy|estare|me encuentro) (?:fuera|de vacaciones|ausente)|(?:estou|estarei) (?:fora|de ferias|ausente|em ferias)|"
    r"(?:sono|saro) (?:fuori|assente|in ferie)|(?:я|меня) .{0,12}(?:в отпуске|нахожусь|нет в офисе|не будет)|(?:izinde|izinliyim|ofis disinda)|系统自动|系統自動|您好.{0,30}(?:休假|出差|外出|离职|假期)|"
    r"我(?:正在|目前|现在|将|在|已)?(?:\S{0,8})?(?:休假|出差|外出|离职|離職|度假|年假)|(?:休暇|不在|出張|退職|休業)(?:を|中|と|に|いた|して|のため)|(?:휴가|출장|부재|퇴사|퇴직)\S* ?(?:중|로|인해|입니다|하였|했)|(?:خارج المكتب|في اجازه|استلمنا|لم اعد)|"
    r"(?:toi|minh) (?:dang |se )?(?:nghi phep|di cong tac|vang mat|khong co mat)"
)


def _sounds_automatic(low: str) -> bool:
    """Without a header or subject the words alone must be those of a note, and nothing must be asked."""
    return (
        bool(_NOTE.search(low))
        and "?" not in low
        and bool(re.search(r"\d|no longer|离职|離職|退職|퇴사|ticket|自动|自動|automat", low))
    )


def _successor(text: str, sender: str) -> str | None:
    """The address that a leaver names: a suggestion, never used by itself."""
    found = [address.lower().rstrip(".") for address in _ADDRESS.findall(text)]
    others = [address for address in found if address != sender]
    return others[0] if others else None
