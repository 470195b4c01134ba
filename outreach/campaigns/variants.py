"""A/B tests: who gets which wording, how many are needed, and whether the figures show a difference. Pure.

Every pair of arms is compared by a two-sided test of two proportions: Fisher's exact test where an expected cell is
below five (the usual bound, Cochran 1954), otherwise the z test with pooled variance. The p values of all pairs are
adjusted by Holm's step-down method, so that with five arms, ten looks, a difference is claimed wrongly in at most 5% of
tests.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, combinations
from math import ceil, erfc, exp, lgamma, sqrt
from statistics import NormalDist
from typing import Literal

from outreach.campaigns.definition import VARIANT_STEP, Definition, Test, Variant
from outreach.campaigns.plan import in_pilot, stable_share

#: Chance of a difference that is none, and of finding one that is there: the customary values.
ALPHA, POWER = 0.05, 0.8
#: Below it the z test's approximation is poor.
SMALLEST_EXPECTED = 5
#: What is assumed of a company's first campaigns, until it has figures of its own (share of accepted mails).
ASSUMED: Mapping[str, float] = {"click": 0.03, "reply": 0.02, "open": 0.2}

Outcome = Literal["winner", "no_difference", "too_few"]


@dataclass(frozen=True)
class Arm:
    """One wording's figures: mails that were accepted, and people among them who did what the test counts."""

    name: str
    mails: int
    hits: int

    @property
    def rate(self) -> float:
        """Share of the mails, 0 without any."""
        return self.hits / self.mails if self.mails else 0.0

    def interval(self) -> tuple[float, float]:
        """Where the true rate lies with 95% confidence (Wilson's interval)."""
        if not self.mails:
            return 0.0, 1.0
        z = NormalDist().inv_cdf(1 - ALPHA / 2)
        middle = self.rate + z * z / (2 * self.mails)
        half = z * sqrt(self.rate * (1 - self.rate) / self.mails + z * z / (4 * self.mails**2))
        whole = 1 + z * z / self.mails
        # the rate itself always lies within; at 0 and 1 rounding would put it a hair outside
        low, high = min(self.rate, (middle - half) / whole), max(self.rate, (middle + half) / whole)
        return max(0.0, low), min(1.0, high)


@dataclass(frozen=True)
class Judgement:
    """What the figures show. `p`: the largest adjusted p value of the best arm against the others."""

    outcome: Outcome
    winner: str | None
    p: float | None
    arms: tuple[Arm, ...]
    smallest: int


def content_step(variants: Sequence[Variant], step: int, variant: str | None) -> int:
    """Return the number under which the content of a message's step stands (and its links): see VARIANT_STEP."""
    if step == 0 and variant is not None:
        for number, one in enumerate(variants):
            if one.name == variant:
                return VARIANT_STEP + number if one.template else 0
    return step


def arm_of(what: Definition, contact_id: int) -> str | None:
    """Return the variant that a person gets; None: the rest, who wait for the winner, or a campaign without a test.

    A stable hash decides: planning again gives the same. Whoever is in the pilot is in the test.
    """
    if not what.variant or not _is_tested(what, contact_id):
        return None
    weights = [variant.share or 1 / len(what.variant) for variant in what.variant]
    place = stable_share(str(contact_id), f"variant:{what.name}") / 2**32 * sum(weights)
    found = next((n for n, end in enumerate(accumulate(weights)) if place < end), len(weights) - 1)
    return what.variant[found].name


def _is_tested(what: Definition, contact_id: int) -> bool:
    if what.test is None or what.test.share >= 1:
        return True
    if what.pilot and in_pilot(contact_id, what.name, what.pilot.share):
        return True
    return stable_share(str(contact_id), f"test:{what.name}") < what.test.share * 2**32


def variant_named(what: Definition, name: str | None) -> Variant | None:
    """The variant of that name, None for none."""
    return next((variant for variant in what.variant if variant.name == name), None)


