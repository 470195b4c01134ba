from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from outreach.sending.retry import GIVE_UP, delay, link_rest, next_attempt

START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@given(st.text(max_size=20))
def test_the_first_retries_come_after_5_15_30_and_60_minutes(seed: str) -> None:
    for attempts, minutes in enumerate((5, 15, 30, 60), 1):
        assert minutes * MINUTE <= delay(attempts, seed) <= minutes * 1.2 * MINUTE


@given(st.integers(5, 60), st.text(max_size=20))
def test_the_later_ones_every_two_to_three_hours(attempts: int, seed: str) -> None:
    assert 120 * MINUTE <= delay(attempts, seed) <= 180 * MINUTE
    assert delay(attempts, seed) == delay(attempts, seed)


@given(st.text(max_size=20))
def test_after_four_days_it_is_given_up(seed: str) -> None:
    now, attempts = START, 1
    while (due := next_attempt(attempts, START, now, seed)) is not None:
        assert due > now
        now, attempts = due, attempts + 1
    assert GIVE_UP - timedelta(hours=3) <= now - START <= GIVE_UP
    assert 30 <= attempts <= 52


def test_a_server_may_ask_for_more_time() -> None:
    assert next_attempt(1, START, START, "x", at_least=timedelta(hours=1)) == START + timedelta(hours=1)


def test_a_mailbox_rests_longer_each_time_up_to_half_an_hour() -> None:
    assert [link_rest(n) / MINUTE for n in (0, 1, 2, 3, 4, 5, 6, 50)] == [1, 1, 2, 4, 8, 16, 30, 30]
