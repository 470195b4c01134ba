"""Whoever is cancelled in the middle of a transaction leaves no connection behind, and nothing half-written."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import warnings
from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from outreach.db.hot import uninterrupted
from outreach.db.session import Database

#: A statement that takes a while, so that a cancellation meets it at work.
SLOW = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) SELECT count(*) FROM n"


async def reading(db: Database) -> None:
    async with db.read() as conn:
        await conn.execute(text(SLOW))


async def writing(db: Database) -> None:
    async with db.write() as conn:
        await conn.execute(text("INSERT INTO pair VALUES (1)"))
        await conn.execute(text(SLOW))
        await conn.execute(text("INSERT INTO pair VALUES (2)"))


async def cut(work: Awaitable[None], turns: int) -> None:
    """Cancel it after so many turns of the loop."""
    task = asyncio.ensure_future(work)
    for _ in range(turns):
        await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("work", [reading, writing])
@pytest.mark.parametrize("warm", [False, True])
async def test_wherever_a_cancellation_falls(
    sqlite_url: str, work: Callable[[Database], Awaitable[None]], warm: bool
) -> None:
    """While a connection is opened (a cold pool), taken (a warm one), used and given back."""
    for turns in (1, 4, 9, 15, 25):
        gc.collect()  # what other tests left is none of this one's
        db = Database(sqlite_url)
        async with db.write() as conn:
            await conn.execute(text("CREATE TABLE IF NOT EXISTS pair (n INTEGER)"))
        if not warm:
            await db.engine.dispose()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            with contextlib.suppress(pytest.fail.Exception):  # it may be quicker than the cancellation
                await cut(work(db), turns)
            async with db.read() as conn:
                assert await conn.scalar(text("SELECT count(*) FROM pair")) in (0, 2)
            async with db.write() as conn:
                await conn.execute(text("DELETE FROM pair"))
            await db.close()
            gc.collect()
        assert not [str(one.message) for one in told if issubclass(one.category, ResourceWarning)]


async def test_work_that_is_not_interrupted_ends_before_the_cancellation_goes_on() -> None:
    ended: list[str] = []

    async def work() -> None:
        for _ in range(5):
            await asyncio.sleep(0)
        ended.append("work")

    async def caller() -> None:
        try:
            await uninterrupted(work())
        finally:
            ended.append("caller")

    await cut(caller(), 1)
    assert ended == ["work", "caller"]


async def test_a_failure_of_such_work_reaches_who_waits() -> None:
    async def work() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await uninterrupted(work())
