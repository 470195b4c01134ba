"""What is refused, in both languages: who presses a button reads why in the own language, scripts read English."""

from __future__ import annotations


class InTwo(Exception):
    """An exception with its words in English and Chinese; where there are no Chinese ones, English stands in."""

    def __init__(self, en: str, zh: str = "") -> None:
        self.en, self.zh = en, zh or en
        super().__init__(en)

    def message(self, language: str = "en") -> str:
        """Return what happened and what to do, in "en" or "zh"."""
        return self.zh if language.startswith("zh") else self.en
