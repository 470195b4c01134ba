"""When mail must have left for its follow-up to be due now: the calendar, read backwards. Pure.

A follow-up is due some of the recipient's working days after the mail, once their window is open. Asked the other way
round, that is a few spans of time, the same for all recipients of one country and zone: a database finds the mails in
them, where it could not count anybody's holidays.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TypeAlias

from outreach.campaigns.calendar import LONGEST_SEARCH_DAYS, Hours, is_working_day, zone_named

#: From the first moment (None: since ever) to before the second, in UTC.
Span: TypeAlias = tuple[datetime | None, datetime]

_DAY = timedelta(days=1)
_MOMENT = timedelta(microseconds=1)


def sent_spans(now: datetime, days: float, hours: Hours) -> tuple[Span, ...]:
    """Return when a mail must have left for the next one, `days` working days later, to be due at `now`. In order.

    Within an hour of a change to or from summer time the spans may be an hour off.
    """
    whole, part = int(days), days - int(days)
    ends = _open_until(now, hours) - timedelta(days=part)
    if whole == 0:
        return ((None, ends),)
    local = ends.astimezone(zone_named(hours.zone))
    every, some = _days_before(local.date(), whole, hours)
    spans: list[Span] = [(None, _at(every + _DAY, time(), hours))]
    for ahead in range(1, (some - every).days + 1):
        day = every + ahead * _DAY
        spans.append((_at(day, time(), hours), _at(day, local.timetz().replace(tzinfo=None), hours)))
    return tuple(spans)


def _open_until(now: datetime, hours: Hours) -> datetime:
    """Return the end of the time in which mail might leave up to now: this moment, or when the window last closed."""
    if hours.window is None:
        return now.astimezone(UTC) + _MOMENT
    today = now.astimezone(zone_named(hours.zone)).date()
    for back in range(LONGEST_SEARCH_DAYS):
        day = today - back * _DAY
        opens, closes = (_at(day, moment, hours) for moment in hours.window)
        if is_working_day(day, hours) and opens <= now:
            return min(now.astimezone(UTC) + _MOMENT, closes)
    return now.astimezone(UTC) - LONGEST_SEARCH_DAYS * _DAY


def _days_before(day: date, whole: int, hours: Hours) -> tuple[date, date]:
    """Return the last day whose `whole`-th working day comes before `day`, and the last one whose comes by then."""
    seen, by_then = 0, None
    wanted = whole + is_working_day(day, hours)
    for back in range(7 * whole + LONGEST_SEARCH_DAYS):
        seen += is_working_day(day - back * _DAY, hours)
        if seen == whole and by_then is None:
            by_then = day - (back + 1) * _DAY
        if seen == wanted:
            return day - (back + 1) * _DAY, by_then or day - (back + 1) * _DAY
    last = day - whole * _DAY  # no working day for months is a mistake in the data: late is better than never
    return last, last


def _at(day: date, moment: time, hours: Hours) -> datetime:
    return datetime.combine(day, moment, tzinfo=zone_named(hours.zone)).astimezone(UTC)
