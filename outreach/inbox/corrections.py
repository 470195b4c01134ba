"""What a mail says about the address book: a successor, another address, the wrong person. Pure.

A correction is proposed to a person and never applied by itself: From can be forged, and an address that somebody else
names has given us no leave to write.
"""

from __future__ import annotations

from typing import Any

from outreach.inbox import address
from outreach.inbox.match import Match
from outreach.inbox.verdict import Intent, Kind, Verdict


def correction_of(verdict: Verdict, match: Match) -> dict[str, Any] | None:
    """Return the proposal: {"change", "address", "name"}; None where the address book is right.

    change: ``successor`` (has left, another one answers), ``moved`` (a bounce names the new address), ``wrong_person``
    (not responsible; `address` is who is, where named), ``colleague`` (somebody unknown of the same company answered),
    ``another_address`` (the person seems to use an address that we do not know).
    """
    if match.contact_id is None:
        return None
    if verdict.kind is Kind.AUTOREPLY and verdict.successor:
        return _proposal("successor", verdict.successor)
    if verdict.kind is Kind.BOUNCE:
        new = _named_instead(verdict, match) if verdict.reason == "hasmoved" and match.effective else None
        return _proposal("moved", new) if new else None
    if verdict.kind is not Kind.REPLY:
        return None
    if verdict.intent is Intent.WRONG_PERSON:
        return _proposal("wrong_person", _other_address(verdict.reply_text or "", match))
    return _from_another(match)


def _from_another(match: Match) -> dict[str, Any] | None:
    writer = match.writer
    if writer is None or writer.contact_id is not None or not match.by_another:
        return None
    same = writer.company_id is not None and writer.company_id == match.company_id
    return _proposal("colleague" if same else "another_address", writer.address, writer.name)


def _named_instead(verdict: Verdict, match: Match) -> str | None:
    said = [verdict.diagnostic or "", *(finding.text for finding in verdict.findings)]
    return next((new for text in said if (new := _other_address(text, match))), None)


def _other_address(text: str, match: Match) -> str | None:
    """The first address in a text that is neither the writer's nor the one that we wrote to."""
    known = {match.message.address.lower()} if match.message else set()
    if match.writer is not None:
        known.add(match.writer.address.lower())
    found = (one for one in address.find_all(text[:5_000]) if one.lower() not in known)
    return next((one.lower() for one in found), None)


def _proposal(change: str, new: str | None, name: str = "") -> dict[str, Any]:
    return {"change": change, "address": new, "name": name[:200]}
