"""From and Date as they come."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from outreach.inbox.header_values import display_name, first_address, parse_date


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("Anna <Anna@Buyer.Example>", "anna@buyer.example"),
        ('"anna@old.example" <anna@new.example>', "anna@new.example"),
        ("anna@buyer.example (Anna)", "anna@buyer.example"),
        ("undisclosed-recipients:;", ""),
        ("", ""),
        ("(" * 100_000, ""),
    ],
)
def test_first_address(value: str, address: str):
    assert first_address(value) == address


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("Tue, 3 Nov 2026 09:12:40 +0800", datetime(2026, 11, 3, 1, 12, 40, tzinfo=UTC)),
        ("3 Nov 2026 09:12 GMT", datetime(2026, 11, 3, 9, 12, tzinfo=UTC)),
        ("Tue, 99 Nov 2026 09:12:40 +0800", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(value: str, moment: datetime | None):
    assert parse_date(value) == moment


@pytest.mark.parametrize(
    "value",
    [
        "Tue, 3 Nov 2026 09:12:40 +0800 (CST)",
        "Sun, 29 Feb 2032 23:59:59 -0330",
        "29 Feb 2031 00:00:00 +0000",
        "Mon, 1 Jan 1900 00:00:00 +1400",
        "Mon, 1 Jan 2001 00:00:00 -0000",
        "Mon, 1 Jan 2001 00:00:60 +0100",
        "Mon, 1 Jan 2001 24:00:00 +0100",
        "Mon, 1 Jan 2001 10:00:00 +0175",
        "Mon, 1 Jan 2001 10:00:00 +9999",
        "Xyz, 31 Dec 2099 23:59:59 -1200 (A)",
    ],
)
def test_usual_dates_are_read_as_the_library_reads_them(value: str):
    assert parse_date(value) == parse_date(value.replace(" ", "  "))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ('"Berg, Anna" <anna@buyer.example>', "Berg, Anna"),
        ("Anna <anna@buyer.example>", "Anna"),
        ("anna@buyer.example", ""),
        ("anna@old.example <anna@new.example>", ""),
        ('"A \\"B\\" C" <a@b.example>', 'A "B" C'),
        ("(" * 100_000 + "<a@b.example>", ""),
    ],
)
def test_display_name(value: str, name: str):
    assert display_name(value) == name
