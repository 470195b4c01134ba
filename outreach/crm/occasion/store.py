"""Remembered dates in the database. Functions take a connection in the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.crm.occasion.state import OccasionState, advance
from outreach.model import Campaign, Occasion, Task, TaskState
from outreach.model.base import table

CAMPAIGNS, OCCASIONS, TASKS = table(Campaign), table(Occasion), table(Task)
O = OCCASIONS.c  # noqa: E741

#: A greeting that nobody has decided on is let go when it would come so late.
TOO_LATE = timedelta(days=1)


async def known(conn: AsyncConnection, campaign_id: int, keys: Sequence[int]) -> set[tuple[int, int]]:
    """Which (contact, day) are remembered already."""
    query = select(O.contact_id, O.key).where(O.campaign_id == campaign_id, O.key.in_(keys))
    return {(row.contact_id, row.key) for row in await conn.execute(query)}


async def add(conn: AsyncConnection, row: Mapping[str, Any]) -> int | None:
    """Remember a date; returns its id, None if it was remembered already."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(OCCASIONS).values(**row).on_conflict_do_nothing()
    found = (await conn.execute(statement.returning(O.id))).scalar_one_or_none()
    return None if found is None else int(found)


async def get(conn: AsyncConnection, occasion_id: int) -> Row[Any]:
    """Return the row. Raises LookupError."""
    row = (await conn.execute(select(OCCASIONS).where(O.id == occasion_id))).one_or_none()
    if row is None:
        raise LookupError(f"there is no remembered date {occasion_id}")
    return row


async def move(conn: AsyncConnection, row: Row[Any], action: str, now: datetime, **values: Any) -> bool:
    """Take a date one transition further, guarded by the state that was read; its task is closed with it."""
    state = advance(row.state, action)
    mine = and_(O.id == row.id, O.state == row.state)
    found = await conn.execute(update(OCCASIONS).where(mine).values(state=state.value, decided_at=now, **values))
    if found.rowcount == 1 and row.task_id is not None:
        await _close_task(conn, row.task_id, state, now)
    return found.rowcount == 1


async def _close_task(conn: AsyncConnection, task_id: int, state: OccasionState, now: datetime) -> None:
    """The task follows the decision; a "no" that is taken back opens it again."""
    t = TASKS.c
    if state is OccasionState.PROPOSED:
        await conn.execute(
            update(TASKS).where(t.id == task_id).values(state=TaskState.OPEN.value, done_at=None, outcome=None)
        )
        return
    done = TaskState.DONE if state is OccasionState.QUEUED else TaskState.DROPPED
    is_open = and_(t.id == task_id, t.state == TaskState.OPEN.value)
    await conn.execute(update(TASKS).where(is_open).values(state=done.value, done_at=now, outcome=state.value))


def _late(now: datetime) -> Select[Any]:
    return select(OCCASIONS).where(O.state == OccasionState.PROPOSED, O.due_at < now - TOO_LATE)


def _refused() -> Select[Any]:
    query = select(OCCASIONS).join(TASKS, TASKS.c.id == O.task_id)
    return query.where(O.state == OccasionState.PROPOSED, TASKS.c.state != TaskState.OPEN)


def has_work(now: datetime) -> ColumnElement[bool]:
    """Whether a date of an occasion (the campaign of the query around it) waits to be let go."""
    passes = (_late(now), _refused())
    return or_(*(query.where(O.campaign_id == CAMPAIGNS.c.id).correlate(CAMPAIGNS).exists() for query in passes))


async def miss(conn: AsyncConnection, campaign_id: int, now: datetime) -> int:
    """Let go what nobody has decided on in time; returns how many."""
    return await _let_go(conn, _late(now), campaign_id, "miss", now)


async def dropped(conn: AsyncConnection, campaign_id: int, now: datetime) -> int:
    """A task that somebody closed without sending is a "no"; returns how many."""
    return await _let_go(conn, _refused(), campaign_id, "decline", now)


async def _let_go(conn: AsyncConnection, query: Select[Any], campaign_id: int, action: str, now: datetime) -> int:
    rows = (await conn.execute(query.where(O.campaign_id == campaign_id).limit(500))).all()
    for row in rows:
        await move(conn, row, action, now)
    return len(rows)


async def counts(conn: AsyncConnection, campaign_id: int) -> dict[str, int]:
    """How many dates stand in each state."""
    query = select(O.state, func.count()).where(O.campaign_id == campaign_id).group_by(O.state)
    found = {row[0]: int(row[1]) for row in await conn.execute(query)}
    return {state.value: found.get(state.value, 0) for state in OccasionState}
