"""A/B tests: stable arms, honest sizes, and no winner that is none."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.campaigns.definition import VARIANT_STEP, Definition, DefinitionError, from_dict
from outreach.campaigns.plan import in_pilot
from outreach.campaigns.variants import (
    ALPHA,
    Arm,
    arm_of,
    content_step,
    holm,
    judge,
    needed_per_arm,
    smallest_lift,
    two_sided,
)


def campaign(**more: Any) -> Definition:
    base: dict[str, Any] = {
        "name": "T",
        "segment": "country = GB",
        "template": "product-launch",
        "mailboxes": ["sales"],
    }
    return from_dict(base | more)


TWO = [{"name": "a"}, {"name": "b", "subject": "Other words"}]


def test_arms_are_of_the_wished_sizes_and_stay() -> None:
    what = campaign(variant=TWO, test={"share": 0.3})
    found = Counter(arm_of(what, number) for number in range(20_000))
    assert found[None] == pytest.approx(14_000, rel=0.03)
    assert found["a"] == pytest.approx(3_000, rel=0.06)
    assert found["b"] == pytest.approx(3_000, rel=0.06)
    assert [arm_of(what, n) for n in range(200)] == [arm_of(what, n) for n in range(200)]


def test_without_a_test_everybody_is_in_an_arm_by_the_shares() -> None:
    what = campaign(variant=[{"name": "a", "share": 0.75}, {"name": "b", "subject": "x", "share": 0.25}])
    found = Counter(arm_of(what, number) for number in range(20_000))
    assert found[None] == 0
    assert found["a"] == pytest.approx(15_000, rel=0.03)


def test_the_pilots_people_are_in_the_test() -> None:
    what = campaign(variant=TWO, test={"share": 0.1}, pilot={"share": 0.2})
    sample = [n for n in range(5_000) if in_pilot(n, what.name, 0.2)]
    assert all(arm_of(what, n) for n in sample)


def test_a_variant_with_a_text_of_its_own_has_content_of_its_own() -> None:
    what = campaign(variant=[{"name": "a"}, {"name": "b", "template": "follow-up"}])
    assert content_step(what.variant, 0, "a") == 0
    assert content_step(what.variant, 0, "b") == VARIANT_STEP + 1
    assert content_step(what.variant, 2, "b") == 2
    assert content_step(what.variant, 0, None) == 0


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"test": {}}, "needs two to five"),
        ({"variant": [{"name": "a"}]}, "one variant alone"),
        ({"variant": [{"name": "a"}, {"name": "b"}]}, "nothing to compare"),
        ({"variant": [{"name": "a", "hour": 7}, {"name": "b"}], "schedule": {"window": "09:00-17:00"}}, "outside"),
        ({"variant": [{"name": "a", "hour": 17}, {"name": "b"}], "schedule": {"window": "09:00-17:00"}}, "outside"),
        ({"variant": [{"name": str(n), "hour": n} for n in range(6)]}, "variant"),
    ],
)
def test_a_test_that_cannot_be_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(DefinitionError, match=said):
        campaign(**more)


def test_sizes_agree_with_the_textbook() -> None:
    # Fleiss, Levin, Paik, Statistical Methods for Rates and Proportions: 0.10 against 0.13, 5% and 80%, two arms
    assert needed_per_arm(0.10, 0.3, 2) == pytest.approx(1_774, abs=2)
    assert needed_per_arm(0.03, 0.3, 2) > needed_per_arm(0.03, 0.6, 2)
    assert needed_per_arm(0.03, 0.3, 5) > needed_per_arm(0.03, 0.3, 2)


def test_the_smallest_rise_that_can_be_shown_is_the_inverse_of_the_size() -> None:
    for have in (200, 1_000, 20_000):
        lift = smallest_lift(0.03, have, 2)
        assert lift is not None
        assert needed_per_arm(0.03, lift, 2) <= have < needed_per_arm(0.03, lift - 0.05, 2)
    assert smallest_lift(0.03, 3, 5) is None
    assert smallest_lift(0.03, 0, 2) is None


def test_p_values_agree_with_known_ones() -> None:
    # Fisher's lady tasting tea, 3 of 4 right: 0.4857 (The Design of Experiments, 1935)
    assert two_sided(Arm("a", 4, 3), Arm("b", 4, 1)) == pytest.approx(0.4857, abs=1e-4)
    # 120 of 1000 against 90 of 1000, pooled z = 2.188
    assert two_sided(Arm("a", 1000, 120), Arm("b", 1000, 90)) == pytest.approx(0.0287, abs=2e-4)
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_a_clear_winner_wins_and_noise_does_not() -> None:
    assert judge([Arm("a", 500, 60), Arm("b", 500, 15)], 100).winner == "a"
    assert judge([Arm("a", 500, 20), Arm("b", 500, 15)], 100).outcome == "no_difference"
    assert judge([Arm("a", 99, 60), Arm("b", 500, 15)], 100).outcome == "too_few"
    # the best beats the worst, but not the second: that is no winner
    assert judge([Arm("a", 500, 60), Arm("b", 500, 55), Arm("c", 500, 5)], 100).outcome == "no_difference"


def test_a_winner_where_there_is_none_is_named_in_at_most_one_test_of_twenty() -> None:
    chance, wrong, tests = random.Random(5), 0, 1_500
    for _ in range(tests):
        arms = [Arm(str(n), 400, sum(chance.random() < 0.04 for _ in range(400))) for n in range(3)]
        wrong += judge(arms, 100).outcome == "winner"
    assert wrong / tests <= ALPHA


@given(st.integers(0, 300), st.integers(0, 300), st.integers(1, 300), st.integers(1, 300))
def test_a_p_value_is_a_chance_and_the_same_from_both_sides(hits: int, more: int, extra: int, others: int) -> None:
    one, other = Arm("a", hits + extra, hits), Arm("b", more + others, more)
    p = two_sided(one, other)
    assert 0 <= p <= 1
    assert p == pytest.approx(two_sided(other, one), rel=1e-6)
    low, high = one.interval()
    assert 0 <= low <= one.rate <= high <= 1
