"""A sender in a process of its own that can be killed: by its parent at any time, or by itself at a named point."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from outreach.db.session import Database
from outreach.outbox.message import Claimed
from outreach.outbox.store import OutboxStore
from outreach.sending.client import Server
from outreach.sending.holder.worker import is_dead
from outreach.sending.link import Envelope, Link
from outreach.sending.setup import MailboxSetup
from outreach.sending.worker import MailboxRun
from tests.sending.world import PlainComposer

#: Where a process may die, in the order of a message's life.
POINTS = (
    "before-claim",
    "after-claim",
    "before-envelope",
    "before-mark",
    "after-mark",
    "before-body",
    "after-body",
    "after-reply",
    "before-settle",
    "after-settle",
    "before-release",
)


def die() -> None:
    """End like a power cut ends a process."""
    os.kill(os.getpid(), signal.SIGKILL)


class Fuse:
    """Dies when `point` is reached for the `count`-th time."""

    def __init__(self, point: str | None, count: int) -> None:
        self.point, self.left = point, count

    def __call__(self, point: str) -> None:
        if point == self.point:
            self.left -= 1
            if self.left <= 0:
                die()


class DyingStore(OutboxStore):
    """Passes the points around its transactions."""

    def __init__(self, db: Database, fuse: Fuse) -> None:
        super().__init__(db)
        self.fuse = fuse

    async def claim(self, *args: Any, **more: Any) -> list[Claimed]:
        self.fuse("before-claim")
        found = await super().claim(*args, **more)
        if found:
            self.fuse("after-claim")
        return found

    async def settle_and_mark(
        self, mailbox_id: int, fence: int, now: datetime, outcomes: Sequence[Any], marks: Sequence[Any], *rest: Any
    ) -> Any:
        self._pass("before", outcomes, marks)
        found = await super().settle_and_mark(mailbox_id, fence, now, outcomes, marks, *rest)
        self._pass("after", outcomes, marks)
        return found

    def _pass(self, when: str, outcomes: Sequence[Any], marks: Sequence[Any]) -> None:
        if marks:
            self.fuse(f"{when}-mark")
        if outcomes:
            self.fuse(f"{when}-settle")

    async def release(self, *args: Any, **more: Any) -> None:
        self.fuse("before-release")
        await super().release(*args, **more)


class DyingRun(MailboxRun):
    """Passes the points around what goes over the wire."""

    fuse: Fuse

    def free(self, link: Link) -> None:
        self.fuse("before-envelope")
        super().free(link)

    def _marked(self, job: Any, refused: Any) -> None:
        self.fuse("before-body")
        super()._marked(job, refused)
        self.fuse("after-body")

    def answered(self, link: Link, envelope: Envelope, *rest: Any) -> None:
        self.fuse("after-reply")
        super().answered(link, envelope, *rest)


async def send_all(url: str, port: int, mailboxes: Sequence[int], connections: int, fuse: Fuse) -> None:
    """Send until nothing is due in any of the mailboxes."""
    db = Database(url)
    store = DyingStore(db, fuse)
    while True:
        await store.recover_all(datetime.now(UTC), is_dead)
        due = [box for box in await store.due_mailboxes(datetime.now(UTC)) if box in mailboxes]
        if not due:
            break
        for box in due:
            setup = MailboxSetup(box, f"box{box}", "sales@seller.example", connections=connections)
            run = DyingRun(store, setup, Server("127.0.0.1", port, tls="none"), PlainComposer())
            run.fuse = fuse
            await run.run(max_messages=200)
    await db.close()


def main() -> None:
    """URL PORT MAILBOXES CONNECTIONS POINT COUNT"""
    url, port, boxes, connections, point, count = sys.argv[1:]
    fuse = Fuse(point if point != "-" else None, int(count))
    asyncio.run(send_all(url, int(port), [int(b) for b in boxes.split(",")], int(connections), fuse))


if __name__ == "__main__":
    main()
