"""What somebody shall reach in a quarter and where they stand (G2). Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta

from outreach.crm.grades.rules import quarter_days, quarter_of

#: What a target is set for; words.py's list `target` says each, `target_means` how it is counted.
KINDS = ("orders", "quotations", "new_customers", "replies_in_time")
#: Shares in percent: they cannot be summed and hold on every day alike.
RATES = frozenset({"replies_in_time"})
#: From so much of what is expected by today somebody is on the way: a quarter's orders never come day by day.
CLOSE = 0.9


class TargetRefused(ValueError):
    """A target that cannot be set; `code`: kind, value, percent."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        super().__init__(text)


@dataclass(frozen=True)
class Reached:
    """What came of a time. `orders` in the company's currency; `without_rate`: orders whose currency has no rate.

    `in_time` of `judged` answers: those given by the time they were due, of all that were given or are overdue.
    """

    orders: float = 0.0
    order_count: int = 0
    without_rate: int = 0
    quotations: int = 0
    new_customers: int = 0
    in_time: int = 0
    judged: int = 0

    def __add__(self, other: Reached) -> Reached:
        return Reached(*(getattr(self, part.name) + getattr(other, part.name) for part in fields(self)))

    def value(self, kind: str) -> float | None:
        """Return the figure of a kind of target; None for a share of nothing."""
        if kind in RATES:
            return 100 * self.in_time / self.judged if self.judged else None
        return float(getattr(self, kind))

    @property
    def is_nothing(self) -> bool:
        """Whether nothing was reached and nothing was to be answered."""
        return self == Reached()


@dataclass(frozen=True)
class Standing:
    """A target against what was reached. `expected`: the share of the quarter's working days that are over, 0 to 1."""

    kind: str
    target: float | None
    reached: float | None
    expected: float

    @property
    def share(self) -> float | None:
        """Reached of the target, 1 for all of it; None without a target or a figure."""
        if not self.target or self.reached is None:
            return None
        return self.reached / self.target

    @property
    def state(self) -> str:
        """Return none, open (nothing to judge yet), met, on_way, behind."""
        if not self.target:
            return "none"
        if self.share is None or not self.expected:
            return "open"
        if self.share >= 1:
            return "met"
        due = 1.0 if self.kind in RATES else self.expected
        return "on_way" if self.share >= CLOSE * due and self.kind not in RATES else "behind"


def standings(targets: Mapping[str, float], reached: Reached, expected: float) -> dict[str, Standing]:
    """Return every kind's standing."""
    return {kind: Standing(kind, targets.get(kind), reached.value(kind), expected) for kind in KINDS}


def team_target(targets: Iterable[Mapping[str, float]]) -> dict[str, float]:
    """Return what a team shall reach together: the sum of its people's targets, the mean of their shares."""
    given: dict[str, list[float]] = {}
    for one in targets:
        for kind, value in one.items():
            given.setdefault(kind, []).append(value)
    return {kind: sum(all_) / len(all_) if kind in RATES else sum(all_) for kind, all_ in given.items()}


def elapsed(quarter: str, today: date) -> float:
    """Return the share of a quarter's Mondays to Fridays that are over, today's included: 0 before it, 1 after it.

    Raises ValueError for what is no quarter.
    """
    first, after = quarter_days(quarter)
    days = [first + timedelta(days=n) for n in range((after - first).days)]
    work = [day for day in days if day.weekday() < 5]
    return sum(day <= today for day in work) / len(work)


def neighbours(quarter: str) -> tuple[str, str]:
    """Return the quarter before and the one after. Raises ValueError."""
    first, after = quarter_days(quarter)
    return quarter_of(first - timedelta(days=1)), quarter_of(after)


def months(quarter: str) -> tuple[date, date, date]:
    """Return the first days of a quarter's months. Raises ValueError."""
    first, _ = quarter_days(quarter)
    return first, date(first.year, first.month + 1, 1), date(first.year, first.month + 2, 1)


def checked(kind: str, value: float | None) -> float | None:
    """Return the value as it is stored; nothing or 0 takes the target away. Raises TargetRefused."""
    if kind not in KINDS:
        raise TargetRefused("kind", f"there are targets for {', '.join(KINDS)}, not for {kind!r}")
    if not value:
        return None
    if not 0 < value < 1e12:
        raise TargetRefused("value", "a target is a number above zero")
    if kind in RATES and value > 100:
        raise TargetRefused("percent", "a share is at most 100 percent")
    return float(value)
