"""Each statement goes to SQLite's thread and back once, and tells what it told before."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiosqlite
import pytest
from sqlalchemy import column, insert, select, table, text, update
from sqlalchemy.exc import IntegrityError

from outreach.db.session import Database

PAIR = table("pair", column("id"), column("n"))


@pytest.fixture
async def db(sqlite_url: str) -> AsyncIterator[Database]:
    opened = Database(sqlite_url)
    async with opened.write() as conn:
        await conn.execute(text("CREATE TABLE pair (id INTEGER PRIMARY KEY, n INTEGER UNIQUE)"))
    yield opened
    await opened.close()


@pytest.fixture
def hops(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was done in the thread."""
    seen: list[str] = []
    go: Any = aiosqlite.Connection._execute

    async def noted(self: Any, work: Any, *more: Any, **named: Any) -> Any:
        seen.append(getattr(work, "__name__", str(work)))
        return await go(self, work, *more, **named)

    monkeypatch.setattr(aiosqlite.Connection, "_execute", noted)
    return seen


async def test_a_statement_takes_one_hop(db: Database, hops: list[str]) -> None:
    async with db.read() as conn:
        assert (await conn.execute(select(PAIR.c.n))).all() == []
        assert (await conn.execute(text("SELECT 1"))).scalar_one() == 1
    assert len(hops) == 4  # BEGIN, two statements, ROLLBACK
    hops.clear()
    async with db.write() as conn:
        await conn.execute(insert(PAIR), [{"n": 1}, {"n": 2}, {"n": 3}])
    assert len(hops) == 3


async def test_it_tells_rows_counts_and_keys(db: Database) -> None:
    async with db.write() as conn:
        await conn.execute(insert(PAIR), [{"n": 1}, {"n": 2}, {"n": 3}])
        changed = await conn.execute(update(PAIR).values(n=PAIR.c.n + 10).where(PAIR.c.n > 1))
        assert changed.rowcount == 2
        returned = await conn.execute(update(PAIR).values(n=PAIR.c.n + 10).where(PAIR.c.n > 1).returning(PAIR.c.id))
        assert sorted(returned.scalars()) == [2, 3]
        await conn.execute(text("INSERT INTO pair (n) VALUES (7)"))
    async with db.read() as conn:
        found = (await conn.execute(select(PAIR).order_by(PAIR.c.id))).all()
        assert [tuple(row) for row in found] == [(1, 1), (2, 22), (3, 23), (4, 7)]
        assert [row.n async for row in await conn.stream(select(PAIR.c.n).order_by(PAIR.c.id))] == [1, 22, 23, 7]


async def write_twice(db: Database) -> None:
    async with db.write() as conn:
        await conn.execute(insert(PAIR), [{"n": 5}])
        await conn.execute(insert(PAIR), [{"n": 5}])


async def test_what_fails_says_so_and_leaves_nothing(db: Database) -> None:
    with pytest.raises(IntegrityError):
        await write_twice(db)
    async with db.write() as conn:
        assert (await conn.execute(select(PAIR.c.n))).all() == []
