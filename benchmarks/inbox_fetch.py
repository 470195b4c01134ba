"""Fetching, parsing and classifying bounces from Dovecot against imaplib's fetch alone, in the same run.

    .venv/bin/python -m benchmarks.inbox_fetch [MAILS] [ROUNDS] [--bombs] [--json]

The baseline is the standard library's client, which fetches whole mails in batches of 500 and looks at none. Ours
fetches the same mails and gets a verdict on each, by the sandbox that a pass asks; beside it the same with
the summary that the archive and the matching need, as a pass asks for it. Rounds alternate A B C A B C; the figures
are medians of the rounds' ratios.

Also the longest time that the event loop did not come round (goal: under 100 ms): while these mails were listed,
fetched and understood, and while the largest mail that is taken was; with --bombs, while all bombs of the tests were.
On a busy machine others hold the loop up as well, so the processor time that our own thread spent between two turns
stands beside it.
"""

from __future__ import annotations

import asyncio
import imaplib
import json
import os
import statistics
import sys
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.inbox_parse import report
from outreach.inbox.client import ImapClient, ImapServer, Listed
from outreach.inbox.sandbox import Sandbox
from outreach.inbox.verdict import Kind
from outreach.inbox.wire import Reading
from tests.fakes.dovecot import Dovecot, running_dovecot
from tests.inbox.bombs import BOMBS

GOAL = 0.7
MOST_LAG = 0.1
MAILS, ROUNDS = 10_000, 5
BATCH = 500


def fill(server: Dovecot, count: int) -> None:
    """Put bounces where Dovecot finds them."""
    server.expunge(server.append(b"From: a@b.example\n\nfirst"))
    folder: Path = server.folder / "mail" / server.user
    owner = folder.stat()
    for number in range(count):
        raw = report(number, 1).replace(b"\n", b"\r\n")
        place = folder / "new" / f"{1_790_000_000 + number}.M{number}.bench,S={len(raw)},W={len(raw)}"
        place.write_bytes(raw)
        os.chown(place, owner.st_uid, owner.st_gid)
    with server.session() as link:  # Dovecot indexes what it finds once, before anybody is timed
        link.select(readonly=True)
        link.uid("FETCH", "1:*", "(UID RFC822.SIZE)")


def baseline(server: Dovecot, count: int) -> float:
    """Seconds of imaplib for all mails."""
    link = imaplib.IMAP4("127.0.0.1", server.port)
    link.login(server.user, server.password)
    link.select(readonly=True)
    start, seen = time.perf_counter(), 0
    first = 1
    while seen < count:
        _, parts = link.uid("FETCH", f"{first}:{first + BATCH - 1}", "(UID BODY.PEEK[])")
        seen += sum(1 for part in parts if isinstance(part, tuple))
        first += BATCH
    spent = time.perf_counter() - start
    link.logout()
    return spent


@dataclass(frozen=True)
class Held:
    """The longest that the loop did not come round, in seconds: by the clock, and of our own thread's time."""

    clock: float = 0.0
    own: float = 0.0

    def or_longer(self, other: Held) -> Held:
        return Held(max(self.clock, other.clock), max(self.own, other.own))


async def ours(server: Dovecot, count: int, summary: bool) -> tuple[float, Held]:
    """(seconds, longest hold-ups of the event loop) for fetching, parsing and classifying all mails."""
    how = ImapServer("127.0.0.1", server.port, "none", server.user, server.password)
    sandbox, client = Sandbox(), await ImapClient.connect(how)
    await sandbox.read(report(0, 1))  # the child is started once for a mailbox, not for a pass
    await client.examine("INBOX")
    listed: list[Listed] = []
    seen = 0

    async def look_through() -> float:
        nonlocal listed
        listed = await client.listed(1)
        return 0.0

    async def work() -> float:
        nonlocal seen
        start = time.perf_counter()
        pending: deque[asyncio.Task[list[Any]]] = deque()
        async for group in client.fetch(listed):
            raws = [raw for _, raw in group]
            pending.append(asyncio.create_task(sandbox.read_many(raws, summary=summary)))
            if len(pending) > 2:
                seen += _count(await pending.popleft())
        while pending:
            seen += _count(await pending.popleft())
        return time.perf_counter() - start

    _, listing = await watched(look_through)  # the baseline asks for a range, so this is not in the seconds
    spent, held = await watched(work)
    await client.close()
    await sandbox.close()
    if seen != count:
        raise RuntimeError(f"{seen} of {count} bounces were understood")
    return spent, held.or_longer(listing)


