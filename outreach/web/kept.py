"""Figures that take long to compute and may be some seconds old: computed once for everybody who looks, off the page.

Only what is an estimate anyway, or bears the moment of which it is, belongs here; what people act upon is read anew.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, cast

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Seconds for which figures are shown as they are. A report over a million events takes one to two seconds of a core.
FRESH = 15.0
#: Older ones are not even shown while new ones are being computed.
OLDEST = 600.0
#: So many different figures are kept; each is some hundred kB at most (a quarter's cube of 262,710 mails: 60 kB).
MOST = 100
#: How long a page waits for figures that are not there yet, before it shows itself without them.
PATIENCE = 0.05
#: How long the computing anew lets the page go first that shows the old figures: both want the same processor.
BEHIND = 0.2


@dataclass(frozen=True)
class Figures(Generic[T]):
    """What was computed, and of which moment it is."""

    value: T
    at: datetime


@dataclass
class _Entry:
    figures: Figures[Any] | None = None
    made: float = 0.0
    progress: int = 0
    task: asyncio.Task[Figures[Any]] | None = None


class Kept:
    """The figures of one process. fresh 0: nothing is kept, every question computes. `clock` counts seconds.

    behind: seconds for which old figures' computing anew lets the page go first that shows them.
    """

    def __init__(
        self, fresh: float = FRESH, *, clock: Callable[[], float] = time.monotonic, behind: float = BEHIND
    ) -> None:
        self._fresh, self._clock, self._behind = fresh, clock, behind
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, key: Hashable, now: datetime, make: Callable[[], Awaitable[T]]) -> Figures[T]:
        """Return the figures; whoever asks first, or after a long time, waits for them. Raises what `make` raises."""
        found = await self.soon(key, now, make, patience=None)
        assert found is not None
        return found

    async def soon(
        self, key: Hashable, now: datetime, make: Callable[[], Awaitable[T]], *, patience: float | None = PATIENCE
    ) -> Figures[T] | None:
        """The same, but return None where they are not there within `patience` seconds: ask again a little later."""
        if not self._fresh:
            return Figures(await make(), now)
        entry = self._entry(key)
        age = self._clock() - entry.made if entry.figures else None
        if age is not None and age < self._fresh:
            return cast("Figures[T]", entry.figures)
        shown = age is not None and age < OLDEST
        behind = self._behind if shown else 0.0
        task = entry.task if entry.task and not entry.task.done() else self._start(entry, now, make, behind)
        if shown:
            return cast("Figures[T]", entry.figures)
        # whoever gives up waiting does not stop the work: the next one who asks finds it done
        done, _ = await asyncio.wait({task}, timeout=patience)
        return task.result() if done else None

    async def asked(
        self,
        key: Hashable,
        since: datetime,
        now: datetime,
        make: Callable[[], Awaitable[T]],
        *,
        patience: float = PATIENCE,
    ) -> Figures[T] | None:
        """Return figures of the moment `since` or later, None while they are being computed: ask again with it.

        For what people act upon: who asks at a new moment never sees what was computed before.
        """
        if not self._fresh:
            return Figures(await make(), now)
        entry = self._entry(key)
        if entry.figures is None or entry.figures.at < since:
            task = entry.task if entry.task and not entry.task.done() else self._start(entry, now, make)
            done, _ = await asyncio.wait({task}, timeout=patience)
            if not done or task.result().at < since:
                return None
        return cast("Figures[T]", entry.figures)

    def note(self, key: Hashable, progress: int) -> None:
        """Say how far the work on these figures is."""
        if entry := self._entries.get(key):
            entry.progress = progress

    def progress(self, key: Hashable) -> int:
        """How far the work was said to be; 0 where nobody said so."""
        entry = self._entries.get(key)
        return entry.progress if entry else 0

    async def settle(self) -> None:
        """Wait until nothing is being computed: before the database closes."""
        running = [entry.task for entry in self._entries.values() if entry.task and not entry.task.done()]
        await asyncio.gather(*running, return_exceptions=True)

    def _entry(self, key: Hashable) -> _Entry:
        entry = self._entries.setdefault(key, _Entry())
        self._entries.move_to_end(key)
        while len(self._entries) > MOST:
            self._entries.popitem(last=False)
        return entry

    def _start(
        self, entry: _Entry, now: datetime, make: Callable[[], Awaitable[T]], behind: float = 0.0
    ) -> asyncio.Task[Figures[Any]]:
        entry.progress = 0

        async def compute() -> Figures[Any]:
            if behind:
                await asyncio.sleep(behind)
            figures = Figures(await make(), now)
            entry.figures, entry.made = figures, self._clock()
            return figures

        entry.task = asyncio.create_task(compute())
        entry.task.add_done_callback(_note)
        return entry.task


def _note(task: asyncio.Task[Any]) -> None:
    """Nobody may be waiting for it: what went wrong is said at least once."""
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("figures were not computed: %s", type(error).__name__, exc_info=error)
