"""One pass over a running sequence: whose mail has left, whose task is done, whose next step is due.

Every part may run again at any time, in any process: a step exists once (the outbox and the states refuse a second),
and planners wait for each other (db/stops.py), so that two never count the same room under a cap.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.app.sequences import entry
from outreach.app.sequences.happened import fitting, happened
from outreach.app.sequences.work import Desk, Work, load_work, message_of, open_desk, places_of
from outreach.campaigns.plan import Candidate
from outreach.campaigns.sequence import SequenceRules, SequenceStep
from outreach.campaigns.thread import FRESH, root_of
from outreach.crm.enrolment import store as enrolments
from outreach.crm.enrolment.moves import FOR_NOW, Happened, due_after, give_up_at, is_wanted, tomorrow, why_stop
from outreach.crm.store import add_task
from outreach.db import stops
from outreach.model import Message, MessageState
from outreach.model.base import table
from outreach.outbox import store as outbox

MESSAGES = table(Message)


async def advance(app: App, conn: AsyncConnection, row: Any, now: datetime) -> int:
    """Do what is due in a running sequence; returns how much was done."""
    done = await enrolments.awake(conn, row.id, now)
    left = await enrolments.sent_since(conn, row.id)
    closed = await enrolments.waited(conn, row.id)
    late = await enrolments.given_up(conn, row.id, now)
    due = await enrolments.due(conn, row.id, now)
    looks = entry.is_due(row, now)
    if not (left or closed or late or due or looks):
        return done
    await stops.hold(conn)
    work = await load_work(app, conn, row, now)
    assert work.what.sequence is not None
    people = await places_of(conn, [one.contact_id for one in (*left, *closed, *late)])
    for one in left:
        done += await _mail_ended(conn, work, one, people[one.contact_id])
    for one in (*closed, *late):
        done += await _task_over(conn, work, one, people[one.contact_id])
    if looks:
        done += await entry.look_for_people(conn, work)
    if due:
        done += await _step_all(conn, work, due)
    return done


async def _mail_ended(conn: AsyncConnection, work: Work, one: Any, place: Any) -> int:
    """The last mail left: the next step counts from then. It never will: the sequence ends here, and says why."""
    if one.mail_state != MessageState.SENT:
        reason = str(one.mail_reason or one.mail_state)
        return len(await enrolments.stop(conn, enrolments.E.id == one.id, reason[:100], work.now))
    return await _go_to(conn, work, one, one.sent_at, place)


async def _task_over(conn: AsyncConnection, work: Work, one: Any, place: Any) -> int:
    """The call or task is done, dropped, or nobody did it in time: on to the next step from now."""
    if not await enrolments.move(conn, one, "go_on", task_id=None, due_at=work.now):
        return 0
    anchor = getattr(one, "done_at", None) or work.now
    again = await enrolments.one(conn, work.row.id, one.contact_id)
    return await _go_to(conn, work, again, anchor, place)


async def _go_to(conn: AsyncConnection, work: Work, one: Any, anchor: datetime, place: Any) -> int:
    """Set when the next step (`one.step`) is due; after the last one the sequence is finished."""
    rules = work.what.sequence
    assert rules is not None
    step = rules.step(one.step)
    if step is None:
        return int(await enrolments.move(conn, one, "finish", ended_at=work.now, due_at=None, reason=None))
    due = due_after(anchor, step, work.hours(*place))
    await enrolments.set_values(conn, one.id, due_at=due)
    return 1


# -- steps -------------------------------------------------------------------------------------------------------------


async def _step_all(conn: AsyncConnection, work: Work, due: Sequence[Any]) -> int:
    rules = work.what.sequence
    assert rules is not None
    facts = await happened(conn, rules, due)
    desk = await open_desk(conn, work, [one.contact_id for one in due])
    fits = {
        step.number: await fitting(conn, step.where, [one.contact_id for one in due], work.now)
        for step in rules.steps
        if step.where
    }
    begun = await _sent_steps(conn, work.row.id, [one.contact_id for one in due])
    done = 0
    for one in due:
        person = desk.people.get(one.contact_id)
        reason = why_stop(rules, facts[one.contact_id]) or ("erased" if person is None else None)
        if reason or person is None:
            done += len(await enrolments.stop(conn, enrolments.E.id == one.id, reason or "erased", work.now))
            continue
        done += await _step(conn, desk, one, person, facts[one.contact_id], fits, begun.get(one.contact_id, set()))
    return done


async def _sent_steps(conn: AsyncConnection, campaign_id: int, contacts: Sequence[int]) -> dict[int, set[int]]:
    """Which steps' mails people have, so that a thread is only gone on with where it was begun."""
    m = MESSAGES.c
    query = select(m.contact_id, m.step).where(m.campaign_id == campaign_id, m.contact_id.in_(contacts))
    found: dict[int, set[int]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.contact_id, set()).add(row.step)
    return found


