"""A row of a list → a draft of a contact, or the reason why not. A million rows go through here: every repeated
value (country, city, industry, tags …) is understood once and remembered.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from outreach.audience import values as v
from outreach.audience.headers import ATTRIBUTE
from outreach.audience.hygiene import (
    Address,
    AddressRefused,
    check_address,
    refused_source,
    refused_status,
    split_addresses,
)
from outreach.audience.reasons import reason
from outreach.audience.regions import country_code, language_code, region_named, region_of
from outreach.model.enums import Basis

#: Values remembered for each column; then it starts anew, so that a column of a million different notes stays small.
_REMEMBERED = 5_000


class Reject(NamedTuple):
    """A row that is refused: where, what stood there, and why (a code of reasons.py)."""

    line: int
    column: str
    value: str
    code: str

    def message(self, language: str = "en") -> str:
        """Return the reason in "en" or "zh"."""
        return reason(self.code, language)


class RowRefused(ValueError):
    """A single contact that cannot be stored; `reject` says why."""

    def __init__(self, reject: Reject) -> None:
        self.reject = reject
        super().__init__(f"{reject.column} “{reject.value}”: {reject.message('en')}")

    def message(self, language: str = "en") -> str:
        """Return what is wrong and what to do."""
        return (
            f"{self.reject.column} “{self.reject.value}”：{self.reject.message('zh')}"
            if language.startswith("zh")
            else str(self)
        )


class Draft(NamedTuple):
    """A contact as a row describes it. `values` holds contact columns by name; "" where the row says nothing."""

    line: int
    addresses: tuple[Address, ...]
    values: dict[str, Any]
    company: str
    owner: str
    tags: tuple[str, ...]
    interests: tuple[str, ...]


@dataclass(slots=True)
class Warnings:
    """Values that were left out: each different one once, a hundred at most, and how many there were."""

    count: int = 0
    examples: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def add(self, line: int, column: str, value: str, code: str) -> None:
        """Note a value that was left out."""
        self.count += 1
        if len(self.examples) < 100:
            self.examples.setdefault((column, value[:100], code), line)

    def as_list(self, language: str = "en") -> list[dict[str, Any]]:
        """Return the examples for people and JSON."""
        return [
            {"line": line, "column": column, "value": value, "reason": reason(code, language)}
            for (column, value, code), line in self.examples.items()
        ]


_TEXTS = ("first_name", "last_name", "city", "industry", "intent", "phone")
_CODED: dict[str, tuple[Callable[[str], Any], str]] = {
    "country": (country_code, "unknown_country"),
    "region": (region_named, "unknown_region"),
    "language": (language_code, "unknown_language"),
}
_PARSED: dict[str, Callable[[str], Any]] = {
    "grade": v.grade_of,
    "birthday": v.parse_date,
    "basis_date": v.parse_date,
    "last_order": v.parse_date,
    "orders_total": v.parse_number,
}


class _Remember(dict[str, Any]):
    """Text → value, understood once. A hit is a plain dict look-up: a dozen a row make the difference."""

    def __init__(self, convert: Callable[[str], Any]) -> None:
        super().__init__({"": ""})
        self.convert = convert

    def __missing__(self, text: str) -> Any:
        if len(self) > _REMEMBERED:
            self.clear()
            self[""] = ""
        value = self[text] = self.convert(text)
        return value


class RowCleaner:
    """Compiled for the columns of one list. `source` and `basis` stand in where the row has none of its own."""

    def __init__(
        self, columns: Sequence[str], fields: Sequence[str | None], *, source: str, basis: str = Basis.NONE
    ) -> None:
        self.columns, self.width = columns, len(columns)
        self.source, self.basis = v.clean_text(source), str(basis)
        self.warnings = Warnings()
        self.line = 0
        self.at = {name: index for index, name in enumerate(fields) if name}
        self.email = self.at["email"]
        self.plain = [(self.at[name], name, _Remember(v.clean_text)) for name in _TEXTS if name in self.at]
        self.plain += [(self.at[name], name, self._left_out(name, *_CODED[name])) for name in _CODED if name in self.at]
        self.plain += [(self.at[name], name, self._parsed(name)) for name in _PARSED if name in self.at]
        self.attributes = [(i, n[len(ATTRIBUTE) :]) for i, n in enumerate(fields) if n and n.startswith(ATTRIBUTE)]
        self.labels = _Remember(v.labels)
        self.text = _Remember(v.clean_text)
        self.refusal = _Remember(lambda text: refused_source(text) or "")
        self.status = _Remember(lambda text: refused_status(text) or "")
        self.region = _Remember(lambda country: str(region_of(country)))

    def _left_out(self, name: str, convert: Callable[[str], Any], code: str) -> _Remember:
        def understood(text: str) -> Any:
            if not (plain := v.clean_text(text)):
                return ""
            value = convert(plain)
            if value is None:
                self.warnings.add(self.line, self.columns[self.at[name]], plain, code)
                return ""
            return str(value)

        return _Remember(understood)

    def _parsed(self, name: str) -> _Remember:
        def understood(text: str) -> Any:
            try:
                return _PARSED[name](text) if text.strip() else ""
            except v.ValueRefused as problem:
                self.warnings.add(self.line, self.columns[self.at[name]], text.strip(), problem.code)
                return ""

        return _Remember(understood)

    def clean(self, line: int, cells: list[str]) -> Draft | Reject:
        """Return the contact of a row, or why it is refused."""
        self.line = line
        if len(cells) < self.width:
            cells += [""] * (self.width - len(cells))
        written = cells[self.email]
        try:
            addresses: tuple[Address, ...] = (check_address(written),)
        except AddressRefused:
            try:
                addresses = self._several(written)
            except AddressRefused as problem:
                return Reject(line, self.columns[self.email], written.strip(), problem.code)
        values = {name: known[cells[index]] for index, name, known in self.plain}
        if (refused := self._origin(line, cells, values)) is not None:
            return refused
        self._rest(cells, values)
        at = self.at
        return Draft(
            line,
            addresses,
            values,
            self.text[cells[at["company"]]] if "company" in at else "",
            self.text[cells[at["owner"]]] if "owner" in at else "",
            self.labels[cells[at["tags"]]] or () if "tags" in at else (),
            self.labels[cells[at["interests"]]] or () if "interests" in at else (),
        )

    def _several(self, written: str) -> tuple[Address, ...]:
        parts = split_addresses(written)
        if len(parts) < 2:
            return (check_address(parts[0] if parts else ""),)
        found: dict[str, Address] = {}
        for part in parts:
            address = check_address(part)
            found.setdefault(address.normal, address)
        return tuple(found.values())

    def _origin(self, line: int, cells: list[str], values: dict[str, Any]) -> Reject | None:
        """Fill in source and basis; refuse what nobody gave us."""
        at = self.at
        own = self.text[cells[at["source"]]] if "source" in at else ""
        source = values["source"] = own or self.source
        if code := self.refusal[source] if source else "no_source":
            return Reject(line, self._column("source"), source, code)
        if "email_status" in at and (code := self.status[cells[at["email_status"]]]):
            return Reject(line, self._column("email_status"), cells[at["email_status"]].strip(), code)
        values["basis"] = self.basis
        if "basis" in at and (said := cells[at["basis"]].strip()):
            try:
                values["basis"] = v.basis_of(said)
            except v.ValueRefused as problem:
                return Reject(line, self._column("basis"), said, problem.code)
        return None

    def _column(self, name: str) -> str:
        return self.columns[self.at[name]] if name in self.at else name

    def _rest(self, cells: list[str], values: dict[str, Any]) -> None:
        """Derive the region from the country; take names, notes and attributes along."""
        if country := values.get("country"):
            values["region"] = self.region[country]
        if "full_name" in self.at and not values.get("first_name") and not values.get("last_name"):
            values["first_name"], values["last_name"] = v.split_name(cells[self.at["full_name"]])
        if "note" in self.at:
            values["note"] = v.clean_note(cells[self.at["note"]])
        if self.attributes:
            values["attributes"] = self._own_columns(cells)

    def _own_columns(self, cells: list[str]) -> str:
        found = {name: text for index, name in self.attributes if (text := v.clean_text(cells[index]))}
        return json.dumps(found, ensure_ascii=False) if found else ""
