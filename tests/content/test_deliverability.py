"""SPF, DKIM and DMARC as their RFCs read them."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest

from outreach.content.deliverability import (
    Dmarc,
    DomainFacts,
    aligned,
    judge,
    organizational_domain,
    parse_dkim,
    parse_dmarc,
    parse_spf,
    policy_of,
    tree_walk,
)

KEY = "v=DKIM1; k=rsa; p=" + b64encode(b"x" * 294).decode()
GOOD = DomainFacts(
    "sales.example.org",
    spf=["v=spf1 include:spf.provider.example -all"],
    dkim={"s1": [KEY]},
    dmarc={"sales.example.org": [], "example.org": ["v=DMARC1; p=quarantine; rua=mailto:d@example.org"], "org": []},
    mx=["mx.provider.example."],
    mail_from="sales.example.org",
    dkim_domain="example.org",
    provider_spf="spf.provider.example",
)


def codes(facts: DomainFacts) -> list[str]:
    return [problem.code for problem in judge(facts)]


def test_a_domain_in_order_has_no_findings() -> None:
    assert codes(GOOD) == []


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (replace(GOOD, spf=[]), ["dns.spf_missing"]),
        (replace(GOOD, spf=["v=spf1 -all", "v=spf1 ~all"]), ["dns.spf_twice"]),
        (replace(GOOD, spf=["v=spf1 include:spf.provider.example +all"]), ["dns.spf_open"]),
        (replace(GOOD, spf=["v=spf1 include:spf.provider.example all"]), ["dns.spf_open"]),
        (replace(GOOD, spf=["v=spf1 mx -all"]), ["dns.spf_provider"]),
        (replace(GOOD, spf_lookups=11), ["dns.spf_lookups"]),
        (replace(GOOD, dkim={"s1": [], "s2": []}), ["dns.dkim_missing"]),
        (replace(GOOD, dkim={"s1": ["v=DKIM1; p="]}), ["dns.dkim_missing"]),
        (replace(GOOD, dkim={"s1": ["v=DKIM1; p=" + b64encode(b"x" * 90).decode()]}), ["dns.dkim_short"]),
        (replace(GOOD, dmarc={"sales.example.org": [], "example.org": [], "org": []}), ["dns.dmarc_missing"]),
        (replace(GOOD, dmarc={"sales.example.org": ["v=DMARC1; p=none"]}, dkim_domain=""), ["dns.dmarc_blind"]),
        (replace(GOOD, mail_from="bounce.other.example", dkim_domain="other.example"), ["dns.dmarc_unaligned"]),
        (replace(GOOD, mx=[]), ["dns.mx_missing"]),
        (replace(GOOD, mx=["."]), ["dns.mx_null"]),
        (replace(GOOD, ptr=""), ["dns.ptr_missing"]),
        (replace(GOOD, ptr="mail.example.org."), []),
        (DomainFacts("x.example"), []),  # nothing was answered, so nothing is said
    ],
)
def test_findings(facts: DomainFacts, expected: list[str]) -> None:
    assert codes(facts) == expected


def test_the_tree_walk_skips_to_seven_labels() -> None:
    assert tree_walk("a.b.example.org") == ("a.b.example.org", "b.example.org", "example.org", "org")
    assert tree_walk("a.b.c.d.e.f.g.h.i.example.org")[:2] == ("a.b.c.d.e.f.g.h.i.example.org", "e.f.g.h.i.example.org")
    assert len(tree_walk("a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.example.org")) == 8


def dmarc(text: str = "p=none") -> Dmarc:
    record = parse_dmarc([f"v=DMARC1; {text}"])
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({"example.org": dmarc()}, "example.org"),
        ({"mail.example.org": dmarc(), "example.org": dmarc()}, "example.org"),
        ({"mail.example.org": dmarc("psd=n"), "example.org": dmarc()}, "mail.example.org"),
        ({"org": dmarc("psd=y"), "a.mail.example.org": dmarc()}, "example.org"),
        ({}, "a.mail.example.org"),
    ],
)
def test_the_organizational_domain(records: dict[str, Dmarc], expected: str) -> None:
    assert organizational_domain("a.mail.example.org", records) == expected


def test_alignment() -> None:
    records = {"example.org": dmarc()}
    assert aligned("sales.example.org", "bounce.example.org", strict=False, records=records)
    assert not aligned("sales.example.org", "bounce.example.org", strict=True, records=records)
    assert not aligned("example.org", "example.net", strict=False, records=records)
    assert policy_of("sales.example.org", records) == ("example.org", dmarc())


def test_two_dmarc_records_count_as_none() -> None:
    assert parse_dmarc(["v=DMARC1; p=none", "v=DMARC1; p=reject"]) is None
    assert parse_dmarc(["v=spf1 -all", "v=DMARC1; p=reject"]) == dmarc("p=reject")


def test_terms_that_ask_the_dns_are_counted() -> None:
    record = parse_spf(["v=spf1 a mx include:x.example ip4:192.0.2.1 exists:y.example redirect=z.example"])[0]
    assert record.own_lookups == 5
    assert record.includes == ("x.example", "z.example")


@pytest.mark.parametrize(("size", "bits"), [(162, 1024), (294, 2048), (550, 4096)])
def test_key_lengths(size: int, bits: int) -> None:
    key = parse_dkim([f"v=DKIM1; p={b64encode(b'x' * size).decode()}"])
    assert key is not None
    assert key.bits == bits
