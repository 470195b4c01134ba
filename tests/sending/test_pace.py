"""Limits hold over 30 simulated days for real runs: every run is a restart, two workers share one provider's quota."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from outreach.outbox.message import Quota
from outreach.outbox.tables import mailbox, message
from outreach.sending.client import Server
from outreach.sending.setup import MailboxSetup
from outreach.sending.throttle import DAY, HOUR, Limits, warmup_limit
from outreach.sending.worker import MailboxRun
from tests.fakes.clock import FakeClock
from tests.sending.conftest import MakeWorld
from tests.sending.sink import RecordingSink
from tests.sending.world import PlainComposer, World

PER_HOUR, PER_DAY = 4, 12


def worst(times: Sequence[float], length: float) -> int:
    """The most moments that fall into any window (t - length, t]."""
    return max((n + 1 - bisect_right(times, at - length) for n, at in enumerate(times)), default=0)


async def handed(world: World, box: int | None = None) -> list[float]:
    rows = await world.messages()
    return sorted(r.handed_at.timestamp() for r in rows if r.handed_at and box in (None, r.mailbox_id))


async def run_once(world: World, port: int, clock: FakeClock, box: int, **more: Any) -> int:
    """One run, as another process would make it: it knows what the rows say and nothing else."""
    setup = MailboxSetup(box, f"box{box}", "sales@seller.example", **more)
    run = MailboxRun(
        world.store,
        setup,
        Server("127.0.0.1", port, tls="none"),
        PlainComposer(),
        clock=clock,
        by_hand=more_by_hand(clock),
    )
    return (await run.run(max_messages=50, max_seconds=0.5)).sent


BY_HAND: list[datetime] = []


def more_by_hand(clock: FakeClock) -> Any:
    async def sent(boxes: Sequence[int], since: datetime) -> list[datetime]:
        return [at for at in BY_HAND if at > since and 1 in boxes]

    return sent


async def test_two_workers_share_a_domains_quota_for_30_days(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    """Tencent counts the whole domain; a colleague's own mails count as well."""
    BY_HAND.clear()
    chance = random.Random(7)
    world = await new_sqlite_world([f"p{n}@buyer{n % 40}.example" for n in range(420)], now=clock())
    other = {"name": "box2", "address": "b2@seller.example", "domain": "seller.example", "created_at": clock()}
    await world.execute(
        insert(mailbox).values(id=2, **other), update(message).where(message.c.id % 2 == 0).values(mailbox_id=2)
    )
    sink = await RecordingSink().start()
    quota = Quota(mailboxes=(1, 2), per_hour=PER_HOUR, per_day=PER_DAY)
    limits = Limits(per_hour=PER_HOUR, per_day=PER_DAY)
    ends = clock() + timedelta(days=30)
    while clock() < ends:
        if chance.random() < 0.15:
            BY_HAND.append(clock())
        for box in chance.sample((1, 2), 2):
            await run_once(world, sink.port, clock, box, limits=limits, quota=quota, connections=3)
        clock.advance(seconds=chance.choice((600, 3_599, 3_601, 20_000, 40_000)))
    times = await handed(world)
    assert len(times) > 250  # the quota is used, not only kept
    assert worst(times, DAY) <= PER_DAY
    assert worst(times, HOUR) <= PER_HOUR
    everything = sorted([*times, *(at.timestamp() for at in BY_HAND)])
    # a mail by hand cannot be refused: it may come on top of a full window, ours never on top of it
    assert all(
        ours_within(everything, times, at, length) <= limit
        for at in times
        for length, limit in ((DAY, PER_DAY), (HOUR, PER_HOUR))
    )
    assert len(sink.taken) == len(set(sink.taken)) == len(times)
    await sink.stop()


def ours_within(everything: list[float], ours: list[float], at: float, length: float) -> int:
    """How many stood in the window when this one of ours left, itself included."""
    return bisect_right(everything, at) - bisect_right(everything, at - length)


async def test_a_young_mailbox_grows_over_its_first_days(new_sqlite_world: MakeWorld, clock: FakeClock) -> None:
    BY_HAND.clear()
    world = await new_sqlite_world([f"p{n}@buyer{n}.example" for n in range(400)], now=clock())
    sink, began = await RecordingSink().start(), clock()
    for _ in range(5 * 6):
        for _ in range(3):
            await run_once(world, sink.port, clock, 1, warmup_from=began, connections=4)
        clock.advance(seconds=4 * HOUR)
    times = await handed(world)
    for day in range(5):
        until = began.timestamp() + (day + 1) * DAY
        assert worst([at for at in times if at < until], DAY) <= warmup_limit(day)
    assert len(times) > sum(warmup_limit(day) for day in range(4))
    await sink.stop()


@pytest.mark.parametrize("box", [1, 2])
async def test_a_daily_quota_that_one_mailbox_learned_holds_for_its_domain(
    new_sqlite_world: MakeWorld, clock: FakeClock, box: int
) -> None:
    BY_HAND.clear()
    world = await new_sqlite_world([f"p{n}@buyer{n}.example" for n in range(40)], now=clock())
    other = {"name": "box2", "address": "b2@seller.example", "domain": "seller.example", "created_at": clock()}
    learned = {"day": [9, clock().timestamp()]}
    await world.execute(insert(mailbox).values(id=2, **other, ceiling=learned), update(message).values(mailbox_id=box))
    sink = await RecordingSink().start()
    quota = Quota(mailboxes=(1, 2), per_day=1_000)
    for _ in range(4):
        await run_once(world, sink.port, clock, box, limits=Limits(per_day=1_000), quota=quota, connections=3)
    assert len(sink.taken) == 9
    clock.advance(seconds=7 * DAY)  # it doubles in a week
    for _ in range(4):
        await run_once(world, sink.port, clock, box, limits=Limits(per_day=1_000), quota=quota, connections=3)
    assert len(sink.taken) == 9 + 18
    await sink.stop()
