"""Tokens are short, opaque, and cannot be guessed."""

from __future__ import annotations

import os
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.tracking.tokens import KINDS, MAX_ID, Signer, Token, UrlBuilder

SECRET = b"s" * 32
SIGNER = Signer.from_secret(SECRET)
#: reliability.md: a million guesses, no hit. CI tries fewer; OUTREACH_GUESSES=1000000 tries them all.
GUESSES = int(os.environ.get("OUTREACH_GUESSES", "100000"))
ALPHABET = string.ascii_letters + string.digits + "-_"


@given(st.sampled_from(KINDS), st.integers(1, MAX_ID - 1), st.integers(0, 65_535))
def test_a_token_says_what_was_signed(kind: str, message_id: int, number: int) -> None:
    token = SIGNER.sign(kind, message_id, number)
    assert SIGNER.verify(token) == Token(kind, message_id, number)
    assert len(token) == (24 if number < 256 else 26)


def test_random_guesses_never_hit() -> None:
    dice = random.Random(1)
    guesses = ("".join(dice.choices(ALPHABET, k=24)) for _ in range(GUESSES))
    assert not any(SIGNER.verify(guess) for guess in guesses)


def test_guesses_next_to_a_genuine_token_never_hit() -> None:
    dice = random.Random(2)
    genuine = SIGNER.sign("u", 4711)
    tried = 0
    while tried < GUESSES // 10:
        letters = list(genuine)
        for _ in range(dice.randint(1, 3)):
            letters[dice.randrange(24)] = dice.choice(ALPHABET)
        guess = "".join(letters)
        assert guess == genuine or SIGNER.verify(guess) is None
        tried += 1


def test_every_single_changed_letter_is_noticed() -> None:
    for number in (0, 300):
        token = SIGNER.sign("c", 99, number)
        for place in range(len(token)):
            for letter in ALPHABET:
                changed = token[:place] + letter + token[place + 1 :]
                assert changed == token or SIGNER.verify(changed) is None


@pytest.mark.parametrize(
    "junk", ["", "a", "a" * 23, "a" * 25, "a" * 27, "ä" * 24, "a" * 23 + "=", "a" * 23 + "\n", "．" * 24]
)
def test_junk_is_no_token(junk: str) -> None:
    assert SIGNER.verify(junk) is None


def test_ids_do_not_show() -> None:
    first, second = SIGNER.sign("o", 1), SIGNER.sign("o", 2)
    same = sum(a == b for a, b in zip(first[2:10], second[2:10], strict=True))
    assert same <= 3


def test_old_links_outlive_a_new_key() -> None:
    old, new = Signer.from_secret(SECRET, 1), Signer.from_secret(SECRET, 3)
    assert new.verify(old.sign("u", 7)) == Token("u", 7, 0)
    assert old.verify(new.sign("u", 7)) is None
    assert Signer.from_secret(b"t" * 32).verify(old.sign("u", 7)) is None


def test_a_kind_is_not_another_kind() -> None:
    token = SIGNER.verify(SIGNER.sign("o", 7))
    assert token is not None
    assert token.kind == "o"


@pytest.mark.parametrize(
    ("kind", "message_id", "number"), [("x", 1, 0), ("o", 0, 0), ("o", MAX_ID, 0), ("c", 1, -1), ("c", 1, 65_536)]
)
def test_what_cannot_be_signed_is_refused(kind: str, message_id: int, number: int) -> None:
    with pytest.raises(ValueError):
        SIGNER.sign(kind, message_id, number)


@pytest.mark.parametrize("keys", [[], [b"short"], [b"k" * 65], [b"k" * 32] * 65])
def test_bad_keys_are_refused(keys: list[bytes]) -> None:
    with pytest.raises(ValueError, match="keys"):
        Signer(keys)


def test_the_builder_agrees_with_its_parts() -> None:
    builder = UrlBuilder("https://t.minxu.example/", SIGNER)
    urls = builder.urls(5)
    assert urls.open == builder.open(5)
    assert urls.unsubscribe == builder.unsubscribe(5)
    assert urls.preferences == builder.preferences(5)
    assert urls.click(3, "https://shop.example/") == builder.click(5, 3)
    off = builder.urls(5, opens=False, clicks=False)
    assert (off.open, off.click(3, "https://shop.example/")) == (None, "https://shop.example/")
