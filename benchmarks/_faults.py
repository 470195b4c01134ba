"""A campaign through a server of which many answers are faults, with retries to their end."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import update

from benchmarks._chaos import build, judge, rows_of, said
from outreach.db.session import Database
from outreach.outbox.store import OutboxStore
from outreach.outbox.tables import mailbox
from outreach.sending.client import Server
from outreach.sending.phase import Timeouts
from outreach.sending.setup import MailboxSetup
from outreach.sending.worker import MailboxRun
from tests.sending.sink import RecordingSink
from tests.sending.world import PlainComposer

T = TypeVar("T")
#: What the server does at the final dot now and then; whether it has taken the message all the same.
WRONGS: tuple[tuple[bytes, bool], ...] = (
    (b"451 4.3.0 later\r\n", False),
    (b"554 5.7.1 looks like spam\r\n", False),
    (b"421 4.3.0 closing\r\n", False),
    (b"", False),
    (b"", True),
    (b"\x00garbage\r\n", True),
    (b"250-half\r\n", True),
)
#: What it says to MAIL, RCPT and DATA now and then; b"" hangs up.
EARLY: tuple[bytes, ...] = (
    b"451 4.3.0 later\r\n",
    b"450 4.7.1 greylisted\r\n",
    b"421 4.3.0 closing\r\n",
    b"not a reply\r\n",
    b"",
)


class Jumping:
    """A clock that jumps to the next due message, so that four days of retries take a minute."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def faulty(chance: random.Random, share: float, wrongs: Sequence[T]) -> Callable[[bytes], T | None]:
    """What goes wrong, by chance."""
    return lambda data: chance.choice(wrongs) if chance.random() < share else None


async def fault_run(url: str, messages: int, share: float, seed: int) -> dict[str, Any]:
    """A campaign of which `share` of the deliveries meet a fault; people resume what pauses.

    Seven of ten faults come at the dot, where they matter most, one each at MAIL, RCPT and DATA.
    """
    started = time.monotonic()
    await build(url, messages, 1)
    db, clock = Database(url), Jumping()
    store = OutboxStore(db)
    chance = random.Random(seed)
    server = RecordingSink(fault=faulty(chance, share * 0.7, WRONGS), early=faulty(chance, share * 0.1, EARLY))
    await server.start()
    timeouts = Timeouts(greeting=5, mail=1, rcpt=1, data=1, block=1, dot=1, quit=1)
    target = Server("127.0.0.1", server.port, tls="none", timeouts=timeouts)
    setup = MailboxSetup(1, "sales", "sales@seller.example", connections=10)
    while True:
        result = await MailboxRun(store, setup, target, PlainComposer(), clock=clock).run(10_000, 120)
        said(f"faults: {len(server.taken):,} of {messages:,} taken, {clock.ahead.days} days later")
        # a pause waits for a person, a rest for its time: the person is here, and the time jumps
        resumed = {"state": "active", "paused_until": None, "recent": {}, "ceiling": {}, "failures": 0}
        async with db.write() as conn:
            await conn.execute(update(mailbox).values(**resumed))
        if result.next_due is None:
            break
        if result.next_due > clock():
            clock.ahead += result.next_due - clock()
    await db.close()
    found: dict[str, Any] = judge(await rows_of(url), Counter(server.taken))
    await server.stop()
    found |= {"messages": messages, "faults": share, "seconds": round(time.monotonic() - started, 1)}
    found["kept"] = not found["duplicates"] and not found["lost"] and not found["sent_though_failed"]
    return found
