"""A difference is named only where chance is an unlikely cause."""

from __future__ import annotations

import random

import pytest

from outreach.reports.compare import compare, differs, z_score
from outreach.reports.metrics import Figures


def mails(accepted: int, replied: int) -> Figures:
    return Figures(sent=accepted, accepted=accepted, replied=replied)


@pytest.mark.parametrize(
    ("now", "before", "direction"),
    [
        (mails(9588, 214), mails(8101, 140), "up"),
        (mails(8101, 140), mails(9588, 214), "down"),
        (mails(1000, 20), mails(1000, 22), "same"),
        (mails(99, 50), mails(1000, 20), "unknown"),
        (mails(1000, 20), mails(99, 0), "unknown"),
        (mails(0, 0), mails(0, 0), "unknown"),
        (mails(500, 0), mails(500, 0), "same"),
    ],
)
def test_what_may_be_said(now: Figures, before: Figures, direction: str) -> None:
    assert compare("replied", now, before).direction == direction


def test_no_rate_under_a_hundred_and_a_mark_under_five_hundred() -> None:
    assert mails(99, 5).rate("replied") is None
    assert mails(100, 5).rate("replied") == 0.05
    assert mails(499, 5).is_small
    assert not mails(500, 5).is_small


def test_bounces_are_of_what_was_sent() -> None:
    assert Figures(sent=200, accepted=190, bounced=10).rate("bounced") == 0.05


def test_the_statistic_is_the_textbooks() -> None:
    # 15 of 100 against 25 of 100: pooled 0.2, standard error sqrt(0.2 * 0.8 * 0.02) = 0.0566
    assert z_score(25, 100, 15, 100) == pytest.approx(1.7678, abs=1e-4)


def test_one_in_twenty_at_most_is_a_false_alarm() -> None:
    dice = random.Random(6)
    alarms = 0
    for _ in range(2000):
        one, other = (sum(dice.random() < 0.03 for _ in range(600)) for _ in range(2))
        alarms += differs("replied", mails(600, one), mails(600, other))
    assert alarms / 2000 < 0.065
