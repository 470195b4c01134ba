"""What several effects share."""

from __future__ import annotations

from outreach.events.facts import AddressFacts, Facts
from outreach.events.kinds import AddActivity, Change, MarkMessage, NewEvent, SettleInDoubt, StopMessages, Suppress


def mark(event: NewEvent, facts: Facts, field: str, hard: bool | None = None) -> list[Change]:
    """Mark the message, and settle it if it was in doubt: what comes back had left."""
    if facts.message_id is None:
        return []
    marked = MarkMessage(facts.message_id, field, event.at, hard)
    return [SettleInDoubt(facts.message_id, event.at), marked] if facts.in_doubt else [marked]


def activity(event: NewEvent, facts: Facts, text: str, **data: object) -> list[Change]:
    """Add a line to the timeline, where there is somebody whose timeline it is."""
    if facts.contact_id is None and facts.company_id is None:
        return []
    return [AddActivity(str(event.kind), event.at, facts.contact_id, facts.company_id, text[:500], dict(data))]


def everywhere(facts: Facts) -> tuple[AddressFacts, ...]:
    """Every address of the person: who says "no more" at one does not want mail at another."""
    known = {address.key: address for address in facts.addresses}
    if facts.address is not None:
        known.setdefault(facts.address.key, facts.address)
    return tuple(known.values())


def never_again(facts: Facts, reason: str, source: str) -> list[Change]:
    """Suppress every address of the person and cancel all that has not left, whichever list it came from."""
    changes: list[Change] = [Suppress(a.key, a.address, reason, source) for a in everywhere(facts)]
    if facts.contact_id is not None:
        changes.append(StopMessages(why=reason, contact_id=facts.contact_id))
    return changes
