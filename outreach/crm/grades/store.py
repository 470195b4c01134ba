"""The quarterly revision of grades (B3): what the rules would give, and the grades that a person accepts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, insert, not_, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.audience.people.store import edit, edit_company
from outreach.crm.deals.money import Money
from outreach.crm.grades.rules import WINDOW, Behaviour, Grade, Thresholds, grade_of
from outreach.db.bulk import among
from outreach.db.session import Database
from outreach.model import Company, Contact, Deal, GradeReview, Order
from outreach.model.base import table

COMPANIES, CONTACTS, DEALS = table(Company), table(Contact), table(Deal)
ORDERS, REVIEWS = table(Order), table(GradeReview)


_COLUMNS = (COMPANIES.c.id, COMPANIES.c.name, COMPANIES.c.country, COMPANIES.c.owner_id, COMPANIES.c.grade)
_KEPT = COMPANIES.c.merged_into.is_(None)


@dataclass(frozen=True)
class Proposal:
    """A customer whose grade would change."""

    company_id: int
    name: str
    country: str | None
    owner_id: int | None
    before: str | None
    grade: Grade
    did: Behaviour


class GradeStore:
    """`limits` from config.toml, `money` for orders in other currencies."""

    def __init__(self, db: Database, money: Money, limits: Thresholds) -> None:
        self.db, self.money, self.limits = db, money, limits

    async def proposals(self, now: datetime, limit: int = 200) -> list[Proposal]:
        """Return the customers whose grade would change, up before down, the largest first."""
        return sorted(await self._computed(now, None), key=_order)[:limit]

    async def _computed(self, now: datetime, only: Sequence[int] | None) -> list[Proposal]:
        """Look at these companies one by one, at all where `only` is None."""
        async with self.db.read() as conn:
            did = await self._behaviour(conn, now, only)
            rows = (await conn.execute(_of(conn, select(*_COLUMNS).where(_KEPT), COMPANIES.c.id, only))).all()
        return [one for row in rows if (one := self._proposal(row, did.get(row.id, Behaviour()))) is not None]

    async def page(self, now: datetime, seen: ColumnElement[bool], limit: int) -> tuple[list[Proposal], int]:
        """Return the first of `proposals` among the companies that `seen` allows, and how many there are.

        Only customers with orders or open deals are looked at one by one: whoever has neither is graded alike, so the
        database counts them.
        """
        async with self.db.read() as conn:
            trade = await self._trade(conn, now - WINDOW)
            rows = await conn.execute(select(*_COLUMNS).where(_KEPT, seen, among(conn, COMPANIES.c.id, list(trade))))
            found = [one for row in rows if (one := self._proposal(row, trade[row.id])) is not None]
            total = len(found)
            replied = COMPANIES.c.id.in_(_with(CONTACTS.c.last_replied >= now - WINDOW))
            rest = and_(_KEPT, seen, not_(among(conn, COMPANIES.c.id, list(trade))))
            for did, which in ((Behaviour(replies=1), replied), (Behaviour(), not_(replied))):
                other = COMPANIES.c.grade.is_distinct_from(grade_of(did, self.limits).grade)
                total += await conn.scalar(select(func.count()).select_from(COMPANIES).where(rest, which, other)) or 0
                query = select(*_COLUMNS).where(rest, which, other).order_by(COMPANIES.c.id).limit(limit)
                first = (await conn.execute(query)).all()
                clicked = _with(CONTACTS.c.last_clicked >= now - WINDOW)
                clicked = clicked.where(CONTACTS.c.company_id.in_([row.id for row in first]))
                clicks = set((await conn.execute(clicked)).scalars())
                done = [replace(did, clicks=int(row.id in clicks)) for row in first]
                found += [one for row, did in zip(first, done, strict=True) if (one := self._proposal(row, did))]
        return sorted(found, key=_order)[:limit], total

    def _proposal(self, row: Any, did: Behaviour) -> Proposal | None:
        grade = grade_of(did, self.limits)
        if grade.grade == row.grade:
            return None
        return Proposal(row.id, row.name, row.country, row.owner_id, row.grade, grade, did)

    async def accept(self, ids: Sequence[int], actor: Actor, now: datetime) -> list[dict[str, Any]]:
        """Give these customers the proposed grade; return what undoes it."""
        undo = []
        chosen = sorted(await self._computed(now, list(set(ids))), key=_order)
        async with self.db.write() as conn:
            for one in chosen:
                await _set(conn, one.company_id, one.grade.grade, now)
                values = {"company_id": one.company_id, "on": now.date(), "before": one.before}
                values |= {"after": one.grade.grade, "why": one.grade.why, "by_id": actor.id}
                await conn.execute(insert(REVIEWS).values(**values))
                undo.append({"id": one.company_id, "grade": one.before})
            after = {"companies": len(undo)}
            await append_audit(conn, actor, "grades.revised", "company", "list", now=now, after=after)
        return undo

    async def put_back(self, undo: Sequence[dict[str, Any]], actor: Actor, now: datetime) -> None:
        """Undo a revision."""
        async with self.db.write() as conn:
            for item in undo:
                await _set(conn, item["id"], item["grade"], now)
            await append_audit(conn, actor, "grades.put_back", "company", "list", now=now, after={"n": len(undo)})

    async def history(self, company_id: int) -> Sequence[Row[Any]]:
        """Return the revisions of a customer, newest first."""
        query = select(REVIEWS).where(REVIEWS.c.company_id == company_id).order_by(REVIEWS.c.id.desc()).limit(12)
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()

    async def last_revision(self) -> Any:
        """Return the day of the last revision, None where there was none."""
        async with self.db.read() as conn:
            return await conn.scalar(select(func.max(REVIEWS.c.on)))

    async def _behaviour(
        self, conn: AsyncConnection, now: datetime, only: Sequence[int] | None
    ) -> dict[int, Behaviour]:
        since = now - WINDOW
        found = await self._trade(conn, since, only)
        replied = func.count().filter(CONTACTS.c.last_replied >= since)
        clicked = func.count().filter(CONTACTS.c.last_clicked >= since)
        signs = select(CONTACTS.c.company_id, replied, clicked).where(
            CONTACTS.c.company_id.is_not(None),
            or_(CONTACTS.c.last_replied >= since, CONTACTS.c.last_clicked >= since),
        )
        signs = _of(conn, signs, CONTACTS.c.company_id, only)
        for company, replies, clicks in await conn.execute(signs.group_by(CONTACTS.c.company_id)):
            found[company] = replace(found.get(company, Behaviour()), replies=replies, clicks=clicks)
        return found

    async def _trade(
        self, conn: AsyncConnection, since: datetime, only: Sequence[int] | None = None
    ) -> dict[int, Behaviour]:
        """The orders and open deals of those that have any."""
        found: dict[int, Behaviour] = {}
        by_currency = (
            select(ORDERS.c.company_id, ORDERS.c.currency, func.sum(ORDERS.c.amount), func.count())
            .where(ORDERS.c.ordered_on >= since.date())
            .group_by(ORDERS.c.company_id, ORDERS.c.currency)
        )
        by_currency = _of(conn, by_currency, ORDERS.c.company_id, only)
        for company, currency, amount, count in await conn.execute(by_currency):
            known, own = found.get(company, Behaviour()), self.money.own(amount, currency) or 0.0
            found[company] = replace(known, orders=known.orders + own, order_count=known.order_count + count)
        open_deals = select(DEALS.c.company_id, func.count()).where(DEALS.c.stage.not_in(("paid", "lost")))
        open_deals = _of(conn, open_deals, DEALS.c.company_id, only)
        for company, count in await conn.execute(open_deals.group_by(DEALS.c.company_id)):
            found[company] = replace(found.get(company, Behaviour()), open_deals=count)
        return found


def _of(
    conn: AsyncConnection, query: Select[Any], company: ColumnElement[Any], only: Sequence[int] | None
) -> Select[Any]:
    """Of these companies, or of all."""
    return query if only is None else query.where(among(conn, company, only))


def _order(one: Proposal) -> tuple[str, float, int]:
    """Up before down, the largest first."""
    return (one.grade.grade, -one.did.orders, one.company_id)


def _with(sign: ColumnElement[bool]) -> Select[Any]:
    """The companies one of whose people gave that sign."""
    return select(CONTACTS.c.company_id).where(CONTACTS.c.company_id.is_not(None), sign)


async def _set(conn: AsyncConnection, company_id: int, grade: str | None, now: datetime) -> None:
    """The contacts carry their company's grade: segments read it there."""
    await edit_company(conn, company_id, {"grade": grade}, now)
    mine = select(CONTACTS.c.id).where(CONTACTS.c.company_id == company_id, CONTACTS.c.erased_at.is_(None))
    for contact in (await conn.execute(mine)).scalars().all():
        await edit(conn, contact, {"grade": grade}, now)
