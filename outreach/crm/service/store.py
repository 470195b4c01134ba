"""Cases in the database: opened from a reply or by hand, asked about, answered, closed with the customer's word."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.campaigns.calendar import zone_named
from outreach.crm.service.rules import SILENCE, deadline, number_of
from outreach.crm.service.state import advance
from outreach.crm.store import TASKS, add_task, calendar_of, default_owner, note
from outreach.db.session import Database
from outreach.model import Company, Contact, InboundMail, Ticket, TicketKind, User
from outreach.model.base import table
from outreach.model.task_titles import both

TICKETS, USERS, CONTACTS = table(Ticket), table(User), table(Contact)
COMPANIES, INBOUND = table(Company), table(InboundMail)
#: Kind of task that stands for an open case and for a question to a department.
CASE, ASKED = "case", "case_question"


class CaseError(Exception):
    """The case cannot be changed so; `code` is a word of words.py's list `case_error`."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class NewCase:
    """What a customer brings."""

    kind: TicketKind
    subject: str
    text: str = ""
    contact_id: int | None = None
    company_id: int | None = None
    inbound_id: int | None = None
    order_id: int | None = None
    owner_id: int | None = None


class ServiceStore:
    """`days`: working days within which each kind is answered (config.toml); `zone`: the office's, for the numbers."""

    def __init__(self, db: Database, days: Mapping[str, int], zone: str) -> None:
        self.db, self.days, self.zone = db, days, zone

    async def open(self, new: NewCase, actor: Actor | None, now: datetime) -> int:
        """Open a case and give it an owner, a number and a deadline. One mail makes one case. Return its id."""
        async with self.db.write() as conn:
            if new.inbound_id is not None:
                same = select(TICKETS.c.id).where(TICKETS.c.inbound_id == new.inbound_id)
                known = await conn.scalar(same)
                if known is not None:
                    return int(known)
            return await self._open(conn, new, actor, now)

    async def _open(self, conn: AsyncConnection, new: NewCase, actor: Actor | None, now: datetime) -> int:
        company = new.company_id
        if company is None and new.contact_id is not None:
            company = await conn.scalar(select(CONTACTS.c.company_id).where(CONTACTS.c.id == new.contact_id))
        owner = new.owner_id or await service_owner(conn, new.contact_id)
        due = deadline(now, new.kind, await calendar_of(conn, owner), self.days)
        values: dict[str, Any] = {"kind": str(new.kind), "subject": new.subject[:200], "text": new.text[:20_000]}
        values |= {"contact_id": new.contact_id, "company_id": company, "inbound_id": new.inbound_id}
        values |= {"order_id": new.order_id, "owner_id": owner, "deadline": due, "created_at": now, "state": "new"}
        number = await self._number(conn, now)
        made = insert(TICKETS).values(number=number, **values).returning(TICKETS.c.id)
        case = int((await conn.execute(made)).scalar_one())
        row = await _row(conn, case)
        await _tell(conn, row, "case_opened", f"{number} {new.subject}", actor, now)
        await _task(conn, row, owner, due, now)
        await append_audit(conn, actor, "case.opened", "ticket", case, now=now, after={"kind": str(new.kind)})
        return case

    async def _number(self, conn: AsyncConnection, now: datetime) -> str:
        year = now.astimezone(zone_named(self.zone)).year
        mine = TICKETS.c.number.startswith(f"S-{year}-")
        last = await conn.scalar(select(func.max(TICKETS.c.number)).where(mine))
        return number_of(year, int(last.rsplit("-", 1)[1]) + 1 if last else 1)

    async def one(self, case_id: int) -> Row[Any] | None:
        """Return a case."""
        async with self.db.read() as conn:
            return (await conn.execute(select(TICKETS).where(TICKETS.c.id == case_id))).one_or_none()

    async def take(self, case_id: int, owner_id: int, actor: Actor, now: datetime) -> None:
        """Give the case an owner; a new one is under way then. The deadline stays: it is the customer's."""
        async with self.db.write() as conn:
            row = await _row(conn, case_id)
            state = advance(row.state, "take") if row.state == "new" else row.state
            await _change(conn, row, owner_id=owner_id, state=str(state))
            ours = _tasks_of(row, CASE)
            await conn.execute(update(TASKS).where(ours).values(owner_id=owner_id))
            change: Any = {"before": {"owner_id": row.owner_id}, "after": {"owner_id": owner_id}}
            await append_audit(conn, actor, "case.taken", "ticket", case_id, now=now, **change)

    async def ask(
        self, case_id: int, department: str, user_id: int, question: str, actor: Actor, now: datetime
    ) -> None:
        """Hand a question to somebody of a department (E4); it comes back with their answer."""
        if not question.strip():
            raise CaseError("question", "say what you want to know")
        async with self.db.write() as conn:
            row = await _row(conn, case_id)
            state = advance(row.state, "ask")
            values: dict[str, Any] = {"state": str(state), "department": department, "handed_to": user_id}
            values |= {"handed_at": now, "question": question.strip()[:5000], "department_answer": None}
            await _change(conn, row, **values)
            title = f"{row.number} {question.strip().splitlines()[0][:100]}"
            await add_task(conn, ASKED, title, now, owner_id=user_id, company_id=row.company_id,
                           due="same_working_day", data={"ticket_id": case_id})  # fmt: skip
            await _tell(conn, row, "case_asked", question.strip()[:500], actor, now, department=department)
            await append_audit(conn, actor, "case.asked", "ticket", case_id, now=now, after={"to": user_id})

    async def told(self, case_id: int, answer: str, actor: Actor, now: datetime) -> None:
        """The department's answer: the case is its owner's again. Raises CaseError for who was not asked."""
        if not answer.strip():
            raise CaseError("answer", "write the answer first")
        async with self.db.write() as conn:
            row = await _row(conn, case_id)
            state = advance(row.state, "told")
            await _change(conn, row, state=str(state), department_answer=answer.strip()[:5000])
            await _finish(conn, row, ASKED, "answered", now)
            await _tell(conn, row, "case_told", answer.strip()[:500], actor, now, department=row.department)
            title = f"{row.number} {both('told')}: {row.subject}"
            await add_task(conn, "case_told", title, now, owner_id=row.owner_id, company_id=row.company_id,
                           contact_id=row.contact_id, data={"ticket_id": case_id})  # fmt: skip
            await append_audit(conn, actor, "case.told", "ticket", case_id, now=now)

    async def answer(self, case_id: int, text: str, actor: Actor, now: datetime) -> Row[Any]:
        """Note the answer that the customer got; return the case as it is now. Raises CaseError, IllegalStep."""
        if not text.strip():
            raise CaseError("answer", "write the answer first")
        async with self.db.write() as conn:
            row = await _row(conn, case_id)
            state = advance(row.state, "answer")
            await _change(conn, row, state=str(state), answer=text.strip()[:20_000], answered_at=now)
            for kind in (CASE, "case_told"):
                await _finish(conn, row, kind, "answered", now)
            await _tell(conn, row, "case_answered", text.strip()[:500], actor, now)
            await append_audit(conn, actor, "case.answered", "ticket", case_id, now=now)
            return await _row(conn, case_id)

    async def unanswer(self, case_id: int, now: datetime) -> None:
        """The mail with the answer was refused: the case waits again."""
        async with self.db.write() as conn:
            row = await _row(conn, case_id)
            await _change(conn, row, state=str(advance(row.state, "reopen")), answer=None, answered_at=None)
            await _task(conn, row, row.owner_id, row.deadline, now)

    async def step(self, case_id: int, action: str, actor: Actor | None, now: datetime, text: str = "") -> str:
        """Make one of the other steps: take_back, helped, not_helped, expire, reopen, drop."""
        async with self.db.write() as conn:
            return await self.step_in(conn, case_id, action, actor, now, text)

    async def step_in(
        self, conn: AsyncConnection, case_id: int, action: str, actor: Actor | None, now: datetime, text: str = ""
    ) -> str:
        """Do the same in the caller's transaction (the customer's word comes with the survey's)."""
        row = await _row(conn, case_id)
        if action == "drop" and not text.strip():
            raise CaseError("reason", "say why the case is closed without an answer")
        state = str(advance(row.state, action))
        values: dict[str, Any] = {"state": state, "closed_at": now if state == "closed" else None}
        if action in ("helped", "not_helped"):
            values["helped"] = action == "helped"
        await _change(conn, row, **values)
        if action == "take_back":
            await _finish(conn, row, ASKED, "taken back", now)
        if state == "closed":
            for kind in (CASE, ASKED, "case_told"):
                await _finish(conn, row, kind, action, now)
        elif row.state in ("answered", "closed"):
            due = deadline(now, row.kind, await calendar_of(conn, row.owner_id), self.days)
            await conn.execute(update(TICKETS).where(TICKETS.c.id == case_id).values(deadline=due))
            await _task(conn, row, row.owner_id, due, now)
        await _tell(conn, row, f"case_{action}", text or row.subject, actor, now)
        await append_audit(conn, actor, f"case.{action}", "ticket", case_id, now=now)
        return state

    async def expire(self, now: datetime) -> int:
        """Close answered cases whose customers have said nothing for two weeks. Return how many."""
        silent = select(TICKETS.c.id).where(TICKETS.c.state == "answered", TICKETS.c.answered_at < now - SILENCE)
        async with self.db.write() as conn:
            ids = list((await conn.execute(silent.limit(500))).scalars())
            for case in ids:
                await self.step_in(conn, case, "expire", None, now)
        return len(ids)