def rules_of(what: Definition) -> Test:
    """The test's rules; a campaign with variants and no [test] tries them on everybody."""
    return what.test or Test(share=1)


def needed_per_arm(base: float, lift: float, arms: int) -> int:
    """How many mails an arm needs to show a rise of `lift` (0.3: by 30%) over the rate `base`.

    The sample size for two proportions (Fleiss 1981, without continuity correction) at ALPHA shared by all pairs.
    """
    first, second = base, min(base * (1 + lift), 0.999)
    pairs = arms * (arms - 1) / 2
    z = NormalDist().inv_cdf(1 - ALPHA / (2 * pairs))
    power = NormalDist().inv_cdf(POWER)
    mean = (first + second) / 2
    spread = z * sqrt(2 * mean * (1 - mean)) + power * sqrt(first * (1 - first) + second * (1 - second))
    return ceil((spread / (second - first)) ** 2)


def smallest_lift(base: float, have: int, arms: int) -> float | None:
    """The smallest rise that `have` mails in each arm can show (0.3: by 30%), None if not even a tenfold rate."""
    steps = [number / 100 for number in range(5, 1001, 5)]
    at = bisect_left(steps, -have, key=lambda lift: -needed_per_arm(base, lift, arms))
    return steps[at] if at < len(steps) else None


def judge(arms: Sequence[Arm], minimum: int) -> Judgement:
    """Say which arm won: it must beat every other one; with fewer than `minimum` mails in an arm nothing is said."""
    smallest = min((arm.mails for arm in arms), default=0)
    if len(arms) < 2 or smallest < minimum:
        return Judgement("too_few", None, None, tuple(arms), smallest)
    pairs = list(combinations(range(len(arms)), 2))
    adjusted = dict(zip(pairs, holm([two_sided(arms[i], arms[j]) for i, j in pairs]), strict=True))
    best = max(range(len(arms)), key=lambda number: arms[number].rate)
    worst = max(p for pair, p in adjusted.items() if best in pair)
    if worst < ALPHA:
        return Judgement("winner", arms[best].name, worst, tuple(arms), smallest)
    return Judgement("no_difference", None, worst, tuple(arms), smallest)


def holm(values: Sequence[float]) -> list[float]:
    """Return the p values adjusted by Holm's method (Scandinavian Journal of Statistics 6, 1979), in their order."""
    order = sorted(range(len(values)), key=lambda number: values[number])
    adjusted, largest = [0.0] * len(values), 0.0
    for rank, number in enumerate(order):
        largest = max(largest, min(1.0, (len(values) - rank) * values[number]))
        adjusted[number] = largest
    return adjusted


def two_sided(one: Arm, other: Arm) -> float:
    """Return the p value of two arms' rates being the same."""
    mails, hits = one.mails + other.mails, one.hits + other.hits
    if hits in (0, mails):
        return 1.0
    share = hits / mails
    if min(one.mails, other.mails) * min(share, 1 - share) < SMALLEST_EXPECTED:
        return _fisher(one, other)
    z = (one.rate - other.rate) / sqrt(share * (1 - share) * (1 / one.mails + 1 / other.mails))
    return erfc(abs(z) / sqrt(2))


def _fisher(one: Arm, other: Arm) -> float:
    """Fisher's exact test: the sum of all tables as unlikely as this one, given the margins."""
    mails, hits = one.mails + other.mails, one.hits + other.hits

    def log_chance(found: int) -> float:
        return _choose(one.mails, found) + _choose(other.mails, hits - found) - _choose(mails, hits)

    seen = log_chance(one.hits)
    tables = range(max(0, hits - other.mails), min(hits, one.mails) + 1)
    # 1e-7: the same table reached by another order of rounding is as unlikely
    return min(1.0, sum(exp(p) for p in map(log_chance, tables) if p <= seen + 1e-7))


def _choose(n: int, k: int) -> float:
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)
