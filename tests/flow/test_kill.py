"""Whatever dies, and when: nobody gets a message twice, nobody is lost silently."""

from __future__ import annotations

import asyncio
import random
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.sending.conftest import MakeWorld, new_sqlite_world, new_world  # noqa: F401  (fixtures)
from tests.sending.dying import POINTS
from tests.sending.sink import RecordingSink
from tests.sending.world import World

ROOT = Path(__file__).parents[2]
KILLED = -9
PAST = datetime(2026, 1, 1, tzinfo=UTC)  # the senders live in real time


async def sender(
    world: World, port: int, *, connections: int = 4, point: str = "-", count: int = 1
) -> asyncio.subprocess.Process:
    arguments = [world.db.url, str(port), str(world.mailbox_id), str(connections), point, str(count)]
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.sending.dying", *arguments, cwd=ROOT, stderr=asyncio.subprocess.PIPE
    )


async def finish(process: asyncio.subprocess.Process) -> int:
    _, errors = await asyncio.wait_for(process.communicate(), 120)
    assert process.returncode in (0, KILLED), errors.decode()
    return process.returncode


async def check(world: World, sink: RecordingSink, in_hand: int) -> None:
    """Every row once at the sink, or in doubt; at most `in_hand` in doubt."""
    taken = Counter(sink.taken)
    assert not [name for name, times in taken.items() if times > 1]
    rows = await world.messages()
    states = Counter(row.state for row in rows)
    assert set(states) <= {"sent", "in_doubt"}, states
    assert states["in_doubt"] <= in_hand
    assert all(taken[row.message_id] == 1 for row in rows if row.state == "sent")
    assert sum(taken.values()) <= len(rows)


@pytest.mark.parametrize("seed", [1, 2])
async def test_killed_at_random_moments(new_world: MakeWorld, seed: int) -> None:  # noqa: F811
    chance = random.Random(seed)
    world = await new_world([f"person{n}@buyer{n % 40}.example" for n in range(500)], now=PAST)
    sink = await RecordingSink(delay=0.002).start()
    kills = 0
    for _ in range(3):
        process = await sender(world, sink.port)
        wanted = len(sink.taken) + chance.randrange(10, 150)
        ended = asyncio.ensure_future(process.wait())
        await asyncio.wait([ended, asyncio.ensure_future(sink.has(wanted))], return_when=asyncio.FIRST_COMPLETED)
        if process.returncode is None:
            process.kill()
            kills += 1
        await finish(process)
    assert kills
    assert await finish(await sender(world, sink.port)) == 0
    await check(world, sink, kills * 4)
    await sink.stop()


ONCE = ("before-claim", "after-claim", "before-release")  # what happens only once in so short a campaign


@pytest.mark.parametrize("point", POINTS)
async def test_killed_at_a_named_point(new_sqlite_world: MakeWorld, point: str) -> None:  # noqa: F811
    world = await new_sqlite_world([f"person{n}@buyer{n}.example" for n in range(60)], now=PAST)
    sink = await RecordingSink().start()
    count = 1 if point in ONCE else 2
    assert await finish(await sender(world, sink.port, connections=2, point=point, count=count)) == KILLED
    assert await finish(await sender(world, sink.port, connections=2)) == 0
    await check(world, sink, 2)
    await sink.stop()
