"""A worker that died before the next one started: its mailbox is taken over within 60 s, and nobody gets a mail twice."""

from __future__ import annotations

import subprocess
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.engine import Engine
from outreach.outbox.message import Mark
from outreach.sending.holder.worker import make_holder
from tests.fakes.sink import SmtpSink
from tests.flow.house import Clock, add_people, approved, installed, rows, work

PEOPLE, CLAIMED, IN_HAND = 6, 4, 2


@pytest.fixture
def clock() -> Clock:
    return Clock()


def dead_holder() -> str:
    """The name of a process of this machine that has ended."""
    gone = subprocess.Popen(["true"])
    gone.wait()
    machine, namespace, _, random = make_holder().split(":")
    return f"{machine}:{namespace}:{gone.pid}:{random}"


async def left_behind(app: App, holder: str, clock: Clock) -> tuple[int, int]:
    """What a process leaves that is killed while it hands two mails over and holds four: mailbox and fence."""
    box = app.mailbox_ids["sales"]
    lease = (await app.setup(app.settings.mailbox_named("sales"))).lease_seconds
    fence = await app.outbox.lease(box, holder, clock(), lease)
    assert fence is not None
    claimed = await app.outbox.claim(box, fence, clock(), CLAIMED)
    marks = [Mark(message) for message in claimed[:IN_HAND]]
    assert await app.outbox.settle_and_mark(box, fence, clock(), [], marks) == {}
    return box, fence


async def states(app: App, campaign: int) -> Counter[str]:
    found: list[Any] = await rows(app, campaign)
    return Counter(str(row.state) for row in found)


@pytest.mark.parametrize("where", ["here", "another machine"])
async def test_a_dead_workers_mailbox_is_taken_over(
    where: str, tmp_path: Path, smtp_sink: SmtpSink, clock: Clock
) -> None:
    """On this machine at once; from another one, which nobody can ask, when the lease has run out."""
    holder = dead_holder() if where == "here" else "elsewhere:1:4711:0a0b0c0d"
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, PEOPLE)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        box, fence = await left_behind(app, holder, clock)
        left = Counter(handing_over=IN_HAND, claimed=CLAIMED - IN_HAND, queued=PEOPLE - CLAIMED)
        assert await states(app, campaign) == left
        if where == "another machine":
            clock.now += timedelta(seconds=44)
            await Engine(app, clock=clock).tick()
            assert await states(app, campaign) == left  # it may still live
            clock.now += timedelta(seconds=16)
        await work(app, clock)
        # what was in hand may have arrived: a person is asked; everything else has left, once
        assert await states(app, campaign) == Counter(in_doubt=IN_HAND, sent=PEOPLE - IN_HAND)
        found: list[Any] = await rows(app, campaign)
        # the dead one wakes up after all: nothing is handed over with its number
        assert await app.outbox.claim(box, fence, clock(), 1) == []
        assert not await app.outbox.renew(box, fence, clock(), 45)
    sent = [row.address for row in found if row.state == "sent"]
    assert sorted(smtp_sink.recipients()) == sorted(sent)
