"""How much memory sending takes, and whether it stays flat (docs/performance.md).

    python -m benchmarks.memory [MESSAGES] [--json]

The whole path sends MESSAGES to Postfix's smtp-sink in one process; the peak is read when a quarter has left and at the
end. One million is `python -m benchmarks.memory 1000000`; the default is a share of it, which says the same: what grows
would grow between the quarter and the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from typing import Any

from outreach.sending.client import Server
from outreach.sending.setup import MailboxSetup
from outreach.sending.worker import MailboxRun

GOAL_MB = 250
#: The peak at the end may be so many times that of the first quarter: caches fill up.
FLAT = 1.15
PAST = datetime(2026, 1, 1, tzinfo=UTC)


def peak_mb() -> float:
    """The most that this process has had resident so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def plan(url: str, messages: int) -> None:
    """Make the rows, in a process of its own: planning is not what is measured."""
    from tests.sending.world import add_messages, make_world

    world = await make_world(url, [], now=PAST)
    for first in range(0, messages, 50_000):
        some = range(first, min(first + 50_000, messages))
        await add_messages(world, [f"p{n}@buyer{n % 500}.example" for n in some], now=PAST)
    await world.db.close()


async def send(url: str, port: int, messages: int) -> dict[str, Any]:
    """Send them all, in bounded runs as the engine does."""
    from benchmarks.sending import Composer
    from outreach.db.session import Database
    from outreach.outbox.store import OutboxStore

    db = Database(url)
    store, started, sent, quarter = OutboxStore(db), time.perf_counter(), 0, 0.0
    setup = MailboxSetup(1, "sales", "sales@seller.example", connections=10)
    while sent < messages:
        run = MailboxRun(store, setup, Server("127.0.0.1", port, tls="none"), Composer())
        sent += (await run.run(5_000, 300)).sent
        if not quarter and sent >= messages // 4:
            quarter = peak_mb()
        sys.stderr.write(f"  {sent:,} of {messages:,} sent, {peak_mb():.0f} MB\n")
    await db.close()
    seconds = time.perf_counter() - started
    return {"quarter_mb": round(quarter), "end_mb": round(peak_mb()), "per_second": round(messages / seconds)}


def child(word: str, *arguments: str) -> str:
    """Run one part in a process of its own and return what it printed."""
    command = [sys.executable, "-m", "benchmarks.memory", "--child", word, *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def run(messages: int) -> dict[str, Any]:
    """Plan, send, judge."""
    from benchmarks.sending import sink

    with tempfile.TemporaryDirectory() as folder, sink() as port:
        url = f"sqlite:///{folder}/outreach.db"
        child("plan", url, str(messages))
        found: dict[str, Any] = json.loads(child("send", url, str(port), str(messages)))
    flat = found["end_mb"] <= FLAT * found["quarter_mb"]
    small = found["end_mb"] < GOAL_MB
    return {
        "name": "memory",
        "messages": messages,
        "goal_mb": GOAL_MB,
        **found,
        "flat": flat,
        "goal_met": flat and small,
    }


def main() -> int:
    """Measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("messages", type=int, nargs="?", default=100_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--child", nargs="+", help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.child:
        word, url, *more = wanted.child
        if word == "plan":
            asyncio.run(plan(url, int(more[0])))
        else:
            print(json.dumps(asyncio.run(send(url, int(more[0]), int(more[1])))))
        return 0
    found = run(wanted.messages)
    if wanted.json:
        print(json.dumps(found))
        return 0
    print(f"{found['messages']:,} messages: {found['quarter_mb']} MB after a quarter, {found['end_mb']} MB at the end")
    print(f"goal: < {GOAL_MB} MB, flat: {'met' if found['goal_met'] else 'MISSED'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
