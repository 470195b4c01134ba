"""Reads what the indicators are computed from, and shares campaigns' costs out among their recipients' sources."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.session import Database
from outreach.model import Order, Suggestion, Survey, Task, Ticket
from outreach.model.base import table
from outreach.reports.cube.store import (
    alive_in,
    campaign,
    company,
    contact,
    figures_of,
    inquiries_in,
    message,
    only_of,
    sums_in,
    with_people,
    within,
)
from outreach.reports.indicators.figures import Cost, Counts
from outreach.reports.metrics import Figures
from outreach.reports.period import Period

task, ticket, survey, order, suggestion = table(Task), table(Ticket), table(Survey), table(Order), table(Suggestion)

#: Amount and currency → the company's own currency, None without a rate (crm/deals/money.py).
Own = Callable[[float | None, str], float | None]
Owners = Collection[int] | None


@dataclass(frozen=True)
class Budget:
    """A campaign's budget and what it cost, in the budget's currency."""

    id: int
    name: str
    state: str
    owner_id: int | None
    budget: float | None
    spent: float | None
    currency: str

    @property
    def is_kept(self) -> bool | None:
        """Whether it cost no more than planned; None where one of the two is not known."""
        return None if self.budget is None or self.spent is None else self.spent <= self.budget


@dataclass(frozen=True)
class Shares:
    """What came in a period of each campaign's mails to people of each source, and how many it ever sent."""

    of: Mapping[tuple[int, str], Figures]
    ever: Mapping[int, int]


class IndicatorStore:
    """`own` turns amounts into the company's currency. `owners` of a call limit it to those people's customers."""

    def __init__(self, db: Database, own: Own) -> None:
        self.db, self.own = db, own

    async def figures(self, period: Period, owners: Owners = None) -> Figures:
        """Return what became of the mails of a period: a walk over every message of its campaigns."""
        async with self.db.read() as conn:
            return await _figures(conn, period, owners)

    async def counts(
        self, period: Period, now: datetime, owners: Owners = None, *, figures: Figures | None = None
    ) -> Counts:
        """Return what happened in a period, as far as it is known at `now`. figures: where they are known already."""
        async with self.db.read() as conn:
            found = Counts(figures=await _figures(conn, period, owners) if figures is None else figures)
            for more in (_answers, _complaints, _scores, _suggestions):
                found = replace(found, **await more(conn, period, now, owners))
            found = replace(found, new_customers=await _new_customers(conn, period, owners))
        known = [budget.is_kept for budget in await self.budgets(period, owners) if budget.is_kept is not None]
        return replace(found, budgets=len(known), kept=sum(known))

    async def budgets(self, period: Period, owners: Owners = None) -> list[Budget]:
        """Return the campaigns that ran in a period, the newest first; `owners` limits them to their own ones."""
        c = campaign.c
        columns = (c.id, c.name, c.state, c.owner_id, c.budget_amount, c.spent_amount)
        currency = func.coalesce(c.budget_currency, "")
        ran = and_(c.started_at < period.end, or_(c.finished_at.is_(None), c.finished_at >= period.start))
        query = select(*columns, currency).where(ran, c.kind == "campaign").order_by(c.started_at.desc()).limit(200)
        if owners is not None:
            query = query.where(c.owner_id.in_(sorted(owners)))
        async with self.db.read() as conn:
            return [Budget(*row) for row in await conn.execute(query)]

    async def shares(self, period: Period, owners: Owners = None) -> Shares:
        """Return what costs are shared out by: a walk over every message of the campaigns that ran."""
        ids = [one.id for one in await self.budgets(period, owners)]
        if not ids:
            return Shares({}, {})
        m = message.c
        async with self.db.read() as conn:
            rows = await self._by_source(conn, ids, (period.start, period.end), owners)
            ever = select(m.campaign_id, func.count()).where(m.campaign_id.in_(ids), m.sent_at.is_not(None))
            return Shares(rows, {row[0]: row[1] for row in await conn.execute(ever.group_by(m.campaign_id))})

    async def costs(
        self, period: Period, owners: Owners = None, *, shares: Shares | None = None
    ) -> tuple[list[Cost], list[Cost]]:
        """Return what campaigns, and sources, cost in a period, and what came of it.

        A campaign's cost is shared out evenly among all mails that it ever sent; a source's is its mails' sum.
        shares: where they are known already.
        """
        budgets = {one.id: one for one in await self.budgets(period, owners)}
        known = await self.shares(period, owners) if shares is None else shares
        own = {
            number: self.own(one.spent, one.currency) if one.spent is not None else None
            for number, one in budgets.items()
        }
        by_campaign: dict[str, list[Cost]] = {}
        by_source: dict[str, list[Cost]] = {}
        for (number, source), figures in known.of.items():
            if number not in budgets:  # deleted since the shares were read
                continue
            each = own[number]
            amount = None if each is None else each * figures.sent / (known.ever.get(number) or 1)
            for name, where in ((budgets[number].name, by_campaign), (source, by_source)):
                where.setdefault(name, []).append(_cost(name, figures, amount))
        return _summed(by_campaign), _summed(by_source)

    async def _by_source(
        self, conn: AsyncConnection, ids: list[int], span: tuple[datetime, datetime], owners: Owners
    ) -> dict[tuple[int, str], Figures]:
        keys = (message.c.campaign_id, contact.c.source)
        query: Select[Any] = (
            select(*keys, *sums_in(span)).select_from(with_people()).where(message.c.campaign_id.in_(ids))
        )
        found = {
            (row[0], str(row[1])): figures_of(row) for row in await conn.execute(only_of(query, owners).group_by(*keys))
        }
        for key, figures in (await inquiries_in(conn, span, ids, owners)).items():
            mine = (int(key[0]), str(key[7]))
            found[mine] = found.get(mine, Figures()) + figures
        return {key: figures for key, figures in found.items() if figures != Figures()}


