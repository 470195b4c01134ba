"""What several effects share."""

from __future__ import annotations

from outreach.events.facts import AddressFacts, Facts
from outreach.events.kinds import (
    AddActivity,
    Change,
    CreateTask,
    MarkMessage,
    NewEvent,
    SettleInDoubt,
    StopMessages,
    Suppress,
)
from outreach.model.task_titles import both


def mark(event: NewEvent, facts: Facts, field: str, hard: bool | None = None) -> list[Change]:
    """Mark the message, and settle it if it was in doubt: what comes back had left."""
    if facts.message_id is None:
        return []
    marked = MarkMessage(facts.message_id, field, event.at, hard)
    return [SettleInDoubt(facts.message_id, event.at), marked] if facts.in_doubt else [marked]


def activity(event: NewEvent, facts: Facts, text: str, by: int | None = None, **data: object) -> list[Change]:
    """Add a line to the timeline, where there is somebody whose timeline it is. `by`: the colleague who did it."""
    if facts.contact_id is None and facts.company_id is None:
        return []
    return [AddActivity(str(event.kind), event.at, facts.contact_id, facts.company_id, text[:500], dict(data), by)]


def everywhere(facts: Facts) -> tuple[AddressFacts, ...]:
    """Every address of the person: who says "no more" at one does not want mail at another."""
    known = {address.key: address for address in facts.addresses}
    if facts.address is not None:
        known.setdefault(facts.address.key, facts.address)
    return tuple(known.values())


#: What a received mail may say about the address book; model/task_titles.py has the words.
CORRECTIONS = frozenset({"moved", "wrong_person", "colleague", "another_address"})


def correction(event: NewEvent, facts: Facts) -> list[Change]:
    """Propose a correction of the address book to the owner; it is never applied by itself."""
    proposal = event.data.get("proposal") or {}
    change = str(proposal.get("change"))
    if change not in CORRECTIONS or facts.contact_id is None:
        return []
    named = proposal.get("address")
    return [
        CreateTask(
            kind="address_book",
            title=f"{both(change)}: {facts.who}" + (f" → {named}" if named else ""),
            contact_id=facts.contact_id,
            company_id=facts.company_id,
            owner_id=facts.owner_id,
            due="next_working_day",
            inbound_id=event.inbound_id,
            data={"proposal": proposal},
        )
    ]


def never_again(facts: Facts, reason: str, source: str) -> list[Change]:
    """Suppress every address of the person and cancel all that has not left, whichever list it came from."""
    changes: list[Change] = [Suppress(a.key, a.address or None, reason, source) for a in everywhere(facts)]
    if facts.contact_id is not None:
        changes.append(StopMessages(why=reason, contact_id=facts.contact_id))
    return changes
