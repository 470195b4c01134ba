"""`outreach run` sees to customers as the service does: nobody stays without an owner where only cron runs it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import select, update

from outreach.app.engine import Engine
from outreach.model import Company
from outreach.model.base import table
from tests.flow.house import Clock, add_people, installed, work

COMPANIES = table(Company)


async def test_a_run_gives_customers_their_owner_at_once_and_again_after_an_hour(tmp_path: Path) -> None:
    clock = Clock()
    async with installed(tmp_path, 9) as app:
        await add_people(app, tmp_path, 3)

        async def unowned() -> int:
            async with app.db.read() as conn:
                query = select(COMPANIES.c.id).where(COMPANIES.c.owner_id.is_(None))
                return len((await conn.execute(query)).all())

        assert await unowned() == 3
        await work(app, clock)
        assert await unowned() == 0
        engine = Engine(app, clock=clock)
        await engine.until_idle(30)
        async with app.db.write() as conn:
            await conn.execute(update(COMPANIES).values(owner_id=None))
        await engine.until_idle(30)
        assert await unowned() == 3
        clock.now += timedelta(hours=1)
        await engine.until_idle(30)
        assert await unowned() == 0
