"""Amounts in several currencies, and the margin floor under which a quotation needs a manager. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from babel import Locale

from outreach.crm.deals.state import PRICED
from outreach.model.enums import DealStage

#: Every currency that CLDR names: what is not among them is a slip of the pen.
CURRENCIES = frozenset(Locale("en").currencies)


@dataclass(frozen=True)
class Money:
    """The company's own currency and what one unit of another is worth in it (config.toml, [crm])."""

    currency: str = "USD"
    rates: Mapping[str, float] | None = None
    margin_floor: float = 0.0

    def own(self, amount: float | None, currency: str) -> float | None:
        """Return an amount in the company's currency, None where no rate is known."""
        if amount is None:
            return None
        if currency == self.currency:
            return amount
        rate = (self.rates or {}).get(currency)
        return None if rate is None else amount * rate

    def total(self, amounts: Iterable[tuple[float | None, str]]) -> tuple[float, int]:
        """Return the sum in the company's currency and how many amounts had no rate and are missing in it."""
        told = [self.own(amount, currency) for amount, currency in amounts if amount is not None]
        return sum(value for value in told if value is not None), sum(value is None for value in told)

    def needs_manager(self, margin: float | None) -> bool:
        """Whether a quotation with this margin (percent; None: nobody worked it out) needs a manager's approval.

        A margin that nobody worked out is no margin: with a floor set, such a quotation needs a manager too.
        """
        return self.margin_floor > 0 and (margin is None or margin < self.margin_floor)


def approval_after(stage: DealStage | str, margin: float | None, granted_for: float | None, money: Money) -> str:
    """Return the approval of a deal: none, needed or granted.

    `granted_for` is the margin that a manager allowed: it covers this margin and better ones, never a worse one.
    """
    if DealStage(stage) not in PRICED or not money.needs_manager(margin):
        return "none"
    if granted_for is not None and margin is not None and margin >= granted_for:
        return "granted"
    return "needed"


def currency_of(text: str) -> str:
    """Return the ISO 4217 code that somebody wrote. Raises ValueError."""
    code = text.strip().upper()
    code = {"RMB": "CNY", "¥": "CNY", "$": "USD", "€": "EUR", "£": "GBP"}.get(code, code)
    if code not in CURRENCIES:
        raise ValueError(f"{text!r} is no currency: write its ISO code, such as USD, EUR or CNY")
    return code
