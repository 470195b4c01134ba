"""What a visitor types is cleaned; who is one visitor; every language is whole."""

from __future__ import annotations

import pytest

from outreach.tracking.pages import Pages, Sender
from outreach.tracking.pages import words as public_words
from outreach.tracking.signup.form import FIELDS, clean, network_of, read
from outreach.tracking.signup.pages import SignUpPages, words
from outreach.tracking.signup.state import IllegalTransition, SignUpState, advance


def test_only_known_fields_and_offered_interests_are_kept() -> None:
    form = {"email": " ana@shop.example ", "first_name": "Ana", "grade": "A", "owner": "1", "company": ""}
    asked = read(form, ["LED", "signage"], ["LED", "weapons"])
    assert asked.address == "ana@shop.example"
    assert asked.values == {"first_name": "Ana", "interests": "LED"}
    assert not asked.robot
    assert read(form | {"website": "http://x"}, [], []).robot


@pytest.mark.parametrize("bad", ["Ana\r\nBcc: all@shop.example", "Ana\x00", "Ana\u2028x", "Ana\u202egnp"])
def test_no_control_character_comes_near_a_header(bad: str) -> None:
    assert clean(bad).isprintable()
    assert "\n" not in read({"first_name": bad}, [], []).values["first_name"]


def test_long_values_are_cut() -> None:
    asked = read(dict.fromkeys(FIELDS, "x" * 5000), [], [])
    assert {name: len(value) for name, value in asked.values.items()} == dict(FIELDS)


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"), ("::ffff:203.0.113.9", "203.0.113.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"), ("fe80::1%eth0", "fe80::/56"), ("", "unknown"),
    ],
)  # fmt: skip
def test_one_network_is_one_visitor(ip: str, network: str) -> None:
    assert network_of(ip) == network


@pytest.mark.parametrize("lang", sorted(words()))
def test_every_language_is_whole(lang: str) -> None:
    assert set(words()[lang]) == set(words()["en"])
    assert all(words()[lang].values())
    pages = SignUpPages(Pages(Sender("Minxu", "18 Guangming Road")), ["LED"])
    subject, text = pages.mail(lang, "https://t.example/j/x")
    assert "Minxu" in subject
    assert "https://t.example/j/x" in text
    assert "18 Guangming Road" in text
    for page in (pages.form(lang, "no_email"), pages.asked(lang), pages.confirm(lang, "x"), pages.done(lang)):
        assert "{company}" not in page
        assert "<script" not in page


def test_the_languages_are_those_of_the_preference_page() -> None:
    assert set(words()) == set(public_words())


def test_what_is_typed_is_shown_as_text() -> None:
    pages = SignUpPages(Pages(Sender("M<b>", "")), [])
    html = pages.form("en", values={"email": '"><script>alert(1)</script>'})
    assert "<script" not in html
    assert "<b>" not in html.split("</style>")[1]


def test_only_listed_transitions() -> None:
    with pytest.raises(IllegalTransition):
        advance(SignUpState.WAITING, "confirm")
