"""What is wrong with a segment, where, and what was probably meant."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import process


class SegmentError(ValueError):
    """A segment that cannot be understood.

    `start` and `end` are offsets into `text`; `suggestion` is the word that was probably meant, or None.
    """

    def __init__(self, text: str, start: int, end: int, en: str, zh: str, suggestion: str | None = None) -> None:
        self.text, self.start, self.end = text, start, max(end, start + 1)
        self.en, self.zh, self.suggestion = en, zh, suggestion
        super().__init__(self.message("en"))

    def message(self, language: str = "en") -> str:
        """Return what happened and what to do, in "en" or "zh"."""
        if language.startswith("zh"):
            hint = f"是不是想写 {self.suggestion}？" if self.suggestion else ""
            return f"第 {self.start + 1} 个字符：{self.zh}{hint}"
        hint = f" Did you mean {self.suggestion}?" if self.suggestion else ""
        return f"character {self.start + 1}: {self.en}{hint}"

    def pointer(self) -> str:
        """Return the line in question and, below it, marks under the place. Wide characters take two columns."""
        begin = self.text.rfind("\n", 0, self.start) + 1
        stop = self.text.find("\n", begin)
        line = self.text[begin : stop if stop >= 0 else len(self.text)]
        marks = "^" * max(_width(self.text[self.start : min(self.end, begin + len(line))]), 1)
        return f"{line}\n{' ' * _width(self.text[begin : self.start])}{marks}"

    def as_dict(self, language: str = "en") -> dict[str, object]:
        """Return the error for JSON."""
        return {
            "message": self.message(language),
            "start": self.start,
            "end": self.end,
            "suggestion": self.suggestion,
        }


def _width(text: str) -> int:
    return sum(2 if ord(char) >= 0x2E80 else 1 for char in text)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is most like this one; None where none is close."""
    by_lower = {name.lower(): name for name in known}
    # two of three letters, one of two Chinese characters: short words have fewer to agree in
    found = process.extractOne(word.lower(), list(by_lower), score_cutoff=50 if len(word) <= 3 else 60)
    return by_lower[found[0]] if found else None
