"""Tasks and the timeline in the database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.crm.enrolment.store import stop_after
from outreach.crm.owners.rules import Lead
from outreach.crm.owners.store import owner_for
from outreach.crm.tasks import OwnerCalendar, due_at
from outreach.db.session import Database
from outreach.events.kinds import AddActivity, Change, CreateTask, FinishTasks
from outreach.model import Activity, Company, Contact, Task, TaskState, User
from outreach.model.base import table
from outreach.model.refusal import InTwo

TASKS, ACTIVITIES, USERS = table(Task), table(Activity), table(User)
CONTACTS, COMPANIES = table(Contact), table(Company)


class TaskError(InTwo):
    """The task cannot be changed; the text says why."""


async def apply_task(conn: AsyncConnection, change: Change, event_id: int | None, now: datetime) -> None:
    """Make the task that a happening asks for, once for event and kind; unowned ones go to whom the rule names."""
    assert isinstance(change, CreateTask)
    owner = change.owner_id if change.owner_id is not None else await default_owner(conn, change.contact_id)
    values = {
        "kind": change.kind,
        "title": change.title,
        "contact_id": change.contact_id,
        "company_id": change.company_id,
        "owner_id": owner,
        "event_id": event_id,
        "inbound_id": change.inbound_id,
        "state": TaskState.OPEN.value,
        "due_at": due_at(now, change.due, await calendar_of(conn, owner)),
        "created_at": now,
        "data": change.data,
    }
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    await conn.execute(
        dialect.insert(TASKS).values(**values).on_conflict_do_nothing(index_elements=["event_id", "kind"])
    )


async def apply_activity(conn: AsyncConnection, change: Change, event_id: int, now: datetime) -> None:
    """Add the line of the timeline that a happening asks for. What a colleague did ends sequences."""
    assert isinstance(change, AddActivity)
    if change.user_id is not None:
        who, firm = change.contact_id, change.company_id
        kind, user = change.kind, change.user_id
        await stop_after(conn, change.at, now, contact_id=who, company_id=firm, kind=kind, user_id=user)
    await conn.execute(
        insert(ACTIVITIES).values(
            kind=change.kind,
            at=change.at,
            contact_id=change.contact_id,
            company_id=change.company_id,
            user_id=change.user_id,
            event_id=event_id,
            text=change.text,
            data=change.data,
        )
    )


async def finish_tasks(conn: AsyncConnection, change: Change, event_id: int, now: datetime) -> None:
    """Close the open tasks of a received mail."""
    assert isinstance(change, FinishTasks)
    ours = and_(TASKS.c.inbound_id == change.inbound_id, TASKS.c.state == TaskState.OPEN.value)
    values = {"state": TaskState.DONE.value, "done_at": change.at, "outcome": change.outcome}
    await conn.execute(update(TASKS).where(ours).values(**values))


async def add_task(
    conn: AsyncConnection,
    kind: str,
    title: str,
    now: datetime,
    *,
    owner_id: int | None,
    company_id: int | None = None,
    contact_id: int | None = None,
    inbound_id: int | None = None,
    due: datetime | str = "same_working_day",
    data: dict[str, Any] | None = None,
) -> int:
    """Make a task that no event stands behind; `due` is a moment or a hint for the owner's calendar. Return its id.

    Without an owner it goes to whom the assignment rules name.
    """
    owner_id = owner_id if owner_id is not None else await default_owner(conn, contact_id)
    moment = due if isinstance(due, datetime) else due_at(now, due, await calendar_of(conn, owner_id))
    values: dict[str, Any] = {
        "kind": kind,
        "title": title,
        "owner_id": owner_id,
        "company_id": company_id,
        "contact_id": contact_id,
    }
    values |= {"inbound_id": inbound_id, "due_at": moment, "created_at": now, "data": data or {}}
    made = insert(TASKS).values(state=TaskState.OPEN.value, **values).returning(TASKS.c.id)
    return int((await conn.execute(made)).scalar_one())


async def note(
    conn: AsyncConnection,
    kind: str,
    text: str,
    at: datetime,
    *,
    company_id: int | None = None,
    contact_id: int | None = None,
    user_id: int | None = None,
    data: dict[str, Any] | None = None,
) -> int:
    """Add a line of the timeline; a contact's line stands in the company's too. Return its id.

    A meeting, and what a colleague does with the customer, end the sequences that say so at once.
    """
    if company_id is None and contact_id is not None:
        company_id = await conn.scalar(select(CONTACTS.c.company_id).where(CONTACTS.c.id == contact_id))
    values: dict[str, Any] = {"kind": kind, "at": at, "text": text, "company_id": company_id, "contact_id": contact_id}
    await stop_after(conn, at, at, contact_id=contact_id, company_id=company_id, kind=kind, user_id=user_id)
    made = insert(ACTIVITIES).values(user_id=user_id, data=data or {}, **values).returning(ACTIVITIES.c.id)
    return int((await conn.execute(made)).scalar_one())


async def default_owner(conn: AsyncConnection, contact_id: int | None) -> int | None:
    """Return who looks after a customer that nobody owns, by the assignment rules (crm/owners/rules.py).

    None where there is no salesperson, manager or marketer at all.
    """
    lead = Lead()
    if contact_id is not None:
        columns = (CONTACTS.c.region, CONTACTS.c.industry, CONTACTS.c.source)
        row = (await conn.execute(select(*columns).where(CONTACTS.c.id == contact_id))).one_or_none()
        lead = Lead(*row) if row is not None else lead
    return await owner_for(conn, lead)


async def calendar_of(conn: AsyncConnection, owner_id: int | None) -> OwnerCalendar:
    """Return the calendar of a user; the office's default where nobody owns the task."""
    if owner_id is None:
        return OwnerCalendar()
    row = (await conn.execute(select(USERS.c.timezone, USERS.c.settings).where(USERS.c.id == owner_id))).one_or_none()
    if row is None:
        return OwnerCalendar()
    return OwnerCalendar(row.timezone, (row.settings or {}).get("country", "CN"))


