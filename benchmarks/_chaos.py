"""What the parts of `make chaos` share: processes that can be killed, a mail server that writes down what it took."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from outreach.db.session import Database
from outreach.outbox.tables import mailbox, message
from tests.fakes.postgres import running_postgres
from tests.sending.sink import RecordingSink
from tests.sending.world import make_world

PAST = datetime(2026, 1, 1, tzinfo=UTC)
#: States in which a message may stand when nothing is left to do.
ENDED = {"sent", "failed", "in_doubt"}
_spoke = 0.0


def said(text: str) -> None:
    """Tell on stderr how far it is, at most twice a second; stdout is for the figures."""
    global _spoke
    if sys.stderr.isatty() or time.monotonic() - _spoke > 5:
        end = "\r" if sys.stderr.isatty() else "\n"
        sys.stderr.write(f"{text:<78}{end}")
        sys.stderr.flush()
        _spoke = time.monotonic()


@dataclass(frozen=True)
class Kind:
    """A kind of database: its name, how many workers share it, and what makes an empty one."""

    name: str
    workers: int
    new: Callable[[], str]


def databases(which: str, stack: ExitStack) -> Iterator[Kind]:
    """The databases that were asked for: sqlite, postgres or both."""
    if which in ("sqlite", "both"):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        numbers = iter(range(1_000))
        yield Kind("sqlite", 1, lambda: f"sqlite:///{folder / f'{next(numbers)}.db'}")
    if which in ("postgres", "both"):
        server = stack.enter_context(running_postgres())
        yield Kind("postgres", 3, lambda: server.create()[1])


def fork(work: Callable[[], None]) -> int:
    """Run `work` in a child process and return its id."""
    sys.stdout.flush()
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        work()
        code = 0
    except BaseException as error:
        sys.stderr.write(f"sender: {type(error).__name__}: {error}\n")
    os._exit(code)


@contextmanager
def sink(folder: Path) -> Iterator[tuple[int, Path]]:
    """A mail server in a process of its own: its port, and the file in which it writes down what it took."""
    log, port_file = folder / "taken", folder / "port"
    log.touch()

    async def serve() -> None:
        server = await RecordingSink(log=log).start()
        port_file.with_suffix(".new").write_text(str(server.port))
        port_file.with_suffix(".new").rename(port_file)
        await asyncio.Event().wait()

    child = fork(lambda: asyncio.run(serve()))
    while not port_file.exists():
        time.sleep(0.01)
    try:
        yield int(port_file.read_text()), log
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def taken(log: Path) -> Counter[str]:
    """What the server took, by Message-ID."""
    return Counter(log.read_text().split())


async def build(url: str, messages: int, mailboxes: int) -> None:
    """A running campaign, its messages spread over the mailboxes."""
    world = await make_world(url, [f"person{n}@buyer{n % 97}.example" for n in range(messages)], now=PAST)
    for number in range(2, mailboxes + 1):
        more = {"name": f"box{number}", "address": f"box{number}@seller.example", "domain": "seller.example"}
        await world.execute(
            insert(mailbox).values(**more, created_at=PAST),
            update(message).where(message.c.id % mailboxes == number - 1).values(mailbox_id=number),
        )
    await world.db.close()


async def rows_of(url: str) -> list[Any]:
    """Every message's Message-ID, state and reason."""
    db = Database(url)
    async with db.read() as conn:
        found = list(await conn.execute(select(message.c.message_id, message.c.state, message.c.reason)))
    await db.close()
    return found


def judge(rows: list[Any], seen: Counter[str]) -> dict[str, int]:
    """Count what the promises are about. lost: said to be sent and not taken, or neither sent nor open to people."""
    states = Counter(row.state for row in rows)
    return {
        "sent": states["sent"],
        "failed": states["failed"],
        "in_doubt": states["in_doubt"],
        "taken_of_in_doubt": sum(seen[row.message_id] for row in rows if row.state == "in_doubt"),
        "duplicates": sum(times - 1 for times in seen.values() if times > 1),
        "lost": sum(row.state not in ENDED or (row.state == "sent" and not seen[row.message_id]) for row in rows),
        "sent_though_failed": sum(seen[row.message_id] for row in rows if row.state == "failed"),
    }
