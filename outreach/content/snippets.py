"""Snippets: pieces of MJML that authors put in with `<mj-include path="_layout/snippets/…"/>`.

They stand in the company layout. The first line of each may be a comment that says what it is:
`<!-- en: Price table | zh: 价目表 -->`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

FOLDER = "_layout/snippets/"
_CAPTION = re.compile(r"\s*<!--\s*en:\s*(?P<en>[^|]*?)\s*(?:\|\s*zh:\s*(?P<zh>.*?)\s*)?-->")


@dataclass(frozen=True)
class Snippet:
    """A piece to put in: its path, its captions, its MJML."""

    path: str
    en: str
    zh: str
    text: str

    @property
    def tag(self) -> str:
        """What an author writes."""
        return f'<mj-include path="{self.path}" />'

    def caption(self, lang: str) -> str:
        """In the reader's language."""
        return self.zh if lang.startswith("zh") else self.en


def snippets(files: Mapping[str, str]) -> list[Snippet]:
    """The snippets among a template's files, by path; language variants belong to their base file."""
    names = sorted(name for name in files if re.fullmatch(rf"{FOLDER}[\w-]+\.mjml", name))
    return [_snippet(name, files[name]) for name in names]


def _snippet(name: str, text: str) -> Snippet:
    path = name.removesuffix(".mjml")
    words = path.rpartition("/")[2].replace("-", " ").capitalize()
    found = _CAPTION.match(text)
    english = found["en"] if found else words
    return Snippet(path, english, (found["zh"] if found and found["zh"] else english), text)
