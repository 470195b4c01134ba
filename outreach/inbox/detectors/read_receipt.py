"""Read receipts: disposition notifications (RFC 8098) and the ones Outlook writes in words. No reply, no bounce."""

from __future__ import annotations

import re

from outreach.inbox.fold import fold
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Kind, Verdict

_SUBJECT = re.compile(
    r"^(?:read|not read|gelesen|ungelesen|lu|non lu|leido|no leido|lida|nao lida|letto|non letto|gelezen|przeczytano"
    r"|прочтено|прочитано|не прочитано|okundu|已读|已讀|開封済み|개봉|읽음|da doc|last|تمت القراءه)\s?:"
)
_WORDS = re.compile(
    r"was (?:read|deleted without being read|displayed)|wurde am .{0,60}gelesen|ungelesen geloscht|a ete lu|fue leido"
    r"|foi lida|e stato letto|is gelezen op|zostala przeczytana|было прочитано|okundu|已于.{0,40}(?:阅读|查看)"
    r"|已於.{0,40}(?:閱讀|讀取)|開封されました|読まれました|읽었습니다|da duoc doc|return receipt|recu de lecture"
)


def detect(mail: Mail) -> Verdict | None:
    report = mail.content_type == "multipart/report"
    if report and "disposition" in mail.parts[0].params.get("report-type", "").lower():
        return Verdict(Kind.OTHER, reason="read_receipt", detector="read_receipt")
    if not report and any(p.inside == 0 for p in mail.of_type("message/disposition-notification")):
        return Verdict(Kind.OTHER, reason="read_receipt", detector="read_receipt")
    low = fold(mail.text[:1500])
    if _SUBJECT.match(fold(mail.subject[:100])) and _WORDS.search(low) and len(low) < 1200:
        return Verdict(Kind.OTHER, reason="read_receipt", detector="read_receipt")
    return None
