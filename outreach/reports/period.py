"""Weeks, months and quarters, in the office's time zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

Kind = Literal["weekly", "monthly", "quarterly"]

SHAPES: dict[str, re.Pattern[str]] = {
    "weekly": re.compile(r"(\d{4})-?W(\d{1,2})", re.IGNORECASE),
    "monthly": re.compile(r"(\d{4})-(\d{1,2})"),
    "quarterly": re.compile(r"(\d{4})-?Q([1-4])", re.IGNORECASE),
}
#: Years that a report can be asked for; beside them lie days that no calendar has.
EARLIEST, LATEST = 1970, 9998


@dataclass(frozen=True, slots=True)
class Period:
    """From the midnight of `first` to the midnight after `last`, in `zone`. Weeks are ISO 8601's: Monday to Sunday."""

    kind: Kind
    first: date
    last: date
    zone: str = "Asia/Shanghai"

    @classmethod
    def parse(cls, text: str, zone: str = "Asia/Shanghai") -> Period:
        """Read ``2026-W47``, ``2026-11`` or ``2026-Q4``. Raises ValueError saying what is allowed."""
        for kind, shape in SHAPES.items():
            found = shape.fullmatch(text.strip())
            if found and EARLIEST <= int(found[1]) <= LATEST:
                try:
                    return cls.holding(_first(kind, int(found[1]), int(found[2])), kind, zone)  # type: ignore[arg-type]
                except ValueError:
                    break
        raise ValueError(f"{text!r} is no period: write a week as 2026-W47, a month as 2026-11, a quarter as 2026-Q4")

    @classmethod
    def holding(cls, day: date, kind: Kind, zone: str = "Asia/Shanghai") -> Period:
        """Return the period that `day` lies in."""
        if kind == "weekly":
            first = day - timedelta(days=day.weekday())
            return cls(kind, first, first + timedelta(days=6), zone)
        months = 1 if kind == "monthly" else 3
        month = day.month - (day.month - 1) % months
        first = date(day.year, month, 1)
        return cls(kind, first, _add_months(first, months) - timedelta(days=1), zone)

    @classmethod
    def before(cls, now: datetime, kind: Kind, zone: str = "Asia/Shanghai") -> Period:
        """Return the last period that is over at `now`."""
        return cls.holding(now.astimezone(ZoneInfo(zone)).date(), kind, zone).previous

    @property
    def previous(self) -> Period:
        """The period before."""
        return Period.holding(self.first - timedelta(days=1), self.kind, self.zone)

    @property
    def start(self) -> datetime:
        """The first moment (UTC)."""
        return datetime.combine(self.first, time(), ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def end(self) -> datetime:
        """The first moment (UTC) that is no longer in it."""
        return datetime.combine(self.last + timedelta(days=1), time(), ZoneInfo(self.zone)).astimezone(UTC)

    @property
    def label(self) -> str:
        """``2026-W47``, ``2026-11`` or ``2026-Q4``."""
        if self.kind == "weekly":
            year, week, _ = self.first.isocalendar()
            return f"{year}-W{week:02}"
        if self.kind == "monthly":
            return f"{self.first:%Y-%m}"
        return f"{self.first.year}-Q{(self.first.month + 2) // 3}"


def _first(kind: str, year: int, number: int) -> date:
    if kind == "weekly":
        return date.fromisocalendar(year, number, 1)
    return date(year, number if kind == "monthly" else 3 * number - 2, 1)


def _add_months(first: date, months: int) -> date:
    index = first.year * 12 + first.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)
