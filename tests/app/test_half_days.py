"""Half a day between two mails is kept as it was written, on both databases, and the approval still holds."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from sqlalchemy import update

from outreach.app.campaigns import start
from outreach.app.tick import tick
from outreach.campaigns.store import steps_of
from outreach.model import Message
from outreach.model.base import table
from tests.app.sequence_house import write_templates
from tests.flow.house import Clock, actor, add_people, approved, installed, rows

MESSAGES = table(Message)
FOLLOW_UP = """[[step]]
after_days = 0.5
only_if = "always"
template = "again"
"""


async def test_a_follow_up_half_a_day_later(tmp_path: Path, database_url: str) -> None:
    clock = Clock()
    write_templates(tmp_path)
    async with installed(tmp_path, 9, database=database_url) as app:
        await add_people(app, tmp_path, 1)
        campaign = await approved(app, clock, more=FOLLOW_UP, template="hello")
        async with app.db.read() as conn:
            assert [step.after_days for step in await steps_of(conn, campaign)] == [0, 0.5]
        await start(app, campaign, await actor(app, None), clock())
        await tick(app, clock())
        async with app.db.write() as conn:
            await conn.execute(update(MESSAGES).values(state="sent", sent_at=clock(), handed_at=clock()))
        for hours, mails in ((11, 1), (2, 2)):
            clock.now += timedelta(hours=hours)
            done = await tick(app, clock())
            assert not done.held
            assert len(await rows(app, campaign)) == mails
