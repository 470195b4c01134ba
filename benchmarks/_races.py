"""Stops against sending: after the commit of a stop nothing leaves, however close the race.

Who unsubscribes or is suppressed, or whose campaign is paused or loses its approval, gets what had been handed over
when the stop was committed, and nothing else. What that is, is read in the transaction of the stop itself.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from benchmarks._chaos import PAST, build, judge, rows_of, said
from outreach.crm import store as crm
from outreach.db import stops
from outreach.db.session import Database
from outreach.events.kinds import AddActivity, CreateTask, EventKind, NewEvent
from outreach.events.store import EventStore
from outreach.model import Suppression
from outreach.outbox.store import OutboxStore
from outreach.outbox.tables import campaign, message
from outreach.sending.client import Server
from outreach.sending.setup import MailboxSetup
from outreach.sending.worker import MailboxRun
from tests.sending.sink import RecordingSink
from tests.sending.world import SECRET, PlainComposer

#: Messages that are planned for each race on people and on the campaign: fewer leave between two of them.
PER_PERSON, PER_PAUSE = 8, 12
#: And what a few races need, lest their campaign end before them: many leave while the first stop is under way.
SPARE = 250
#: Of ten races, four unsubscribe, four are suppressed, one pauses and one loses its approval: these take the longest.
SHARE = {"unsubscribe": 4, "suppress": 4, "pause": 1, "unapprove": 1}
EVENTS = EventStore(SECRET, {CreateTask: crm.apply_task, AddActivity: crm.apply_activity})
#: What was handed over longer ago is no race.
LATELY = timedelta(seconds=2)
STOP = {"pause": {"state": "paused"}, "unapprove": {"approved_hash": None}}
GO = {"state": "running", "approved_hash": "h1"}


class Races:
    """One campaign that is being sent while it, or its people, are stopped again and again."""

    def __init__(self, url: str, kind: str, number: int, seed: int) -> None:
        self.db, self.kind, self.number = Database(url), kind, number
        self.chance = random.Random(f"{kind} {seed}")
        self.late: list[str] = []
        self.races = 0
        self.last = 0

    async def run(self, port: int) -> None:
        """Send and stop until all races are run."""
        sender = asyncio.ensure_future(self._send(port))
        stopper = self._people() if self.kind in ("unsubscribe", "suppress") else self._campaign()
        try:
            await stopper
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            await self.db.close()

    async def _send(self, port: int) -> None:
        store = OutboxStore(self.db)
        setup = MailboxSetup(1, "sales", "sales@seller.example", connections=6)
        while True:
            run = MailboxRun(store, setup, Server("127.0.0.1", port, tls="none"), PlainComposer())
            await run.run(max_messages=500)
            await asyncio.sleep(0)

    async def _people(self) -> None:
        """Stop people in the order in which their mail leaves, so that each stop meets its hand-over."""
        for _ in range(self.number):
            row = await self._ahead()
            if row is None:
                return
            async with self.db.write() as conn:
                await self._stop_person(conn, row)
                if not await _handed(conn, message.c.id == row.id):
                    self.late.append(row.message_id)
            self._count()

    async def _ahead(self) -> Any:
        """A message that is just about to leave; None when all have left."""
        async with self.db.read() as conn:
            open_rows = select(message.c.id, message.c.message_id, message.c.address_key)
            open_rows = open_rows.where(message.c.state.in_(("queued", "claimed")), message.c.id > self.last)
            rows = (await conn.execute(open_rows.order_by(message.c.id).limit(8))).all()
        if not rows:
            return None
        row = self.chance.choice(rows)
        self.last = row.id
        return row

    async def _stop_person(self, conn: AsyncConnection, row: Any) -> None:
        now = datetime.now(UTC)
        if self.kind == "unsubscribe":
            event = NewEvent(EventKind.UNSUBSCRIBE, f"race:{row.id}", now, message_id=row.id, data={"via": "link"})
            await EVENTS.record(conn, event, now)
            return
        await stops.hold(conn)
        entry = {"key": row.address_key, "reason": "unsubscribed", "source": "race", "at": PAST}
        await conn.execute(insert(Suppression).values(**entry))

    async def _campaign(self) -> None:
        for _ in range(self.number):
            await asyncio.sleep(self.chance.random() / 300)
            lately = message.c.handed_at > datetime.now(UTC) - LATELY
            async with self.db.write() as conn:
                await stops.hold(conn)
                await conn.execute(update(campaign).values(**STOP[self.kind]))
                before = await _handed(conn, lately)
            await asyncio.sleep(self.chance.random() / 300)
            async with self.db.write() as conn:
                await stops.hold(conn)
                after = await _handed(conn, lately)
                await conn.execute(update(campaign).values(**GO))
            self.late += [str(number) for number in after - before]
            self._count()

    def _count(self) -> None:
        self.races += 1
        if self.races % 100 == 0:
            said(f"races, {self.kind}: {self.races:,} of {self.number:,}")


async def _handed(conn: AsyncConnection, which: Any) -> set[int]:
    """The messages of these that have been handed over."""
    return set(await conn.scalars(select(message.c.id).where(message.c.handed_at.is_not(None), which)))


async def race_run(url: str, kind: str, number: int, seed: int) -> dict[str, Any]:
    """So many races of one kind. late: what left, or was marked, after the commit of its stop."""
    started = time.monotonic()
    people = kind in ("unsubscribe", "suppress")
    await build(url, number * (PER_PERSON if people else PER_PAUSE) + SPARE, 1)
    server = await RecordingSink().start()
    races = Races(url, kind, number, seed)
    await races.run(server.port)
    late = [name for name in races.late if not people or name in server.taken]
    found: dict[str, Any] = judge(await rows_of(url), Counter(server.taken))
    await server.stop()
    found = {name: found[name] for name in ("sent", "duplicates")} | {"kind": kind, "races": races.races}
    found |= {"late": len(late), "seconds": round(time.monotonic() - started, 1)}
    found["kept"] = not found["late"] and not found["duplicates"] and found["races"] == number
    return found
