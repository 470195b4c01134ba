"""Reads the customers and telephone numbers that new ones are compared with."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.importing.near import MOST_CHECKED, MOST_HELD, TOLD, Named, NearBook, Nears
from outreach.model import Company, Contact
from outreach.model.base import table

COMPANY, CONTACT = table(Company), table(Contact)


async def last_company(conn: AsyncConnection) -> int:
    """Return the newest customer's id: whoever is newer was made by the list."""
    return await conn.scalar(select(func.max(COMPANY.c.id))) or 0


class NearSearch:
    """One list's search. Customers up to `last_id` are those of before; `most` pairs are told one by one."""

    def __init__(self, last_id: int, most: int = TOLD) -> None:
        self.last_id = last_id
        self.found = Nears(most=most)
        self.book: NearBook | None = None
        self.with_phones = False

    async def compare(self, conn: AsyncConnection, new: Sequence[tuple[int, Named, str]]) -> None:
        """Compare new customers (line, customer, a telephone number of theirs or "")."""
        part = new[: max(MOST_CHECKED - self.found.checked, 0)]
        if not part:
            return
        phones = any(phone for _, _, phone in part)
        known, numbers = await self._read(conn, phones)
        await asyncio.to_thread(self._look, known, numbers, part)

    async def _read(self, conn: AsyncConnection, phones: bool) -> tuple[list[Named], list[tuple[str, Named]]]:
        """What is not held yet: the customers at the first call, the numbers as soon as the list has any."""
        c, p = COMPANY.c, CONTACT.c
        known: list[Named] = []
        numbers: list[tuple[str, Named]] = []
        if self.book is None:
            query = select(c.id, c.name, c.domain, c.country).where(c.id <= self.last_id, c.merged_into.is_(None))
            rows = await conn.execute(query.order_by(c.id.desc()).limit(MOST_HELD))
            known = [Named(*row) for row in rows]
        if phones and not self.with_phones:
            self.with_phones = True
            listed = select(p.phone, c.id, c.name, c.domain, p.country).join(COMPANY, c.id == p.company_id)
            listed = listed.where(p.phone.is_not(None), c.id <= self.last_id, c.merged_into.is_(None))
            rows = await conn.execute(listed.order_by(p.id.desc()).limit(MOST_HELD))
            numbers = [(phone, Named(*rest)) for phone, *rest in rows]
        return known, numbers

    def _look(
        self, known: list[Named], numbers: Iterable[tuple[str, Named]], new: Iterable[tuple[int, Named, str]]
    ) -> None:
        if self.book is None:
            self.book = NearBook()
        for one in reversed(known):  # the newest last: a full block drops its oldest
            self.book.remember(one)
        for phone, one in numbers:
            self.book.remember_phone(phone, one)
        for line, one, phone in new:
            self.found.checked += 1
            if (near := self.book.look(line, one, phone)) is not None:
                self.found.add(near)
