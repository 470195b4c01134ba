"""The grade of a customer from what it did (B3): A to D, with the reason in words that staff can check. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

#: What counts is the last year: an old giant that has bought nothing since is no A.
WINDOW = timedelta(days=365)


@dataclass(frozen=True)
class Thresholds:
    """From which value of orders in a year (company's currency) a customer is an A, a B (config.toml, [crm])."""

    a: float = 50_000
    b: float = 10_000


@dataclass(frozen=True)
class Behaviour:
    """What a customer did within the window. `orders` is their value in the company's currency."""

    orders: float = 0.0
    order_count: int = 0
    open_deals: int = 0
    replies: int = 0
    clicks: int = 0
    unsubscribed: bool = False


@dataclass(frozen=True)
class Grade:
    """A grade and the rule that gave it: the word of words.py's list `grade_why`."""

    grade: str
    why: str


def grade_of(did: Behaviour, limits: Thresholds) -> Grade:
    """Return the grade. Orders count most, then deals that are under way, then signs of interest by people."""
    if did.orders >= limits.a:
        return Grade("A", "orders_a")
    if did.orders >= limits.b:
        return Grade("B", "orders_b")
    if did.order_count >= 3:
        return Grade("B", "buys_often")
    if did.order_count:
        return Grade("C", "orders_c")
    if did.open_deals:
        return Grade("C", "deal")
    if did.replies:
        return Grade("C", "replied")
    return Grade("D", "unsubscribed" if did.unsubscribed else "clicked" if did.clicks else "silent")


def quarter_of(day: date) -> str:
    """2026-11-24 → 2026-Q4."""
    return f"{day.year}-Q{(day.month - 1) // 3 + 1}"


def quarter_days(quarter: str) -> tuple[date, date]:
    """Return the first day of a quarter and that of the next. Raises ValueError."""
    year, _, number = quarter.partition("-Q")
    if not (year.isdecimal() and len(year) == 4 and "1970" <= year < "9999" and number in ("1", "2", "3", "4")):
        raise ValueError(f"{quarter!r} is no quarter: write 2026-Q4")
    first = date(int(year), 3 * int(number) - 2, 1)
    return first, date(first.year + (number == "4"), first.month % 12 + 3 - 12 * (number == "4"), 1)
