"""Which effect belongs to which kind."""

from __future__ import annotations

from collections.abc import Callable

from outreach.events.effects.autoreply import on_autoreply
from outreach.events.effects.bounce import on_bounce, on_delay
from outreach.events.effects.click import on_click
from outreach.events.effects.complaint import on_complaint
from outreach.events.effects.conversion import on_conversion
from outreach.events.effects.open import on_open
from outreach.events.effects.reply import on_challenge, on_reply
from outreach.events.effects.sent import on_sent
from outreach.events.effects.unsubscribe import on_preference, on_unsubscribe
from outreach.events.facts import Facts
from outreach.events.kinds import Change, EventKind, NewEvent

Effect = Callable[[NewEvent, Facts], list[Change]]


EFFECTS: dict[EventKind, Effect] = {
    EventKind.SENT: on_sent,
    EventKind.DELAY: on_delay,
    EventKind.BOUNCE: on_bounce,
    EventKind.COMPLAINT: on_complaint,
    EventKind.UNSUBSCRIBE: on_unsubscribe,
    EventKind.REPLY: on_reply,
    EventKind.AUTOREPLY: on_autoreply,
    EventKind.CHALLENGE: on_challenge,
    EventKind.OPEN: on_open,
    EventKind.CLICK: on_click,
    EventKind.PREFERENCE: on_preference,
    EventKind.CONVERSION: on_conversion,
}


def effects_of(event: NewEvent, facts: Facts) -> list[Change]:
    """Return what follows from `event`, in the order in which it is to be applied."""
    return EFFECTS[event.kind](event, facts)
