"""Who writes to us of his own accord: an inquiry (询盘) from somebody we do not know becomes a customer (C2, D2). Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from outreach.inbox import intent
from outreach.inbox.match import Match
from outreach.inbox.summary import Summary
from outreach.inbox.verdict import Intent, Kind, Verdict

#: What a stranger may want for his letter to be an inquiry. A letter that only says something may be anything.
WANTED = frozenset({Intent.PRICE, Intent.SAMPLE, Intent.CATALOGUE, Intent.MEETING, Intent.ORDER, Intent.QUESTION})
_NOBODY = re.compile(
    r"^(?:no-?_?reply|do-?not-?reply|mailer-daemon|postmaster|bounces?|notifications?|news(?:letter)?)\b"
)


@dataclass(frozen=True)
class Lead:
    """Somebody who asks for something. `intent`: what for, where it is clear."""

    address: str
    name: str
    intent: Intent | None


def asks(verdict: Verdict, summary: Summary, match: Match, own_domains: frozenset[str]) -> Lead | None:
    """Return who wants an answer though the mail answers nothing of ours; None where nobody does.

    A known contact's letter always wants one. A stranger's does when it asks for something, or answers somebody.
    """
    if verdict.kind not in (Kind.REPLY, Kind.OTHER) or summary.bulk or not is_person(summary, own_domains):
        return None
    known = match.contact_id is not None or match.message is not None
    if verdict.kind is Kind.REPLY:
        return None if known else Lead(summary.from_address, summary.from_name, verdict.intent)
    wanted = intent.of(verdict.reply_text or summary.text)
    by_contact = match.writer is not None and match.writer.contact_id is not None
    return Lead(summary.from_address, summary.from_name, wanted) if by_contact or wanted in WANTED else None


def is_person(summary: Summary, own_domains: frozenset[str]) -> bool:
    """Whether somebody outside the company seems to have written it with his own hands."""
    local, _, domain = summary.from_address.rpartition("@")
    if not local or domain in own_domains or _NOBODY.match(local):
        return False
    return summary.auto_submitted in ("", "no")
