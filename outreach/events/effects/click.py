"""A link was followed. Who clicks has seen the mail: a person's click also corrects what was taken for no open."""

from __future__ import annotations

from datetime import datetime

from outreach.events.effects.common import mark
from outreach.events.facts import Facts
from outreach.events.kinds import Change, MarkMessage, NewEvent, TouchContact, UnmarkMessage, UntouchContact


def on_click(event: NewEvent, facts: Facts) -> list[Change]:
    """Mark the first click, by people and by machines apart; take back clicks that turned out to be a machine's."""
    if event.machine:
        return [*_corrected(event, facts), *mark(event, facts, "machine_click_at")]
    changes = mark(event, facts, "first_click_at")
    if facts.message_id is not None and facts.first_open_at is None:
        changes.append(MarkMessage(facts.message_id, "first_open_at", event.at))
    if facts.contact_id is not None:
        changes.append(TouchContact(facts.contact_id, "last_clicked", event.at))
        changes.append(TouchContact(facts.contact_id, "last_opened", event.at))
    return changes


def _corrected(event: NewEvent, facts: Facts) -> list[Change]:
    """A burst shows only at its third link: the clicks before it, counted as a person's, are taken back."""
    if facts.message_id is None:
        return []
    changes: list[Change] = []
    moments = tuple(datetime.fromisoformat(str(text)) for text in event.data.get("corrects") or ())
    for at in moments:
        changes.append(UnmarkMessage(facts.message_id, "first_click_at", at))
        changes.append(UnmarkMessage(facts.message_id, "first_open_at", at))
    if moments and facts.contact_id is not None:
        changes += [UntouchContact(facts.contact_id, field, moments) for field in ("last_clicked", "last_opened")]
    return changes
