"""What the indicators are, computed from counts: each says of how many it is, and nothing where there is too little."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from outreach.reports.metrics import NO_RATE, Figures

#: What a mail's consequence is worth for the campaign effect score, per hundred accepted mails. An order is what all
#: the rest is for; a complaint undoes twenty replies' good will. Opens count nothing: machines make them.
POINTS: Mapping[str, int] = {
    "clicked": 1,
    "replied": 5,
    "inquiries": 10,
    "quotations": 20,
    "orders": 50,
    "unsubscribed": -2,
    "complained": -50,
}


@dataclass(frozen=True)
class Counts:
    """What happened in a period. Moneys are in the company's currency."""

    figures: Figures = field(default_factory=Figures)
    in_time: int = 0
    judged: int = 0
    complaints: int = 0
    solved: int = 0
    new_customers: int = 0
    asked: int = 0
    scored: int = 0
    score_sum: int = 0
    budgets: int = 0
    kept: int = 0
    suggestions: int = 0
    adopted: int = 0
    brought: float = 0.0


@dataclass(frozen=True)
class Indicator:
    """A figure with what it is of. `unit`: points, percent, score (1 to 5), number. `part` and `whole` are counts."""

    name: str
    value: float | None
    unit: str
    part: int
    whole: int | None = None

    @property
    def is_small(self) -> bool:
        """Whether so few stand behind it that one more changes it: say so beside it."""
        return self.whole is not None and self.value is not None and self.whole < 20


def effect(figures: Figures) -> float | None:
    """Return the campaign effect score: points per hundred accepted mails; None under a hundred."""
    if figures.accepted < NO_RATE:
        return None
    counts = figures.as_dict()
    return 100 * sum(points * counts[name] for name, points in POINTS.items()) / figures.accepted


def indicators(counts: Counts) -> tuple[Indicator, ...]:
    """Return every indicator, in the order of the requirement."""
    return (
        Indicator("campaign_effect", effect(counts.figures), "points", counts.figures.accepted),
        _share("replies_in_time", counts.in_time, counts.judged),
        _share("complaints_solved", counts.solved, counts.complaints),
        Indicator("new_customers", float(counts.new_customers), "number", counts.new_customers),
        Indicator(
            "satisfaction", counts.score_sum / counts.scored if counts.scored else None, "score", counts.scored,
            counts.asked,
        ),
        _share("budget_kept", counts.kept, counts.budgets),
        Indicator("suggestions", float(counts.suggestions), "number", counts.adopted, counts.suggestions),
    )  # fmt: skip


def _share(name: str, part: int, whole: int) -> Indicator:
    return Indicator(name, 100 * part / whole if whole else None, "percent", part, whole)


@dataclass(frozen=True)
class Cost:
    """What a campaign or a source cost, and what came of it. `amount` None: nobody has entered it."""

    name: str
    sent: int
    replied: int
    inquiries: int
    orders: int
    amount: float | None

    def each(self, figure: str) -> float | None:
        """Return the cost of one reply, inquiry or order; None where there is none or the cost is not known."""
        count = int(getattr(self, figure))
        return self.amount / count if self.amount is not None and count else None