def _count(readings: list[Any]) -> int:
    return sum(isinstance(found, Reading) and found.verdict.kind is Kind.BOUNCE for found in readings)


async def watched(work: Callable[[], Awaitable[float]]) -> tuple[float, Held]:
    """What `work` returns, and how long the loop was held up at most while it ran."""
    longest, over = Held(), asyncio.Event()

    async def look() -> None:
        nonlocal longest
        last, spent = time.perf_counter(), time.thread_time()
        while not over.is_set():
            await asyncio.sleep(0.001)
            now, used = time.perf_counter(), time.thread_time()
            longest = longest.or_longer(Held(now - last - 0.001, used - spent))
            last, spent = now, used

    looking = asyncio.create_task(look())
    found = await work()
    over.set()
    await looking
    return found, longest


async def hostile(bombs: Sequence[Callable[[], bytes]] = ()) -> Held:
    """The longest hold-ups while a mail of 25 MB with attachments, and `bombs`, are understood."""
    body = b"\r\n".join([b"QUJD" * 18] * 300_000)
    mail = (
        b"From: a@b.example\r\nSubject: Re: x\r\nMIME-Version: 1.0\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: text/plain\r\n\r\nPlease quote.\r\n--b\r\n"
        b"Content-Type: application/pdf; name=a.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + body + b"\r\n--b--\r\n"
    )
    sandbox = Sandbox()
    await sandbox.read(report(0, 1))

    held = Held()
    for make in (lambda: mail, *bombs):
        raw = make()  # not while the loop is watched
        held = held.or_longer((await watched(partial(_read, sandbox, raw)))[1])
    await sandbox.close()
    return held


async def _read(sandbox: Sandbox, raw: bytes) -> float:
    await sandbox.read_many([raw])
    return 0.0


def run(count: int = MAILS, rounds: int = ROUNDS, *, bombs: bool = False) -> dict[str, Any]:
    """All figures; `ok` says whether the goals are met."""
    ratios, whole, held, theirs, mine = [], [], [], [], []
    with running_dovecot() as server:
        fill(server, count)
        for _ in range(rounds):
            alone = baseline(server, count)
            spent, during = uvloop.run(ours(server, count, summary=False))
            with_summary, during_too = uvloop.run(ours(server, count, summary=True))
            ratios.append(alone / spent)
            whole.append(alone / with_summary)
            held += [during, during_too]
            theirs.append(alone)
            mine.append(spent)
    large = uvloop.run(hostile(list(BOMBS.values()) if bombs else []))
    ratio = round(statistics.median(ratios), 2)
    return {
        "name": "inbox_fetch",
        "goal": GOAL,
        "ratio": ratio,
        "ratio_least": round(min(ratios), 2),
        "ratio_with_summary": round(statistics.median(whole), 2),
        "mails": count,
        "imaplib_seconds": round(statistics.median(theirs), 2),
        "seconds": round(statistics.median(mine), 2),
        "lag_ms": round(statistics.median(one.clock for one in held) * 1e3, 1),
        "lag_most_ms": round(max(one.clock for one in (*held, large)) * 1e3, 1),
        "lag_own_ms": round(max(one.own for one in held) * 1e3, 1),
        "lag_large_own_ms": round(large.own * 1e3, 1),
        "ok": ratio >= GOAL,
    }


def main() -> None:
    """Print a line, or JSON."""
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    result = run(*numbers[:2], bombs="--bombs" in sys.argv)
    if "--json" in sys.argv:
        print(json.dumps(result))
        return
    what = "bombs" if "--bombs" in sys.argv else "a mail of 25 MB"
    print(
        f"{result['mails']} bounces: imaplib's fetch alone {result['imaplib_seconds']} s, "
        f"fetched, parsed and classified {result['seconds']} s: {result['ratio']}× (least {result['ratio_least']}×, "
        f"with summaries {result['ratio_with_summary']}×), goal {GOAL}×: {'met' if result['ok'] else 'MISSED'}\n"
        f"event loop held up for {result['lag_ms']} ms (most {result['lag_most_ms']} ms by the clock; "
        f"{result['lag_own_ms']} ms of our own time, {result['lag_large_own_ms']} ms with {what}), "
        f"goal {MOST_LAG * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    main()
