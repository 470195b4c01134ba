"""SIGKILL at random moments of a campaign: each sender is a process forked from this one."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from benchmarks._chaos import build, fork, judge, rows_of, said, sink, taken
from outreach.db.session import Database
from outreach.outbox.store import OutboxStore
from outreach.outbox.tables import message
from outreach.sending.client import Server
from outreach.sending.holder.worker import is_dead
from outreach.sending.setup import MailboxSetup
from outreach.sending.worker import MailboxRun
from tests.sending.world import PlainComposer

#: Bytes of a line in the sink's log: a Message-ID and its end.
LINE = 38


async def send(url: str, port: int, connections: int) -> None:
    """What a worker process does: take back, look, send, until no message is open."""
    db = Database(url)
    store = OutboxStore(db)
    still_open = select(message.c.id).where(message.c.state.in_(("queued", "claimed", "handing_over", "deferred")))
    while True:
        now = datetime.now(UTC)
        await store.recover_all(now, is_dead)
        for box in await store.due_mailboxes(now):
            setup = MailboxSetup(box, f"box{box}", "sales@seller.example", connections=connections)
            run = MailboxRun(store, setup, Server("127.0.0.1", port, tls="none"), PlainComposer())
            await run.run(max_messages=500)
        async with db.read() as conn:
            if (await conn.execute(still_open.limit(1))).first() is None:
                break
        await asyncio.sleep(0.01)
    await db.close()


class Killed:
    """Senders that are killed and started again."""

    def __init__(self, url: str, port: int, log: Path, workers: int, connections: int, chance: random.Random) -> None:
        self.url, self.port, self.log, self.connections, self.chance = url, port, log, connections, chance
        self.children = [self.start() for _ in range(workers)]
        self.kills = 0

    def start(self) -> int:
        return fork(lambda: asyncio.run(send(self.url, self.port, self.connections)))

    def done(self) -> int:
        """About how many messages are used up: taken, or in the hands of who was killed."""
        return self.log.stat().st_size // LINE + self.kills * self.connections

    def kill_one(self, per_kill: float) -> bool:
        """Wait for a random share of progress, then kill one; False: all is sent."""
        size = self.log.stat().st_size
        wanted = size + int(self.chance.random() * 2 * per_kill) * LINE
        ends = time.monotonic() + 5
        while self.log.stat().st_size < wanted and time.monotonic() < ends:
            time.sleep(0.001)
            if self._one_ended():
                return False
        time.sleep(self.chance.random() * 0.01)
        number = self.chance.randrange(len(self.children))
        os.kill(self.children[number], signal.SIGKILL)
        _, status = os.waitpid(self.children[number], 0)
        self.kills += os.WIFSIGNALED(status)
        self.children[number] = self.start()
        return True

    def _one_ended(self) -> bool:
        for number, child in enumerate(self.children):
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                self.children[number] = -1
                if status:
                    raise RuntimeError(f"a sender ended with {status}")
                return True
        return False

    def finish(self) -> None:
        """Let those that are left finish."""
        for child in self.children:
            if child > 0:
                os.waitpid(child, 0)


#: Connections of each mailbox, by seed: few have little in hand when they die, many have much.
CONNECTIONS = (4, 7, 10, 13, 16)


def kill_run(url: str, seed: int, messages: int, kills: int, workers: int) -> dict[str, Any]:
    """One campaign with its kills."""
    chance = random.Random(seed)
    connections = CONNECTIONS[(seed - 1) % len(CONNECTIONS)]
    started = time.monotonic()
    asyncio.run(build(url, messages, workers))
    folder = Path(tempfile.mkdtemp())
    with sink(folder) as (port, log):
        senders = Killed(url, port, log, workers, connections, chance)
        while senders.kills < kills:
            # the share of a kill shrinks with what is left, so that all of them find a sender at work
            left = max(messages - senders.done(), 0) / (kills - senders.kills)
            if not senders.kill_one(max(0.7 * left - connections / 2, 0.5)):
                break
            said(f"kills, seed {seed}: {senders.kills} of {kills}, {connections} connections")
        senders.finish()
        found: dict[str, Any] = judge(asyncio.run(rows_of(url)), taken(log))
    shutil.rmtree(folder)
    found |= {"seed": seed, "connections": connections, "workers": workers, "kills": senders.kills}
    found |= {"allowed_in_doubt": senders.kills * connections, "seconds": round(time.monotonic() - started, 1)}
    found["kept"] = not found["duplicates"] and not found["lost"] and found["in_doubt"] <= found["allowed_in_doubt"]
    return found
