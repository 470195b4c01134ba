"""The figures and what may be said of them. *Accepted* is not delivered, an *open* is not a reading."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

#: Under a hundred mails there is no rate; under five hundred it is marked (ui/README.md, rule 21).
NO_RATE = 100
SMALL_SAMPLE = 500


@dataclass(frozen=True, slots=True)
class Figures:
    """Mails to which something happened within a period, each counted once however often it happened.

    sent: the mail server took it over. accepted: sent, and no bounce so far. opened/clicked: by a person as far as can
    be told; *_machine: by a scanner or prefetcher. inquiries: replies that ask for something, and those that a website
    reported. failed: given up at the hand-over. in_doubt: nobody knows whether it left.
    """

    sent: int = 0
    accepted: int = 0
    bounced: int = 0
    bounced_hard: int = 0
    opened: int = 0
    opened_machine: int = 0
    clicked: int = 0
    clicked_machine: int = 0
    replied: int = 0
    autoreplied: int = 0
    unsubscribed: int = 0
    complained: int = 0
    failed: int = 0
    in_doubt: int = 0
    inquiries: int = 0
    quotations: int = 0
    orders: int = 0

    def __add__(self, other: Figures) -> Figures:
        return Figures(*(getattr(self, name) + getattr(other, name) for name in NAMES))

    def rate(self, name: str) -> float | None:
        """The share of a figure: bounces of what was sent, all else of what was accepted. None under 100 mails."""
        base = self.sent if name in OF_SENT else self.accepted
        return getattr(self, name) / base if base >= NO_RATE else None

    @property
    def is_small(self) -> bool:
        """Whether a rate needs a warning."""
        return self.accepted < SMALL_SAMPLE

    def as_dict(self) -> dict[str, int]:
        """Name → count."""
        return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(part.name for part in fields(Figures))
#: What is counted of all that was sent; the rest of what was accepted.
OF_SENT = frozenset({"bounced", "bounced_hard", "failed", "in_doubt", "accepted"})


@dataclass(frozen=True, slots=True)
class Cell:
    """The figures of one corner of the cube."""

    campaign: int
    step: int
    template: str
    language: str
    mailbox: int | None
    region: str
    industry: str
    source: str
    owner: int | None
    figures: Figures


@dataclass(frozen=True, slots=True)
class Hour:
    """What was sent in an hour (UTC) to a time zone, and what came of it."""

    at: datetime
    zone: str
    figures: Figures


@dataclass(frozen=True, slots=True)
class Answer:
    """A reply that somebody had to answer: whose, whether it asks for something, when it came, was due and was done."""

    owner: int | None
    inquiry: bool
    came: datetime
    due: datetime
    done: datetime | None


@dataclass(frozen=True, slots=True)
class Trend:
    """One earlier period: what was sent and how many wrote back, from the roll-ups."""

    label: str
    sent: int
    replied: int


@dataclass(frozen=True, slots=True)
class Data:
    """Everything that a report is written from. Ids and template names → what people
    call them (of a template by language)."""

    cells: tuple[Cell, ...]
    before: tuple[Cell, ...]
    hours: tuple[Hour, ...] = ()
    replies: tuple[tuple[datetime, str], ...] = ()
    answers: tuple[Answer, ...] = ()
    trend: tuple[Trend, ...] = ()
    campaigns: Mapping[int, str] = field(default_factory=dict)
    mailboxes: Mapping[int, str] = field(default_factory=dict)
    users: Mapping[int, str] = field(default_factory=dict)
    templates: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    machine_opens: int = 0
    machine_clicks: int = 0
    in_doubt_now: int = 0


def total(cells: Iterable[Cell]) -> Figures:
    """The sum of all."""
    return sum((cell.figures for cell in cells), Figures())


def fold(cells: Iterable[Cell], key: Callable[[Cell], Any]) -> dict[Any, Figures]:
    """Sum by a dimension, the largest first."""
    sums: dict[Any, Figures] = {}
    for cell in cells:
        name = key(cell)
        sums[name] = sums.get(name, Figures()) + cell.figures
    order = sorted(sums.items(), key=lambda item: (-item[1].sent, -item[1].replied, str(item[0])))
    return dict(order)


DIMENSIONS: dict[str, Callable[[Cell], Any]] = {
    "campaign": lambda cell: cell.campaign,
    "region": lambda cell: cell.region,
    "industry": lambda cell: cell.industry,
    "template": lambda cell: cell.template,
    "content": lambda cell: (cell.template, cell.step, cell.language),
    "language": lambda cell: cell.language,
    "mailbox": lambda cell: cell.mailbox,
    "salesperson": lambda cell: cell.owner,
    "source": lambda cell: cell.source,
}
