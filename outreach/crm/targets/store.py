"""Targets in the database, and what was reached, counted from orders, deals and answers. Whose it is: see `_CREDIT`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, delete, func, insert, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.crm.deals.money import Money
from outreach.crm.grades.rules import quarter_days
from outreach.crm.targets.standing import Reached, checked, months
from outreach.db.session import Database
from outreach.model import Activity, Company, Deal, Order, Target, Task
from outreach.model.base import table

TARGETS, ORDERS, DEALS = table(Target), table(Order), table(Deal)
COMPANIES, ACTIVITIES, TASKS = table(Company), table(Activity), table(Task)

#: An order is who won the deal's; one that came without a deal is the customer's owner's.
_CREDIT = func.coalesce(DEALS.c.owner_id, COMPANIES.c.owner_id)
#: Rows that are listed behind a figure.
MOST_BEHIND = 500


class TargetStore:
    """`money` holds the company's currency and rates, `zone` the office's time zone: its midnights bound the months."""

    def __init__(self, db: Database, money: Money, zone: str) -> None:
        self.db, self.money, self.zone = db, money, ZoneInfo(zone)

    # ---- set

    async def targets(self, quarter: str) -> dict[int, dict[str, float]]:
        """Return the targets of a quarter: user → kind → value."""
        query = select(TARGETS.c.user_id, TARGETS.c.kind, TARGETS.c.value).where(TARGETS.c.quarter == quarter)
        found: dict[int, dict[str, float]] = {}
        async with self.db.read() as conn:
            for user, kind, value in await conn.execute(query):
                found.setdefault(user, {})[kind] = value
        return found

    async def set(
        self, quarter: str, user_id: int, values: Mapping[str, float | None], actor: Actor, now: datetime
    ) -> dict[str, float | None]:
        """Set somebody's targets; None takes one away, kinds that are not named stay. Return what stood there.

        Raises TargetRefused, ValueError for what is no quarter.
        """
        quarter_days(quarter)
        wanted = {kind: checked(kind, value) for kind, value in values.items()}
        async with self.db.write() as conn:
            before = await _of(conn, quarter, user_id, list(wanted))
            if before != wanted:
                await self._replace(conn, quarter, user_id, wanted, actor)
                told: Any = {"before": {"quarter": quarter, **before}, "after": {"quarter": quarter, **wanted}}
                await append_audit(conn, actor, "target.set", "user", user_id, now=now, **told)
        return before

    async def _replace(
        self, conn: AsyncConnection, quarter: str, user_id: int, wanted: Mapping[str, float | None], actor: Actor
    ) -> None:
        mine = (TARGETS.c.quarter == quarter) & (TARGETS.c.user_id == user_id) & TARGETS.c.kind.in_(list(wanted))
        await conn.execute(delete(TARGETS).where(mine))
        rows = [
            {"quarter": quarter, "user_id": user_id, "kind": kind, "value": value, "set_by": actor.id}
            for kind, value in wanted.items()
            if value is not None
        ]
        if rows:
            await conn.execute(insert(TARGETS), rows)

    async def copy(self, source: str, quarter: str, actor: Actor, now: datetime) -> list[tuple[int, str]]:
        """Take over the targets of another quarter where none is set yet; return which were made."""
        quarter_days(quarter)
        wanted, there = await self.targets(source), await self.targets(quarter)
        made: list[tuple[int, str]] = []
        async with self.db.write() as conn:
            for user, values in wanted.items():
                for kind, value in values.items():
                    if kind not in there.get(user, {}):
                        row = {"quarter": quarter, "user_id": user, "kind": kind, "value": value, "set_by": actor.id}
                        await conn.execute(insert(TARGETS).values(row))
                        made.append((user, kind))
            after = {"quarter": quarter, "from": source, "targets": len(made)}
            await append_audit(conn, actor, "target.copied", "quarter", quarter, now=now, after=after)
        return made

    async def forget(self, quarter: str, made: Sequence[Sequence[Any]], actor: Actor, now: datetime) -> None:
        """Undo a copy."""
        async with self.db.write() as conn:
            for user, kind in made:
                mine = (TARGETS.c.quarter == quarter) & (TARGETS.c.user_id == user) & (TARGETS.c.kind == kind)
                await conn.execute(delete(TARGETS).where(mine))
            after = {"quarter": quarter, "targets": len(made)}
            await append_audit(conn, actor, "target.copy_undone", "quarter", quarter, now=now, after=after)

    # ---- reached

    async def reached(self, quarter: str, now: datetime) -> dict[int, tuple[Reached, Reached, Reached]]:
        """Return what everybody reached in each month of a quarter: user → one of each month."""
        found: dict[int, list[Reached]] = {}

        def credit(user: int, month: int, got: Reached) -> None:
            mine = found.setdefault(user, [Reached(), Reached(), Reached()])
            mine[month] = mine[month] + got

        async with self.db.read() as conn:
            for row in await conn.execute(self._orders(quarter)):
                own = self.money.own(row.amount, row.currency)
                lacking = row.number if own is None else 0
                credit(row.who, row.month, Reached(orders=own or 0.0, order_count=row.number, without_rate=lacking))
            for row in await conn.execute(self._quotations(quarter)):
                credit(row.who, row.month, Reached(quotations=row.number))
            for row in await conn.execute(self._new_customers(quarter)):
                credit(row.who, row.month, Reached(new_customers=row.number))
            for row in await conn.execute(self._answers(quarter, now)):
                credit(row.who, row.month, Reached(in_time=row.in_time, judged=row.number))
        return {user: (mine[0], mine[1], mine[2]) for user, mine in found.items()}

    async def behind(self, kind: str, quarter: str, user_id: int, now: datetime) -> Sequence[Row[Any]]:
        """Return the rows that a figure was counted from: day, company_id, company, text, amount, currency, id."""
        if kind == "replies_in_time":
            query = _answer_rows(self._span(quarter), user_id, now)
        elif kind == "quotations":
            query = _quotation_rows(self._span(quarter), user_id)
        else:
            query = {"orders": _order_rows, "new_customers": _first_rows}[kind](quarter_days(quarter), user_id)
        async with self.db.read() as conn:
            return (await conn.execute(query.limit(MOST_BEHIND))).all()

    def _span(self, quarter: str) -> tuple[datetime, datetime]:
        first, after = quarter_days(quarter)
        return self._midnight(first), self._midnight(after)

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def _month(self, quarter: str, column: Any, *, moments: bool) -> Any:
        """The month of a quarter, 0 to 2, that a column lies in."""
        _, second, third = months(quarter)
        borders = [self._midnight(second), self._midnight(third)] if moments else [second, third]
        return case((column < borders[0], 0), (column < borders[1], 1), else_=2).label("month")

    def _orders(self, quarter: str) -> Any:
        first, after = quarter_days(quarter)
        month = self._month(quarter, ORDERS.c.ordered_on, moments=False)
        sums = (func.sum(ORDERS.c.amount).label("amount"), func.count().label("number"))
        query = select(_CREDIT.label("who"), month, ORDERS.c.currency, *sums).select_from(_won())
        within = and_(ORDERS.c.ordered_on >= first, ORDERS.c.ordered_on < after, _CREDIT.is_not(None))
        return query.where(within).group_by("who", "month", ORDERS.c.currency)

    def _quotations(self, quarter: str) -> Any:
        quoted = _quoted(self._span(quarter)).subquery()
        joined = quoted.join(DEALS, DEALS.c.id == quoted.c.deal_id)
        month = self._month(quarter, quoted.c.at, moments=True)
        query = select(DEALS.c.owner_id.label("who"), month, func.count().label("number")).select_from(joined)
        return query.where(DEALS.c.owner_id.is_not(None), DEALS.c.stage != "inquiry").group_by("who", "month")

    def _new_customers(self, quarter: str) -> Any:
        firsts = _firsts(quarter_days(quarter)).subquery()
        joined = firsts.join(COMPANIES, COMPANIES.c.id == firsts.c.company_id)
        month = self._month(quarter, firsts.c.day, moments=False)
        query = select(COMPANIES.c.owner_id.label("who"), month, func.count().label("number")).select_from(joined)
        return query.where(COMPANIES.c.owner_id.is_not(None)).group_by("who", "month")

    def _answers(self, quarter: str, now: datetime) -> Any:
        month = self._month(quarter, TASKS.c.created_at, moments=True)
        counts = (func.count().filter(_IN_TIME).label("in_time"), func.count().label("number"))
        query = select(TASKS.c.owner_id.label("who"), month, *counts)
        return query.where(*_judged(self._span(quarter), now)).group_by("who", "month")


_IN_TIME = (TASKS.c.state == "done") & (TASKS.c.done_at <= TASKS.c.due_at)


async def _of(conn: AsyncConnection, quarter: str, user_id: int, kinds: Sequence[str]) -> dict[str, float | None]:
    mine = (TARGETS.c.quarter == quarter) & (TARGETS.c.user_id == user_id)
    rows = await conn.execute(select(TARGETS.c.kind, TARGETS.c.value).where(mine))
    known = {row.kind: row.value for row in rows}
    return {kind: known.get(kind) for kind in kinds}


def _won() -> Any:
    joined = ORDERS.join(COMPANIES, COMPANIES.c.id == ORDERS.c.company_id)
    return joined.outerjoin(DEALS, DEALS.c.id == ORDERS.c.deal_id)


def _quoted(span: tuple[datetime, datetime]) -> Any:
    """Deals with the moment of their first quotation, where that lies within the span."""
    number = ACTIVITIES.c.data["deal_id"].as_integer().label("deal_id")
    at = func.min(ACTIVITIES.c.at)
    query = select(number, at.label("at")).where(ACTIVITIES.c.kind == "deal_quotation").group_by("deal_id")
    return query.having(at >= span[0], at < span[1])


def _firsts(span: tuple[date, date]) -> Any:
    """Companies with the day of their first order, where that lies within the span."""
    day = func.min(ORDERS.c.ordered_on)
    query = select(ORDERS.c.company_id, day.label("day"))
    return query.group_by(ORDERS.c.company_id).having(day >= span[0], day < span[1])


def _judged(span: tuple[datetime, datetime], now: datetime) -> tuple[Any, ...]:
    """Replies that came within the span and were answered, or should have been by now; not those that were dropped."""
    over = or_(TASKS.c.state == "done", and_(TASKS.c.state == "open", TASKS.c.due_at < now))
    within = (TASKS.c.created_at >= span[0], TASKS.c.created_at < span[1])
    return (TASKS.c.kind == "reply", *within, over, TASKS.c.owner_id.is_not(None))


def _order_rows(span: tuple[date, date], user_id: int) -> Any:
    columns = (ORDERS.c.ordered_on.label("day"), ORDERS.c.company_id, COMPANIES.c.name.label("company"))
    query = select(*columns, ORDERS.c.number.label("text"), ORDERS.c.amount, ORDERS.c.currency, ORDERS.c.id)
    within: tuple[Any, ...] = (ORDERS.c.ordered_on >= span[0], ORDERS.c.ordered_on < span[1], user_id == _CREDIT)
    return query.select_from(_won()).where(*within).order_by(ORDERS.c.ordered_on.desc(), ORDERS.c.id.desc())


def _quotation_rows(span: tuple[datetime, datetime], user_id: int) -> Any:
    quoted = _quoted(span).subquery()
    joined = quoted.join(DEALS, DEALS.c.id == quoted.c.deal_id).join(COMPANIES, COMPANIES.c.id == DEALS.c.company_id)
    columns = (quoted.c.at.label("day"), DEALS.c.company_id, COMPANIES.c.name.label("company"))
    query = select(*columns, DEALS.c.title.label("text"), DEALS.c.amount, DEALS.c.currency, DEALS.c.id)
    mine = (DEALS.c.owner_id == user_id, DEALS.c.stage != "inquiry")
    return query.select_from(joined).where(*mine).order_by(quoted.c.at.desc())


def _first_rows(span: tuple[date, date], user_id: int) -> Any:
    firsts = _firsts(span).subquery()
    joined = firsts.join(COMPANIES, COMPANIES.c.id == firsts.c.company_id)
    first = and_(ORDERS.c.company_id == firsts.c.company_id, ORDERS.c.ordered_on == firsts.c.day)
    joined = joined.join(ORDERS, first)
    columns = (firsts.c.day, firsts.c.company_id, COMPANIES.c.name.label("company"))
    query = select(*columns, ORDERS.c.number.label("text"), ORDERS.c.amount, ORDERS.c.currency, ORDERS.c.id)
    return query.select_from(joined).where(COMPANIES.c.owner_id == user_id).order_by(firsts.c.day.desc())


def _answer_rows(span: tuple[datetime, datetime], user_id: int, now: datetime) -> Any:
    joined = TASKS.outerjoin(COMPANIES, COMPANIES.c.id == TASKS.c.company_id)
    columns = (TASKS.c.created_at.label("day"), TASKS.c.company_id, COMPANIES.c.name.label("company"))
    query = select(
        *columns, TASKS.c.title.label("text"), TASKS.c.inbound_id.label("id"), TASKS.c.due_at, TASKS.c.done_at
    )
    mine = (*_judged(span, now), TASKS.c.owner_id == user_id)
    return query.select_from(joined).where(*mine).order_by(_IN_TIME, TASKS.c.created_at.desc())
