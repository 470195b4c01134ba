"""How the calendar is drawn: days, weeks, and bars that lie in lanes without covering each other. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from outreach.web.format import zone

if TYPE_CHECKING:
    from outreach.app.plan_calendar import Entry

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Bar:
    """A campaign's days in one week. `column` 1 (Monday) to 7; `opens` and `closes`: it begins or ends in this week."""

    entry: Entry
    column: int
    span: int
    lane: int
    opens: bool
    closes: bool


@dataclass(frozen=True)
class Week:
    """Seven days from Monday on, and what lies over them."""

    days: tuple[date, ...]
    bars: tuple[Bar, ...]

    @property
    def lanes(self) -> int:
        """How many bars lie above each other."""
        return max((bar.lane for bar in self.bars), default=0)


def monday(day: date) -> date:
    """The Monday of a day's week."""
    return day - timedelta(days=day.weekday())


def month_of(day: date) -> tuple[date, int]:
    """The first Monday that a month's page shows, and how many weeks it has."""
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return monday(first), (monday(last) - monday(first)).days // 7 + 1


def other_month(day: date, step: int) -> date:
    """The first day of the month before (-1) or after (1)."""
    first = day.replace(day=1)
    return (first + timedelta(days=31 * step if step > 0 else -1)).replace(day=1)


def days_of(entry: Entry, tz: str) -> tuple[date, date] | None:
    """A campaign's first and last day by the reader's clock; None without a date."""
    if entry.begins is None:
        return None
    first = entry.begins.astimezone(zone(tz)).date()
    return first, max((entry.ends or entry.begins).astimezone(zone(tz)).date(), first)


def weeks(entries: Iterable[Entry], first: date, count: int, tz: str) -> list[Week]:
    """Lay the campaigns over `count` weeks from the Monday `first` on."""
    dated = [(entry, days) for entry in entries if (days := days_of(entry, tz))]
    return [_week(dated, first + n * WEEK) for n in range(count)]


def _week(dated: Sequence[tuple[Entry, tuple[date, date]]], first: date) -> Week:
    last = first + timedelta(days=6)
    free: list[date] = []  # lane → the first day that is free in it
    bars = []
    for entry, (begins, ends) in sorted(dated, key=lambda item: (item[1][0], item[1][0] - item[1][1])):
        if begins > last or ends < first:
            continue
        left, right = max(begins, first), min(ends, last)
        lane = next((n for n, day in enumerate(free) if day <= left), len(free))
        free[lane : lane + 1] = [right + timedelta(days=1)]
        bars.append(
            Bar(entry, (left - first).days + 1, (right - left).days + 1, lane + 1, begins >= first, ends <= last)
        )
    return Week(tuple(first + timedelta(days=n) for n in range(7)), tuple(bars))
