"""The recipient's pages: complete in every language, safe with every name."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from outreach.tracking.pages import Pages, Sender, Topic, choose_language, words

NOW = datetime(2026, 11, 24, 7, 26, tzinfo=UTC)
PAGES = Pages(Sender("Minxu Lighting", "18 Guangming Road, Zhongshan"))


def test_there_are_twelve_languages_and_none_lacks_a_word() -> None:
    english = words()["en"]
    assert len(words()) >= 12
    for code, texts in words().items():
        assert texts.keys() == english.keys(), code
        for key, text in texts.items():
            assert text.strip(), (code, key)
            assert re.findall(r"{\w+}", text) == re.findall(r"{\w+}", english[key]), (code, key)


@pytest.mark.parametrize("lang", sorted(words()))
def test_every_page_in_every_language(lang: str) -> None:
    wanted = frozenset({"new"})
    pages = [
        PAGES.stop(lang, "T", wanted, 1),
        PAGES.done(lang, "T", NOW),
        PAGES.preferences(lang, "T", wanted, None),
        PAGES.preferences(lang, "T", wanted, None, NOW),
        PAGES.stop(lang, "T", wanted, None, NOW),
        *(PAGES.told(lang, "T", what) for what in ("saved", "back", "resumed", "asked")),
        PAGES.gone(lang),
    ]
    for page in pages:
        assert f'<html lang="{lang}"' in page
        assert "18 Guangming Road" in page
        assert "{" not in page.partition("</style>")[2]
    assert 'name="List-Unsubscribe" value="One-Click"' in pages[0]
    assert "checked" not in pages[1]
    assert "2026" in pages[1]
    assert "07:26 UTC" in pages[1]


def test_names_are_text() -> None:
    page = Pages(Sender("<b>&\"'", "<i>"), [Topic("x", {"en": "<u>"}, {"en": "s"})]).stop("en", "T", frozenset(), None)
    assert "<b>" not in page
    assert "<i>" not in page
    assert "<u>" not in page


def test_a_topic_falls_back_to_english() -> None:
    page = Pages(Sender("M"), [Topic("x", {"en": "Lamps"}, {"en": "Often"})]).stop("de", "T", frozenset({"x"}), None)
    assert "Lamps" in page


@pytest.mark.parametrize(
    ("asked", "known", "accepted", "language"),
    [
        ("fr", "de", "en", "fr"),
        ("xx", "de", "en", "de"),
        ("", None, "zh-CN,zh;q=0.9", "zh"),
        ("", None, "xx, tr;q=0.5", "tr"),
        ("", None, "", "en"),
        ("", "pt-BR", "", "pt"),
    ],
)
def test_the_language_of_the_page(asked: str, known: str | None, accepted: str, language: str) -> None:
    assert choose_language(asked, known, accepted) == language
