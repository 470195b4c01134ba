"""Group commit: while one transaction is being made durable, what comes in waits for the next."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import structlog

from outreach.outbox.message import Mark, Outcome, Refused

log = structlog.get_logger(__name__)

#: Seconds between tries while the database does not take outcomes. They must not be lost: what the servers have
#: accepted would be in doubt.
RETRY_SECONDS = (0.2, 1.0, 3.0, 10.0)

W = TypeVar("W")


@dataclass(slots=True)
class Batch(Generic[W]):
    """What one transaction carries. waiting: the marks, and who waits for each."""

    outcomes: list[Outcome] = field(default_factory=list)
    waiting: list[tuple[Mark, W]] = field(default_factory=list)
    mailbox_values: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.outcomes or self.waiting or self.mailbox_values)


class GroupCommit(Generic[W]):
    """Collects outcomes and marks and commits them in groups.

    commit: writes a batch, returns the refused marks by message id. marked: told about each mark, None for granted.
    failed: told that the database took nothing: no mark of the batch is granted; the outcomes are kept and tried again.
    """

    def __init__(
        self,
        commit: Callable[[Batch[W]], Awaitable[dict[int, Refused]]],
        marked: Callable[[W, Refused | None], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._commit = commit
        self._marked = marked
        self._failed = failed
        self._next: Batch[W] = Batch()
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._tries = 0

    def settle(self, outcome: Outcome) -> None:
        """Have an outcome recorded."""
        self._next.outcomes.append(outcome)
        self._stir()

    def mark(self, mark: Mark, who: W) -> None:
        """Ask for a hand-over; `who` is told."""
        self._next.waiting.append((mark, who))
        self._stir()

    def withdraw(self, who: W) -> None:
        """Take back a mark that is not being committed yet (its link has gone)."""
        self._next.waiting = [pair for pair in self._next.waiting if pair[1] is not who]

    def mailbox(self, values: Mapping[str, Any]) -> None:
        """Have columns of the mailbox written."""
        self._next.mailbox_values |= values
        self._stir()

    def _stir(self) -> None:
        self._idle.clear()
        self._wake.set()

    async def drain(self, seconds: float = 60) -> bool:
        """Wait until everything is durable; False: the database did not take it in time."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def work(self) -> None:
        """Commit for ever; cancel it after `drain`."""
        while True:
            await self._wake.wait()
            # what the other links receive in this turn of the loop joins the group
            await asyncio.sleep(0)
            self._wake.clear()
            batch, self._next = self._next, Batch()
            if batch:
                await self._one(batch)
            if not self._next:
                self._idle.set()

    async def _one(self, batch: Batch[W]) -> None:
        try:
            refused = await self._commit(batch)
        except Exception as error:
            await self._keep(batch, error)
            return
        self._tries = 0
        for mark, who in batch.waiting:
            self._marked(who, refused.get(mark.message.id))

    async def _keep(self, batch: Batch[W], error: Exception) -> None:
        kind, count = type(error).__name__, len(batch.outcomes)
        log.error("the database took no outcomes; trying again", error=kind, outcomes=count)
        self._failed(error)
        for _, who in batch.waiting:
            self._marked(who, Refused("release", "database"))
        self._next.outcomes[:0] = batch.outcomes
        self._next.mailbox_values = batch.mailbox_values | self._next.mailbox_values
        await asyncio.sleep(RETRY_SECONDS[min(self._tries, len(RETRY_SECONDS) - 1)])
        self._tries += 1
        self._wake.set()
