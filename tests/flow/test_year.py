"""A few weeks of the simulated year (benchmarks/simulated_year.py): every promise is kept, and was looked at."""

from __future__ import annotations

from pathlib import Path

from benchmarks.simulated_year import live, tell

#: So much comes of a mail in this year that a few days have something of everything.
LIVELY = {"reply": 0.2, "away": 0.15, "bounce": 0.06, "unsubscribe": 0.06, "left": 0.06, "meeting": 0.15}


async def test_a_few_weeks_keep_every_promise(tmp_path: Path) -> None:
    year, verdict = await live(tmp_path, contacts=60, days=10, count=2, seed=7, chances=LIVELY)
    tell(year, verdict, 0)
    assert not verdict.broken, dict(verdict.broken)
    assert verdict.cases["nobody gets a step twice"] > 20
    assert len(verdict.cases) == 15
    # a promise about what follows an event is only kept where the event was
    seen = set(year.ledger.events)
    assert {"reply", "away", "meeting", "staff left"} <= seen
    assert seen & {"bounce", "unsubscribe", "left"}
