"""A machine answered for the person: it is no reply, and it is never answered."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from outreach.campaigns.calendar import zone_named
from outreach.events.effects.common import activity, mark
from outreach.events.facts import Facts
from outreach.events.kinds import Change, CreateTask, LeftCompany, NewEvent, PauseContact, StopMessages
from outreach.model.task_titles import both

#: An absence that lasts longer than parental leave in most of the world is a misread date.
LONGEST_ABSENCE = timedelta(days=366)

#: Local time at which who comes back is there again. Midnight in UTC is the evening before in Los Angeles, where the
#: person is still away, and the afternoon in Auckland.
MORNING = time(8)


def on_autoreply(event: NewEvent, facts: Facts) -> list[Change]:
    """Pause the person until the first day back. Who has left gets no more mail, and the owner learns of it."""
    changes = mark(event, facts, "autoreplied_at")
    until = return_moment(event, facts.zone)
    changes += activity(event, facts, "", until=str(event.data["until"])[:10] if until else None)
    if facts.contact_id is None:
        return changes
    if event.data.get("left"):
        return changes + _left(event, facts, facts.contact_id)
    if until is not None:
        changes.append(PauseContact(facts.contact_id, until))
    return changes


def return_moment(event: NewEvent, zone: str | None = None) -> datetime | None:
    """Return the morning of the first day back, in UTC, None where no plausible day is stated.

    zone: the person's (IANA); UTC where nobody knows it.
    """
    stated = event.data.get("until")
    if not stated:
        return None
    try:
        day = date.fromisoformat(str(stated)[:10])
    except ValueError:
        return None
    until = datetime.combine(day, MORNING, zone_named(zone or "UTC")).astimezone(UTC)
    return until if event.at < until <= event.at + LONGEST_ABSENCE else None


def _left(event: NewEvent, facts: Facts, contact_id: int) -> list[Change]:
    successor = event.data.get("successor")
    task = CreateTask(
        kind="left",
        title=f"{both('left')}: {facts.who}",
        contact_id=contact_id,
        company_id=facts.company_id,
        owner_id=facts.owner_id,
        due="next_working_day",
        inbound_id=event.inbound_id,
        data={"successor": successor} if successor else {},
    )
    return [LeftCompany(contact_id, event.at), StopMessages(why="left", contact_id=contact_id), task]
