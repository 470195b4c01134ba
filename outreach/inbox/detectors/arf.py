"""Complaints: abuse reports (RFC 5965, RFC 6591) that providers send when a person presses "this is spam"."""

from __future__ import annotations

import re

from outreach.inbox import address, original
from outreach.inbox.parse import Mail
from outreach.inbox.report import fields
from outreach.inbox.verdict import Kind, Verdict

_TYPE = re.compile(r"^Feedback-Type[ \t]*:[ \t]*([a-z-]+)", re.I | re.M)
_RECIPIENT = re.compile(r"^(?:Original-Rcpt-To|Removal-Recipient|Redacted-Address)[ \t]*:[ \t]*(.+)$", re.I | re.M)
# Microsoft's junk mail reports and AOL's older ones carry the recipient in the returned message instead.
_HIDDEN = ("X-HmXmrOriginalRecipient", "X-Original-To", "X-Original-Recipient", "To")
_NOT_A_COMPLAINT = frozenset({"not-spam"})


def detect(mail: Mail) -> Verdict | None:
    report = report_in(mail)
    if report is None and _junk_mail_report(mail):
        report = ""
    if report is None:
        return None
    kind = feedback_type(report)
    if kind in _NOT_A_COMPLAINT:
        return Verdict(Kind.OTHER, reason=kind, detector="arf")
    return Verdict(Kind.COMPLAINT, recipients=recipients(mail, report), reason=kind, detector="arf")


def report_in(mail: Mail) -> str | None:
    for part in mail.of_type("message/feedback-report"):
        if part.inside == 0:
            return part.text
    for part in mail.own:  # a gateway that flattened the report
        if _TYPE.search(part.text[:20_000]) and "user-agent" in fields(part.text[:20_000]):
            return part.text[:20_000]
    return None


def _junk_mail_report(mail: Mail) -> bool:
    """Microsoft's Junk Mail Reporting Program: the complained message, and a subject that says so."""
    return mail.subject.lower().startswith("complaint about message from") and bool(mail.of_type("message/rfc822"))


def feedback_type(report: str) -> str:
    """abuse, fraud, opt-out, auth-failure, … in lower case; "abuse" where the report does not say."""
    found = _TYPE.search(report)
    return found[1].lower() if found else "abuse"


def recipients(mail: Mail, report: str) -> tuple[str, ...]:
    """Who complained: named by the report, else by the returned message."""
    named = [who for found in _RECIPIENT.finditer(report) if (who := address.find(found[1]))]
    if not named and (headers := original.headers(mail)):
        for name in _HIDDEN:
            named = [a for value in headers.get_all(name) for a in address.find_all(value[:2000])]
            if named:
                break
    return tuple(dict.fromkeys(named))
