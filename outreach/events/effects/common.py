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


#: What a received mail may say about the address book → how the task calls it.
CORRECTIONS = {
    "moved": "对方邮箱已更换，请核对新地址 / Has a new address, check it",
    "wrong_person": "联系人不负责此事，请核对 / Is not the right person, check it",
    "colleague": "同一公司的新联系人回信，请核对后添加 / A colleague who is not on record answered, check and add",
    "another_address": "对方用新地址回信，请核对后添加 / Answered from an address that is not on record, check and add",
}


def correction(event: NewEvent, facts: Facts) -> list[Change]:
    """Propose a correction of the address book to the owner; it is never applied by itself."""
    proposal = event.data.get("proposal") or {}
    words = CORRECTIONS.get(str(proposal.get("change")))
    if words is None or facts.contact_id is None:
        return []
    named = proposal.get("address")
    return [
        CreateTask(
            kind="address_book",
            title=f"{words}: {facts.who}" + (f" → {named}" if named else ""),
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
