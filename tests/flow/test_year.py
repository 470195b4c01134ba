"""A few weeks of the simulated year (benchmarks/simulated_year.py): every promise is kept, and was looked at."""

from __future__ import annotations

from pathlib import Path

from benchmarks.simulated_year import live, tell


async def test_a_few_weeks_keep_every_promise(tmp_path: Path) -> None:
    year, verdict = await live(tmp_path, contacts=120, days=12, count=2, seed=7)
    tell(year, verdict, 0)
    assert not verdict.broken, dict(verdict.broken)
    assert verdict.cases["nobody gets a step twice"] > 20
    assert len(verdict.cases) == 13
