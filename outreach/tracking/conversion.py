"""Reads what a website reports: an inquiry, a quotation or an order, with the token of the click that led there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from outreach.events.kinds import EventKind, NewEvent
from outreach.tracking.tokens import Signer

KINDS = ("inquiry", "quotation", "order")
FIELDS = frozenset({"token", "kind", "amount", "currency", "external_id", "at"})
CURRENCY = re.compile(r"[A-Z]{3}")
#: The largest order of an exporter with a wide margin; more is a slipped decimal point or an attack.
MAX_AMOUNT = 1e12


def read_conversion(body: Mapping[str, Any], signer: Signer, now: datetime) -> NewEvent:
    """Return the event that `body` describes. Raises ValueError with a sentence that says what to mend."""
    if unknown := set(body) - FIELDS:
        raise ValueError(f"unknown field {sorted(unknown)[0]!r}: allowed are {', '.join(sorted(FIELDS))}")
    token = signer.verify(str(body.get("token", "")))
    if token is None or token.kind != "c":
        raise ValueError("the token is not one of ours: pass on the one that came with the click")
    kind = body.get("kind")
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}")
    external = _external(body, token.message_id, str(kind))
    data = {"kind": kind, "amount": _amount(body), "currency": _currency(body), "external_id": external}
    at = _moment(body, now)
    return NewEvent(EventKind.CONVERSION, f"conversion:{external}", at, token.message_id, data=data)


def _external(body: Mapping[str, Any], message_id: int, kind: str) -> str:
    """The website's own number; without one, a message leads to one conversion of a kind."""
    value = body.get("external_id")
    if value is None:
        return f"message:{message_id}:{kind}"
    if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable():
        raise ValueError("external_id must be a text of 1 to 200 characters")
    return value


def _amount(body: Mapping[str, Any]) -> float | None:
    value = body.get("amount")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= MAX_AMOUNT:
        raise ValueError("amount must be a number from 0 to 10^12")
    return float(value)


def _currency(body: Mapping[str, Any]) -> str | None:
    value = body.get("currency")
    if value is not None and not (isinstance(value, str) and CURRENCY.fullmatch(value)):
        raise ValueError("currency must be three capital letters, such as USD")
    return value


def _moment(body: Mapping[str, Any], now: datetime) -> datetime:
    value = body.get("at")
    if value is None:
        return now
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        raise ValueError("at must be a moment such as 2026-11-18T09:30:00Z") from None
    if at.tzinfo is None or at > now:
        raise ValueError("at must have a time zone and lie in the past")
    return at.astimezone(UTC)
