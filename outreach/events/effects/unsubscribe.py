"""Somebody wants no more: it holds before the next hand-over, for every list, for ever (F3)."""

from __future__ import annotations

from datetime import timedelta

from outreach.events.effects.common import activity, everywhere, mark, never_again
from outreach.events.facts import Facts
from outreach.events.kinds import (
    Change,
    CreateTask,
    EndPause,
    NewEvent,
    PauseContact,
    SetPreference,
    SetTracking,
    Unsuppress,
)
from outreach.model import SuppressionReason
from outreach.model.task_titles import both

#: A pause that a recipient may ask for on the preference page, in days.
LONGEST_PAUSE = 365

#: What a recipient may ask of us on the preference page.
REQUESTS = frozenset({"access", "erase", "complain"})


def on_unsubscribe(event: NewEvent, facts: Facts) -> list[Change]:
    """Suppress every address of the person and cancel what has not left."""
    via = str(event.data.get("via") or "")
    changes = mark(event, facts, "unsubscribed_at")
    changes += never_again(facts, SuppressionReason.UNSUBSCRIBED, f"unsubscribe:{via or event.key}")
    return changes + activity(event, facts, via)


def on_preference(event: NewEvent, facts: Facts) -> list[Change]:
    """Keep what the recipient chose; "resubscribed" takes back the person's own unsubscription and nothing else."""
    changes: list[Change] = []
    if event.data.get("resubscribed"):
        changes += [Unsuppress(a.key, SuppressionReason.UNSUBSCRIBED) for a in everywhere(facts)]
    if facts.contact_id is None:
        return changes
    if "topics_off" in event.data or "mails_per_month" in event.data:
        topics = tuple(str(topic) for topic in event.data.get("topics_off") or ())
        changes.append(SetPreference(facts.contact_id, topics, event.data.get("mails_per_month"), event.at))
    if isinstance(counted := event.data.get("counted"), bool):
        changes.append(SetTracking(facts.contact_id, counted))
    changes += _pause(event, facts.contact_id) + _request(event, facts)
    return changes + activity(event, facts, "", **event.data)


def _pause(event: NewEvent, contact_id: int) -> list[Change]:
    if event.data.get("resumed"):
        return [EndPause(contact_id)]
    days = event.data.get("pause_days")
    if not isinstance(days, int) or not 0 < days <= LONGEST_PAUSE:
        return []
    return [PauseContact(contact_id, event.at + timedelta(days=days))]


def _request(event: NewEvent, facts: Facts) -> list[Change]:
    """Access, erasure and complaints are a person's to answer, within the month that GDPR article 12(3) gives."""
    wish = event.data.get("request")
    if wish not in REQUESTS:
        return []
    title = f"{both(str(wish))}: {facts.who}"
    data = {"request": wish}
    return [
        CreateTask("privacy", title, facts.contact_id, facts.company_id, facts.owner_id, "next_working_day", data=data)
    ]
