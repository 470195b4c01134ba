"""Which message of ours a received mail speaks of, and how sure that is. Pure: the candidates are given.

Certainty, best first: ``message_id`` (our Message-ID stands in it), ``header`` (our X-Outreach-Message), ``token`` (a
signed token of ours), ``address`` (who writes is who we wrote to, and lately), ``company`` (somebody else of the same
company). A bounce or complaint has effects only with one of the first three, and a bounce only for that recipient:
whoever can write a mail can write a bounce.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

from outreach.inbox.summary import Summary
from outreach.inbox.verdict import Kind, Verdict
from outreach.model.keys import normalise_address

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
class Writer:
    """Who wrote the mail, as far as From can be believed. contact_id: None where the address is nobody's."""

    address: str
    name: str
    contact_id: int | None
    company_id: int | None


@dataclass(frozen=True)
class Match:
    """What a mail belongs to. `effective`: whether it may change anything. `writer`: who wrote it, if not we."""

    message: Known | None = None
    contact_id: int | None = None
    company_id: int | None = None
    certainty: str | None = None
    effective: bool = False
    writer: Writer | None = None

    def written_by(self, writer: Writer | None) -> Match:
        return replace(self, writer=writer)

    @property
    def sure(self) -> bool:
        """Whether the mail itself proves which message it speaks of."""
        return self.certainty in PROOF

    @property
    def by_another(self) -> bool:
        """Whether somebody else wrote than whom the message went to."""
        return self.writer is not None and self.contact_id is not None and self.writer.contact_id != self.contact_id


NOTHING = Match()


def referred_ids(verdict: Verdict, summary: Summary) -> list[str]:
    """Message-IDs that the mail points to, the most telling first."""
    own = summary.message_id
    every = [*summary.in_reply_to, *verdict.original_ids, *reversed(summary.references)]
    return [found for found in dict.fromkeys(every) if found != own]


def prove(verdict: Verdict, proofs: Sequence[tuple[str, Known]]) -> Match:
    """Choose among messages that the mail proves to know; `proofs` are (certainty, message), best first.

    A bounce must name the recipient of that very message. A complaint often has its recipient blacked out.
    """
    if not proofs:
        return NOTHING
    named = {normalise_address(address) for address in verdict.recipients}
    fitting = [(how, known) for how, known in proofs if normalise_address(known.address) in named]
    how, known = (fitting or list(proofs))[0]
    effective = {Kind.BOUNCE: bool(fitting), Kind.COMPLAINT: bool(fitting) or not named}.get(verdict.kind, True)
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
    return replace(found, effective=False) if verdict.kind in (Kind.BOUNCE, Kind.COMPLAINT) else found


def own_mail(summary: Summary, own_addresses: Iterable[str]) -> bool:
    """Whether it is a copy of what we sent ourselves: never a reply."""
    return bool(summary.from_address) and normalise_address(summary.from_address) in set(own_addresses)
