"""Cells as they are stored."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.audience import values as v


@pytest.mark.parametrize(("written", "meant"), [
    ("2026-03-04", date(2026, 3, 4)), ("2026/3/4", date(2026, 3, 4)), ("2026.03.04", date(2026, 3, 4)),
    ("2026年3月4日", date(2026, 3, 4)), ("20260304", date(2026, 3, 4)), ("4.3.2026", date(2026, 3, 4)),
    ("31/12/2026", date(2026, 12, 31)), ("12/31/2026", date(2026, 12, 31)), ("03/03/2026", date(2026, 3, 3)),
    ("46085", date(2026, 3, 4)), ("2026-03-04 10:11:12", date(2026, 3, 4)), ("２０２６-03-04", date(2026, 3, 4)),
])  # fmt: skip
def test_dates(written: str, meant: date) -> None:
    assert v.parse_date(written) == meant


@pytest.mark.parametrize("written", ["03/04/2026", "soon", "2026-13-01", "31.2.2026", "1/2/26", "99999999"])
def test_what_is_no_date_or_two(written: str) -> None:
    with pytest.raises(v.ValueRefused, match="bad_date"):
        v.parse_date(written)


@given(st.dates())
def test_iso_dates_are_themselves(day: date) -> None:
    assert v.parse_date(day.isoformat()) == day


@pytest.mark.parametrize(("written", "meant"), [
    ("1,234.50", 1234.5), ("1.234,50", 1234.5), ("¥ 1,234", 1234.0), ("USD 500", 500.0), ("12,5", 12.5), ("-3", -3.0), ("１２", 12.0),
])  # fmt: skip
def test_numbers(written: str, meant: float) -> None:
    assert v.parse_number(written) == meant


def test_labels_are_parted_by_semicolons_else_commas() -> None:
    assert v.labels("LED; Fair 2026 ;led;") == ("led", "fair 2026")
    assert v.labels("展会，重点、老客户") in (("展会,重点", "老客户"), ("展会", "重点", "老客户"))
    assert v.labels("a, b") == ("a", "b")
    assert v.labels("Foo, Inc; bar") == ("foo, inc", "bar")
    assert v.labels("") == ()


@given(st.text(max_size=80))
def test_clean_text_is_stable_and_has_no_control_characters(text: str) -> None:
    cleaned = v.clean_text(text)
    assert v.clean_text(cleaned) == cleaned
    assert not any(ord(char) < 32 for char in cleaned)


def test_notes_keep_their_lines() -> None:
    assert v.clean_note("one\r\ntwo\x00\rthree ") == "one\ntwo\nthree"


@pytest.mark.parametrize(("written", "parts"), [
    ("Anna Adler", ("Anna", "Adler")), ("Adler, Anna", ("Anna", "Adler")), ("Anna Maria Adler", ("Anna Maria", "Adler")),
    ("Anna", ("Anna", "")), ("李娜", ("娜", "李")), ("欧阳娜", ("娜", "欧阳")), ("司马相如", ("相如", "司马")), ("", ("", "")),
])  # fmt: skip
def test_names(written: str, parts: tuple[str, str]) -> None:
    assert v.split_name(written) == parts


def test_words_for_a_legal_basis_and_a_grade() -> None:
    assert [v.basis_of(word) for word in ("Consent", "询盘", "Public business", "no")] == [
        "consent",
        "inquiry",
        "public-business",
        "none",
    ]
    assert [v.grade_of(word) for word in ("a", "B级", "重点")] == ["A", "B", "A"]
    with pytest.raises(v.ValueRefused, match="bad_basis"):
        v.basis_of("because")
