"""The raw batch writes what the general one writes."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from outreach.db.session import Database
from outreach.events.batch.store import record_batch, stamp
from outreach.events.kinds import EventKind, NewEvent
from outreach.events.lookup.store import load_many
from outreach.model import Contact, Event, Message, Rollup
from tests.events.seeds import add_campaign, add_message, add_person, event_store
from tests.fakes.schema import make_tables

NOW = datetime(2026, 11, 18, 9, 30, 0, 123, tzinfo=UTC)
PEOPLE = 12


@pytest.fixture
async def twins(tmp_path: Path) -> AsyncIterator[list[Database]]:
    """Two databases with the same messages, one of them in doubt."""
    made = []
    for name in "ab":
        db = Database(f"sqlite:///{tmp_path}/{name}.db")
        await make_tables(db)
        async with db.write() as conn:
            campaign = await add_campaign(conn, NOW)
            for number in range(PEOPLE):
                contact, _ = await add_person(conn, NOW, f"p{number}@buyer.example")
                await add_message(conn, NOW, campaign, contact, f"p{number}@buyer.example")
            await conn.execute(update(Message).where(Message.id == 3).values(state="in_doubt", sent_at=None))
        made.append(db)
    yield made
    for db in made:
        await db.close()


def traffic() -> list[NewEvent]:
    """Opens and clicks of people and machines, with verdicts taken back."""
    dice, found = random.Random(9), []
    moments: dict[int, list[str]] = {}
    for number in range(300):
        message, at = dice.randint(1, PEOPLE), NOW + timedelta(seconds=number * 40.5)
        kind, machine = dice.choice([EventKind.OPEN, EventKind.CLICK]), dice.random() < 0.4
        data: dict[str, Any] = {"agent": "Größe", "number": 1}
        if kind == EventKind.CLICK and machine and moments.get(message):
            data["corrects"] = moments.pop(message)
        if kind == EventKind.CLICK and not machine:
            moments.setdefault(message, []).append(at.isoformat())
        found.append(NewEvent(kind, f"k{number}", at, message, machine=machine, why="w", data=data))
    return found


async def contents(db: Database) -> list[list[tuple[Any, ...]]]:
    tables = [Event, Message, Contact, Rollup]
    async with db.read() as conn:
        rows = [(await conn.execute(select(t.__table__).order_by(t.id))).all() for t in tables]  # type: ignore[attr-defined]
    # the general way keeps a row that came to nothing
    return [[tuple(row) for row in part] for part in rows[:3]] + [
        sorted(tuple(row)[1:] for row in rows[3] if row.count)
    ]


async def test_both_ways_write_the_same(twins: list[Database]) -> None:
    general, raw = twins
    batches = [traffic()[start : start + 37] for start in range(0, 300, 37)]
    for batch in batches:
        async with general.write() as conn:
            assert await event_store()[0].record_many(conn, batch, NOW) == len(batch)
        async with raw.read() as conn:
            facts = await load_many(conn, (one.message_id or 0 for one in batch))
        assert await raw.hot.write(lambda c, b=batch, f=facts: record_batch(c, b, f, NOW, again=False)) == len(batch)
    assert await contents(general) == await contents(raw)


async def test_a_batch_that_is_written_again_changes_nothing(twins: list[Database]) -> None:
    db, batch = twins[1], traffic()
    async with db.read() as conn:
        facts = await load_many(conn, range(1, PEOPLE + 1))
    assert await db.hot.write(lambda c: record_batch(c, batch, facts, NOW, again=False)) == 300
    before = await contents(db)
    assert await db.hot.write(lambda c: record_batch(c, batch, facts, NOW, again=True)) == 0
    assert await contents(db) == before


def test_a_moment_is_written_as_the_model_writes_it() -> None:
    at = datetime.fromisoformat("2026-11-18T14:45:00+05:30")
    assert stamp(at) == "2026-11-18 09:15:00.000000"
