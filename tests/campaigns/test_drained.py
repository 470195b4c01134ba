"""When a mailbox that is under way has sent what waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from outreach.campaigns.forecast import Pace, drained_at

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("waiting", "pace", "used", "seconds"),
    [
        (0, Pace(), 0, 0),
        (100, Pace(), 0, 5),
        (100, Pace(per_minute=20), 0, 4 * 60),
        (20, Pace(per_minute=20), 0, 0),
        (1_000, Pace(per_minute=20, per_hour=500), 0, 3_600 + 24 * 60),
        (3_000, Pace(per_day=1_000), 0, 2 * 86_400 + 50),
        (100, Pace(per_day=1_000), 950, 86_400 + 2.5),
        (60, Pace(gap_seconds=5), 0, 300),
    ],
)
def test_limits_are_walked_through(waiting: int, pace: Pace, used: int, seconds: float) -> None:
    found = drained_at(NOW, waiting, NOW, pace, used_today=used)
    assert (found - NOW).total_seconds() == pytest.approx(seconds)


def test_a_short_window_makes_days_of_hours() -> None:
    found = drained_at(NOW, 1_000, NOW, Pace(per_hour=50), open_hours=8)
    assert timedelta(days=2) < found - NOW < timedelta(days=3)


def test_nothing_leaves_before_it_is_due() -> None:
    later = NOW + timedelta(hours=9)
    assert drained_at(NOW, 1, later, Pace(per_minute=20)) == later
