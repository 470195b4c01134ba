"""What people and programs write in each language, as data: one TOML file a language, one list of patterns a purpose."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import resources
from itertools import chain

from outreach.inbox.fold import fold

_NEVER = re.compile(r"(?!)")
# Scripts that put no blank before a word, or glue the article and prepositions to it.
_GLUED = frozenset({"zh-Hans", "zh-Hant", "ja", "ko", "ar", "th"})


@cache
def languages() -> tuple[str, ...]:
    """Tags of the languages that have a file, in alphabetical order."""
    names = (entry.name for entry in resources.files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


@cache
def table(language: str) -> dict[str, dict[str, list[str]]]:
    """The file of one language: section → purpose → patterns."""
    text = resources.files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def patterns(section: str, purpose: str) -> list[tuple[str, str]]:
    """(language, pattern) in every language, folded; a pattern begins at the beginning of a word."""
    return [
        (language, ("" if language in _GLUED else r"(?<!\w)") + f"(?:{fold(pattern)})")
        for language in languages()
        for pattern in table(language).get(section, {}).get(purpose, ())
    ]


class Phrases:
    """Many expressions searched as one. Each is compiled alone: only so can the engine look for its literals first,
    which is six times faster than one expression with two hundred alternatives."""

    def __init__(self, sources: list[str]) -> None:
        self.each = [re.compile(source, re.M) for source in sources]

    def search(self, text: str) -> re.Match[str] | None:
        """Some match, not always the leftmost; None where nothing matches."""
        return next((found for pattern in self.each if (found := pattern.search(text))), None)

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        return chain.from_iterable(pattern.finditer(text) for pattern in self.each)


@cache
def said(section: str, purpose: str) -> Phrases:
    """What is said for a purpose in all languages, to be searched in folded text."""
    return Phrases([pattern for _, pattern in patterns(section, purpose)])


@cache
def any_of(section: str, purpose: str, frame: str) -> re.Pattern[str]:
    """One expression for a purpose in all languages, for folded text; matches nothing when there is none.

    frame: what surrounds it, with {} for the alternatives, as in "^(?:{})$".
    """
    found = [pattern for _, pattern in patterns(section, purpose)]
    return re.compile(frame.replace("{}", "|".join(found)), re.M) if found else _NEVER
