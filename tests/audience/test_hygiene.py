"""Addresses: what is one, what is none, and why."""

from __future__ import annotations

import contextlib
import os
import random
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

#: Addresses that both judge; OUTREACH_ADDRESSES=100000 tries more.
ADDRESSES = int(os.environ.get("OUTREACH_ADDRESSES", "20000"))


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


def _library(text: str) -> str:
    """The full grammar's verdict in our words: "" accepted, a reason where the house is stricter, "no"."""
    local, _, domain = text.rpartition("@")
    if domain.rpartition(".")[2].lower() in {
        "test",
        "invalid",
        "localhost",
        "local",
        "onion",
        "arpa",
        "internal",
        "lan",
    }:
        return "special_domain"
    try:
        found = validate_email(text, check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return "no"
    if len(local.encode()) > 64 or len(text.encode()) > 254:
        return "too_long"
    return "" if found.ascii_email else "non_ascii_local"


def _written(chance: random.Random) -> str:
    """An address, nearly: pieces that parsers trip over, in any order."""
    piece = chance.choice
    locals_ = ("a", "Anna", "x1", ".", "..", "_", "+", "-", "'", "%", "é", "李", "a" * 30, "a.b", "!", "/", " ")
    labels = (
        "a",
        "acme",
        "x1",
        "-a",
        "a-",
        "a--b",
        "xn--mnchen-3ya",
        "xn--a",
        "münchen",
        "b" * 62,
        "c" * 64,
        "9",
        "",
        "_a",
    )
    ends = ("example", "com", "test", "local", "c", "co1", "xn--p1ai", "museum", "", "d" * 25)
    local = "".join(piece(locals_) for _ in range(chance.randint(1, 3)))
    return f"{local}@{'.'.join(piece(labels) for _ in range(chance.choice((0, 1, 1, 1, 2, 5))))}.{piece(ends)}"


def test_the_fast_path_and_the_full_grammar_are_of_one_mind() -> None:
    chance, seen = random.Random(11), {"": 0, "no": 0}
    for text in (_written(chance) for _ in range(ADDRESSES)):
        wanted = _library(tidy(text))
        try:
            check_address(text)
            verdict = ""
        except AddressRefused as refused:
            verdict = refused.code if refused.code in ("special_domain", "non_ascii_local") else "no"
        assert verdict == (wanted if wanted != "too_long" else "no"), text
        seen[verdict] = seen.get(verdict, 0) + 1
    print(f"{ADDRESSES:,} addresses: {seen['']:,} accepted alike, the rest refused alike")
    assert min(seen[""], seen["no"]) > ADDRESSES // 10


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
