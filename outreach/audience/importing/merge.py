"""What a row changes in a contact that is there already.

The first row of a file about a contact overwrites what differs; a later row about the same contact fills what is empty.
So a file read twice changes nothing, whatever its rows say of each other. Tags are only ever added, the source and the
owner stay, a legal basis only grows stronger. A single contact, added by hand or by a program, fills what is empty; it
makes a basis stronger only with a proof of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from outreach.audience.row import Draft
from outreach.model.enums import Basis

_FIELDS = ("first_name", "last_name", "city", "industry", "language", "grade", "intent", "phone", "birthday",
           "basis_date", "last_order", "orders_total", "note")  # fmt: skip
#: How good a basis is for writing to somebody, the best last.
_RANK = (Basis.NONE, Basis.PUBLIC_BUSINESS, Basis.INQUIRY, Basis.CUSTOMER, Basis.CONSENT)


def stronger(new: str, old: str) -> bool:
    """Return whether the new legal basis is worth more than the old one."""
    return _RANK.index(Basis(new)) > _RANK.index(Basis(old))


def changes(stored: Mapping[str, Any], draft: Draft, *, fill_only: bool, proven: bool = True) -> dict[str, Any]:
    """Return column → new value; empty where the row says nothing new. `stored` is the contact's row.

    `proven`: the row comes with what its legal basis rests on.
    """
    values = draft.values
    found = {name: values[name] for name in _FIELDS if _differs(stored[name], values.get(name, ""), fill_only)}
    found |= _place(stored, values, fill_only)
    if values.get("attributes"):
        merged = _attributes(stored["attributes"] or {}, json.loads(values["attributes"]), fill_only)
        if merged != stored["attributes"]:
            found["attributes"] = merged
    if proven and stronger(values["basis"], stored["basis"]):
        found["basis"] = values["basis"]
    return found


def _differs(old: Any, new: Any, fill_only: bool) -> bool:
    if new == "" or new == old:
        return False
    return old in (None, "") if fill_only else True


def _place(stored: Mapping[str, Any], values: Mapping[str, Any], fill_only: bool) -> dict[str, Any]:
    """Country and region go together: the region is the country's, or what the row says where there is no country."""
    if _differs(stored["country"], values.get("country", ""), fill_only):
        return {"country": values["country"], "region": values["region"]}
    region = values.get("region", "")
    if (
        not stored["country"]
        and region
        and region != stored["region"]
        and (not fill_only or stored["region"] == "Other")
    ):
        return {"region": region}
    return {}


def _attributes(old: Mapping[str, Any], new: Mapping[str, Any], fill_only: bool) -> dict[str, Any]:
    return {**new, **old} if fill_only else {**old, **new}
