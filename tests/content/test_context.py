"""Rows become plain values, whatever they are."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Any

import pytest

from outreach.content.context import VARIABLES, build_context, plain
from outreach.content.lint import value_of


class Grade(StrEnum):
    """As the model's enums are."""

    A = "A"


@dataclass
class Row:
    """A row with attributes, as a store gives it."""

    first_name: str = "Anna"
    last_name: str = "Schmidt"
    email: str = "anna@lumen.example"
    country: str | None = "DE"
    grade: Grade = Grade.A
    birthday: date = date(1985, 3, 14)
    orders_total: Decimal = Decimal("18250.50")
    interests: str = "floodlights; street lights"
    tags: list[str] = field(default_factory=lambda: ["fair"])
    last_order: date = date(2026, 9, 30)
    attributes: dict[str, Any] = field(default_factory=lambda: {"booth": "C32"})


def test_a_row_becomes_plain_values() -> None:
    values = build_context(contact=Row(), company={"name": "Lumen GmbH", "city": "Hamburg"}, language="zh")
    assert values["company"] == "Lumen GmbH"
    assert values["city"] == "Hamburg"
    assert values["country_name"] == "德国"
    assert values["full_name"] == "Anna Schmidt"
    assert values["birthday"] == "1985-03-14"
    assert values["orders_total"] == 18250.5
    assert values["interests"] == ["floodlights", "street lights"]
    assert values["last_order"]["date"] == "2026-09-30"
    assert values["attr"] == {"booth": "C32"}
    assert type(values["grade"]) is str
    assert_plain(values)


def assert_plain(value: Any) -> None:
    assert type(value) in (str, int, float, bool, list, dict)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        assert_plain(item)


def test_missing_rows_are_fine_and_every_documented_variable_is_there() -> None:
    values = build_context(contact={"first_name": "Anna"})
    for name in VARIABLES:
        if name not in ("unsubscribe_url", "preferences_url"):
            assert value_of(values, name) is not None, name
    assert values["owner"]["phone"] == ""


@pytest.mark.parametrize(
    ("first", "last", "full"),
    [("伟明", "陈", "陈伟明"), ("Anna", "Schmidt", "Anna Schmidt"), ("", "Schmidt", "Schmidt"), ("", "", "")],
)
def test_full_names(first: str, last: str, full: str) -> None:
    assert build_context(contact={"first_name": first, "last_name": last})["full_name"] == full


def test_objects_do_not_pass() -> None:
    with pytest.raises(TypeError):
        plain(object())
    with pytest.raises(TypeError):
        build_context(contact={"attr": {"x": open}})


def test_captions_in_both_languages() -> None:
    assert all(info.en and info.zh and info.example for info in VARIABLES.values())
