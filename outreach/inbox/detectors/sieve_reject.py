"""Dovecot and Sieve (RFC 5429) refuse after delivery: a disposition notification that is a bounce in truth."""

from __future__ import annotations

from outreach.inbox import address
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.parse import Mail
from outreach.inbox.report import fields
from outreach.inbox.verdict import Verdict

SENTENCE = "was automatically rejected"


def detect(mail: Mail) -> Verdict | None:
    parts = [part for part in mail.of_type("message/disposition-notification") if part.inside == 0]
    text = mail.notice if parts else ""
    if SENTENCE not in " ".join(text.split()):
        return None
    found = fields(parts[0].text)
    who = address.of_field(found.get("original-recipient") or found.get("final-recipient", "")) or address.find(text)
    return summarise([Outcome(who, text)], "sieve_reject") if who else None
