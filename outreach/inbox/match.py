"""Which message of ours a received mail speaks of, and how sure that is. Pure: the candidates are given.

Certainty, best first: ``message_id`` (our Message-ID stands in it), ``header`` (our X-Outreach-Message), ``token`` (a
signed token of ours), ``address`` (who writes is who we wrote to, and lately), ``company`` (somebody else of the same
company). A bounce or complaint has effects only with one of the first three, and only for that recipient: whoever can
write a mail can write a bounce.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from outreach.inbox.summary import Summary
from outreach.inbox.verdict import Kind, Verdict

#: /u/TOKEN and the like in a returned body, and the subject of a List-Unsubscribe mail.
_IN_URL = re.compile(r"/[ocup]/([A-Za-z0-9_-]{20,64})\b")
_IN_SUBJECT = re.compile(r"\bunsubscribe[ :+]+([A-Za-z0-9_-]{20,64})\b", re.I)
MOST_TOKENS = 40

PROOF = ("message_id", "header", "token")


@dataclass(frozen=True)
class Known:
    """A message of ours that a received mail may speak of."""

    id: int
    uid: str
    rfc_id: str
    address: str
    contact_id: int
    company_id: int | None


@dataclass(frozen=True)
class Match:
    """What a mail belongs to. `effective`: whether it may change anything."""

    message: Known | None = None
    contact_id: int | None = None
    company_id: int | None = None
    certainty: str | None = None
    effective: bool = False


NOTHING = Match()


def tokens_in(summary: Summary) -> list[str]:
    """Candidates for signed tokens in subject and text, in order, each once."""
    found = _IN_SUBJECT.findall(summary.subject) + _IN_URL.findall(summary.text)
    return list(dict.fromkeys(found))[:MOST_TOKENS]


def referred_ids(verdict: Verdict, summary: Summary) -> list[str]:
    """Message-IDs that the mail points to, the most telling first."""
    own = summary.message_id
    every = [*summary.in_reply_to, *verdict.original_ids, *reversed(summary.references)]
    return [found for found in dict.fromkeys(every) if found != own]


def prove(verdict: Verdict, proofs: Sequence[tuple[str, Known]]) -> Match:
    """Choose among messages that the mail proves to know; `proofs` are (certainty, message), best first."""
    if not proofs:
        return NOTHING
    named = {address.lower() for address in verdict.recipients}
    fitting = [(how, known) for how, known in proofs if not named or known.address.lower() in named]
    how, known = (fitting or list(proofs))[0]
    strict = verdict.kind in (Kind.BOUNCE, Kind.COMPLAINT)
    effective = bool(fitting) or not strict
    return Match(known, known.contact_id, known.company_id, how, effective)


def settle(
    verdict: Verdict,
    proven: Match,
    by_address: Callable[[], Match],
) -> Match:
    """Return the match: proven, else by who writes, which never makes a bounce or complaint effective."""
    if proven.message is not None:
        return proven
    found = by_address()
    if verdict.kind in (Kind.BOUNCE, Kind.COMPLAINT):
        return Match(found.message, found.contact_id, found.company_id, found.certainty, effective=False)
    return found


def own_mail(summary: Summary, own_addresses: Iterable[str]) -> bool:
    """Whether it is a copy of what we sent ourselves: never a reply."""
    return summary.from_address in set(own_addresses)
