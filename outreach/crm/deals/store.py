"""Deals in the database: opened, moved along, approved, lost. Every step stands in the timeline and in the trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.crm.deals.credit.store import credit, take_back
from outreach.crm.deals.money import Money, approval_after, currency_of
from outreach.crm.deals.state import advance
from outreach.crm.enrolment.store import stop_after
from outreach.crm.store import add_task, note
from outreach.db.session import Database
from outreach.model import Company, Deal, User
from outreach.model.base import table
from outreach.model.task_titles import both

DEALS, COMPANIES, USERS = table(Deal), table(Company), table(User)
NOTHING: Mapping[str, Sequence[Any]] = {}


class DealError(Exception):
    """The deal cannot be changed so; `code` is a word of words.py's list `deal_error`, the text says it in English."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class Terms:
    """What is offered: amount, currency, margin in percent. None leaves what stands there."""

    amount: float | None = None
    currency: str | None = None
    margin: float | None = None

    def values(self) -> dict[str, Any]:
        """The columns that change. Raises DealError on a currency that does not exist and on impossible figures."""
        given = {"amount": self.amount, "margin": self.margin}
        if self.amount is not None and self.amount < 0:
            raise DealError("amount", "an amount is not below zero")
        if self.margin is not None and not -100 <= self.margin < 100:
            raise DealError("margin", "a margin is a percentage of the amount, below 100")
        if self.currency:
            try:
                given["currency"] = currency_of(self.currency)  # type: ignore[assignment]
            except ValueError as error:
                raise DealError("currency", str(error)) from error
        # two digits, as a form can repeat them: a manager decides on the very terms that the page showed
        exact = {name: round(value, 2) if isinstance(value, float) else value for name, value in given.items()}
        return {name: value for name, value in exact.items() if value is not None}


#: What a manager looks at and grants.
TERMS = ("amount", "currency", "margin")


@dataclass(frozen=True)
class Stepped:
    """What a step did: the stage now, and whether it waits for a manager instead.

    `changed`: what else it set, as column → (what stands there now, what stood there).
    """

    stage: str
    waits: bool
    before: str
    changed: dict[str, tuple[Any, Any]] = field(default_factory=dict)


