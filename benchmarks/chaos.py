"""Kills senders at random moments and counts: nobody twice, nobody lost, in doubt at most kills × connections.

    python -m benchmarks.chaos [--database sqlite|postgres|both] [--seeds 5] [--kills 200] [--messages 5000]
    python -m benchmarks.chaos --faults 20000        5% random faults in the server's answers, nothing killed

Each sender is a process forked from this one and ended by SIGKILL; the mail server is a process of its own that
writes down every message that it has taken. Exit code 1 if a promise is broken. Prints JSON, a line for each run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from outreach.db.session import Database
from outreach.outbox.store import OutboxStore
from outreach.outbox.tables import mailbox, message
from outreach.sending.client import Server
from outreach.sending.holder.worker import is_dead
from outreach.sending.phase import Timeouts
from outreach.sending.setup import MailboxSetup
from outreach.sending.worker import MailboxRun
from tests.fakes.postgres import running_postgres
from tests.sending.sink import RecordingSink
from tests.sending.world import PlainComposer, make_world

PAST = datetime(2026, 1, 1, tzinfo=UTC)
#: States in which a message may stand when nothing is left to do.
ENDED = {"sent", "failed", "in_doubt"}


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

    def kill_one(self, per_kill: float) -> bool:
        """Wait for a random share of progress, then kill one; False: all is sent."""
        size = self.log.stat().st_size
        wanted = size + int(self.chance.random() * 2 * per_kill) * 35
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


def kill_run(url: str, seed: int, arguments: argparse.Namespace, workers: int) -> dict[str, Any]:
    """One campaign with its kills."""
    chance = random.Random(seed)
    connections = chance.randint(4, 16)
    started = time.monotonic()
    asyncio.run(build(url, arguments.messages, workers))
    folder = Path(tempfile.mkdtemp())
    with sink(folder) as (port, log):
        senders = Killed(url, port, log, workers, connections, chance)
        # what a killed sender had in hand is used up as well: a kill costs more messages than the wait before it
        share = 0.75 * arguments.messages / (arguments.kills + 1)
        while senders.kills < arguments.kills and senders.kill_one(share):
            pass
        senders.finish()
        found: dict[str, Any] = judge(asyncio.run(rows_of(url)), taken(log))
    shutil.rmtree(folder)
    found |= {"seed": seed, "connections": connections, "workers": workers, "kills": senders.kills}
    found |= {"allowed_in_doubt": senders.kills * connections, "seconds": round(time.monotonic() - started, 1)}
    found["kept"] = not found["duplicates"] and not found["lost"] and found["in_doubt"] <= found["allowed_in_doubt"]
    return found


# -- faults -----------------------------------------------------------------------------------------------------------


class Jumping:
    """A clock that jumps to the next due message, so that four days of retries take a minute."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def faulty(chance: random.Random, share: float) -> Callable[[bytes], tuple[bytes, bool] | None]:
    """What the server does at the final dot: now and then something is wrong; the second word says if it was taken."""
    wrongs: list[tuple[bytes, bool]] = [
        (b"451 4.3.0 later\r\n", False),
        (b"554 5.7.1 looks like spam\r\n", False),
        (b"421 4.3.0 closing\r\n", False),
        (b"", False),
        (b"", True),
        (b"\x00garbage\r\n", True),
        (b"250-half\r\n", True),
    ]
    return lambda data: chance.choice(wrongs) if chance.random() < share else None


async def fault_run(url: str, messages: int, share: float, seed: int) -> dict[str, Any]:
    """A campaign through a server of which `share` of the answers are faults; people resume what pauses."""
    started = time.monotonic()
    await build(url, messages, 1)
    db, clock = Database(url), Jumping()
    store = OutboxStore(db)
    server = await RecordingSink(fault=faulty(random.Random(seed), share)).start()
    timeouts = Timeouts(greeting=5, mail=1, rcpt=1, data=1, block=1, dot=1, quit=1)
    target = Server("127.0.0.1", server.port, tls="none", timeouts=timeouts)
    setup = MailboxSetup(1, "sales", "sales@seller.example", connections=10)
    while True:
        result = await MailboxRun(store, setup, target, PlainComposer(), clock=clock).run(10_000, 120)
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


# -- all --------------------------------------------------------------------------------------------------------------


def databases(which: str, stack: ExitStack) -> Iterator[tuple[str, int, Callable[[], str]]]:
    """Name, workers, and what makes an empty database."""
    if which in ("sqlite", "both"):
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        numbers = iter(range(1_000))
        yield "sqlite", 1, lambda: f"sqlite:///{folder / f'{next(numbers)}.db'}"
    if which in ("postgres", "both"):
        server = stack.enter_context(running_postgres())
        yield "postgres", 3, lambda: server.create()[1]


def main() -> int:
    """Run what the arguments ask for; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="both", choices=("sqlite", "postgres", "both"))
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--messages", type=int, default=5_000)
    parser.add_argument("--faults", type=int, default=0, help="messages to send through 5%% faults; no kills then")
    arguments = parser.parse_args()
    found: list[dict[str, Any]] = []
    with ExitStack() as stack:
        for name, workers, new in databases(arguments.database, stack):
            if arguments.faults:
                found.append({"database": name} | asyncio.run(fault_run(new(), arguments.faults, 0.05, 1)))
                print(json.dumps(found[-1]), flush=True)
                continue
            for seed in range(1, arguments.seeds + 1):
                found.append({"database": name} | kill_run(new(), seed, arguments, workers))
                print(json.dumps(found[-1]), flush=True)
    total = {key: sum(run.get(key, 0) for run in found) for key in ("kills", "sent", "in_doubt", "duplicates", "lost")}
    kept = all(run["kept"] for run in found)
    print(json.dumps({"runs": len(found), "kept": kept} | total))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
