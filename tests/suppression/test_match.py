"""Keys: what covers what."""

from __future__ import annotations

import pytest

from outreach.model.keys import address_key
from outreach.suppression.match import FOR_EVER, STRENGTH, SuppressionReason, key_of, keys_for, parents_of, weaker_than

SECRET = b"s" * 32


def test_an_address_is_stopped_by_itself_its_domain_and_the_domains_above() -> None:
    keys = keys_for("Anna@Mail.Acme.Example", SECRET)
    assert keys == (address_key("anna@mail.acme.example", SECRET), "d:mail.acme.example", "d:acme.example", "d:example")


def test_parents_stop_after_two() -> None:
    assert parents_of("a.b.c.d.example") == ("a.b.c.d.example", "b.c.d.example", "c.d.example")


@pytest.mark.parametrize(("entry", "key"), [("acme.example", "d:acme.example"), ("@ACME.example", "d:acme.example")])
def test_a_domain_may_be_written_with_or_without_its_sign(entry: str, key: str) -> None:
    assert key_of(entry, SECRET) == key


@pytest.mark.parametrize("entry", ["", "anna", "anna@", "a b@acme.example", ".example", "acme."])
def test_neither_address_nor_domain(entry: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        key_of(entry, SECRET)


def test_another_secret_makes_another_key() -> None:
    assert key_of("a@acme.example", SECRET) != key_of("a@acme.example", b"t" * 32)


def test_every_reason_has_its_strength_and_a_person_s_word_is_strongest() -> None:
    assert set(STRENGTH) == set(SuppressionReason)
    assert set(STRENGTH[: len(FOR_EVER)]) == FOR_EVER
    assert weaker_than(SuppressionReason.SOFT_BOUNCES) == ()
