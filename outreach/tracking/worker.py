"""Gathers opens and clicks and writes them in batches, so that a request costs no transaction."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import secrets
from collections import deque
from collections.abc import Callable
from datetime import datetime

import structlog

from outreach.events.kinds import NewEvent
from outreach.tracking.machine import Classifier, Hit
from outreach.tracking.store import TrackingStore

log = structlog.get_logger(__name__)

#: performance.md: at most 100 ms of events are lost on SIGKILL; a third of it waits, the rest judges and writes.
INTERVAL = 0.03
#: Where writing cannot keep up, an answer waits for its own event: all that was answered and is not written yet came
#: within this time.
LATE = 0.05
#: … but not for a database that is away.
LONGEST_WAIT = 1.0
#: About 100 MB of hits. Beyond it the database has been away for minutes under full load: the newest are dropped.
MOST_WAITING = 300_000
#: A batch that fails is tried again after this long, for ever: the database may be restarting.
RETRY_SECONDS = 1.0
#: How many times the last batch is tried when the process ends.
LAST_TRIES = 5
#: One transaction holds the writer for some tens of milliseconds at this size.
BATCH = 2_000


class Flusher:
    """Writes what was added at most INTERVAL ago, and all of it when it is stopped."""

    def __init__(
        self, store: TrackingStore, clock: Callable[[], datetime], *, classifier: Classifier | None = None
    ) -> None:
        self.store = store
        self.clock = clock
        self.classifier = classifier or Classifier()
        self.dropped = 0
        self.written = 0
        self._waiting: list[Hit] = []
        self._judged: list[NewEvent] = []
        self._in_hand = 0
        self._tried = False
        # when each hit came that is not written, those in hand included; how many came in all
        self._times: deque[float] = deque()
        self._added = 0
        self._written = asyncio.Event()
        self._wake = asyncio.Event()
        self._ending = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        # the key makes a batch that is written twice count once, over restarts too
        self._boot = secrets.token_hex(6)
        self._numbers = itertools.count(1)

    def next_key(self) -> str:
        """A key that no other hit has."""
        return f"{self._boot}:{next(self._numbers)}"

    def add(self, hit: Hit) -> None:
        """Keep a hit for the next batch."""
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._times.append(asyncio.get_running_loop().time())
        self._added += 1
        self._waiting.append(hit)
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="tracking-flusher")

    @property
    def is_late(self) -> bool:
        """Whether the oldest hit that is not written came too long ago."""
        return bool(self._times) and asyncio.get_running_loop().time() - self._times[0] > LATE

    async def caught_up(self) -> None:
        """Wait until everything that was added before is written, or for a while."""
        mine = self._added
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LONGEST_WAIT):
                while self._added - len(self._times) < mine:
                    self._written.clear()
                    await self._written.wait()

    async def stop(self) -> None:
        """Write everything that was added, then end. More may be added and stopped again afterwards."""
        task, self._task = self._task, None
        if task is not None:
            self._ending.set()
            self._wake.set()
            await task
            self._ending.clear()
        for _ in range(LAST_TRIES):
            if await self.flush():
                return
            await asyncio.sleep(RETRY_SECONDS)
        log.error("tracking.events_lost", count=len(self._waiting) + len(self._judged))

    async def _run(self) -> None:
        while not self._ending.is_set():
            await self._wake.wait()
            await self._pause(INTERVAL)
            if not await self.flush():
                await self._pause(RETRY_SECONDS)

    async def _pause(self, seconds: float) -> None:
        if not self._ending.is_set():
            try:
                await asyncio.wait_for(self._ending.wait(), seconds)
            except TimeoutError:
                return

    async def flush(self) -> bool:
        """Write what waits; False if the database refused, and it waits on."""
        self._wake.clear()
        try:
            while self._waiting or self._judged:
                await self._write_batch()
        except Exception:  # whatever the driver raises: the events must survive it
            log.exception("tracking.flush_failed", waiting=len(self._waiting) + len(self._judged))
            self._wake.set()
            return False
        return True

    async def _write_batch(self) -> None:
        """Judge once, write until it is written: a hit that is judged twice would look like a burst."""
        if not self._judged:
            batch = self._waiting[:BATCH]
            self._judged = await self.store.judge(batch, self.classifier)
            del self._waiting[: len(batch)]
            self._in_hand = len(batch)
        again, self._tried = self._tried, True
        self.written += await self.store.keep(self._judged, self.clock(), again=again)
        self._judged, self._tried = [], False
        for _ in range(self._in_hand):
            self._times.popleft()
        self._in_hand = 0
        self._written.set()
