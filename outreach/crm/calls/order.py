"""Whom to call first: who is at work now and soonest leaves, then who comes to work next. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from outreach.campaigns.calendar import Hours, closes_at, next_open

#: A call is welcome from when people have settled in until before they leave.
CALL_FROM, CALL_TO = time(9, 30), time(17, 0)

#: What a call may come to: key on the keyboard → outcome. Said by words.py's list `outcome`.
OUTCOMES: dict[str, str] = {
    "1": "reached",
    "2": "no_answer",
    "3": "busy",
    "4": "call_back",
    "5": "wrong_number",
    "6": "not_interested",
    "7": "do_not_call",
}


@dataclass(frozen=True)
class Clock:
    """The customer's time: `open_for` is what is left of their working day, `opens_in` until it begins."""

    open_for: timedelta | None
    opens_in: timedelta | None

    @property
    def is_open(self) -> bool:
        """Whether they are at work."""
        return self.open_for is not None


def clock_of(now: datetime, zone: str, country: str | None) -> Clock:
    """Return whether somebody there can be called now, by their working week and public holidays."""
    hours = Hours(zone=zone, country=country, window=(CALL_FROM, CALL_TO))
    closes = closes_at(now, hours)
    if closes is not None:
        return Clock(closes - now, None)
    return Clock(None, next_open(now, hours) - now)


def rank(clock: Clock, grade: str | None, intent: str | None) -> tuple[int, int, float]:
    """The key by which a call list is sorted: open ones first, hot ones before that, who leaves soonest first."""
    hot = {"order": 0, "price": 0, "sample": 1, "meeting": 1, "catalogue": 2, "question": 2}.get(intent or "", 3)
    graded = {"A": 0, "B": 1, "C": 2, "D": 3}.get(grade or "", 3)
    left = clock.open_for if clock.open_for is not None else clock.opens_in or timedelta()
    return (0 if clock.is_open else 1, hot + graded if clock.is_open else 0, left.total_seconds())