class DealStore:
    """`money` holds the company's currency, rates and margin floor."""

    def __init__(self, db: Database, money: Money) -> None:
        self.db, self.money = db, money

    async def add(
        self,
        company_id: int,
        title: str,
        terms: Terms,
        actor: Actor,
        now: datetime,
        *,
        owner_id: int | None = None,
        contact_id: int | None = None,
        campaign_id: int | None = None,
        expected_on: date | None = None,
    ) -> int:
        """Open a deal as an inquiry; its owner is the customer's unless somebody is named."""
        async with self.db.write() as conn:
            company = (await conn.execute(select(COMPANIES).where(COMPANIES.c.id == company_id))).one()
            values = {"currency": self.money.currency, **terms.values()}
            values |= {"company_id": company_id, "contact_id": contact_id, "campaign_id": campaign_id}
            values |= {"owner_id": owner_id or company.owner_id or actor.id, "title": title, "expected_on": expected_on}
            made = insert(DEALS).values(stage="inquiry", approval="none", created_at=now, stage_at=now, **values)
            number = int((await conn.execute(made.returning(DEALS.c.id))).scalar_one())
            row = await _row(conn, number)
            await self._tell(conn, row, "inquiry", title, actor, now)
            await _reached(conn, row, "inquiry", now)
            await append_audit(conn, actor, "deal.added", "deal", number, now=now)
        return number

    async def one(self, deal_id: int) -> Row[Any] | None:
        """Return a deal."""
        async with self.db.read() as conn:
            return (await conn.execute(select(DEALS).where(DEALS.c.id == deal_id))).one_or_none()

    async def step(
        self, deal_id: int, action: str, actor: Actor, now: datetime, *, terms: Terms | None = None, reason: str = ""
    ) -> Stepped:
        """Move a deal along. Under the margin floor it waits, and the managers get a task.

        A step of a deal that waits withdraws the request; where it needs a manager, too, it is asked anew.
        Raises IllegalStage, DealError, LookupError.
        """
        async with self.db.write() as conn:
            row = await _row(conn, deal_id)
            stage = advance(row.stage, action)
            if action == "lose" and not reason.strip():
                raise DealError("reason", "say why the deal was lost: it is what the next one learns from")
            changed = (terms or Terms()).values()
            margin = changed.get("margin", row.margin)
            approval = approval_after(stage, margin, _granted(row, changed), self.money)
            if row.approval == "needed":
                await _close_tasks(conn, deal_id, "withdrawn", now)
            if approval == "needed":
                await self._ask(conn, row, action, changed, actor, now)
                return Stepped(row.stage, True, row.stage)
            values = changed | {
                "stage": str(stage),
                "stage_at": now,
                "approval": approval,
                "pending": None,
                "asked_by": None,
            }
            values |= {"lost_reason": reason.strip()[:500] if action == "lose" else None}
            await self._change(conn, row, values)
            told = await _row(conn, deal_id)
            await self._tell(conn, told, str(stage), reason or row.title, actor, now)
            await _reached(conn, told, str(stage), now)
            moved = {"before": {"stage": row.stage}, "after": {"stage": str(stage)}}
            await append_audit(conn, actor, "deal.moved", "deal", deal_id, now=now, **moved)
        # a request that the step withdrew is not asked again by taking the step back: its tasks are closed
        was = dict(row._mapping) | ({"approval": approval} if row.approval == "needed" else {})
        set_now = {name: (values[name], was[name]) for name in (*changed, "approval", "lost_reason")}
        return Stepped(str(stage), False, row.stage, set_now)

    async def decide(
        self, deal_id: int, grant: bool, comment: str, seen: Terms, actor: Actor, now: datetime
    ) -> Stepped:
        """A manager's word on a margin under the floor; granted, the step that waited is made. Raises DealError.

        `seen`: the terms that the manager looked at; where others stand there meanwhile, nothing is decided.
        """
        async with self.db.write() as conn:
            row = await _row(conn, deal_id)
            if row.approval != "needed":
                raise DealError("not_waiting", "this deal does not wait for an approval")
            if actor.id is not None and actor.id in (row.owner_id, row.asked_by):
                raise DealError("own", "nobody approves the own quotation: ask another manager")
            if (seen.amount, seen.currency, seen.margin) != (row.amount, row.currency, row.margin):
                raise DealError("changed", "its terms have changed since you looked: look at them again, then decide")
            if not grant and not comment.strip():
                raise DealError("comment", "say why, so that the next offer can be better")
            stage = advance(row.stage, row.pending) if grant else row.stage
            values: dict[str, Any] = {
                "approval": "granted" if grant else "refused",
                "approved_by": actor.id,
                "pending": None,
            }
            values |= {"approval_note": comment.strip()[:500] or None, "stage": str(stage)}
            values |= {"stage_at": now if grant else row.stage_at}
            await self._change(conn, row, values)
            word = "approved" if grant else "refused"
            told = await _row(conn, deal_id)
            await self._tell(conn, told, word, comment or row.title, actor, now)
            if grant:
                await _reached(conn, told, str(stage), now)
            await _close_tasks(conn, deal_id, word, now)
            if not grant:
                title = f"{both('not_approved')}: {row.title}"
                await add_task(conn, "deal", title, now, owner_id=row.owner_id, company_id=row.company_id,
                               contact_id=row.contact_id, data={"deal_id": deal_id})  # fmt: skip
            after = {"approval": values["approval"], **{name: row._mapping[name] for name in TERMS}}
            await append_audit(conn, actor, "deal.approval", "deal", deal_id, now=now, after=after)
        return Stepped(str(stage), False, row.stage)

    async def edit(self, deal_id: int, changes: Mapping[str, Any], terms: Terms, actor: Actor, now: datetime) -> Any:
        """Change title, note, owner, day, terms; return what stood there.

        Terms that a manager is asked about, or has granted, stand until the deal is quoted anew. Raises DealError.
        """
        allowed = {name: changes[name] for name in ("title", "note", "owner_id", "expected_on") if name in changes}
        async with self.db.write() as conn:
            row = await _row(conn, deal_id)
            changed = terms.values()
            values = allowed | changed
            if row.approval == "needed" and not _same(row, changed):
                raise DealError("waiting", "a manager is asked about these terms: quote anew to ask about others")
            after = approval_after(row.stage, values.get("margin", row.margin), _granted(row, changed), self.money)
            if row.approval != "needed" and after == "needed":
                raise DealError("floor", "this margin is under the floor: quote anew, so that a manager can look at it")
            if row.approval == "granted" and not _same(row, changed):
                values["approval"] = after  # other terms are not what was granted, even where no stage asks yet
            await self._change(conn, row, values)
            before = {name: row._mapping[name] for name in values}
            was, told = _for_the_trail(before), _for_the_trail(values)
            await append_audit(conn, actor, "deal.changed", "deal", deal_id, now=now, before=was, after=told)
        return before

    async def put_back(
        self,
        deal_id: int,
        now_at: str,
        was: str,
        actor: Actor,
        now: datetime,
        changed: Mapping[str, Sequence[Any]] = NOTHING,
    ) -> None:
        """Undo a step with what it `changed` (as Stepped tells it), if nobody has moved or changed the deal since.

        Raises DealError.
        """
        async with self.db.write() as conn:
            same = [DEALS.c[name].is_not_distinct_from(values[0]) for name, values in changed.items()]
            there = and_(DEALS.c.id == deal_id, DEALS.c.stage == now_at, *same)
            back = {"stage": was, "stage_at": now, "lost_reason": None} | {
                name: old for name, (_, old) in changed.items()
            }
            result = await conn.execute(update(DEALS).where(there).values(back))
            if result.rowcount != 1:
                raise DealError("moved", "somebody has moved the deal since")
            await take_back(conn, deal_id, now_at)
            moved = {"before": {"stage": now_at}, "after": {"stage": was}}
            await append_audit(conn, actor, "deal.put_back", "deal", deal_id, now=now, **moved)

    async def _ask(
        self, conn: AsyncConnection, row: Row[Any], action: str, changed: dict[str, Any], actor: Actor, now: datetime
    ) -> None:
        asked = {"approval": "needed", "pending": action, "asked_by": actor.id, "approval_note": None}
        await self._change(conn, row, changed | asked)
        margin = changed.get("margin", row.margin)
        told = "?" if margin is None else f"{margin:g} %"
        title = f"{both('floor')}: {row.title} ({told})"
        for manager in await _managers(conn, row.owner_id, actor.id):
            await add_task(conn, "deal_approval", title, now, owner_id=manager, company_id=row.company_id,
                           contact_id=row.contact_id, data={"deal_id": row.id})  # fmt: skip
        offered = {name: changed.get(name, row._mapping[name]) for name in TERMS}
        after = {**offered, "floor": self.money.margin_floor}
        await append_audit(conn, actor, "deal.asked", "deal", row.id, now=now, after=after)

    async def _change(self, conn: AsyncConnection, row: Row[Any], values: Mapping[str, Any]) -> None:
        same = (DEALS.c.id == row.id) & (DEALS.c.stage == row.stage) & (DEALS.c.approval == row.approval)
        if values and (await conn.execute(update(DEALS).where(same).values(**values))).rowcount != 1:
            raise DealError("moved", "somebody has moved the deal since")

    async def _tell(
        self, conn: AsyncConnection, row: Row[Any], kind: str, text: str, actor: Actor, now: datetime
    ) -> None:
        data = {"deal_id": row.id, "amount": row.amount, "currency": row.currency, "title": row.title}
        await note(conn, f"deal_{kind}", text, now, company_id=row.company_id, contact_id=row.contact_id,
                   user_id=actor.id, data=data)  # fmt: skip


