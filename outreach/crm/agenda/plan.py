"""Tasks as a plan: late, today, the days of this week, later, in the owner's own calendar. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from outreach.campaigns.calendar import zone_named

T = TypeVar("T")


@dataclass
class Plan(Generic[T]):
    """Tasks by when they are due. `days`: the days of this week after today."""

    today: date
    late: list[T] = field(default_factory=list)
    now: list[T] = field(default_factory=list)
    days: dict[date, list[T]] = field(default_factory=dict)
    later: list[T] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.late) + len(self.now) + len(self.later) + sum(map(len, self.days.values()))


def plan(tasks: Iterable[T], due: Callable[[T], datetime], now: datetime, zone: str) -> Plan[T]:
    """Sort tasks into a plan by the calendar of `zone`; a week ends on Sunday, on weekends with the next one."""
    place: ZoneInfo = zone_named(zone)
    today = now.astimezone(place).date()
    last = today + timedelta(days=6 - today.weekday())
    if today.weekday() >= 5:
        last += timedelta(days=7)
    made: Plan[T] = Plan(today, days={today + timedelta(days=n): [] for n in range(1, (last - today).days + 1)})
    for task in sorted(tasks, key=due):
        day = due(task).astimezone(place).date()
        if due(task) < now:
            made.late.append(task)
        elif day == today:
            made.now.append(task)
        else:
            made.days.get(day, made.later).append(task)
    return made
