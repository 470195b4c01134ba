"""Orders in the database: imported, added, delivered; what contacts' last order and total are follows from them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.audience.dedupe import normal_name
from outreach.audience.people.store import edit
from outreach.audience.read import open_table
from outreach.audience.table import ReadError
from outreach.crm.deals.money import Money
from outreach.crm.orders.rows import OrderRefused, OrderRow, field_of, missing_columns, read_order
from outreach.crm.store import note
from outreach.db.session import Database
from outreach.model import Company, Contact, EmailAddress, Order
from outreach.model.base import table

ORDERS, COMPANIES, CONTACTS, ADDRESSES = table(Order), table(Company), table(Contact), table(EmailAddress)
#: Rows in one transaction.
BATCH = 500
#: Refused rows that are told one by one.
MOST_REJECTS = 200


@dataclass
class OrdersRead:
    """What an import of orders did."""

    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: int = 0
    rejects: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The counts for JSON."""
        return asdict(self)

    def refuse(self, line: int, refused: OrderRefused) -> None:
        """Note a row that was not taken."""
        self.rejected += 1
        if len(self.rejects) < MOST_REJECTS:
            self.rejects.append({"line": line, "column": refused.column, "code": refused.code, "reason": str(refused)})


class OrderStore:
    """`money` holds the company's currency: contacts' totals are in it."""

    def __init__(self, db: Database, money: Money) -> None:
        self.db, self.money = db, money

    async def import_file(self, path: Path, actor: Actor, now: datetime) -> OrdersRead:
        """Read a list of orders (CSV, XLSX). An order is known by its number: reading twice changes nothing.

        Raises ReadError for what is no list, ValueError for one that lacks a column.
        """
        source = await asyncio.to_thread(open_table, path)
        columns = list(source.columns)
        lacking = missing_columns(columns)
        if lacking:
            raise ValueError(f"the list lacks a column for {', '.join(lacking)}; it has: {', '.join(columns)}")
        fields = [field_of(column) for column in columns]
        done = OrdersRead()
        rows = source.rows()
        while batch := await asyncio.to_thread(lambda: list(islice(rows, BATCH))):
            await self._batch(batch, fields, done, actor, now)
        return done

    async def _batch(
        self, batch: list[Any], fields: list[str | None], done: OrdersRead, actor: Actor, now: datetime
    ) -> None:
        read: list[tuple[int, OrderRow]] = []
        for item in batch:
            done.read += 1
            if isinstance(item, ReadError):
                done.refuse(item.line, OrderRefused("", "unreadable", str(item)))
                continue
            line, cells = item
            named = {name: str(cell or "") for name, cell in zip(fields, cells, strict=False) if name}
            try:
                read.append((line, read_order(named, self.money.currency)))
            except OrderRefused as refused:
                done.refuse(line, refused)
        await self.add_rows(read, done, actor, now)

    async def add_rows(
        self, rows: Iterable[tuple[int, OrderRow]], done: OrdersRead, actor: Actor, now: datetime
    ) -> None:
        """Write orders in one transaction, and the totals of the customers that they touch."""
        touched: set[int] = set()
        async with self.db.write() as conn:
            for line, row in rows:
                try:
                    company = await self._write(conn, row, done, actor, now)
                except OrderRefused as refused:
                    done.refuse(line, refused)
                    continue
                if company is not None:
                    touched.add(company)
            for company in sorted(touched):
                await self._totals(conn, company, now)
            if touched:
                after = {"added": done.added, "updated": done.updated}
                await append_audit(conn, actor, "orders.imported", "order", "list", now=now, after=after)

    async def _write(
        self, conn: AsyncConnection, row: OrderRow, done: OrdersRead, actor: Actor, now: datetime
    ) -> int | None:
        company, contact = await _customer(conn, row)
        values: dict[str, Any] = {"ordered_on": row.ordered_on, "amount": row.amount, "currency": row.currency}
        values |= {name: value for name, value in (("delivered_on", row.delivered_on), ("note", row.note)) if value}
        known = (await conn.execute(select(ORDERS).where(ORDERS.c.number == row.number))).one_or_none()
        if known is not None:
            changed = {name: value for name, value in values.items() if known._mapping[name] != value}
            if not changed:
                done.unchanged += 1
                return None
            await conn.execute(update(ORDERS).where(ORDERS.c.id == known.id).values(**changed))
            done.updated += 1
            return int(known.company_id)
        values |= {"number": row.number, "company_id": company, "contact_id": contact}
        number = (await conn.execute(insert(ORDERS).values(**values).returning(ORDERS.c.id))).scalar_one()
        at = datetime.combine(row.ordered_on, now.timetz())
        data = {"order_id": number, "amount": row.amount, "currency": row.currency}
        await note(conn, "order", row.number, min(at, now), company_id=company, contact_id=contact,
                   user_id=actor.id, data=data)  # fmt: skip
        done.added += 1
        return company

    async def _totals(self, conn: AsyncConnection, company_id: int, now: datetime) -> None:
        """Contacts carry their company's last order and total: segments and grades read them there."""
        query = select(ORDERS.c.amount, ORDERS.c.currency, ORDERS.c.ordered_on).where(ORDERS.c.company_id == company_id)
        rows = (await conn.execute(query)).all()
        total, _ = self.money.total([(row.amount, row.currency) for row in rows])
        last: date = max(row.ordered_on for row in rows)
        mine = select(CONTACTS.c.id).where(CONTACTS.c.company_id == company_id, CONTACTS.c.erased_at.is_(None))
        for contact in (await conn.execute(mine)).scalars().all():
            await edit(conn, contact, {"last_order": last, "orders_total": round(total, 2)}, now)

    async def deliver(self, order_id: int, day: date | None, actor: Actor, now: datetime) -> date | None:
        """Set the day on which an order arrived; return what stood there."""
        async with self.db.write() as conn:
            row = (await conn.execute(select(ORDERS).where(ORDERS.c.id == order_id))).one_or_none()
            if row is None:
                raise LookupError(f"there is no order {order_id}")
            await conn.execute(update(ORDERS).where(ORDERS.c.id == order_id).values(delivered_on=day))
            change: Mapping[str, Any] = {"before": {"delivered_on": row.delivered_on}, "after": {"delivered_on": day}}
            await append_audit(conn, actor, "order.delivered", "order", order_id, now=now, **change)
        was: date | None = row.delivered_on
        return was

    async def link_deal(self, conn: AsyncConnection, order_id: int, deal_id: int) -> None:
        """Say which deal an order came from."""
        await conn.execute(update(ORDERS).where(ORDERS.c.id == order_id).values(deal_id=deal_id))


