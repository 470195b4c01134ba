"""What people are told when sending stops: what happened, what it means, what to do; English and Chinese."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Explanation:
    """Three sentences for a person."""

    what: str
    means: str
    do: str

    def __str__(self) -> str:
        return f"{self.what} {self.means} {self.do}"


def explain(reason: str | None, lang: str = "en", detail: str = "") -> Explanation:
    """Return the words for a reason code in "en" or "zh"; an unknown code is explained by `detail` or by itself."""
    table = _table()
    known = table.get(reason or "", table["unknown"])
    words = known["zh" if lang.startswith("zh") else "en"]
    said = detail or (reason or "")
    return Explanation(*(text.replace("{detail}", said) for text in words))


def reasons() -> frozenset[str]:
    """Return the codes that have words of their own."""
    return frozenset(_table()) - {"unknown"}


@lru_cache
def _table() -> dict[str, dict[str, list[str]]]:
    text = resources.files("outreach.sending").joinpath("texts.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
