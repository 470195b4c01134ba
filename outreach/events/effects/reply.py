"""A person wrote back: the sequence stops, and somebody answers the same working day (D4, E2)."""

from __future__ import annotations

from outreach.events.effects.common import activity, correction, mark
from outreach.events.facts import Facts
from outreach.events.kinds import AddressAlive, Change, CreateTask, NewEvent, StopMessages, TouchContact
from outreach.model.task_titles import both


def on_reply(event: NewEvent, facts: Facts) -> list[Change]:
    """Stop the person's follow-ups (the colleagues' too where the campaign says so) and make the owner's task.

    ``data["writer_id"]``: somebody else whom we know answered in the person's place; it counts for both.
    """
    changes = mark(event, facts, "replied_at")
    changes += activity(event, facts, str(event.data.get("text") or ""), intent=event.data.get("intent"))
    for contact_id in filter(None, (facts.contact_id, event.data.get("writer_id"))):
        changes.append(TouchContact(contact_id, "last_replied", event.at))
        changes.append(StopMessages(why="replied", contact_id=contact_id, follow_ups_only=True))
    if facts.address is not None:
        changes.append(AddressAlive(facts.address.normal))
    changes += _colleagues(event, facts)
    changes += correction(event, facts)
    changes.append(_task(event, facts))
    return changes


def _colleagues(event: NewEvent, facts: Facts) -> list[Change]:
    if facts.company_id is None or not (facts.stop_colleagues or event.data.get("company_wide")):
        return []
    stop = StopMessages(
        why="colleague_replied", company_id=facts.company_id, campaign_id=facts.campaign_id, follow_ups_only=True
    )
    return [stop]


def _task(event: NewEvent, facts: Facts) -> CreateTask:
    intent = event.data.get("intent")
    data = {"intent": intent, "subject": event.data.get("subject"), "text": event.data.get("text")}
    return CreateTask(
        kind="reply",
        title=f"{both('reply')}: {facts.who}",
        contact_id=facts.contact_id,
        company_id=facts.company_id,
        owner_id=facts.owner_id,
        due="same_working_day",
        inbound_id=event.inbound_id,
        data={key: value for key, value in data.items() if value},
    )


def on_challenge(event: NewEvent, facts: Facts) -> list[Change]:
    """A filter asks for a proof that a person wrote: only a person may give it."""
    task = CreateTask(
        kind="challenge",
        title=f"{both('challenge')}: {facts.who}",
        contact_id=facts.contact_id,
        company_id=facts.company_id,
        owner_id=facts.owner_id,
        due="next_working_day",
        inbound_id=event.inbound_id,
        data={"url": event.data["url"]} if event.data.get("url") else {},
    )
    return [*activity(event, facts, ""), task]
