from __future__ import annotations

import re

import pytest

from outreach.inbox import phrases
from outreach.inbox.fold import fold


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("Reçu À l'été", "recu a l'ete"),
        ("l’offre", "l'offre"),
        ("ＴＤ：１２", "td:12"),
        ("İLGİLİ ılık", "ilgili ilik"),
        ("Straße", "strasse"),
        ("ОТПИШИТЕ Ё", "отпишите е"),
        ("إِلْغَاء الإشتراك ٢٩", "الغاء الاشتراك 29"),
        ("がぎ", "がぎ"),
        ("한국", "한국"),
    ],
)
def test_spelling_is_set_aside(written: str, same: str) -> None:
    assert fold(written) == same


def test_lines_stay_lines() -> None:
    assert fold("Ä\nb\n\nc").count("\n") == 3


def test_every_pattern_survives_folding() -> None:
    """Folding lower-cases, which would turn \\S into \\s; and what is written is found in folded text only if folded."""
    for language in phrases.languages():
        for section, purposes in phrases.table(language).items():
            for purpose, found in purposes.items():
                for pattern in found:
                    assert not re.search(r"\\[A-Z]", pattern), (language, section, purpose)
                    re.compile(fold(pattern))
                    assert not re.fullmatch(f"(?:{fold(pattern)})", ""), (language, section, purpose, pattern)


def test_a_purpose_without_patterns_matches_nothing() -> None:
    assert not phrases.said("unsubscribe", "no such purpose").search("anything")
    assert not phrases.any_of("unsubscribe", "no such purpose", "^(?:{})$").search("anything")


def test_every_language_with_intents_has_all_of_them() -> None:
    wanted = set(phrases.table("en")["intent"])
    for language in phrases.languages():
        own = phrases.table(language).get("intent")
        assert own is None or set(own) == wanted, language
