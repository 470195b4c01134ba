"""Notices in prose from any mail system: the last resort, for what no other detector knew."""

from __future__ import annotations

from outreach.inbox import notice, original
from outreach.inbox.codes import status_in
from outreach.inbox.naming import Entry
from outreach.inbox.notice_words import DELAY
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Verdict


def detect(mail: Mail) -> Verdict | None:
    if not notice.is_failure(mail):
        return None
    entries = notice.entries(mail) or _wrapped(mail) or _returned(mail)
    if not entries and notice.from_machine(mail):
        entries = notice.lone(mail)
    if not entries:
        return _nobody(mail) if notice.from_machine(mail) and notice.is_told(mail) else None
    return verdict(mail, entries, "notice")


def _nobody(mail: Mail) -> Verdict:
    """A notice that names nobody and returns nothing: why is told all the same, but it is a finding about no one."""
    return verdict(mail, [Entry("", mail.notice)], "notice").but(findings=())


def _wrapped(mail: Mail) -> list[Entry]:
    """The notice stands around another mail system's notice, which does name somebody."""
    inner = notice.inner(mail)
    return notice.entries(inner) if inner and notice.is_failure(inner) else []


def _returned(mail: Mail) -> list[Entry]:
    """The notice names nobody: those to whom the returned message went, if they are few."""
    found = original.recipients(mail)
    return [Entry(who, mail.notice) for who in found] if len(found) <= 3 else []


def verdict(mail: Mail, entries: list[Entry], detector: str) -> Verdict:
    """A bounce of these recipients; each is judged by its own lines, then by the whole notice."""
    whole = mail.notice
    delayed = DELAY.search(f"{mail.subject[:300]}\n{whole}".lower()) is not None
    outcomes = [
        Outcome(
            recipient=entry.recipient,
            text=entry.text,
            status=status_in(entry.text) or status_in(whole),
            delayed=delayed,
            notice=lambda: f"{whole}\n{notice.transcript_below(mail)}",
        )
        for entry in entries
    ]
    return summarise(outcomes, detector)
