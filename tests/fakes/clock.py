"""A clock that moves only when it is told to."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

#: A Tuesday, in working hours of China and Europe, in no country's public holidays.
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


class FakeClock:
    """Callable like the program's clocks: `clock()` → aware UTC datetime."""

    def __init__(self, start: datetime = START) -> None:
        self.now = start
        self.start = start
        self.sleeps: list[float] = []

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **duration: float) -> datetime:
        """Move forward by timedelta's keywords → the new time."""
        self.now += timedelta(**duration)
        return self.now

    def set(self, moment: datetime) -> None:
        assert moment.tzinfo is not None, "the program knows aware times only"
        self.now = moment

    def monotonic(self) -> float:
        """Seconds since the clock was made."""
        return (self.now - self.start).total_seconds()

    async def sleep(self, seconds: float) -> None:
        """What takes the place of asyncio.sleep: time passes at once, other tasks get their turn."""
        self.sleeps.append(seconds)
        self.advance(seconds=max(seconds, 0))
        await asyncio.sleep(0)