def _cost(name: str, figures: Figures, amount: float | None) -> Cost:
    return Cost(name, figures.sent, figures.replied, figures.inquiries, figures.orders, amount)


def _summed(groups: dict[str, list[Cost]]) -> list[Cost]:
    """One line a name, the largest first. Where the cost of one part is not known, that of the whole is not either."""
    found = []
    for name, parts in groups.items():
        known = [part.amount for part in parts if part.amount is not None]
        sent, replied, inquiries, orders = (
            sum(int(getattr(part, figure)) for part in parts) for figure in ("sent", "replied", "inquiries", "orders")
        )
        amount = sum(known) if len(known) == len(parts) else None
        found.append(Cost(name, sent, replied, inquiries, orders, amount))
    return sorted(found, key=lambda one: (-one.sent, one.name))


async def _figures(conn: AsyncConnection, period: Period, owners: Owners) -> Figures:
    span = (period.start, period.end)
    alive = await alive_in(conn, span)
    if not alive:
        return Figures()
    query: Any = select(*sums_in(span)).where(message.c.campaign_id.in_(alive))
    if owners is not None:
        query = only_of(query.select_from(with_people()), owners)
    found = figures_of((await conn.execute(query)).one())
    return sum((await inquiries_in(conn, span, alive, owners)).values(), found)


async def _answers(conn: AsyncConnection, period: Period, now: datetime, owners: Owners) -> dict[str, int]:
    """Replies that came in the period: answered in time, of those that are answered or overdue."""
    over = or_(task.c.state == "done", and_(task.c.state == "open", task.c.due_at < now))
    in_time = and_(task.c.state == "done", task.c.done_at <= task.c.due_at)
    query = select(func.count().filter(in_time), func.count()).where(
        task.c.kind == "reply", within(task.c.created_at, (period.start, period.end)), over
    )
    if owners is not None:
        query = query.where(task.c.owner_id.in_(sorted(owners)))
    row = (await conn.execute(query)).one()
    return {"in_time": row[0], "judged": row[1]}


async def _complaints(conn: AsyncConnection, period: Period, now: datetime, owners: Owners) -> dict[str, int]:
    """Complaints that came in the period: closed with an answer that was not said to be of no help, of those due."""
    due = or_(ticket.c.state == "closed", ticket.c.deadline < now)
    solved = and_(ticket.c.state == "closed", ticket.c.answered_at.is_not(None), ticket.c.helped.is_not(False))
    query = select(func.count().filter(solved), func.count()).where(
        ticket.c.kind == "complaint", within(ticket.c.created_at, (period.start, period.end)), due
    )
    if owners is not None:
        mine = select(company.c.id).where(company.c.owner_id.in_(sorted(owners)))
        query = query.where(or_(ticket.c.company_id.in_(mine), ticket.c.owner_id.in_(sorted(owners))))
    row = (await conn.execute(query)).one()
    return {"solved": row[0], "complaints": row[1]}


async def _scores(conn: AsyncConnection, period: Period, now: datetime, owners: Owners) -> dict[str, int]:
    """Surveys that were asked in the period."""
    scores = (func.count(), func.count(survey.c.score), func.coalesce(func.sum(survey.c.score), 0))
    query = select(*scores).where(within(survey.c.asked_at, (period.start, period.end)))
    if owners is not None:
        mine = select(company.c.id).where(company.c.owner_id.in_(sorted(owners)))
        query = query.where(survey.c.company_id.in_(mine))
    row = (await conn.execute(query)).one()
    return {"asked": row[0], "scored": row[1], "score_sum": int(row[2])}


async def _suggestions(conn: AsyncConnection, period: Period, now: datetime, owners: Owners) -> dict[str, Any]:
    """Suggestions of staff made in the period, and what those adopted brought."""
    adopted = suggestion.c.state == "adopted"
    brought = func.coalesce(func.sum(case((adopted, suggestion.c.amount), else_=0.0)), 0.0)
    query = select(func.count(), func.count().filter(adopted), brought)
    query = query.where(within(suggestion.c.at, (period.start, period.end)))
    if owners is not None:
        query = query.where(suggestion.c.user_id.in_(sorted(owners)))
    row = (await conn.execute(query)).one()
    return {"suggestions": row[0], "adopted": row[1], "brought": float(row[2])}


async def _new_customers(conn: AsyncConnection, period: Period, owners: Owners) -> int:
    """Customers whose first order on record lies in the period."""
    day = func.min(order.c.ordered_on)
    firsts = select(order.c.company_id).group_by(order.c.company_id)
    firsts = firsts.having(day >= period.first, day <= period.last)
    query = select(func.count()).select_from(company).where(company.c.id.in_(firsts))
    if owners is not None:
        query = query.where(company.c.owner_id.in_(sorted(owners)))
    return int((await conn.execute(query)).scalar_one())
