"""A picture was fetched. A machine's fetch says nothing about a person, and steers nothing."""

from __future__ import annotations

from outreach.events.effects.common import mark
from outreach.events.facts import Facts
from outreach.events.kinds import Change, NewEvent, TouchContact


def on_open(event: NewEvent, facts: Facts) -> list[Change]:
    """Mark the first open, by people and by machines apart."""
    if event.machine:
        return mark(event, facts, "machine_open_at")
    changes = mark(event, facts, "first_open_at")
    if facts.contact_id is not None:
        changes.append(TouchContact(facts.contact_id, "last_opened", event.at))
    return changes
