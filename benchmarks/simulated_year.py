"""A year of outreach with a clock of its own: `make year`. Prints how many cases each promise was looked at in.

A house with a real database and the real engine (benchmarks/year_house.py). People answer, are away, bounce,
unsubscribe, leave; staff leave too. An oracle that knows nothing of the engine judges afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from benchmarks.year_house import BEGIN, TASKS, House
from benchmarks.year_oracle import Verdict, judge
from outreach.app.build import App

STEP = timedelta(hours=6)
#: What comes of a mail, and how often.
CHANCES = {
    "reply": 0.05,
    "away": 0.04,
    "bounce": 0.006,
    "unsubscribe": 0.006,
    "left": 0.004,
    "complaint": 0.0004,
    "meeting": 0.004,
}


class Year(House):
    """One simulated stretch of time."""

    def __init__(
        self,
        folder: Path,
        *,
        contacts: int,
        days: int,
        count: int,
        seed: int = 1,
        chances: Mapping[str, float] = CHANCES,
    ) -> None:
        super().__init__(folder, contacts=contacts, count=count)
        self.days, self.chances = days, chances
        self.stopping = asyncio.Event()
        self.dice = random.Random(seed)
        self.mail: list[tuple[datetime, Any, str]] = []  # what comes back later: (when, message, kind)

    async def run(self) -> App:
        """Set the house up and live through the days; returns the open App. Ctrl-C ends early: so far is judged."""
        app = await self.open()
        began = time.monotonic()
        end = BEGIN + timedelta(days=self.days)
        leavers = {self.days * part // 4: part for part in (1, 2, 3)}
        day = 0
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGINT, self.stopping.set)
        while self.now < end and not self.stopping.is_set():
            if self.now.hour == 0:
                await self._morning(app)
                if day in leavers:
                    await self.leave(app, leavers[day])
                day += 1
                if day % 30 == 0:
                    told = f"  {self.now:%Y-%m-%d}: {len(self.ledger.sent)} mails, {time.monotonic() - began:.0f} s"
                    print(told, file=sys.stderr, flush=True)
            await self._world_answers(app)
            self._throw(await self.work(app))
            self.now += STEP
        return app

    async def _morning(self, app: App) -> None:
        """Staff give tags (which bring people in), do some of the calls, and resume what a breaker paused."""
        many = max(3, self.contacts // 150)
        await self.tag(app, {(self.dice.choice(self.tags), self.dice.choice(self.everybody)) for _ in range(many)})
        async with app.db.write() as conn:
            calls = await conn.scalars(select(TASKS.c.id).where(TASKS.c.kind == "call", TASKS.c.state == "open"))
            done = [number for number in calls if self.dice.random() < 0.3]
            values = {"state": "done", "done_at": self.now, "outcome": "spoken"}
            await conn.execute(update(TASKS).where(TASKS.c.id.in_(done[:900])).values(values))
        await self.resume(app)

    async def _world_answers(self, app: App) -> None:
        """What was due to come back by now comes back."""
        due = [one for one in self.mail if one[0] <= self.now]
        self.mail = [one for one in self.mail if one[0] > self.now]
        for at, mail, kind in due:
            if kind == "meeting":
                await self.meets(app, mail.contact_id, self.owners[mail.mailbox_id])
                continue
            await self.comes_back(app, mail, kind, at, self.dice.randrange(2, 20))

    def _throw(self, mails: list[Any]) -> None:
        """Throw the dice for what comes back to the mails that left."""
        for mail in mails:
            roll = self.dice.random()
            for kind, chance in self.chances.items():
                roll -= chance
                if roll < 0:
                    hours = self.dice.randrange(1, 60) if kind != "away" else 0
                    self.mail.append((self.now + timedelta(hours=hours, minutes=1), mail, kind))
                    break


def tell(year: Year, verdict: Verdict, seconds: float) -> None:
    """Print the figures."""
    days = (year.now - BEGIN).days
    many = f"{year.contacts} contacts in {len(year.countries)} countries, {year.count} sequences"
    print(f"{many}, {days} days, {seconds:.0f} s")
    print(f"{len(year.ledger.sent)} mails; came back: {dict(year.ledger.events)}")
    print(f"held back at the hand-over: {dict(year.ledger.refused)}")
    for promise, cases in verdict.cases.items():
        broken = verdict.broken.get(promise, [])
        print(
            f"  {'ok  ' if not broken else 'FAIL'} {cases:>8,} cases  {promise}" + (f": {broken[:3]}" if broken else "")
        )


async def live(folder: Path, **options: Any) -> tuple[Year, Verdict]:
    """Live through it and judge."""
    year = Year(folder, **options)
    app = await year.run()
    try:
        return year, await judge(app, year)
    finally:
        await app.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--sequences", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        year, verdict = asyncio.run(
            live(Path(folder), contacts=given.contacts, days=given.days, count=given.sequences, seed=given.seed)
        )
    tell(year, verdict, time.monotonic() - began)
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
