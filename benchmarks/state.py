"""State changes of messages against raw sqlite3 at the same batch size (docs/performance.md).

    python -m benchmarks.state [MESSAGES] [--rounds N] [--batch N] [--json]

Ours: the transaction of the hand-over as it is in production: each batch records what became of the messages before and
marks as many as handed over, after reading again whatever could forbid it. Raw: the same two UPDATEs a message with
executemany in one transaction, and nothing read. Both with synchronous=FULL and WAL, rounds alternate.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from outreach.outbox.message import Mark, Outcome
from tests.sending.world import World, make_world

GOAL = 0.5
PAST = datetime(2026, 1, 1, tzinfo=UTC)
HAND_OVER = "UPDATE message SET state='handing_over', handed_at=? WHERE id=? AND fence=? AND state='claimed'"
ACCEPT = (
    "UPDATE message SET state='sent', sent_at=?, settled_at=?, reply_code=250, reply_text='ok', attempts=attempts+1"
    " WHERE id=? AND fence=? AND state='handing_over'"
)


async def claimed_world(path: Path, messages: int) -> tuple[World, int, list[Any]]:
    """A database whose messages are all claimed by one worker."""
    world = await make_world(f"sqlite:///{path}", [f"p{n}@buyer{n % 50}.example" for n in range(messages)], now=PAST)
    fence = await world.store.lease(1, "bench", PAST, 3_600) or 0
    claimed: list[Any] = []
    while batch := await world.store.claim(1, fence, PAST, 1_000):
        claimed += batch
    return world, fence, claimed


async def ours(path: Path, messages: int, size: int) -> float:
    """Seconds for two durable changes of each message."""
    world, fence, claimed = await claimed_world(path, messages)
    batches = [claimed[start : start + size] for start in range(0, len(claimed), size)]
    started = time.perf_counter()
    before: list[Any] = []
    for batch in [*batches, []]:
        outcomes = [Outcome(m.id, "accept", PAST, reply_code=250, reply_text="ok") for m in before]
        refused = await world.store.settle_and_mark(1, fence, PAST, outcomes, [Mark(m) for m in batch])
        assert not refused
        before = batch
    seconds = time.perf_counter() - started
    assert await world.states() == {"sent": messages}
    await world.db.close()
    return seconds


def raw(path: Path, messages: int, size: int) -> float:
    """The same changes with sqlite3 alone."""
    world, fence, claimed = asyncio.run(claimed_world(path, messages))
    asyncio.run(world.db.close())
    conn = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "cache_size=-65536", "mmap_size=268435456"):
        conn.execute(f"PRAGMA {pragma}")
    ids = [m.id for m in claimed]
    at = "2026-01-01 00:00:00.000000"
    batches = [ids[start : start + size] for start in range(0, len(ids), size)]
    started = time.perf_counter()
    before: list[int] = []
    for batch in [*batches, []]:
        conn.execute("BEGIN IMMEDIATE")
        conn.executemany(ACCEPT, [(at, at, number, fence) for number in before])
        conn.executemany(HAND_OVER, [(at, number, fence) for number in batch])
        conn.execute("COMMIT")
        before = batch
    seconds = time.perf_counter() - started
    done = conn.execute("SELECT count(*) FROM message WHERE state='sent'").fetchone()[0]
    assert done == messages
    conn.close()
    return seconds


def measure(messages: int, rounds: int, size: int) -> dict[str, Any]:
    """Both, a round after the other."""
    ratios, rates = [], []
    with tempfile.TemporaryDirectory() as folder:
        for number in range(rounds):
            own = asyncio.run(ours(Path(folder, f"own{number}.db"), messages, size))
            other = raw(Path(folder, f"raw{number}.db"), messages, size)
            ratios.append(other / own)
            rates.append(2 * messages / own)
    middle = statistics.median(ratios)
    return {
        "messages": messages,
        "batch": size,
        "changes_per_second": round(statistics.median(rates)),
        "of_raw": round(middle, 2),
        "least": round(min(ratios), 2),
    }


def main() -> int:
    """Measure at 1×, 4× and 16×, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("messages", type=int, nargs="?", default=16_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    found = [measure(max(wanted.messages // k, wanted.batch), wanted.rounds, wanted.batch) for k in (16, 4, 1)]
    if wanted.json:
        print(json.dumps({"name": "state", "goal": GOAL, "sizes": found}))
        return 0
    for row in found:
        rate = f"{row['changes_per_second']:,} changes a second"
        print(f"{row['messages']:>8,} messages  {rate}  {row['of_raw']} of raw sqlite3 (least {row['least']})")
    print(f"goal: ≥ {GOAL} of raw sqlite3 at batches of {wanted.batch}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
