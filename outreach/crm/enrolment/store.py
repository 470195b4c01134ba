"""Enrolments in the database. Functions take a connection in the caller's transaction; nobody else writes the table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.campaigns.sequence import SequenceRules
from outreach.crm.enrolment.moves import CONTACT_KINDS, Happened, why_stop
from outreach.crm.enrolment.state import BY_HAND, OPEN, EnrolmentState, advance, sources
from outreach.db import stops
from outreach.events.changes.store import stop_messages as stop_campaign_messages
from outreach.model import Campaign, Contact, Enrolment, Mailbox, Message, MessageState, Task, TaskState
from outreach.model.base import table
from outreach.outbox.holding import store as holding
from outreach.outbox.store import stop_for as stop_messages

ENROLMENTS, CAMPAIGNS, CONTACTS = table(Enrolment), table(Campaign), table(Contact)
MESSAGES, TASKS, MAILBOXES = table(Message), table(Task), table(Mailbox)
E = ENROLMENTS.c

#: Enrolments that one tick moves in one transaction: bounded, because SQLite has one writer.
CHUNK = 500
#: A pause without an end: until somebody resumes.
FOREVER = timedelta(days=36_500)
IS_OPEN = E.state.in_([state.value for state in OPEN])


async def enrol(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Add people; returns the contacts that are new. Who is in a sequence, or was in this one, is left out."""
    if not rows:
        return []
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(ENROLMENTS).on_conflict_do_nothing().returning(E.contact_id)
    return sorted((await conn.execute(statement, [dict(row) for row in rows])).scalars())


async def one(conn: AsyncConnection, campaign_id: int, contact_id: int) -> Row[Any] | None:
    """A person's enrolment in a sequence, None if there is none."""
    query = select(ENROLMENTS).where(E.campaign_id == campaign_id, E.contact_id == contact_id)
    return (await conn.execute(query)).one_or_none()


async def move(conn: AsyncConnection, row: Row[Any], action: str, **values: Any) -> bool:
    """Take one enrolment a transition further, guarded by the state that was read; False: somebody was faster."""
    state = advance(row.state, action)
    mine = and_(E.id == row.id, E.state == row.state)
    found = await conn.execute(update(ENROLMENTS).where(mine).values(state=state.value, **values))
    return found.rowcount == 1


async def set_values(conn: AsyncConnection, enrolment_id: int, **values: Any) -> None:
    """Note where a person stands without a change of state."""
    await conn.execute(update(ENROLMENTS).where(E.id == enrolment_id, IS_OPEN).values(**values))


async def stop(conn: AsyncConnection, which: ColumnElement[bool], reason: str, now: datetime) -> list[int]:
    """Stop enrolments and what they have in the outbox; returns their contacts. A task of theirs is dropped."""
    await stops.hold(conn)  # before a row of ours is locked: planners take this lock first, too
    states = [state.value for state in sources("stop")]
    values = {"state": EnrolmentState.STOPPED.value, "reason": reason, "ended_at": now, "due_at": None}
    statement = update(ENROLMENTS).where(which, E.state.in_(states)).values(**values)
    rows = (await conn.execute(statement.returning(E.campaign_id, E.contact_id, E.task_id))).all()
    for campaign_id in {row.campaign_id for row in rows}:
        people = [row.contact_id for row in rows if row.campaign_id == campaign_id]
        await stop_messages(conn, people, campaign_id=campaign_id, reason=reason, now=now)
    tasks = [row.task_id for row in rows if row.task_id is not None]
    if tasks:
        dropped = {"state": TaskState.DROPPED.value, "done_at": now, "outcome": reason}
        still = and_(TASKS.c.id.in_(tasks), TASKS.c.state == TaskState.OPEN.value)
        await conn.execute(update(TASKS).where(still).values(dropped))
    return [int(row.contact_id) for row in rows]


async def stop_for(
    conn: AsyncConnection, contact_ids: Sequence[int], company_id: int | None, reason: str, now: datetime
) -> int:
    """Stop whatever sequence these contacts are in; a reply stops their colleagues too where the sequence says so.

    The one way in which what the world says ends sequences (events/changes calls it); returns how many.
    """
    stopped = 0
    if contact_ids:
        stopped += len(await stop(conn, E.contact_id.in_(contact_ids), reason, now))
    if reason in ("replied", "colleague_replied"):
        firms = [company_id] if company_id is not None else await _companies(conn, contact_ids)
        if firms:
            wide = select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.definition["stop_colleagues"].as_boolean().is_(True))
            colleagues = and_(E.company_id.in_(firms), E.campaign_id.in_(wide))
            stopped += len(await stop(conn, colleagues, "colleague_replied", now))
    return stopped


