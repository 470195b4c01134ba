"""Addresses: what is one, what is none, and why."""

from __future__ import annotations

import contextlib
import time

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.audience.hygiene import (
    AddressRefused,
    check_address,
    refused_source,
    refused_status,
    split_addresses,
    tidy,
)
from outreach.audience.reasons import REASONS, reason
from outreach.model.keys import normalise_address


@pytest.mark.parametrize(("written", "normal"), [
    ("Anna.Adler+fair@Acme.EXAMPLE", "anna.adler+fair@acme.example"),
    ("Ａnna＠acme.example", "anna@acme.example"),
    ("\u200banna@acme.example\ufeff", "anna@acme.example"),
    ("Anna Adler <anna@acme.example>", "anna@acme.example"),
    ("mailto:anna@acme.example?subject=x", "anna@acme.example"),
    (" 'anna@acme.example', ", "anna@acme.example"),
    ("anna@acme.example.", "anna@acme.example"),
    ("o'brien@acme.example", "o'brien@acme.example"),
    ("anna@münchen.example", "anna@xn--mnchen-3ya.example"),
    ("anna@公司.example", "anna@xn--55qx5d.example"),
    ("anna@XN--MNCHEN-3YA.example", "anna@xn--mnchen-3ya.example"),
])  # fmt: skip
def test_addresses_are_cleaned(written: str, normal: str) -> None:
    address = check_address(written)
    assert address.normal == normal
    assert address.domain == normal.partition("@")[2]
    assert normalise_address(address.address) == normal, "keys must not depend on who computes them"


@pytest.mark.parametrize(("written", "code"), [
    ("", "no_address"), (" \t", "no_address"), ("anna", "no_at"), ("anna@@acme.example", "two_at"),
    ("an na@acme.example", "space"), ("anna..b@acme.example", "bad_local"), (".anna@acme.example", "bad_local"),
    ("@acme.example", "bad_local"), ("anna@acme", "bad_domain"), ("anna@acme..example", "bad_domain"),
    ("anna@-acme.example", "bad_syntax"), ("jörg@acme.example", "non_ascii_local"), ("李@acme.example", "non_ascii_local"),
    ("a" * 65 + "@acme.example", "too_long"), ("a@" + "b." * 130 + "example", "too_long"), ("anna@host.local", "special_domain"),
    ("anna@x.test", "special_domain"), ("anna@x.invalid", "special_domain"),
])  # fmt: skip
def test_what_is_no_address_says_why(written: str, code: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        check_address(written)
    assert caught.value.code == code
    assert reason(code, "en") != reason(code, "zh")


@settings(max_examples=500, deadline=None)
@given(st.from_regex(r"[A-Za-z0-9_+.-]{1,20}@[A-Za-z0-9.-]{1,30}\.[A-Za-z]{2,6}", fullmatch=True))
def test_the_fast_path_accepts_nothing_that_the_full_grammar_refuses(text: str) -> None:
    try:
        address = check_address(text)
    except AddressRefused:
        return
    try:
        validate_email(address.address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as problem:
        raise AssertionError(f"{text!r} passed here; email-validator says: {problem}") from None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused_with_a_known_reason(text: str) -> None:
    try:
        address = check_address(text)
    except AddressRefused as refused:
        assert refused.code in REASONS  # noqa: PT017
        return
    assert address.normal.isascii()
    assert address.normal.count("@") == 1
    assert check_address(address.address) == address


def test_a_hostile_address_does_not_take_long() -> None:
    started = time.perf_counter()
    for text in (
        "a" * 50_000 + "@",
        "a." * 20_000 + "@b.example",
        "a@" + "b." * 20_000,
        "<" * 20_000 + "a@b.example",
        "(" * 9000,
    ):
        with contextlib.suppress(AddressRefused):
            check_address(text)
    assert time.perf_counter() - started < 5


def test_several_addresses_in_a_cell() -> None:
    assert split_addresses("a@x.example; b@x.example ,c@x.example") == ["a@x.example", "b@x.example", "c@x.example"]
    assert split_addresses("A <a@x.example>; B <b@x.example>") == ["a@x.example", "b@x.example"]
    assert split_addresses("an na@x.example") == ["an na@x.example"]
    assert split_addresses("") == [""]
    assert tidy("（a@x.example）") == "a@x.example"


def test_sources_that_nobody_gave_us() -> None:
    assert refused_source("") == "no_source"
    assert refused_source("  Scraped ") == "harvested"
    assert refused_source("网络采集") == "harvested"
    assert refused_source("猜测") == "guessed"
    assert refused_source("Light+Building 2026") is None
    assert refused_status("Extrapolated") == "guessed"
    assert refused_status("verified") is None
