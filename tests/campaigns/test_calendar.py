"""The recipient's working calendar (E3, peers' loudest wish): hours, weekends, holidays, in their own zone."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.campaigns.calendar import (
    Hours,
    add_working_days,
    closes_at,
    holiday_name,
    is_working_day,
    next_open,
    weekend_of,
    zone_named,
)

NINE_TO_FIVE = (time(9), time(17))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "country", "now", "opens"),
    [
        ("Europe/Berlin", "DE", "2026-11-24T10:00+01:00", "2026-11-24T10:00+01:00"),
        ("Europe/Berlin", "DE", "2026-11-24T07:00+01:00", "2026-11-24T09:00+01:00"),
        ("Europe/Berlin", "DE", "2026-11-24T17:00+01:00", "2026-11-25T09:00+01:00"),
        ("Europe/Berlin", "DE", "2026-11-27T18:00+01:00", "2026-11-30T09:00+01:00"),
        ("Asia/Riyadh", "SA", "2026-11-26T18:00+03:00", "2026-11-29T09:00+03:00"),
        ("Asia/Dubai", "AE", "2026-11-27T10:00+04:00", "2026-11-27T10:00+04:00"),
        ("Europe/Berlin", "DE", "2026-12-24T18:00+01:00", "2026-12-28T09:00+01:00"),
        ("America/Denver", "US", "2026-11-25T18:00-07:00", "2026-11-27T09:00-07:00"),
        ("Asia/Kathmandu", "NP", "2026-11-22T10:00+05:45", "2026-11-22T10:00+05:45"),
    ],
)
def test_when_mail_may_leave(zone: str, country: str, now: str, opens: str) -> None:
    """Friday-Saturday weekends, Christmas, Thanksgiving; 17:00 sharp is too late."""
    assert next_open(at(now), Hours(zone, country, NINE_TO_FIVE)) == at(opens)


def test_without_a_window_every_moment_is_open() -> None:
    now = at("2026-12-25T03:00+01:00")
    assert next_open(now, Hours("Europe/Berlin", "DE", None)) == now


def test_summer_time_begins_inside_the_night() -> None:
    """On 2027-03-28 clocks in Berlin go forward: nine o'clock on Monday is 07:00 UTC, not 08:00."""
    assert next_open(at("2027-03-26T18:00+01:00"), Hours("Europe/Berlin", None, NINE_TO_FIVE)) == at(
        "2027-03-29T07:00Z"
    )


def test_an_unknown_zone_is_utc() -> None:
    assert str(zone_named("Mars/Olympus")) == "UTC"


def test_working_days_leave_out_weekend_and_holiday() -> None:
    hours = Hours("Europe/Berlin", "DE", NINE_TO_FIVE)
    assert add_working_days(at("2026-12-23T10:00+01:00"), 2, hours) == at("2026-12-28T10:00+01:00")


def test_a_holiday_has_a_name() -> None:
    assert holiday_name(date(2026, 12, 25), "US") == "Christmas Day"
    assert holiday_name(date(2026, 12, 25), "XX") is None


def test_weekends_by_country() -> None:
    assert weekend_of("SA") == {4, 5}
    assert weekend_of(None) == {5, 6}


ZONES = st.sampled_from(["Europe/Berlin", "Asia/Riyadh", "America/Denver", "Asia/Kolkata", "Pacific/Auckland"])
COUNTRIES = st.sampled_from(["DE", "SA", "US", "IN", "NZ", None, "XX"])
MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1)).map(lambda d: d.replace(tzinfo=UTC))


@settings(max_examples=300, deadline=None)
@given(MOMENTS, ZONES, COUNTRIES)
def test_what_is_open_is_inside_the_window_on_a_working_day(now: datetime, zone: str, country: str | None) -> None:
    hours = Hours(zone, country, NINE_TO_FIVE)
    opens = next_open(now, hours)
    local = opens.astimezone(zone_named(zone))
    assert opens >= now
    assert NINE_TO_FIVE[0] <= local.time() < NINE_TO_FIVE[1]
    assert is_working_day(local.date(), hours)
    assert next_open(opens, hours) == opens
    closes = closes_at(opens, hours)
    assert closes is not None
    assert timedelta(0) < closes - opens <= timedelta(hours=8)
