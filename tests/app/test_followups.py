"""Follow-ups are planned when they are due, however many others wait; nothing is read again and again meanwhile."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from outreach.app import followups
from outreach.app.build import App
from outreach.app.campaigns import start
from outreach.app.tick import FOLLOW_EVERY, Seen, tick
from outreach.model import Message
from outreach.model.base import table
from tests.app.sequence_house import statements, write_templates
from tests.flow.house import Clock, actor, add_people, approved, installed, rows

MESSAGES = table(Message)
STEPS = """[schedule]
window = "09:00-17:00"
local_time = true
[[step]]
after_days = 2
template = "again"
"""
PEOPLE = 12
WEDNESDAY, THURSDAY = datetime(2026, 11, 25, 10, tzinfo=UTC), datetime(2026, 11, 26, 10, tzinfo=UTC)
#: Four days after Thursday, one of them a working day: only Wednesday's mail is two working days old.
MONDAY = datetime(2026, 11, 30, 9, 30, tzinfo=UTC)


@pytest.fixture
async def house(tmp_path: Path, database_url: str) -> AsyncIterator[App]:
    write_templates(tmp_path)
    async with installed(tmp_path, 9, database=database_url) as app:
        await add_people(app, tmp_path, PEOPLE)
        yield app


async def sent(app: App, clock: Clock) -> int:
    """A campaign whose first mails left on Thursday, those of the last three people on Wednesday."""
    campaign = await approved(app, clock, more=STEPS, template="hello")
    await start(app, campaign, await actor(app, None), clock())
    await tick(app, clock())
    early = [row.id for row in await rows(app, campaign)][-3:]  # type: ignore[attr-defined]
    async with app.db.write() as conn:
        left = {"state": "sent", "sent_at": THURSDAY, "handed_at": THURSDAY}
        await conn.execute(update(MESSAGES).values(left))
        await conn.execute(update(MESSAGES).where(MESSAGES.c.id.in_(early)).values(sent_at=WEDNESDAY))
    return campaign


async def test_what_is_not_due_yet_does_not_crowd_out_what_is(house: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(followups, "CHUNK", 2)
    clock = Clock()
    campaign = await sent(house, clock)
    clock.now, seen = MONDAY, Seen()
    planned = [(await tick(house, clock(), seen)).follow_ups for _ in range(3)]
    assert planned == [2, 1, 0]
    clock.now += timedelta(hours=1)
    assert (await tick(house, clock(), seen)).follow_ups == 2
    for _ in range(4):
        await tick(house, clock(), seen)
    assert len(await rows(house, campaign)) == 2 * PEOPLE


async def test_a_campaign_that_waits_for_its_follow_ups_leaves_the_writer_alone(house: App) -> None:
    clock, seen = Clock(), Seen()
    await sent(house, clock)
    clock.now = THURSDAY + timedelta(hours=1)
    assert not await tick(house, clock(), seen)
    with statements(house) as asked:
        assert not await tick(house, clock() + timedelta(seconds=2), seen)
    assert len(asked) <= 3, "BEGIN, the campaigns, ROLLBACK"
    clock.now = MONDAY
    assert (await tick(house, clock(), seen)).follow_ups == 3
    assert timedelta(seconds=2) < FOLLOW_EVERY < timedelta(minutes=2)
