"""What becomes of each sample recipient's mail: fixed by their number, so that every demo tells the same story. Pure.

The shares are those of a decent list: about two in a hundred addresses are dead, evenly spread, so that the campaign's
circuit breaker (5% of the last hundred) stays closed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fate:
    """What a recipient's server, mailbox and owner do."""

    refuse: bool = False
    defer: bool = False
    bounce: str | None = None
    answer: str | None = None
    opens: str | None = None
    clicks: str | None = None
    unsubscribes: bool = False


def fate_of(number: int) -> Fate:
    """Return what happens to recipient `number`."""
    if number < 0:
        return Fate()
    if number % 90 == 3:
        return Fate(refuse=True)
    if number % 90 == 47:
        return Fate(bounce="hard")
    if number % 70 == 11:
        return Fate(bounce="soft")
    return Fate(
        defer=number % 40 == 17,
        answer=_answer(number),
        opens=_opens(number),
        clicks=_clicks(number),
        unsubscribes=number % 130 == 29,
    )


def _answer(number: int) -> str | None:
    if number % 22 == 5:
        return "away"
    if number % 125 == 31:
        return "unsubscribe"
    if number % 600 == 77:
        return "left"
    return "human" if number % 27 == 9 else None


def _opens(number: int) -> str | None:
    share = number % 20
    return "human" if share < 6 else "apple" if share < 9 else "gmail" if share == 9 else None


def _clicks(number: int) -> str | None:
    if number % 18 == 2:
        return "scanner"
    return "human" if number % 9 == 4 else None
