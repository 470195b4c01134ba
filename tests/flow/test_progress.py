"""Item by item what a person sees while a campaign is being sent (A6), from the same rows in CLI, API and pages."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import update

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.progress import progress
from outreach.cli.status import shown
from outreach.model import Mailbox, Message
from outreach.model.base import table
from tests.flow.house import Clock, add_people, approved, installed, work

MESSAGES, MAILBOXES = table(Message), table(Mailbox)


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def states(app: App, clock: Clock) -> None:
    """Of seven messages: one of each kind."""
    later = clock() + timedelta(minutes=12)
    rows: list[dict[str, Any]] = [
        {"state": "sent", "sent_at": clock(), "handed_at": clock()},
        {"state": "handing_over", "handed_at": clock() - timedelta(minutes=30)},
        {"state": "deferred", "due_at": later, "reason": "greylisted"},
        {"state": "failed", "reason": "userunknown"},
        {"state": "in_doubt", "handed_at": clock() - timedelta(hours=3)},
        {"state": "skipped", "reason": "suppressed"},
        {"state": "queued"},
    ]
    async with app.db.write() as conn:
        for number, values in enumerate(rows, 1):
            await conn.execute(update(MESSAGES).where(MESSAGES.c.id == number).values(**values))


async def under_way(app: App, folder: Path, clock: Clock) -> int:
    await add_people(app, folder, 7)
    campaign = await approved(app, clock)
    await use.start(app, campaign, OPERATOR, clock())
    await states(app, clock)
    return campaign


async def test_everything_is_counted(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await under_way(app, tmp_path, clock)
        found = await progress(app, campaign, clock())
    assert (found.total, found.queued, found.in_hand, found.sent) == (7, 1, 1, 1)
    assert (found.deferred, found.deferred_next) == (1, clock() + timedelta(minutes=12))
    assert (found.failed, found.failed_by_reason) == (1, {"userunknown": 1})
    assert (found.in_doubt, found.left_out, found.pace, found.done) == (1, 1, 1, 3)
    (box,) = found.mailboxes
    assert (box.name, box.state, box.waiting) == ("sales", "sending", 3)
    assert box.used == {"minute": 1, "hour": 2, "day": 3}
    assert found.ends_at == clock() + timedelta(minutes=12)


async def test_a_mailbox_that_rests_or_is_paused_says_so(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await under_way(app, tmp_path, clock)
        until = clock() + timedelta(minutes=40)
        rest = {"paused_until": until, "paused_reason": "throttled", "ceiling": {"day": [90, clock().timestamp()]}}
        async with app.db.write() as conn:
            await conn.execute(update(MAILBOXES).values(**rest))
        (box,) = (await progress(app, campaign, clock())).mailboxes
        assert (box.state, box.reason, box.resumes_at, box.limits) == ("resting", "throttled", until, {"day": 90})
        assert box.ends_at is not None
        assert box.ends_at >= until
        async with app.db.write() as conn:
            await conn.execute(update(MAILBOXES).values(state="paused", paused_reason="auth-failed"))
        found = await progress(app, campaign, clock())
    assert (found.mailboxes[0].state, found.mailboxes[0].reason, found.ends_at) == ("paused", "auth-failed", None)


async def test_the_terminal_shows_it_in_words(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        campaign = await under_way(app, tmp_path, clock)
        async with app.db.write() as conn:
            await conn.execute(update(MAILBOXES).values(state="paused", paused_reason="auth-failed"))
        found = await progress(app, campaign, clock())
    console = Console(width=120, record=True, file=StringIO())
    console.print(shown(found, clock()))
    text = console.export_text()
    for words in ("in hand", "next try", "userunknown 1", "in doubt", "messages doubt", "sales", "paused"):
        assert words in text
    assert "password" in text  # what to do about a refused login


async def test_a_campaign_that_has_ended_waits_for_nothing(tmp_path: Path, smtp_sink: Any, clock: Clock) -> None:
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 2)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        await work(app, clock)
        found = await progress(app, campaign, clock())
    assert (found.state, found.sent, found.ends_at) == ("finished", 2, None)
    assert [box.state for box in found.mailboxes] == ["idle"]
