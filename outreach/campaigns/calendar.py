"""The recipient's working calendar: local hours, weekends, public holidays. Pure: the moment is an argument."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

SATURDAY_SUNDAY = frozenset({5, 6})
FRIDAY_SATURDAY = frozenset({4, 5})

#: Days off that are not Saturday and Sunday (0 Monday). Source: the working-week law or custom of each country as
#: listed by its labour ministry; the United Arab Emirates changed to Saturday-Sunday in January 2022.
WEEKENDS: dict[str, frozenset[int]] = {
    **dict.fromkeys(
        ("BH", "BD", "DZ", "EG", "IL", "IQ", "JO", "KW", "LY", "MV", "OM", "PS", "QA", "SA", "SD", "SY", "YE"),
        FRIDAY_SATURDAY,
    ),
    "AF": frozenset({3, 4}),
    "IR": frozenset({3, 4}),
    "BN": frozenset({4, 6}),
    "NP": frozenset({5}),
    "DJ": frozenset({4}),
}

#: A window that finds no open day for so long is a mistake in the data, not a long holiday.
LONGEST_SEARCH_DAYS = 60


@dataclass(frozen=True)
class Hours:
    """When one recipient may get mail. `window` None: at any hour; then neither weekends nor holidays count."""

    zone: str = "UTC"
    country: str | None = None
    window: tuple[time, time] | None = None
    skip_weekends: bool = True
    skip_holidays: bool = True


def weekend_of(country: str | None) -> frozenset[int]:
    """Days off of a country's week, 0 Monday … 6 Sunday."""
    return WEEKENDS.get((country or "").upper(), SATURDAY_SUNDAY)


@lru_cache(maxsize=2048)
def holidays_of(country: str, year: int) -> frozenset[date]:
    """Public holidays of a country in a year; empty where none are known (package `holidays`)."""
    try:
        return frozenset(holidays.country_holidays(country, years=year))
    except NotImplementedError:
        return frozenset()


def holiday_name(day: date, country: str | None, language: str | None = None) -> str | None:
    """The name of the public holiday on a day, None if there is none."""
    if not country:
        return None
    try:
        return holidays.country_holidays(country, years=day.year, language=language).get(day)
    except NotImplementedError:
        return None


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo:
    """A time zone by its IANA name; an unknown one is UTC."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def is_working_day(day: date, hours: Hours) -> bool:
    """Whether mail may arrive on that day."""
    if hours.skip_weekends and day.weekday() in weekend_of(hours.country):
        return False
    return not (hours.skip_holidays and hours.country and day in holidays_of(hours.country.upper(), day.year))


def next_open(at: datetime, hours: Hours) -> datetime:
    """Return the first moment from `at` (aware) on at which mail may leave for this recipient, in UTC.

    Equal to `at` when it is open now. After LONGEST_SEARCH_DAYS without a working day `at`'s window of the first day
    is taken: late is better than never.
    """
    if hours.window is None:
        return at.astimezone(UTC)
    zone = zone_named(hours.zone)
    local = at.astimezone(zone)
    first, last = hours.window
    for ahead in range(LONGEST_SEARCH_DAYS):
        day = local.date() + timedelta(days=ahead)
        if not is_working_day(day, hours):
            continue
        opens, closes = _at(day, first, zone), _at(day, last, zone)
        if ahead == 0 and local >= closes:
            continue
        return max(at.astimezone(UTC), opens)
    return max(at.astimezone(UTC), _at(local.date(), first, zone))


def closes_at(at: datetime, hours: Hours) -> datetime | None:
    """Return when the window that is open at `at` closes, in UTC; None if it is shut or there is none."""
    if hours.window is None or next_open(at, hours) != at.astimezone(UTC):
        return None
    zone = zone_named(hours.zone)
    return _at(at.astimezone(zone).date(), hours.window[1], zone)


def add_working_days(at: datetime, days: float, hours: Hours) -> datetime:
    """Return the moment `days` of the recipient's working days after `at`, in UTC, at the same local time of day."""
    zone = zone_named(hours.zone)
    local = at.astimezone(zone)
    whole, part = int(days), days - int(days)
    day = local.date()
    for _ in range(whole):
        day = _next_working_day(day, hours)
    moved = datetime.combine(day, local.timetz().replace(tzinfo=None), tzinfo=zone)
    return (moved.astimezone(UTC)) + timedelta(days=part)


def _next_working_day(day: date, hours: Hours) -> date:
    for _ in range(LONGEST_SEARCH_DAYS):
        day += timedelta(days=1)
        if is_working_day(day, hours):
            return day
    return day


def _at(day: date, moment: time, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, moment, tzinfo=zone).astimezone(UTC)