async def service_owner(conn: AsyncConnection, contact_id: int | None) -> int | None:
    """Return who gets a new case: of customer service the one with the fewest, else the customer's owner."""
    staff = await conn.execute(select(USERS.c.id, USERS.c.roles).where(USERS.c.disabled_at.is_(None)))
    able = [row.id for row in staff if "customer_service" in row.roles]
    if able:
        waiting = TICKETS.c.state.in_(("new", "open", "asked"))
        query = select(TICKETS.c.owner_id, func.count()).where(waiting).group_by(TICKETS.c.owner_id)
        load = {row[0]: row[1] for row in await conn.execute(query)}
        return int(min(able, key=lambda user: (load.get(user, 0), user)))
    owner = await conn.scalar(select(CONTACTS.c.owner_id).where(CONTACTS.c.id == contact_id)) if contact_id else None
    return int(owner) if owner is not None else await default_owner(conn, contact_id)


async def _row(conn: AsyncConnection, case_id: int) -> Row[Any]:
    row = (await conn.execute(select(TICKETS).where(TICKETS.c.id == case_id))).one_or_none()
    if row is None:
        raise LookupError(f"there is no case {case_id}")
    return row


async def _change(conn: AsyncConnection, row: Row[Any], **values: Any) -> None:
    same = (TICKETS.c.id == row.id) & (TICKETS.c.state == row.state)
    if (await conn.execute(update(TICKETS).where(same).values(**values))).rowcount != 1:
        raise CaseError("moved", "somebody has changed the case since: look at it again")