async def stop_after(
    conn: AsyncConnection,
    at: datetime,
    now: datetime,
    *,
    contact_id: int | None = None,
    company_id: int | None = None,
    kind: str = "",
    user_id: int | None = None,
    stage: str = "",
) -> int:
    """End the sequences that a meeting, a colleague's contact (`kind`) or a deal's `stage` ends; returns how many.

    In the transaction that writes it down, so that a mail which waits in the outbox does not leave after it.
    """
    if not stage and kind not in CONTACT_KINDS:
        return 0
    whose = [E.contact_id == contact_id] if contact_id is not None else []
    whose += [E.company_id == company_id] if company_id is not None else []
    if not whose:
        return 0
    query = (
        select(E.id, E.enrolled_by, MAILBOXES.c.owner_id, CAMPAIGNS.c.definition)
        .join(CAMPAIGNS, CAMPAIGNS.c.id == E.campaign_id)
        .join(MAILBOXES, MAILBOXES.c.id == E.mailbox_id)
        .where(IS_OPEN, E.enrolled_at < at, or_(*whose))
    )
    ended: dict[str, list[int]] = {}
    for row in (await conn.execute(query)).all():
        rules = SequenceRules.model_validate(row.definition["sequence"])
        ours = {row.owner_id, row.enrolled_by} - {None}
        reason = why_stop(
            rules,
            Happened(
                meeting=kind == "meeting",
                deal=stage in rules.stop.deal_stages,
                colleague=bool(ours) and user_id is not None and user_id not in ours,
            ),
        )
        if reason is not None:
            ended.setdefault(reason, []).append(row.id)
    return sum([len(await stop(conn, E.id.in_(ids), reason, now)) for reason, ids in ended.items()])


async def _companies(conn: AsyncConnection, contact_ids: Sequence[int]) -> list[int]:
    query = select(CONTACTS.c.company_id).where(CONTACTS.c.id.in_(contact_ids), CONTACTS.c.company_id.is_not(None))
    return list(await conn.scalars(query))


async def pause(conn: AsyncConnection, row: Row[Any], until: datetime | None, now: datetime) -> None:
    """Hold one person's steps; a mail that waits in the outbox is put off with them."""
    if await move(conn, row, "pause", paused_until=until, reason=BY_HAND):
        await holding.put_off(conn, row.campaign_id, row.contact_id, until or now + FOREVER)


async def resume(conn: AsyncConnection, row: Row[Any], now: datetime) -> None:
    """Go on: what was put off is due now (and leaves in the customer's hours)."""
    due = {} if row.due_at is None else {"due_at": max(row.due_at, now)}
    action = "resume" if row.task_id is None else "resume_waiting"
    if await move(conn, row, action, paused_until=None, reason=None, **due):
        await holding.put_off(conn, row.campaign_id, row.contact_id, now)


def _over(now: datetime) -> Select[Any]:
    """Those whose pause has an end that has come."""
    return select(ENROLMENTS).where(E.state == EnrolmentState.PAUSED, E.paused_until <= now)


def _due(now: datetime) -> Select[Any]:
    """Those whose next step is due and who are not away."""
    here = or_(CONTACTS.c.paused_until.is_(None), CONTACTS.c.paused_until <= now)
    query = select(ENROLMENTS).join(CONTACTS, CONTACTS.c.id == E.contact_id)
    return query.where(E.state == EnrolmentState.ACTIVE, E.due_at <= now, here)


def _mailed() -> Select[Any]:
    """Those whose last mail has come to an end, with that message."""
    m = MESSAGES.c
    ended = (MessageState.SENT, MessageState.FAILED, MessageState.SKIPPED, MessageState.CANCELLED)
    columns = (m.state.label("mail_state"), m.reason.label("mail_reason"), m.sent_at, m.country, m.tz)
    query = select(ENROLMENTS, *columns).join(
        MESSAGES, and_(m.campaign_id == E.campaign_id, m.contact_id == E.contact_id, m.step == E.last_mail)
    )
    return query.where(E.state == EnrolmentState.ACTIVE, E.due_at.is_(None), m.state.in_(ended))