async def _row(conn: AsyncConnection, deal_id: int) -> Row[Any]:
    row = (await conn.execute(select(DEALS).where(DEALS.c.id == deal_id))).one_or_none()
    if row is None:
        raise LookupError(f"there is no deal {deal_id}")
    return row


def _for_the_trail(values: Mapping[str, Any]) -> dict[str, Any]:
    """What people wrote stays out, only that it was changed: the trail outlives the erasure of who it names."""
    return {name: "…" if name in ("title", "note") else value for name, value in values.items()}


async def _reached(conn: AsyncConnection, row: Row[Any], stage: str, now: datetime) -> None:
    """What follows from a stage: the sequences that it ends, the campaign that it is to the credit of."""
    await stop_after(conn, now, now, company_id=row.company_id, stage=stage)
    await credit(conn, row, stage, now)


def _same(row: Row[Any], changed: Mapping[str, Any]) -> bool:
    """Whether these are the terms that stand there."""
    return all(changed[name] == row._mapping[name] for name in TERMS if name in changed)


def _granted(row: Row[Any], changed: Mapping[str, Any]) -> float | None:
    """The margin that a manager has allowed, for this very amount: a thin margin on 9,000 is none on 100."""
    amount = {name: changed[name] for name in ("amount", "currency") if name in changed}
    return row.margin if row.approval == "granted" and _same(row, amount) else None


async def _managers(conn: AsyncConnection, owner_id: int | None, asked_by: int | None) -> Sequence[int]:
    """The owner's own manager where one is named, else every manager; never the owner, nor who asks."""
    rows = (await conn.execute(select(USERS).where(USERS.c.disabled_at.is_(None)))).all()
    able = {row.id for row in rows if row.id not in (owner_id, asked_by)}
    mine = next((row.manager_id for row in rows if row.id == owner_id), None)
    if mine is not None and mine in able:
        return [int(mine)]
    return [row.id for row in rows if "manager" in row.roles and row.id in able]


async def _close_tasks(conn: AsyncConnection, deal_id: int, outcome: str, now: datetime) -> None:
    from outreach.crm.store import TASKS

    rows = await conn.execute(
        select(TASKS.c.id, TASKS.c.data).where(TASKS.c.kind == "deal_approval", TASKS.c.state == "open")
    )
    ids = [row.id for row in rows if (row.data or {}).get("deal_id") == deal_id]
    done = {"state": "done", "done_at": now, "outcome": outcome}
    await conn.execute(update(TASKS).where(TASKS.c.id.in_(ids)).values(**done))