async def _task(conn: AsyncConnection, row: Row[Any], owner: int | None, due: datetime, now: datetime) -> None:
    await add_task(conn, CASE, f"{row.number} {row.subject}", now, owner_id=owner, company_id=row.company_id,
                   contact_id=row.contact_id, due=due.astimezone(UTC), data={"ticket_id": row.id})  # fmt: skip


def _tasks_of(row: Row[Any], kind: str) -> Any:
    number = TASKS.c.data["ticket_id"].as_integer() == row.id
    return (TASKS.c.kind == kind) & (TASKS.c.state == "open") & number


async def _finish(conn: AsyncConnection, row: Row[Any], kind: str, outcome: str, now: datetime) -> None:
    done = {"state": "done", "done_at": now, "outcome": outcome}
    await conn.execute(update(TASKS).where(_tasks_of(row, kind)).values(**done))


async def _tell(
    conn: AsyncConnection, row: Row[Any], kind: str, text: str, actor: Actor | None, now: datetime, **data: Any
) -> None:
    if row.company_id is None and row.contact_id is None:
        return
    told = {"ticket_id": row.id, "number": row.number} | data
    await note(conn, kind, text, now, company_id=row.company_id, contact_id=row.contact_id,
               user_id=actor.id if actor else None, data=told)  # fmt: skip
