"""Compares fairly: a difference is named only where chance is an unlikely cause, and no rate on a handful of mails."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Literal

from outreach.reports.metrics import NO_RATE, OF_SENT, Figures

#: Two-sided 5%: one in twenty such statements about nothing would be wrong.
Z_LIMIT = 1.96

Direction = Literal["up", "down", "same", "unknown"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A rate now and before. `direction`: "same" where chance may explain the difference, "unknown" on small bases."""

    name: str
    now: float | None
    before: float | None
    direction: Direction


def compare(name: str, now: Figures, before: Figures) -> Comparison:
    """Compare the rate of one figure in two periods."""
    first, second = _share(name, now), _share(name, before)
    return Comparison(name, now.rate(name), before.rate(name), _direction(*first, *second))


def differs(name: str, one: Figures, other: Figures) -> bool:
    """Whether the rates of two groups differ by more than chance."""
    return _direction(*_share(name, one), *_share(name, other)) in ("up", "down")


def _share(name: str, figures: Figures) -> tuple[int, int]:
    return getattr(figures, name), figures.sent if name in OF_SENT else figures.accepted


def _direction(hits: int, base: int, hits_before: int, base_before: int) -> Direction:
    if min(base, base_before) < NO_RATE:
        return "unknown"
    z = z_score(hits, base, hits_before, base_before)
    if abs(z) < Z_LIMIT:
        return "same"
    return "up" if z > 0 else "down"


def z_score(hits: int, base: int, hits_before: int, base_before: int) -> float:
    """The two-proportion z statistic with pooled variance; 0 where it is not defined."""
    pooled = (hits + hits_before) / (base + base_before)
    variance = pooled * (1 - pooled) * (1 / base + 1 / base_before)
    if variance <= 0:
        return 0.0
    return (hits / base - hits_before / base_before) / sqrt(variance)
