"""Weeks, months and quarters in the office's zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.reports.period import Period


@pytest.mark.parametrize(
    ("text", "first", "last", "previous"),
    [
        ("2026-W47", date(2026, 11, 16), date(2026, 11, 22), "2026-W46"),
        ("2026w1", date(2025, 12, 29), date(2026, 1, 4), "2025-W52"),
        ("2021-W01", date(2021, 1, 4), date(2021, 1, 10), "2020-W53"),
        ("2026-11", date(2026, 11, 1), date(2026, 11, 30), "2026-10"),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29), "2024-01"),
        ("2026-01", date(2026, 1, 1), date(2026, 1, 31), "2025-12"),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), "2026-Q3"),
        ("2026q1", date(2026, 1, 1), date(2026, 3, 31), "2025-Q4"),
    ],
)
def test_what_a_name_means(text: str, first: date, last: date, previous: str) -> None:
    period = Period.parse(text)
    assert (period.first, period.last, period.previous.label) == (first, last, previous)


@pytest.mark.parametrize("text", ["", "2026", "2026-W54", "2026-W00", "2026-13", "2026-Q5", "week 47", "47"])
def test_what_is_no_period(text: str) -> None:
    with pytest.raises(ValueError, match="2026-W47"):
        Period.parse(text)


def test_a_week_begins_at_the_offices_midnight() -> None:
    week = Period.parse("2026-W47", "Asia/Shanghai")
    assert week.start == datetime(2026, 11, 15, 16, tzinfo=UTC)
    assert week.end - week.start == timedelta(days=7)
    summer = Period.parse("2026-W13", "Europe/Berlin")
    assert summer.end - summer.start == timedelta(days=7, hours=-1)


@given(st.dates(date(2000, 1, 3), date(2100, 1, 1)), st.sampled_from(["weekly", "monthly", "quarterly"]))
def test_periods_leave_no_gap(day: date, kind: str) -> None:
    period = Period.holding(day, kind)  # type: ignore[arg-type]
    assert period.first <= day <= period.last
    assert period.previous.end == period.start
    assert Period.parse(period.label) == period


def test_the_last_period_that_is_over() -> None:
    monday = datetime(2026, 11, 23, 0, 5, tzinfo=UTC)
    assert Period.before(monday, "weekly").label == "2026-W47"
    assert Period.before(datetime(2026, 11, 22, 15, tzinfo=UTC), "weekly").label == "2026-W46"
