"""When the last message leaves (preflight): a greedy walk never beats the limits and wastes nothing."""

from datetime import UTC, datetime, time, timedelta

from outreach.campaigns.calendar import Hours, next_open
from outreach.campaigns.forecast import Departure, Pace, last_departure

START = datetime(2026, 11, 24, 8, tzinfo=UTC)


def some(count: int, **more: object) -> list[Departure]:
    return [Departure(START, 1, "buyer.example", **more) for _ in range(count)]  # type: ignore[arg-type]


def test_nobody_no_forecast() -> None:
    assert last_departure([], {1: Pace()}) is None


def test_twenty_a_minute() -> None:
    last = last_departure(some(100), {1: Pace(per_minute=20)})
    assert last is not None
    assert timedelta(minutes=4) <= last - START < timedelta(minutes=4, seconds=5)


def test_the_day_holds_the_rest_back() -> None:
    last = last_departure(some(250), {1: Pace(per_day=100)})
    assert last is not None
    assert timedelta(days=2) <= last - START < timedelta(days=2, minutes=1)


def test_two_mailboxes_share_the_work() -> None:
    boxes = [Departure(START, n % 2, "x.example") for n in range(100)]
    last = last_departure(boxes, {0: Pace(per_minute=10), 1: Pace(per_minute=10)})
    assert last is not None
    assert last - START < timedelta(minutes=4, seconds=10)


def test_windows_push_into_the_next_day() -> None:
    hours = Hours("UTC", None, (time(8), time(9)), skip_weekends=False)
    people = some(90, hours_key=hours)
    last = last_departure(people, {1: Pace(per_hour=60)}, opens=lambda key, at: next_open(at, key))  # type: ignore[arg-type]
    assert last is not None
    assert last.date() == START.date() + timedelta(days=1)


def test_a_recipients_domain_has_its_own_pace() -> None:
    last = last_departure(some(30), {1: Pace()}, per_domain_per_minute=10)
    assert last is not None
    assert last - START >= timedelta(minutes=2)
