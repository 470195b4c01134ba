"""One pass over a running remembered date: who has one soon, what nobody has decided on in time.

Asks the customer's owner first (a task with the letter and "send"), unless the file says that it goes by itself. Either
way it passes what every mail passes: the approval of its texts, gates, caps, suppression.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.app.occasions.find import MOST_AT_ONCE, Found, due_day, find
from outreach.app.sequences.work import Desk, Work, load_work, message_of, open_desk, places_of
from outreach.campaigns.calendar import Hours, next_open, zone_named
from outreach.campaigns.plan import Candidate
from outreach.crm import greetings
from outreach.crm.enrolment.moves import FOR_NOW
from outreach.crm.occasion import store as occasions
from outreach.crm.occasion.state import OccasionState
from outreach.crm.store import add_task
from outreach.db import stops
from outreach.model import Campaign
from outreach.model.base import table
from outreach.model.task_titles import both
from outreach.outbox import store as outbox

CAMPAIGNS = table(Campaign)
#: Dates do not come up by the minute.
LOOK_EVERY = timedelta(hours=1)
TASK_KINDS = {"quality": "quality"}


def is_due(row: Any, now: datetime) -> bool:
    """Whether nobody has looked for dates for a while."""
    return row.looked_at is None or now - row.looked_at >= LOOK_EVERY


async def advance(app: App, conn: AsyncConnection, row: Any, now: datetime) -> int:
    """Do what is due for a remembered date; returns how much was done."""
    done = await occasions.dropped(conn, row.id, now) + await occasions.miss(conn, row.id, now)
    if not is_due(row, now):
        return done
    await stops.hold(conn)
    await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == row.id).values(looked_at=now))
    work = await load_work(app, conn, row, now)
    return done + await _propose(conn, work, await find(conn, work))


async def _propose(conn: AsyncConnection, work: Work, found: list[Found]) -> int:
    """Do what is due within the horizon, the nearest first; what is not yet due is left for later looks."""
    seen = await occasions.known(conn, work.row.id, sorted({one.number for one in found}))
    new = [one for one in found if (one.contact_id, one.number) not in seen]
    if not new or not work.boxes:
        return 0
    ready = await _ready(conn, work, new)
    done = 0
    for start in range(0, len(ready), MOST_AT_ONCE):
        part = ready[start : start + MOST_AT_ONCE]
        desk = await open_desk(conn, work, sorted({one.contact_id for one, _ in part}))
        done += sum([await _one(conn, desk, one, due) for one, due in part])
        # who may not hear from us today keeps nobody else waiting, and a look stays short
        if done >= MOST_AT_ONCE or start >= 4 * MOST_AT_ONCE:
            break
    return done


async def _ready(conn: AsyncConnection, work: Work, found: list[Found]) -> list[tuple[Found, datetime]]:
    """Which of these dates come up now, and when their mails are due."""
    rules = work.what.occasion
    assert rules is not None
    last = work.now + timedelta(days=rules.ask_days if rules.ask else 1)
    places = await places_of(conn, sorted({one.contact_id for one in found}))
    ready = []
    for one in found:
        hours = work.hours(*places[one.contact_id])
        due = due_moment(due_day(one, hours), hours, work.now)
        if due <= last:
            ready.append((one, due))
    return sorted(ready, key=lambda pair: pair[1])


async def _one(conn: AsyncConnection, desk: Desk, found: Found, due: datetime) -> int:
    """Propose one date, or send it by itself; who may not be written to is kept with the reason."""
    work, person = desk.work, desk.people.get(found.contact_id)
    rules = work.what.occasion
    assert rules is not None
    if person is None:
        return 0
    box = work.box(person)
    refused = desk.refusal(person, found.number, box)
    if refused is not None and refused.partition(":")[0] in FOR_NOW:
        return 0
    state = OccasionState.SKIPPED if refused else OccasionState.PROPOSED if rules.ask else OccasionState.QUEUED
    values = {"state": state.value, "reason": refused, "due_at": due, "created_at": work.now}
    what = {"kind": rules.kind, "name": found.name, "on": found.day, "key": found.number}
    ids = {"campaign_id": work.row.id, "contact_id": found.contact_id}
    number = await occasions.add(conn, {**ids, **what, **values})
    if number is None or refused:
        return int(number is not None)
    if rules.ask:
        await _ask(conn, work, person, found, number, due)
    else:
        await queue(conn, desk, person, found.number, found.name, due)
    return 1


def due_moment(day: Any, hours: Hours, now: datetime) -> datetime:
    """When a mail of that day leaves: at the opening of the person's hours, never in the past."""
    begin = datetime(day.year, day.month, day.day, tzinfo=zone_named(hours.zone))
    return next_open(max(begin, now), hours)


async def _ask(conn: AsyncConnection, work: Work, person: Candidate, found: Found, number: int, due: datetime) -> None:
    """A task for the customer's owner, due when the mail would leave."""
    rules = work.what.occasion
    assert rules is not None
    holiday = greetings.greetable().get(found.name)
    title = both("holiday", zh=holiday.zh, en=holiday.en) if holiday else both(rules.kind)
    task_id = await add_task(
        conn,
        kind=TASK_KINDS.get(rules.kind, "greeting"),
        title=title,
        contact_id=person.contact_id,
        company_id=person.company_id,
        owner_id=person.owner_id if person.owner_id is not None else work.row.owner_id,
        now=work.now,
        due=due,
        data={"occasion_id": number, "campaign_id": work.row.id, "on": found.day.isoformat()},
    )
    await conn.execute(update(occasions.OCCASIONS).where(occasions.O.id == number).values(task_id=task_id))


async def queue(conn: AsyncConnection, desk: Desk, person: Candidate, key: int, name: str, due: datetime) -> None:
    """Put the mail of a date into the outbox."""
    work, box = desk.work, desk.work.box(person)
    assert work.what.occasion is not None
    words = greetings.variant_for(work.what.occasion.words, name, person.language, person.country)
    await outbox.plan(conn, [message_of(work, person, key, box, due, variant=words)])
    desk.count(person, box)
