"""KDDI's EZweb (au): an English sentence says more than the SMTP reply beside it."""

from __future__ import annotations

from outreach.inbox import notice
from outreach.inbox.detectors import dsn
from outreach.inbox.detectors.notice import verdict
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict

SENTENCES = (
    ("the user(s) account is disabled", "suspend"),
    ("the user(s) account is temporarily limited", "suspend"),
    ("the user(s) account is temporarily over quota", "mailboxfull"),
    ("the user(s) account is over quota", "mailboxfull"),
    ("the following recipients did not receive this message", None),
)


def detect(mail: Mail) -> Verdict | None:
    if "user(s)" not in mail.text and "did not receive" not in mail.text:
        return None
    text = mail.notice.lower()
    said = next((pair for pair in SENTENCES if pair[0] in text), None)
    if said is None or not notice.from_machine(mail):
        return None
    found = dsn.detect(mail)
    if found is None and (entries := notice.entries(mail)):
        found = verdict(mail, entries, "ezweb")
    if found is None:
        return None
    if said[1] is None:
        return found
    findings = tuple(finding.because(said[1]) for finding in found.findings)
    return found.but(findings=findings, reason=said[1], hard=False, detector="ezweb")
