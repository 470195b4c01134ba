"""The forecast of the end is what then happens: against an oracle that knows the rules alone, message by message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.campaigns.calendar import Hours, next_open
from outreach.sending.forecast import MOST_STEPS, Sender, Waiting, after_sample, forecast
from outreach.sending.throttle import DAY, HOUR, MINUTE, Ceiling, DomainPace, Limits, Pace, warmup_limit

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)  # a Tuesday
START = NOW.timestamp()
#: The oracle looks every half minute, as a worker does that is woken by its clock.
TICK = 30.0
MORNING = Hours("UTC", None, (time(9), time(12)))
SHANGHAI = Hours("Asia/Shanghai", "CN", (time(9), time(17)))


def seconds(found: dict[int, datetime], box: int = 1) -> float:
    return (found[box] - NOW).total_seconds()


def last(waiting: Sequence[Waiting], pace: Pace, *, per_domain: int = 0, **more: object) -> float:
    sender = Sender(pace, **more)  # type: ignore[arg-type]
    return seconds(forecast(waiting, {1: sender}, DomainPace(per_domain), NOW))


def lived(
    waiting: Sequence[Waiting],
    limits: dict[int, Callable[[float, float], int]],
    history: Sequence[float],
    per_domain: int,
    shared: bool,
) -> dict[int, float]:
    """Live through it: whoever is due may leave if no window that ends now would hold one too many.

    limits: mailbox → what a window of so many seconds bears at a moment. shared: the mailboxes count together.
    """
    people = [(g.due.timestamp(), g) for g in sorted(waiting, key=lambda g: g.due) for _ in range(g.count)]
    gone: dict[int, list[float]] = {box: list(history) for box in limits}
    ours: list[float] = list(history)
    domains: dict[str, list[float]] = {}
    ends: dict[int, float] = {}
    at = START

    def full(box: int) -> bool:
        counted = ours if shared else gone[box]
        return any(sum(at - n < t for t in counted) >= limits[box](n, at) for n in (MINUTE, HOUR, DAY))

    def shut(hours: Hours | None) -> bool:
        moment = datetime.fromtimestamp(at, UTC)
        return hours is not None and next_open(moment, hours) > moment

    def crowded(name: str | None) -> bool:
        return bool(name and per_domain and sum(at - MINUTE < t for t in domains.get(name, [])) >= per_domain)

    while any(group.own for _, group in people):
        kept = []
        closed = {hours: shut(hours) for hours in {group.hours for _, group in people}}
        spent = {box: full(box) for box in limits}
        for due, group in people:
            box = group.mailbox_id
            if due > at or spent[box] or closed[group.hours] or crowded(group.domain):
                kept.append((due, group))
                continue
            gone[box].append(at)
            ours.append(at)
            domains.setdefault(group.domain or "", []).append(at)
            spent = {box: full(box) for box in limits}
            if group.own:
                ends[box] = at
        people = kept
        at += TICK
    return ends


@settings(max_examples=25, deadline=None)
@given(
    per_minute=st.integers(1, 20),
    per_hour=st.sampled_from([0, 7, 20]),
    per_day=st.sampled_from([0, 25]),
    history=st.lists(st.integers(0, 2_879), max_size=20),
    counts=st.lists(st.integers(1, 15), min_size=1, max_size=4),
    hours=st.lists(st.sampled_from([None, MORNING, SHANGHAI]), min_size=4, max_size=4),
    due=st.lists(st.integers(-10, 200), min_size=4, max_size=4),
    young=st.booleans(),
    shared=st.booleans(),
    per_domain=st.sampled_from([0, 3]),
)
def test_it_ends_when_it_says(
    per_minute: int,
    per_hour: int,
    per_day: int,
    history: list[int],
    counts: list[int],
    hours: list[Hours | None],
    due: list[int],
    young: bool,
    shared: bool,
    per_domain: int,
) -> None:
    """Within the window of a minute, whatever holds it back: limits, what left before, age, hours, others, domains."""
    past = [START - TICK * n for n in history]
    waiting = [
        Waiting(1 + n % 2, NOW + timedelta(minutes=due[n]), count, hours[n], "big.example" if n else None, n < 3)
        for n, count in enumerate(counts)
    ]
    configured = {MINUTE: per_minute, HOUR: per_hour, DAY: per_day}

    def bears(length: float, at: float) -> int:
        limit = configured[length] or 1_000_000
        aged = young and not shared and length == DAY
        return min(limit, warmup_limit(int((at - START) // DAY))) if aged else limit

    began = START if young and not shared else None
    limits = Limits(per_minute, per_hour, per_day)
    shares = (1, 2) if shared else ()
    senders = {box: Sender(Pace(limits, history=past, warmup_from=began), 1_000, shares=shares) for box in (1, 2)}
    found = forecast(waiting, senders, DomainPace(per_domain), NOW)
    truth = lived(waiting, {1: bears, 2: bears}, past, per_domain, shared)
    assert set(found) == set(truth)
    # two mailboxes that share a window take turns: which of them has the last turn is not said
    pairs = [(max(found.values()), max(truth.values()))] if shared else [(found[box], truth[box]) for box in truth]
    assert all(abs(said.timestamp() - was) <= MINUTE + 1 for said, was in pairs), (found, truth)


def test_nobody_waits_for_nothing() -> None:
    assert forecast([], {1: Sender(Pace(Limits()))}, DomainPace(0), NOW) == {}


def test_a_mailbox_that_may_not_send_is_not_in_it() -> None:
    waiting = [Waiting(1, NOW, 5), Waiting(2, NOW, 5)]
    assert set(forecast(waiting, {1: Sender(Pace(Limits()))}, DomainPace(0), NOW)) == {1}


@pytest.mark.parametrize(
    ("count", "limits", "at_least", "at_most"),
    [
        (100, Limits(), 4, 5),
        (100, Limits(per_minute=20), 240, 242),
        (20, Limits(per_minute=20), 0, 2),
        (1_000, Limits(20, 500), 3_600 + 24 * 60, 3_600 + 24 * 60 + 2),
        (3_000, Limits(per_day=1_000), 2 * DAY, 2 * DAY + 60),
        (61, Limits(min_gap_seconds=4), 300, 301),  # the gap is stretched by up to a half: a quarter on average
    ],
)
def test_limits_are_walked_through(count: int, limits: Limits, at_least: float, at_most: float) -> None:
    assert at_least <= last([Waiting(1, NOW, count)], Pace(limits)) <= at_most


def test_what_left_in_the_last_day_counts() -> None:
    pace = Pace(Limits(per_day=100), history=[START - HOUR] * 95)
    assert last([Waiting(1, NOW, 5)], pace) < MINUTE
    assert 23 * HOUR <= last([Waiting(1, NOW, 6)], pace) <= 23 * HOUR + MINUTE


def test_a_young_mailbox_grows_meanwhile() -> None:
    """30, 40, 53, 71 …: 194 in four days; the last of them leaves at the beginning of the fourth."""
    pace = Pace(Limits(), warmup_from=START)
    assert 3 * DAY <= last([Waiting(1, NOW, 194)], pace) <= 3 * DAY + HOUR
    assert 4 * DAY <= last([Waiting(1, NOW, 195)], pace) <= 4 * DAY + HOUR


def test_a_learned_ceiling_grows_back_meanwhile() -> None:
    """10 a minute, doubled within the hour: 900 in it instead of 600."""
    learned = Pace(Limits(per_minute=20), ceilings={"minute": Ceiling(10, START)})
    plain = last([Waiting(1, NOW, 1_200)], Pace(Limits(per_minute=20)))
    assert plain + 10 * MINUTE < last([Waiting(1, NOW, 1_200)], learned) < 90 * MINUTE


def test_a_mailbox_that_rests_begins_when_it_resumes() -> None:
    rests = NOW + timedelta(minutes=40)
    assert last([Waiting(1, NOW, 1)], Pace(Limits(per_minute=20)), resumes_at=rests) == pytest.approx(2_400, abs=1)


def test_what_others_have_waiting_goes_first_when_it_is_older() -> None:
    other = Waiting(1, NOW - timedelta(hours=1), 40, own=False)
    assert last([Waiting(1, NOW, 20), other], Pace(Limits(per_minute=20))) == pytest.approx(120, abs=2)
    later = replace(other, due=NOW + timedelta(hours=1))
    assert last([Waiting(1, NOW, 20), later], Pace(Limits(per_minute=20))) < 2


def test_hours_push_into_the_next_working_day() -> None:
    """60 an hour in three hours of a Friday: what is left goes on Monday."""
    friday = NOW + timedelta(days=3)
    found = forecast([Waiting(1, friday, 200, MORNING)], {1: Sender(Pace(Limits(per_hour=60)))}, DomainPace(0), friday)
    assert found[1].date() == (friday + timedelta(days=3)).date()
    assert found[1].hour == 9


def test_mailboxes_of_one_quota_share_it() -> None:
    waiting = [Waiting(1, NOW, 50), Waiting(2, NOW, 50)]
    alone = {box: Sender(Pace(Limits(per_hour=50))) for box in (1, 2)}
    together = {box: Sender(Pace(Limits(per_hour=50)), shares=(1, 2)) for box in (1, 2)}
    assert max(forecast(waiting, alone, DomainPace(0), NOW).values()) < NOW + timedelta(minutes=1)
    assert max(forecast(waiting, together, DomainPace(0), NOW).values()) >= NOW + timedelta(hours=1)


def test_a_recipients_domain_has_its_own_pace() -> None:
    people = [Waiting(1, NOW, 30, domain="big.example"), Waiting(1, NOW, 30)]
    assert last(people, Pace(Limits()), per_domain=10) == pytest.approx(120, abs=3)


def test_the_rest_waits_until_the_sample_has_left_and_its_time_is_over() -> None:
    senders = {1: Sender(Pace(Limits(per_minute=10)))}
    sample, rest = [Waiting(1, NOW, 21)], [Waiting(1, NOW, 11)]
    found = after_sample(rest, sample, senders, DomainPace(0), NOW, 24 * HOUR)
    assert seconds(found) == pytest.approx(2 * MINUTE + DAY + MINUTE, abs=3)
    nobody = after_sample(rest, [], senders, DomainPace(0), NOW, HOUR)
    assert seconds(nobody) == pytest.approx(HOUR + MINUTE, abs=3)


def test_a_forecast_takes_nobodys_slot() -> None:
    pace, domains = Pace(Limits(per_minute=20)), DomainPace(5)
    forecast([Waiting(1, NOW, 500, domain="a.example")], {1: Sender(pace)}, domains, NOW)
    assert pace.used(DAY, START + DAY) == 0
    assert domains.wait("a.example", START + MINUTE) == 0


def test_a_very_long_way_is_walked_in_part() -> None:
    """Half a million at one every four seconds: what the first steps took goes on."""
    count = 25 * MOST_STEPS
    found = last([Waiting(1, NOW, count)], Pace(Limits(min_gap_seconds=4)))
    assert found == pytest.approx(count * 5, rel=0.01)
