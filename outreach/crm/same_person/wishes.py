"""What two contacts come to when they are one person: nothing known is lost, and the more careful wish holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: What the kept contact takes over where it has nothing itself.
FILLED = (
    "company_id", "first_name", "last_name", "country", "city", "industry", "language", "grade", "intent", "phone",
    "birthday", "owner_id", "mailbox_id", "note",
)  # fmt: skip
#: Of these the later one holds: a longer pause, the newest order.
LATER = ("paused_until", "left_at", "last_order", "last_contacted", "last_opened", "last_clicked", "last_replied")
#: The stronger first.
_BASES = ("consent", "customer", "inquiry", "public-business", "none")


def joined(kept: Mapping[str, Any], dropped: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns of the kept contact that change, with what they hold then."""
    found: dict[str, Any] = {name: dropped[name] for name in FILLED if _empty(kept[name]) and not _empty(dropped[name])}
    if "country" in found:
        found["region"] = dropped["region"]
    for name in LATER:
        found[name] = max(filter(None, (kept[name], dropped[name])), default=None)
    found["tracking"] = bool(kept["tracking"] and dropped["tracking"])
    totals = [total for total in (kept["orders_total"], dropped["orders_total"]) if total is not None]
    found["orders_total"] = max(totals, default=None)
    found["attributes"] = {**dropped["attributes"], **kept["attributes"]}
    if _rank(dropped["basis"]) < _rank(kept["basis"]):
        found |= {"basis": dropped["basis"], "basis_date": dropped["basis_date"]}
    return {name: value for name, value in found.items() if value != kept[name]}


def careful(kept: Mapping[str, Any] | None, dropped: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return the choices of the preference page: every topic that either left out, the smaller number of mails."""
    both = [one for one in (kept, dropped) if one is not None]
    if not both:
        return None
    off = {topic: True for one in both for topic, is_off in (one["topics_off"] or {}).items() if is_off}
    most = [one["mails_per_month"] for one in both if one["mails_per_month"] is not None]
    return {"topics_off": off, "mails_per_month": min(most, default=None)}


def _empty(value: Any) -> bool:
    return value is None or value == ""


def _rank(basis: str) -> int:
    return _BASES.index(basis) if basis in _BASES else len(_BASES)
