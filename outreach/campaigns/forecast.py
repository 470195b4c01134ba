"""When the last message leaves under all limits (A1, preflight). Pure.

A greedy walk: every mailbox sends in order of due time, no earlier than its rolling limits and its recipients' hours
allow. What a recipient's domain bears is looked at by itself, and the later of the two answers counts.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True)
class Pace:
    """A mailbox's limits: 0 means none. Its connections bear `per_second` at most where nothing else limits it."""

    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0
    gap_seconds: float = 0.0
    per_second: float = 20.0


@dataclass(frozen=True)
class Departure:
    """One planned message: from when it may leave, from which mailbox, to which domain, in whose hours."""

    due: datetime
    mailbox_id: int
    domain: str
    hours_key: object = None


class _Rolling:
    def __init__(self, count: int, span: timedelta) -> None:
        self.count, self.span, self.times = count, span, deque[datetime](maxlen=count)

    def earliest(self, at: datetime) -> datetime:
        return max(at, self.times[0] + self.span) if len(self.times) == self.count else at


class _MailboxClock:
    def __init__(self, pace: Pace) -> None:
        spans = ((pace.per_minute, 60), (pace.per_hour, 3600), (pace.per_day, 86400))
        self.rolling = [_Rolling(n, timedelta(seconds=s)) for n, s in spans if n]
        self.gap = timedelta(seconds=max(pace.gap_seconds, 1 / pace.per_second))
        self.last: datetime | None = None

    def take(self, due: datetime, opens: Callable[[datetime], datetime]) -> datetime:
        at = due if self.last is None else max(due, self.last + self.gap)
        for _ in range(8):  # a window may push past a limit, and a limit past the window: settles in a few rounds
            limited = max([at, *(r.earliest(at) for r in self.rolling)])
            opened = opens(limited)
            if opened == at:
                break
            at = opened
        for r in self.rolling:
            r.times.append(at)
        self.last = at
        return at


def last_departure(
    departures: Iterable[Departure],
    paces: dict[int, Pace],
    *,
    opens: Callable[[object, datetime], datetime] = lambda key, at: at,
    per_domain_per_minute: int = 0,
) -> datetime | None:
    """Return when the last message leaves, None if there is none. `opens(hours_key, at)` is the next open moment."""
    clocks = {number: _MailboxClock(pace) for number, pace in paces.items()}
    domains: dict[str, list[datetime]] = defaultdict(list)
    last: datetime | None = None
    for item in sorted(departures, key=lambda d: d.due):
        key = item.hours_key
        at = clocks[item.mailbox_id].take(item.due, lambda t, key=key: opens(key, t))  # type: ignore[misc]
        last = at if last is None else max(last, at)
        if per_domain_per_minute:
            first_and_count = domains[item.domain]
            first_and_count.append(at)
    if last is None or not per_domain_per_minute:
        return last
    return max([last, *(_domain_end(times, per_domain_per_minute) for times in domains.values())])


def _domain_end(times: list[datetime], per_minute: int) -> datetime:
    minutes = (len(times) - 1) // per_minute
    return max(times[-1], times[0] + timedelta(minutes=minutes))


def drained_at(
    now: datetime, waiting: int, last_due: datetime, pace: Pace, *, used_today: int = 0, open_hours: float = 24.0
) -> datetime:
    """Return about when a mailbox that is under way has sent what waits: from counts alone, for a page that is live.

    used_today: what left in the last day. open_hours: how many hours a day the recipients' windows are open.
    """
    seconds, left = 0.0, float(waiting)
    per_day = min((n for n in (pace.per_day, pace.per_hour * open_hours) if n), default=0)
    if per_day:
        today = max(per_day - used_today, 0)
        if left > today:
            days = -(-(left - today) // per_day)
            seconds += days * 86_400
            left -= today + (days - 1) * per_day
    if pace.per_hour:
        hours = max(left - 1, 0) // pace.per_hour
        seconds += hours * 3_600
        left -= hours * pace.per_hour
    if pace.per_minute:
        seconds += max(left - 1, 0) // pace.per_minute * 60
    else:
        seconds += left * max(pace.gap_seconds, 1 / pace.per_second)
    seconds = max(seconds, waiting * pace.gap_seconds)
    return max(last_due, now + timedelta(seconds=seconds))
