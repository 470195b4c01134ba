"""No limit is ever exceeded, not by one, over 30 simulated days, across restarts and slow servers."""

from __future__ import annotations

from bisect import bisect_right
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.sending.throttle import (
    DAY,
    HOUR,
    MINUTE,
    Ceiling,
    DomainPace,
    Limits,
    Pace,
    load_ceilings,
    store_ceilings,
    strictest,
    warmup_limit,
)

START = 1_800_000_000.0


def worst(times: list[float], length: float) -> int:
    """The most moments that fall into any window (t - length, t]."""
    return max((n + 1 - bisect_right(times, at - length) for n, at in enumerate(times)), default=0)


def simulate(limits: Limits, seconds: float, chance: st.DataObject | None = None) -> list[float]:
    """Send as fast as the pace allows; now and then restart, answer late, or not use a slot."""
    pace, now, sent, waiting = Pace(limits), START, [], 0
    draws = chance.draw(st.lists(st.integers(0, 9), min_size=50, max_size=50)) if chance else [0]
    step = 0
    while now < START + seconds:
        step += 1
        wait = pace.wait(now)
        if wait > 0:
            now += wait
            continue
        pace.take()
        waiting += 1
        draw = draws[step % len(draws)]
        if draw == 9:
            pace.give_back()
            now += 0.5
            continue
        # the server takes its time: the hand-over counts when it happens, not when the slot was taken
        now += (0.0, 0.01, 0.2, 3.0, 0.0, 0.0, 45.0, 0.0, 0.0)[draw]
        pace.settle(now, (step * 7919 % 100) / 100)
        sent.append(now)
        if draw == 8:
            pace = Pace(limits, history=[at for at in sent if at > now - DAY])
    return sent


@settings(max_examples=25, deadline=None)
@given(
    per_minute=st.integers(0, 30),
    per_hour=st.integers(0, 200),
    per_day=st.integers(1, 400),
    gap=st.sampled_from([0.0, 0.5, 7.0]),
    chance=st.data(),
)
def test_no_window_is_exceeded_in_30_days(
    per_minute: int, per_hour: int, per_day: int, gap: float, chance: st.DataObject
) -> None:
    limits = Limits(per_minute, per_hour, per_day, gap)
    sent = simulate(limits, 30 * DAY, chance)
    assert sent
    for limit, length in ((per_minute, MINUTE), (per_hour, HOUR), (per_day, DAY)):
        assert not limit or worst(sent, length) <= limit
    assert all(later - earlier >= gap for earlier, later in pairwise(sent))


@given(per_minute=st.integers(1, 60))
def test_the_limit_is_used_to_the_full(per_minute: int) -> None:
    assert len(simulate(Limits(per_minute=per_minute), 10 * MINUTE - 1)) == 10 * per_minute


@given(per_minute=st.integers(1, 10), extra=st.integers(1, 5))
def test_slots_on_their_way_count(per_minute: int, extra: int) -> None:
    pace = Pace(Limits(per_minute=per_minute))
    for _ in range(per_minute):
        assert pace.wait(START) == 0
        pace.take()
    assert pace.wait(START + extra * HOUR) > 0
    pace.settle(START + extra * HOUR)
    assert pace.wait(START + extra * HOUR) > 0
    pace.give_back()
    assert per_minute > 1 or pace.wait(START + extra * HOUR + MINUTE) == 0


def test_messages_that_others_sent_through_the_mailbox_count() -> None:
    pace = Pace(Limits(per_hour=2))
    pace.add(START - 1)
    pace.add(START - 2)
    assert pace.wait(START) > HOUR - 3


def test_a_refusal_halves_the_rate_and_the_rate_comes_back() -> None:
    pace = Pace(Limits(per_minute=20), history=[START - n for n in range(20)])
    pace.slow(START)
    assert pace.allowance("minute", START) == 10
    pace.slow(START)
    assert pace.allowance("minute", START) == 5
    assert pace.allowance("minute", START + HOUR) == 10
    assert pace.allowance("minute", START + 3 * HOUR) == 20


def test_a_mailbox_without_limits_learns_from_what_it_sent() -> None:
    pace = Pace(Limits())
    for n in range(600):
        pace.note(START + n / 20)
    assert pace.free
    pace.slow(START + 30)
    assert pace.allowance("minute", START + 30) == 300
    assert not pace.free


def test_a_daily_quota_is_learned_and_grows_back() -> None:
    pace = Pace(Limits(per_day=2000), history=[START - n for n in range(480)])
    pace.quota_reached(START)
    assert pace.allowance("day", START) == 479
    assert pace.allowance("day", START + 7 * DAY) == 958
    assert pace.allowance("day", START + 30 * DAY) == 2000


def test_ceilings_survive_the_row() -> None:
    ceilings = {"minute": Ceiling(3, START), "connections": Ceiling(1, START)}
    assert load_ceilings(store_ceilings(ceilings)) == ceilings
    assert load_ceilings({"odd": [1, 2], "minute": "no"}) == {}


def test_a_young_mailbox_grows_by_a_third_a_day() -> None:
    assert [warmup_limit(day) for day in (0, 1, 2, 10)] == [30, 40, 53, 532]
    pace = Pace(Limits(per_day=2000), warmup_from=START, history=[START - n for n in range(29)])
    assert pace.wait(START) == 0
    pace.take()
    assert pace.wait(START) > 0
    pace.settle(START)
    assert DAY - 30 < pace.wait(START) <= DAY


def test_what_colleagues_send_does_not_make_a_mailbox_older() -> None:
    pace = Pace(Limits(per_day=2000), warmup_from=START)
    for n in range(500):
        pace.add(START - n, own=False)
    assert pace.wait(START) == 0
    pace.add(START)
    assert pace.used(DAY, START) == 501


def test_a_shared_quota_obeys_what_any_of_its_mailboxes_learned() -> None:
    own = {"day": Ceiling(400, START), "connections": Ceiling(4, START)}
    others = {"day": Ceiling(90, START), "minute": Ceiling(3, START), "connections": Ceiling(1, START)}
    assert strictest(own, [others], START) == {**others, "connections": Ceiling(4, START)}
    assert strictest(own, [others], START + 30 * DAY)["day"] == Ceiling(90, START)


def test_a_recipient_domain_has_its_own_pace() -> None:
    domains = DomainPace(2, [("a.example", START)])
    assert domains.wait("a.example", START) == 0
    domains.take("a.example")
    assert domains.wait("a.example", START) > 0
    assert domains.wait("b.example", START) == 0
    domains.settle("a.example", START)
    assert set(domains.closed(START)) == {"a.example"}
    assert DomainPace(0).wait("a.example", START) == 0
