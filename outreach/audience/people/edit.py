"""What may be changed by hand, and into what: the same cleaning as an import's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from outreach.audience import values as v
from outreach.audience.reasons import reason
from outreach.audience.regions import country_code, language_code, region_named, region_of


class EditRefused(ValueError):
    """A field that cannot be set to that value. `code` is one of reasons.py, or "unknown_field"."""

    def __init__(self, field: str, value: Any, code: str) -> None:
        self.field, self.value, self.code = field, value, code
        super().__init__(f"{field}: {self.reason('en')}")

    def reason(self, language: str = "en") -> str:
        """Return what is wrong."""
        if self.code == "unknown_field":
            return "这个字段不能修改" if language.startswith("zh") else "this field cannot be changed"
        return reason(self.code, language)


class Overtaken(ValueError):
    """Somebody else changed the field since the person saw it. `value`: what it holds now; nothing was changed."""

    def __init__(self, field: str, value: Any) -> None:
        self.field, self.value = field, value
        super().__init__(f"{field} was changed meanwhile")


def _known(convert: Callable[[str], Any], code: str) -> Callable[[str], Any]:
    def understood(text: str) -> Any:
        value = convert(text)
        if value is None:
            raise v.ValueRefused(code)
        return str(value)

    return understood


_TEXT: Callable[[str], Any] = v.clean_text
_COUNTRY = _known(country_code, "unknown_country")
_REGION = _known(region_named, "unknown_region")

CONTACT_FIELDS: dict[str, Callable[[str], Any]] = {
    "first_name": _TEXT, "last_name": _TEXT, "city": _TEXT, "industry": _TEXT, "intent": _TEXT, "phone": _TEXT,
    "country": _COUNTRY, "region": _REGION, "language": _known(language_code, "unknown_language"), "grade": v.grade_of,
    "birthday": v.parse_date, "basis": v.basis_of, "basis_date": v.parse_date, "last_order": v.parse_date,
    "orders_total": v.parse_number, "note": v.clean_note,
}  # fmt: skip
COMPANY_FIELDS: dict[str, Callable[[str], Any]] = {
    "name": _TEXT, "country": _COUNTRY, "region": _REGION, "city": _TEXT, "industry": _TEXT, "grade": v.grade_of,
    "intent": _TEXT, "phone": _TEXT, "source": _TEXT, "note": v.clean_note,
}  # fmt: skip
#: Columns that hold numbers and moments of ours; they are set as they are, for undo and for the stages above.
_RAW = frozenset({"owner_id", "mailbox_id", "tracking", "paused_until", "left_at"})
_REQUIRED = {"region": "Other", "basis": "none", "name": ""}


def checked(fields: Mapping[str, Callable[[str], Any]], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return column → value of what a person wrote; blank empties the field. Raises EditRefused."""
    found: dict[str, Any] = {}
    for name, value in changes.items():
        if (name in _RAW and fields is CONTACT_FIELDS) or name == "owner_id":
            found[name] = value
        elif name not in fields:
            raise EditRefused(name, value, "unknown_field")
        else:
            found[name] = _one(name, value, fields[name])
    if found.get("country") and "region" not in changes:
        found["region"] = str(region_of(found["country"]))
    return found


def _one(name: str, value: Any, convert: Callable[[str], Any]) -> Any:
    if value is None or (isinstance(value, str) and not value.strip()):
        if name == "name":
            raise EditRefused(name, value, "no_name")
        return _REQUIRED.get(name)
    if isinstance(value, date | float | int):
        return value
    try:
        return convert(str(value))
    except v.ValueRefused as problem:
        raise EditRefused(name, value, problem.code) from None
