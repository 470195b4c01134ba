"""SQLite's planner gets its figures, and they are figures alone."""

from __future__ import annotations

import re

from sqlalchemy import text

from outreach.db import statistics
from outreach.db.session import Database
from outreach.model import Contact
from outreach.model.base import table
from tests.crm.conftest import NOW
from tests.fakes.schema import make_tables


async def test_figures_are_counted_and_hold_nothing_of_a_person(sqlite_url: str) -> None:
    db = Database(sqlite_url)
    await make_tables(db)
    people = [{"last_name": f"Vogel{n}", "source": "fair", "created_at": NOW} for n in range(50)]
    async with db.write() as conn:
        await conn.execute(table(Contact).insert(), people)
    await statistics.refresh(db)
    await statistics.refresh(db)  # again, each hour
    async with db.read() as conn:
        rows = (await conn.execute(text("SELECT tbl, idx, stat FROM sqlite_stat1"))).all()
        kept = set(await conn.scalars(text("SELECT name FROM sqlite_master WHERE name LIKE 'sqlite_stat%'")))
        samples = await conn.scalar(text("SELECT count(*) FROM sqlite_stat4")) if "sqlite_stat4" in kept else 0
    assert [row.stat for row in rows if row.idx == "ix_contact_name"] == ["50 50 1"]
    assert all(re.fullmatch(r"[\d ]+( \w+(=\d+)?)*", row.stat) for row in rows)
    assert samples == 0
    await db.close()


async def test_postgresql_counts_by_itself(database_url: str) -> None:
    db = Database(database_url)
    await statistics.refresh(db)
    await db.close()
