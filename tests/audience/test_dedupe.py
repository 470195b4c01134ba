"""Which rows are one company."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.audience.dedupe import company_domain, company_key, is_free_mail, normal_name


@pytest.mark.parametrize(("domain", "company"), [
    ("acme.example", "acme.example"), ("mail.acme.example", "acme.example"), ("acme.co.uk", "acme.co.uk"),
    ("sales.acme.co.uk", "acme.co.uk"), ("a.b.acme.com.cn", "acme.com.cn"), ("gmail.com", None), ("qq.com", None),
    ("vip.163.com", None), ("yahoo.co.uk", None), ("yahoo.com.br", None), ("hotmail.fr", None), ("outlookgroup.example", "outlookgroup.example"),
])  # fmt: skip
def test_the_domain_that_stands_for_the_company(domain: str, company: str | None) -> None:
    assert company_domain(domain) == company


@pytest.mark.parametrize("names", [
    ("Acme GmbH", "ACME G.m.b.H.", "acme gmbh & co. kg", "Acme, GmbH"),
    ("Éclairage Delmas S.A.R.L.", "Eclairage Delmas SARL", "ECLAIRAGE DELMAS"),
    ("深圳市明序照明有限公司", "深圳市明序照明", "深圳市明序照明股份有限公司"),
    ("Al Safa Trading L.L.C", "Al-Safa Trading LLC"),
])  # fmt: skip
def test_spellings_of_one_name(names: tuple[str, ...]) -> None:
    assert len({normal_name(name) for name in names}) == 1


def test_a_name_of_legal_forms_alone_is_kept() -> None:
    assert normal_name("SE AG") == "se ag"
    assert normal_name("集团") == "集团"


@given(st.text(max_size=40))
def test_a_normal_name_stays_as_it_is(name: str) -> None:
    once = normal_name(name)
    assert normal_name(once) in (once, normal_name(once))
    assert once == once.strip()


def test_keys() -> None:
    assert company_key("mail.acme.example", "Whatever", "DE") == "d:acme.example"
    assert company_key("gmail.com", "Acme GmbH", "DE") == "n:acme|DE"
    assert company_key("gmail.com", "", "DE") is None
    assert is_free_mail("yandex.ru")
    assert not is_free_mail("acme.example")
