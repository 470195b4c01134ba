"""Tasks that propose a correction of the address book (inbox/corrections.py), and what they propose. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Kinds of task that may carry a proposal.
KINDS = ("address_book", "left")
#: Changes that somebody can take over by a press; the others need an address first.
WITHOUT_ADDRESS = frozenset({"wrong_person"})


def proposal_of(kind: str, data: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return {"change", "address", "name"}; None where the task proposes nothing that could be taken over."""
    known = data or {}
    if kind == "left" and known.get("successor"):
        return {"change": "successor", "address": known["successor"], "name": ""}
    found: dict[str, Any] | None = known.get("proposal") if kind == "address_book" else None
    if found is None or not (found.get("address") or found.get("change") in WITHOUT_ADDRESS):
        return None
    return found