async def _step(
    conn: AsyncConnection,
    desk: Desk,
    one: Any,
    person: Candidate,
    facts: Happened,
    fits: dict[int, set[int]],
    begun: set[int],
) -> int:
    """Do the next step, or pass over it where its condition does not hold."""
    rules = desk.work.what.sequence
    assert rules is not None
    step = rules.step(one.step)
    hours = desk.work.hours(person.country, person.city)
    if step is None:
        return await _finish(conn, desk.work, one)
    unwanted = not is_wanted(step, facts) or (step.where and one.contact_id not in fits[step.number])
    if unwanted or step.number in begun:
        return await _pass_over(conn, desk.work, one, step, rules, hours)
    if step.kind != "mail":
        return await _task(conn, desk.work, one, person, step, rules, hours)
    refused = desk.refusal(person, step.number, one.mailbox_id)
    if refused is not None and refused.partition(":")[0] in FOR_NOW:
        await enrolments.set_values(
            conn, one.id, due_at=tomorrow(desk.work.now, hours), notes={**one.notes, "held": refused}
        )
        return 1
    if refused is not None:
        return len(await enrolments.stop(conn, enrolments.E.id == one.id, refused, desk.work.now))
    return await _mail(conn, desk, one, person, step, rules, begun)


async def _pass_over(
    conn: AsyncConnection, work: Work, one: Any, step: SequenceStep, rules: SequenceRules, hours: Any
) -> int:
    following = rules.after(step.number)
    passed = [*one.notes.get("passed", []), step.number]
    notes = {**one.notes, "passed": passed}
    if following is None:
        await enrolments.set_values(conn, one.id, notes=notes)
        return await _finish(conn, work, one)
    due = due_after(one.due_at, following, hours)
    await enrolments.set_values(conn, one.id, step=following.number, due_at=due, notes=notes)
    return 1


async def _finish(conn: AsyncConnection, work: Work, one: Any) -> int:
    return int(await enrolments.move(conn, one, "finish", ended_at=work.now, due_at=None, reason=None))


async def _mail(
    conn: AsyncConnection,
    desk: Desk,
    one: Any,
    person: Candidate,
    step: SequenceStep,
    rules: SequenceRules,
    begun: set[int],
) -> int:
    """Put the mail into the outbox; the next step waits until it has left."""
    work = desk.work
    root = root_of(work.what, step.number)
    alone = root != step.number and root not in begun
    hours = work.hours(person.country, person.city)
    due = due_after(work.now, step.model_copy(update={"after_days": 0}), hours)
    letter = message_of(work, person, step.number, one.mailbox_id, due, variant=FRESH if alone else None)
    await outbox.plan(conn, [letter])
    desk.count(person, one.mailbox_id)
    following = rules.after(step.number)
    notes = {key: value for key, value in one.notes.items() if key != "held"}
    await enrolments.set_values(
        conn, one.id, last_mail=step.number, due_at=None, notes=notes, step=following.number if following else None
    )
    return 1


async def _task(
    conn: AsyncConnection,
    work: Work,
    one: Any,
    person: Candidate,
    step: SequenceStep,
    rules: SequenceRules,
    hours: Any,
) -> int:
    """Ask the customer's owner to call or do something; by default the sequence waits for it."""
    data = {"campaign_id": work.row.id, "step": step.number, "sequence": work.row.name, "note": step.note}
    task_id = await add_task(
        conn,
        kind="call" if step.kind == "call" else "follow_up",
        title=step.title,
        contact_id=one.contact_id,
        company_id=one.company_id,
        owner_id=person.owner_id if person.owner_id is not None else work.row.owner_id,
        now=work.now,
        data={key: value for key, value in data.items() if value},
    )
    following = rules.after(step.number)
    number = following.number if following else None
    if step.wait:
        until = give_up_at(work.now, step, hours)
        return int(await enrolments.move(conn, one, "wait", task_id=task_id, step=number, due_at=until))
    if following is None:
        return await _finish(conn, work, one)
    await enrolments.set_values(conn, one.id, step=number, due_at=due_after(work.now, following, hours))
    return 1
