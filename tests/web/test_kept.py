"""Figures are computed once for everybody, off the page, and never for ever."""

from __future__ import annotations

import asyncio
import logging
import re
import shutil
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from outreach.db.session import Database
from outreach.web.kept import MOST, OLDEST, Kept
from tests.web.house import House

NOW = datetime(2026, 11, 24, 7, 20, tzinfo=UTC)


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


class Counter:
    """Figures that say how often they were computed; `gate` holds them up."""

    def __init__(self) -> None:
        self.calls = 0
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self) -> int:
        self.calls += 1
        number = self.calls
        await self.gate.wait()
        return number


async def test_many_who_ask_at_once_wait_for_one_computation() -> None:
    kept, counter = Kept(clock=Clock()), Counter()
    found = await asyncio.gather(*(kept.get("a", NOW, counter) for _ in range(5)))
    assert [one.value for one in found] == [1] * 5
    assert counter.calls == 1


async def test_old_figures_are_shown_while_new_ones_are_computed_and_then_the_new_ones() -> None:
    clock, counter = Clock(), Counter()
    kept = Kept(10.0, clock=clock)
    assert (await kept.get("a", NOW, counter)).value == 1
    clock.at = 9.9
    assert ((await kept.get("a", NOW, counter)).value, counter.calls) == (1, 1)
    clock.at = 10.1
    later = NOW.replace(hour=8)
    shown = await kept.get("a", later, counter)
    assert (shown.value, shown.at) == (1, NOW)
    await kept.settle()
    shown = await kept.get("a", later, counter)
    assert (shown.value, shown.at, counter.calls) == (2, later, 2)


async def test_what_is_too_old_is_not_shown_at_all() -> None:
    clock, counter = Clock(), Counter()
    kept = Kept(10.0, clock=clock)
    await kept.get("a", NOW, counter)
    clock.at = OLDEST + 1
    assert (await kept.get("a", NOW, counter)).value == 2


async def test_who_does_not_want_to_wait_gets_nothing_and_finds_it_done_later() -> None:
    kept, counter = Kept(clock=Clock()), Counter()
    counter.gate.clear()
    assert await kept.soon("a", NOW, counter, patience=0) is None
    assert await kept.soon("a", NOW, counter, patience=0) is None
    counter.gate.set()
    await kept.settle()
    found = await kept.soon("a", NOW, counter, patience=0)
    assert found is not None
    assert (found.value, counter.calls) == (1, 1)


async def test_without_keeping_every_question_computes() -> None:
    kept, counter = Kept(0.0), Counter()
    assert [(await kept.get("a", NOW, counter)).value for _ in range(3)] == [1, 2, 3]
    assert len(kept) == 0


async def test_it_holds_no_more_than_its_bound() -> None:
    kept, counter = Kept(clock=Clock()), Counter()
    for number in range(MOST + 20):
        await kept.get(number, NOW, counter)
    assert len(kept) == MOST
    assert (await kept.get(MOST + 19, NOW, counter)).value == MOST + 20


async def test_a_failure_reaches_whoever_waits_and_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    kept = Kept(clock=Clock())
    counter = Counter()

    async def fails() -> int:
        raise LookupError("gone")

    with caplog.at_level(logging.WARNING), pytest.raises(LookupError):
        await kept.get("a", NOW, fails)
    assert "LookupError" in caplog.text
    assert (await kept.get("a", NOW, counter)).value == 1


@pytest.fixture
async def keeping(seeded: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A house that keeps its figures, as the service does."""
    path = tmp_path / "house.db"
    shutil.copy(seeded, path)
    built = House(Database(f"sqlite:///{path}"), fresh=15.0)
    yield built
    await built.web.state.kept.settle()
    await built.db.close()


@pytest.mark.parametrize(
    ("path", "shown"), [("/reports/2026-W48", "Data as of"), ("/reports/indicators", "Mails counted at")]
)
async def test_a_page_asks_again_until_its_figures_are_there(keeping: House, path: str, shown: str) -> None:
    async with keeping.visitor("sun.qian") as visitor:
        first = (await visitor.get(path)).text
        assert (shown in first) != ("The mails are being counted" in first)
        await keeping.web.state.kept.settle()
        then = (await visitor.get(path)).text
        assert shown in then
        assert "The mails are being counted" not in then
        assert "load delay" not in then


async def test_an_indicators_page_shows_a_cost_at_once_though_its_mails_were_counted_before(keeping: House) -> None:
    async with keeping.visitor("admin") as visitor:
        await visitor.get("/reports/indicators?period=2026-Q4")
        await keeping.web.state.kept.settle()
        before = (await visitor.get("/reports/indicators?period=2026-Q4")).text
        assert "1,234" not in before
        noted = await visitor.post("/campaigns/1/spent", {"amount": "1234", "period": "2026-Q4"})
        assert noted.status_code == 303
        after = (await visitor.get("/reports/indicators?period=2026-Q4")).text
        assert "1,234" in after


async def test_a_campaign_shows_its_counts_at_once_and_the_forecast_when_it_is_there(keeping: House) -> None:
    async with keeping.visitor("li.na") as visitor:
        await visitor.get("/campaigns/1/live")
        await keeping.web.state.kept.settle()
        part = (await visitor.get("/campaigns/1/live")).text
        assert "last mail about" in part
        keeping.now += timedelta(seconds=3)
        assert "last mail about" in (await visitor.get("/campaigns/1/live")).text


async def test_who_asks_at_a_new_moment_never_sees_what_was_found_before() -> None:
    kept, counter = Kept(clock=Clock()), Counter()
    later = NOW + timedelta(seconds=1)
    first = await kept.asked("a", NOW, NOW, counter)
    again = await kept.asked("a", NOW, later, counter)
    assert first is not None
    assert again == first
    counter.gate.clear()
    assert await kept.asked("a", later, later, counter, patience=0) is None
    kept.note("a", 250)
    assert kept.progress("a") == 250
    counter.gate.set()
    await kept.settle()
    found = await kept.asked("a", later, later, counter)
    assert found is not None
    assert (found.value, found.at) == (2, later)


async def test_a_preflight_shows_how_far_it_is_until_it_is_there(keeping: House) -> None:
    async with keeping.visitor("li.na") as visitor:
        part = (await visitor.get("/campaigns/5/preflight")).text
        asked = re.search(r"/campaigns/5/preflight\?since=\d+", part)
        if asked:
            assert "people get it" not in part
            assert "looked at" in part
            await keeping.web.state.kept.settle()
            part = (await visitor.get(asked[0])).text
        assert "people get it" in part
        assert "since=" not in part