async def _customer(conn: AsyncConnection, row: OrderRow) -> tuple[int, int | None]:
    """Return the company (and contact) of an order. Raises OrderRefused where nobody of the name is known."""
    if row.email:
        found = select(CONTACTS.c.id, CONTACTS.c.company_id).join(ADDRESSES, ADDRESSES.c.contact_id == CONTACTS.c.id)
        contact = (await conn.execute(found.where(ADDRESSES.c.normal == row.email))).first()
        if contact is not None and contact.company_id is not None:
            return int(contact.company_id), int(contact.id)
        if not row.company:
            raise OrderRefused("email", "unknown_customer", f"nobody has the address {row.email}: add them first")
    wanted = normal_name(row.company)
    first = wanted.split(" ", 1)[0][:20] or row.company
    near = select(COMPANIES.c.id, COMPANIES.c.name).where(
        COMPANIES.c.merged_into.is_(None), func.lower(COMPANIES.c.name).contains(first, autoescape=True)
    )
    same = [known.id for known in await conn.execute(near.limit(2000)) if normal_name(known.name) == wanted]
    if not same:
        exact = select(COMPANIES.c.id).where(COMPANIES.c.name == row.company, COMPANIES.c.merged_into.is_(None))
        same = list((await conn.execute(exact)).scalars())
    if len(same) == 1:
        return int(same[0]), None
    code, text = ("unknown_customer", "no customer is called") if not same else ("two_customers", "several are called")
    raise OrderRefused("company", code, f"{text} {row.company!r}: give the address of a contact")
