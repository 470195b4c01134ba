"""Late work reaches the manager (D4: who is late is visible): a task of its own, once for each late one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.crm.store import calendar_of
from outreach.crm.tasks import due_at
from outreach.model import Role, Task, TaskState, User
from outreach.model.base import table
from outreach.model.task_titles import both

TASKS, USERS = table(Task), table(User)

#: What a customer waits for. Other late tasks are only shown as late.
URGENT = frozenset({"reply", "complaint", "privacy"})
KIND = "late"
OPEN = TASKS.c.state == TaskState.OPEN.value
#: Tasks that one transaction escalates: after an outage there may be many.
MOST = 200


async def escalate(conn: AsyncConnection, now: datetime) -> int:
    """Mark open tasks that are late, and make a task for the manager of whoever should have done them.

    Each once: the mark and the manager's task are one transaction. Returns how many are new.
    """
    late = and_(OPEN, TASKS.c.due_at < now, TASKS.c.escalated_at.is_(None), TASKS.c.kind != KIND)
    rows = (await conn.execute(select(TASKS).where(late).order_by(TASKS.c.due_at).limit(MOST))).all()
    if not rows:
        return 0
    staff = (await conn.execute(select(USERS).where(USERS.c.disabled_at.is_(None)).order_by(USERS.c.id))).all()
    for row in rows:
        await conn.execute(update(TASKS).where(TASKS.c.id == row.id).values(escalated_at=now))
        manager = manager_of(row.owner_id, staff) if row.kind in URGENT else None
        if manager is not None:
            await _tell(conn, row, manager, staff, now)
    return len(rows)


def manager_of(owner_id: int | None, staff: Sequence[Row[Any]]) -> Row[Any] | None:
    """Return who answers for somebody's work: the own manager, one of the team, any; never the person itself."""
    by_id = {user.id: user for user in staff}
    owner = by_id.get(owner_id) if owner_id is not None else None
    if owner is not None and owner.manager_id in by_id and owner.manager_id != owner_id:
        return by_id[owner.manager_id]
    able = [user for user in staff if Role.MANAGER.value in user.roles and user.id != owner_id]
    near = [user for user in able if owner is not None and owner.team is not None and user.team == owner.team]
    return next(iter(near or able), None)


async def _tell(conn: AsyncConnection, row: Any, manager: Row[Any], staff: Sequence[Row[Any]], now: datetime) -> None:
    owner = next((user.display_name or user.name for user in staff if user.id == row.owner_id), "–")
    values = {
        "kind": KIND,
        "title": f"{both('late', owner=owner)}: {row.title}"[:500],
        "contact_id": row.contact_id,
        "company_id": row.company_id,
        "owner_id": manager.id,
        "inbound_id": row.inbound_id,
        "state": TaskState.OPEN.value,
        "due_at": due_at(now, "same_working_day", await calendar_of(conn, manager.id)),
        "created_at": now,
        "data": {"task_id": row.id, "late_owner_id": row.owner_id, "was_due": row.due_at.isoformat()},
    }
    await conn.execute(insert(TASKS).values(**values))


async def settle(conn: AsyncConnection, now: datetime) -> int:
    """Close the managers' tasks whose late work has been done meanwhile; return how many."""
    rows = (await conn.execute(select(TASKS.c.id, TASKS.c.data).where(OPEN, TASKS.c.kind == KIND))).all()
    about = {row.id: (row.data or {}).get("task_id") for row in rows}
    if not about:
        return 0
    still = select(TASKS.c.id).where(OPEN, TASKS.c.id.in_([number for number in about.values() if number]))
    waiting = set((await conn.execute(still)).scalars())
    over = [number for number, task in about.items() if task not in waiting]
    values = {"state": TaskState.DONE.value, "done_at": now, "outcome": "done meanwhile"}
    await conn.execute(update(TASKS).where(TASKS.c.id.in_(over)).values(**values))
    return len(over)


async def claim_notices(conn: AsyncConnection, now: datetime) -> dict[int, list[Row[Any]]]:
    """Return the late tasks that managers have not been mailed about, by manager, and note that they are now.

    Noted before the mail leaves: a mail that is lost is better than one that comes every minute.
    """
    rows = (await conn.execute(select(TASKS).where(OPEN, TASKS.c.kind == KIND, TASKS.c.escalated_at.is_(None)))).all()
    await conn.execute(update(TASKS).where(TASKS.c.id.in_([row.id for row in rows])).values(escalated_at=now))
    found: dict[int, list[Row[Any]]] = {}
    for row in rows:
        found.setdefault(row.owner_id, []).append(row)
    return found