class CrmStore:
    """Tasks and timelines for screens and commands."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def tasks(
        self, *, owner_id: int | None = None, state: str = "open", limit: int = 200, offset: int = 0
    ) -> Sequence[Row[Any]]:
        """Return tasks with customer and contact, the most urgent first."""
        query = (
            select(
                TASKS,
                CONTACTS.c.first_name,
                CONTACTS.c.last_name,
                COMPANIES.c.name.label("company"),
                CONTACTS.c.country,
                USERS.c.display_name.label("owner_name"),
            )
            .outerjoin(CONTACTS, CONTACTS.c.id == TASKS.c.contact_id)
            .outerjoin(COMPANIES, COMPANIES.c.id == TASKS.c.company_id)
            .outerjoin(USERS, USERS.c.id == TASKS.c.owner_id)
            .where(TASKS.c.state == state)
            .order_by(TASKS.c.due_at, TASKS.c.id)
            .limit(limit)
            .offset(offset)
        )
        if owner_id is not None:
            query = query.where(TASKS.c.owner_id == owner_id)
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()

    async def finish(self, task_id: int, now: datetime, *, outcome: str = "", dropped: bool = False) -> None:
        """Close an open task. Raises TaskError if it is not open."""
        state = TaskState.DROPPED if dropped else TaskState.DONE
        async with self.db.write() as conn:
            result = await conn.execute(
                update(TASKS)
                .where(and_(TASKS.c.id == task_id, TASKS.c.state == TaskState.OPEN.value))
                .values(state=state.value, done_at=now, outcome=outcome or None)
            )
            if result.rowcount != 1:
                raise TaskError(
                    f"task {task_id} is not open: somebody has closed it already", "这项待办已经有人完成或取消了"
                )

    async def reopen(self, task_id: int) -> None:
        """Undo the closing of a task."""
        async with self.db.write() as conn:
            await conn.execute(
                update(TASKS)
                .where(TASKS.c.id == task_id)
                .values(state=TaskState.OPEN.value, done_at=None, outcome=None)
            )
