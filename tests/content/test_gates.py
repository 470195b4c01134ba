"""Country gates: who may not get a mail, and which rule says so."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from outreach.content.gates import CampaignFacts, ContactFacts, clicks_allowed, gate, gates, pixel_allowed

TODAY = date(2026, 11, 22)
OURS = CampaignFacts("Offer", "8 Harbour Road", today=TODAY)


def rules(
    country: str | None, basis: str | None, campaign: CampaignFacts = OURS, since: date | None = None
) -> list[str]:
    return [refusal.rule for refusal in gate(ContactFacts(country, basis, "fair", since), campaign)]


@pytest.mark.parametrize(
    ("country", "basis", "expected"),
    [
        ("DE", "consent", []),
        ("DE", "customer", []),
        ("DE", "public-business", ["DE-UWG-7"]),
        ("DE", "none", ["DE-UWG-7"]),
        ("de", None, ["DE-UWG-7"]),
        ("CA", "inquiry", []),
        ("CA", "none", ["CA-CASL-6"]),
        ("CA", None, ["CA-CASL-6"]),
        ("CN", "none", ["CN-EMAIL-13", "CN-EMAIL-14"]),
        ("CN", "consent", ["CN-EMAIL-14"]),
        ("US", "none", []),
        ("FR", "public-business", []),
        ("BR", None, []),
        (None, "none", ["UNKNOWN-STRICTEST"]),
        ("", "public-business", ["UNKNOWN-STRICTEST"]),
        ("Atlantis", None, ["UNKNOWN-STRICTEST"]),
        (None, "consent", []),
    ],
)
def test_who_is_refused_by_which_rule(country: str | None, basis: str | None, expected: list[str]) -> None:
    assert rules(country, basis) == expected


@pytest.mark.parametrize(
    ("subject", "ok"),
    [
        ("广告 新品", True),
        ("AD: offer", True),
        ("(AD) offer", True),
        ("AD 新品", True),
        ("Additional", False),
        ("新品广告", False),
    ],
)
def test_the_mark_of_advertising_in_china(subject: str, ok: bool) -> None:
    refused = rules("CN", "consent", CampaignFacts(subject, "8 Harbour Road"))
    assert refused == ([] if ok else ["CN-EMAIL-14"])


def test_a_basis_grows_too_old() -> None:
    assert rules("CA", "inquiry", since=date(2026, 6, 1)) == []
    assert rules("CA", "inquiry", since=date(2026, 5, 1)) == ["CA-CASL-6"]
    assert rules("CA", "customer", since=date(2024, 11, 1)) == ["CA-CASL-6"]
    assert rules("CA", "consent", since=date(2000, 1, 1)) == []


def test_the_postal_address_is_asked_for() -> None:
    assert rules("US", "consent", CampaignFacts("Offer", " ")) == ["US-CAN-SPAM"]


@pytest.mark.parametrize(
    ("country", "allowed"), [("FR", False), ("GB", False), ("US", True), (None, False), ("NO", False)]
)
def test_pixel(country: str | None, allowed: bool) -> None:
    assert pixel_allowed(country) is allowed
    assert not pixel_allowed(country, asked=False)


def test_every_gate_has_a_source_and_both_languages() -> None:
    for one in gates():
        assert one.source
        assert one.en
        assert any("一" <= letter <= "鿿" for letter in one.zh)
    refusal = gate(ContactFacts("DE"), OURS)[0]
    assert refusal.message("zh").endswith("[DE-UWG-7]")
    assert refusal.message("en") != refusal.message("zh")


def test_a_gate_without_source_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "gates.toml"
    file.write_text('[[gate]]\nid = "X"\ncountries = ["X"]\nen = "x"\nzh = "x"\n')
    with pytest.raises(ValueError, match="source"):
        gates(file)


def test_a_country_may_forbid_the_counting_of_clicks(tmp_path: Path) -> None:
    own = tmp_path / "gates.toml"
    own.write_text('[[gate]]\nid = "FR-OWN"\ncountries = ["FR"]\nclicks = false\nen = "e"\nzh = "z"\nsource = "s"\n')
    assert [clicks_allowed(country, gates(own)) for country in ("FR", "US", None)] == [False, True, True]
    assert clicks_allowed("FR")


def test_where_the_country_is_unknown_an_old_relation_is_not_enough() -> None:
    campaign = CampaignFacts("Hello", "1 Road", today=date(2026, 11, 30))
    codes = [
        [refusal.code for refusal in gate(ContactFacts(None, "customer", "erp", day), campaign)]
        for day in (date(2026, 1, 1), date(2024, 1, 1))
    ]
    assert codes == [[], ["basis_age"]]