def _closed() -> Select[Any]:
    """Those whose call or task is closed, with when and how."""
    columns = (TASKS.c.state.label("task_state"), TASKS.c.done_at, TASKS.c.outcome)
    query = select(ENROLMENTS, *columns).join(TASKS, TASKS.c.id == E.task_id)
    return query.where(E.state == EnrolmentState.WAITING, TASKS.c.state != "open")


def _late(now: datetime) -> Select[Any]:
    """Those whose call or task nobody did in time."""
    return select(ENROLMENTS).where(E.state == EnrolmentState.WAITING, E.due_at <= now)


def has_work(now: datetime) -> ColumnElement[bool]:
    """Whether a pass over a sequence (the campaign of the query around it) would move anybody."""
    passes = (_over(now), _due(now), _mailed(), _closed(), _late(now))
    return or_(*(query.where(E.campaign_id == CAMPAIGNS.c.id).correlate(CAMPAIGNS).exists() for query in passes))


async def _some(conn: AsyncConnection, query: Select[Any], campaign_id: int, *order: Any) -> Sequence[Row[Any]]:
    mine = query.where(E.campaign_id == campaign_id).order_by(*order, E.id).limit(CHUNK)
    rows: Sequence[Row[Any]] = (await conn.execute(mine)).all()
    return rows


async def awake(conn: AsyncConnection, campaign_id: int, now: datetime) -> int:
    """Resume those whose pause has an end that has come."""
    rows = await _some(conn, _over(now), campaign_id)
    for row in rows:
        await resume(conn, row, now)
    return len(rows)


async def due(conn: AsyncConnection, campaign_id: int, now: datetime) -> Sequence[Row[Any]]:
    """People whose next step is due and who are not away, the longest waiting first."""
    return await _some(conn, _due(now), campaign_id, E.due_at)


async def sent_since(conn: AsyncConnection, campaign_id: int) -> Sequence[Row[Any]]:
    """People whose last mail has come to an end (left, or never will), with that message."""
    return await _some(conn, _mailed(), campaign_id)


async def waited(conn: AsyncConnection, campaign_id: int) -> Sequence[Row[Any]]:
    """People whose call or task is closed, with when and how."""
    return await _some(conn, _closed(), campaign_id)


async def given_up(conn: AsyncConnection, campaign_id: int, now: datetime) -> Sequence[Row[Any]]:
    """People whose call or task nobody did in time."""
    return await _some(conn, _late(now), campaign_id)


async def counts(conn: AsyncConnection, campaign_id: int) -> dict[str, int]:
    """How many people stand in each state."""
    query = select(E.state, func.count()).where(E.campaign_id == campaign_id).group_by(E.state)
    found = {row[0]: int(row[1]) for row in await conn.execute(query)}
    return {state.value: found.get(state.value, 0) for state in EnrolmentState}


async def reasons(conn: AsyncConnection, campaign_id: int) -> dict[str, int]:
    """Why people were stopped, most frequent first."""
    stopped = and_(E.campaign_id == campaign_id, E.state == EnrolmentState.STOPPED)
    query = select(E.reason, func.count().label("n")).where(stopped).group_by(E.reason)
    return {row[0] or "": int(row.n) for row in await conn.execute(query.order_by(func.count().desc()))}


async def give_to(conn: AsyncConnection, leaving: Sequence[int], successor: int | None, now: datetime) -> int:
    """A mailbox's person leaves: its sequences go on from `successor`'s mailbox, or stop where there is none."""
    mine = E.mailbox_id.in_(leaving)
    if successor is None:
        return len(await stop(conn, mine, "owner_left", now))
    running = list(await conn.scalars(select(E.campaign_id).where(mine, IS_OPEN).distinct()))
    await holding.give_to(conn, running, leaving, successor)
    return int((await conn.execute(update(ENROLMENTS).where(mine, IS_OPEN).values(mailbox_id=successor))).rowcount)


async def apply_stop(conn: AsyncConnection, change: Any, event_id: int, now: datetime) -> None:
    """What an event stops (events.kinds.StopMessages): messages of campaigns, and whatever sequence they are in."""
    await stop_campaign_messages(conn, change, event_id, now)
    contacts = () if change.contact_id is None else (change.contact_id,)
    await stop_for(conn, contacts, change.company_id, change.why, now)
