"""Whoever is stopped gets nothing after the stop's commit, however close the race."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db import stops
from outreach.model import Suppression
from outreach.outbox.store import cancel_campaign, stop_for
from outreach.outbox.tables import campaign
from outreach.sending.client import Server
from outreach.sending.setup import MailboxSetup
from outreach.sending.worker import MailboxRun
from tests.sending.conftest import MakeWorld, new_world  # noqa: F401  (a fixture)
from tests.sending.sink import RecordingSink
from tests.sending.world import PlainComposer, World

PAST = datetime(2026, 1, 1, tzinfo=UTC)
NUMBER = 150


async def suppress(conn: AsyncConnection, row: Any) -> None:
    await stops.hold(conn)
    await conn.execute(insert(Suppression).values(key=row.address_key, reason="unsubscribed", source="race", at=PAST))


async def stop_person(conn: AsyncConnection, row: Any) -> None:
    await stop_for(conn, [row.contact_id], reason="replied", now=PAST)


PERSONS: dict[str, Callable[[AsyncConnection, Any], Awaitable[None]]] = {
    "suppress": suppress,
    "stop": stop_person,
}


def run_of(world: World, sink: RecordingSink) -> MailboxRun:
    setup = MailboxSetup(world.mailbox_id, "sales", "sales@seller.example", connections=6)
    return MailboxRun(world.store, setup, Server("127.0.0.1", sink.port, tls="none"), PlainComposer())


@pytest.mark.parametrize("kind", sorted(PERSONS))
async def test_a_person_who_is_stopped_during_the_run(new_world: MakeWorld, kind: str) -> None:  # noqa: F811
    """After the commit of the stop the message can only have been handed over before."""
    chance = random.Random(kind)
    world = await new_world([f"person{n}@buyer{n}.example" for n in range(NUMBER)], now=PAST)
    sink = await RecordingSink(delay=0.001).start()
    rows = await world.messages()
    taken_when_stopped: dict[str, bool] = {}

    async def stopper() -> None:
        for row in chance.sample(rows, NUMBER // 2):
            async with world.db.write() as conn:
                await PERSONS[kind](conn, row)
            # the commit is done: what was handed over by now was so before it
            state = (await world.message(row.id)).state
            taken_when_stopped[row.message_id] = state in ("handing_over", "sent")
            await asyncio.sleep(chance.random() / 500)

    await asyncio.gather(run_of(world, sink).run(max_messages=1000), stopper())
    assert len(taken_when_stopped) == NUMBER // 2
    late = [name for name, before in taken_when_stopped.items() if not before and name in sink.taken]
    assert late == []
    assert len(sink.taken) == len(set(sink.taken))
    ended = {row.message_id: row.state for row in await world.messages()}
    stopped = [name for name, before in taken_when_stopped.items() if not before]
    assert {ended[name] for name in stopped} <= {"skipped", "cancelled"}
    await sink.stop()


CAMPAIGNS = {
    "pause": lambda conn, world: conn.execute(update(campaign).values(state="paused")),
    "unapprove": lambda conn, world: conn.execute(update(campaign).values(state="review", approved_hash=None)),
    "cancel": lambda conn, world: conn.execute(update(campaign).values(state="cancelled")),
    "cancel rows": lambda conn, world: cancel_campaign(conn, world.campaign_id, "cancelled", PAST),
}


@pytest.mark.parametrize("kind", sorted(CAMPAIGNS))
@pytest.mark.parametrize("seed", [1, 2])
async def test_a_campaign_that_is_stopped_during_the_run(
    new_world: MakeWorld,  # noqa: F811
    kind: str,
    seed: int,
) -> None:
    chance = random.Random(f"{kind} {seed}")
    world = await new_world([f"person{n}@buyer{n}.example" for n in range(NUMBER)], now=PAST)
    sink = await RecordingSink(delay=0.001).start()
    going = asyncio.ensure_future(run_of(world, sink).run(max_messages=1000))
    await sink.has(chance.randrange(1, NUMBER // 2))
    async with world.db.write() as conn:
        await stops.hold(conn)
        await CAMPAIGNS[kind](conn, world)
    handed_over = {row.message_id for row in await world.messages() if row.state in ("handing_over", "sent")}
    await going
    assert set(sink.taken) <= handed_over
    assert len(handed_over) < NUMBER
    assert {row.state for row in await world.messages()} <= {"sent", "queued", "cancelled"}
    await sink.stop()
