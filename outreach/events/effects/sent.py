"""A letter that staff wrote by hand: part of the timeline, and the answer to what waited for one (C4, D4)."""

from __future__ import annotations

from outreach.events.effects.common import activity
from outreach.events.facts import Facts
from outreach.events.kinds import Change, FinishTasks, NewEvent, TouchContact


def on_sent(event: NewEvent, facts: Facts) -> list[Change]:
    """Of campaign mail nothing follows: the message row is the truth about sending."""
    if not event.data.get("by_hand"):
        return []
    text, writer = str(event.data.get("text") or ""), event.data.get("user_id")
    changes = activity(event, facts, text, writer, subject=event.data.get("subject"))
    if facts.contact_id is not None:
        changes.append(TouchContact(facts.contact_id, "last_contacted", event.at))
    return changes + [FinishTasks(number, "answered", event.at) for number in event.data.get("answers") or ()]
