"""Questions about days and moments.

Two kinds of right-hand side:

* a date (``created < 2026-01-01``): the order of the calendar; a whole day in the zone of `now`.
* an age (``last_order < 180 days ago``): fewer than 180 days ago, so later than that day. People who write it mean
  "less than half a year ago". ``before`` and ``after`` always mean the calendar's order.
"""

from __future__ import annotations

import operator
from calendar import monthrange
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Date, and_

from outreach.audience.segment.tree import Ago, Op, Value

_STEPS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}

#: What a question about age asks of the date: fewer days ago is later.
_AGES = {
    Op.LT: Op.GT, Op.LE: Op.GE, Op.GT: Op.LT, Op.GE: Op.LE, Op.WITHIN: Op.GE, Op.AFTER: Op.GT, Op.BEFORE: Op.LT,
}  # fmt: skip

COMPARE: dict[Op, Callable[[Any, Any], ColumnElement[bool]]] = {
    Op.LT: operator.lt,
    Op.LE: operator.le,
    Op.GT: operator.gt,
    Op.GE: operator.ge,
    Op.EQ: operator.eq,
}


def cutoff(ago: Ago, now: datetime) -> datetime:
    """Return the moment so long before `now`; months and years go by the calendar, the day cut to the month's last."""
    try:
        if ago.unit in _STEPS:
            return now - ago.count * _STEPS[ago.unit]
        months = now.year * 12 + now.month - 1 - ago.count * (12 if ago.unit == "year" else 1)
        year, month = divmod(months, 12)
        return now.replace(year=year, month=month + 1, day=min(now.day, monthrange(year, month + 1)[1]))
    except (OverflowError, ValueError):  # before the year 1: everything is later
        return datetime(1, 1, 2, tzinfo=now.tzinfo)


def asks_day(column: ColumnElement[Any], op: Op, values: tuple[Value, ...], now: datetime) -> ColumnElement[bool]:
    """Return the test of a date or moment column. `now` is aware; days begin at midnight in its zone."""
    if op is Op.EMPTY:
        return column.is_(None)
    value = values[0]
    if isinstance(value, Ago):
        return _age(column, op, cutoff(value, now))
    if isinstance(value, date):
        return _calendar(column, op, value, now)
    raise TypeError(f"{value!r} is no day")


def _age(column: ColumnElement[Any], op: Op, moment: datetime) -> ColumnElement[bool]:
    point: Any = moment.date() if isinstance(column.type, Date) else moment
    return COMPARE[_AGES[op]](column, point) if op in _AGES else _calendar(column, Op.EQ, moment.date(), moment)


def _calendar(column: ColumnElement[Any], op: Op, day: date, now: datetime) -> ColumnElement[bool]:
    begin, end = _bounds(column, day, now)
    match op:
        case Op.LT | Op.BEFORE:
            return COMPARE[Op.LT](column, begin)
        case Op.LE:
            return COMPARE[Op.LT](column, end)
        case Op.GT | Op.AFTER:
            return COMPARE[Op.GE](column, end)
        case Op.GE:
            return COMPARE[Op.GE](column, begin)
    return and_(column >= begin, column < end)


def _bounds(column: ColumnElement[Any], day: date, now: datetime) -> tuple[Any, Any]:
    """Return the first point of the day and the first of the next, as the column's type has them."""
    following = day + timedelta(days=1) if day < date.max else day
    if isinstance(column.type, Date):
        return day, following
    return datetime.combine(day, time.min, now.tzinfo), datetime.combine(following, time.min, now.tzinfo)
