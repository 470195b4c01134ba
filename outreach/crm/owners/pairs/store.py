"""Customers that may be one, over the whole house: compared in the background, so that no page waits for it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.similar import Similar, similar_companies
from outreach.db.session import Database
from outreach.model import Company, Contact
from outreach.model.base import table

COMPANIES, CONTACTS = table(Company), table(Contact)
#: So many customers are compared while the page is being made; more take seconds.
AT_ONCE = 2_000
#: A telephone number that somebody changed counts after this time at the latest; a new or merged customer at once.
STALE = timedelta(hours=1)
#: Pairs that are kept: people merge from the top.
KEPT = 300


@dataclass(frozen=True)
class Pairs:
    """The pairs, the surest first; `customers` were compared; `running`: a newer comparison is under way."""

    found: list[Similar] = field(default_factory=list)
    customers: int = 0
    running: bool = False


class PairBook:
    """Remembers the last comparison and starts the next when customers came, went or changed."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._seen: Any = None
        self._at: datetime | None = None
        self._found: list[Similar] = []
        self._customers = 0
        self._task: asyncio.Task[None] | None = None

    async def pairs(self, now: datetime) -> Pairs:
        """Return what is known; a small house is compared at once, a large one in the background."""
        self._end()
        async with self.db.read() as conn:
            state = await _state(conn)
        stale = state != self._seen or self._at is None or now - self._at > STALE
        if stale and self._task is None:
            self._task = asyncio.create_task(self._compare(state, now))
        if self._task is not None and state[0] <= AT_ONCE:
            await asyncio.wait([self._task])
        self._end()
        return Pairs(self._found, self._customers, running=self._task is not None)

    def _end(self) -> None:
        """Forget a comparison that is over. Raises what it failed with: the page says so, the next one tries again."""
        if self._task is not None and self._task.done():
            task, self._task = self._task, None
            task.result()

    async def _compare(self, state: tuple[Any, ...], now: datetime) -> None:
        async with self.db.read() as conn:
            names = [tuple(row) for row in await conn.execute(select(COMPANIES.c.id, COMPANIES.c.name).where(_KEPT))]
            phones = await _same_phones(conn)
        alike = await asyncio.to_thread(similar_companies, names, limit=KEPT)
        told = {(pair.left, pair.right) for pair in phones}
        self._found = phones + [pair for pair in alike if (pair.left, pair.right) not in told]
        self._customers, self._seen, self._at = len(names), state, now


_KEPT = COMPANIES.c.merged_into.is_(None)


async def _state(conn: AsyncConnection) -> tuple[Any, ...]:
    """What changes whenever a customer comes, goes, is merged or renamed."""
    columns = (func.count(), func.max(COMPANIES.c.id), func.max(COMPANIES.c.updated_at))
    return tuple((await conn.execute(select(*columns).where(_KEPT))).one())


async def _same_phones(conn: AsyncConnection) -> list[Similar]:
    """Pairs of customers whose people have the same telephone number, as it was written: the first two of each."""
    least, most = func.min(CONTACTS.c.company_id), func.max(CONTACTS.c.company_id)
    query = (
        select(least, most)
        .join(COMPANIES, COMPANIES.c.id == CONTACTS.c.company_id)
        .where(CONTACTS.c.phone != "", CONTACTS.c.erased_at.is_(None), _KEPT)
        .group_by(CONTACTS.c.phone)
        .having(least < most)
        .order_by(least, most)
    )
    rows = (await conn.execute(query.distinct().limit(KEPT))).all()
    return [Similar(row[0], row[1], 95.0) for row in rows]
