"""When a task is due: an hour of its owner's working day (D4: an inquiry is answered the same day). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from outreach.campaigns.calendar import Hours, is_working_day, zone_named

#: The office's day. A reply that comes after CUT_OFF cannot fairly be asked to be answered before the doors close.
OPENS, CLOSES, CUT_OFF = time(9, 0), time(18, 0), time(16, 0)


@dataclass(frozen=True)
class OwnerCalendar:
    """Where the owner works: time zone and the country whose weekends and holidays count."""

    zone: str = "Asia/Shanghai"
    country: str | None = "CN"

    @property
    def hours(self) -> Hours:
        """The owner's days as the campaign calendar knows them."""
        return Hours(zone=self.zone, country=self.country, window=(OPENS, CLOSES))


def due_at(created: datetime, hint: str, calendar: OwnerCalendar) -> datetime:
    """Return the moment (UTC) at which the task is due.

    ``same_working_day``: the close of the day on which it came, or of the next working day where it came on a day off
    or too late for this one. ``next_working_day``: the close of the working day after that.
    """
    zone = zone_named(calendar.zone)
    local = created.astimezone(zone)
    day = local.date()
    if local.time() >= CUT_OFF or not is_working_day(day, calendar.hours):
        day = _next(day, calendar)
    if hint == "next_working_day":
        day = _next(day, calendar)
    return datetime.combine(day, CLOSES, tzinfo=zone).astimezone(UTC)


def _next(day: date, calendar: OwnerCalendar) -> date:
    for _ in range(30):  # the longest run of days off anywhere is about ten (Spring Festival)
        day += timedelta(days=1)
        if is_working_day(day, calendar.hours):
            break
    return day


def is_late(due: datetime, now: datetime) -> bool:
    """Whether the task should have been done by now."""
    return now > due
