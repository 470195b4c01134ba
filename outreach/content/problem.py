"""What is wrong with a piece of content: where, what it means, what to do, in Chinese and English.

Exceptions:
    ContentProblem        raised where work cannot go on (a template that does not compile, a header injection)
Values:
    Problem               one finding of the lint, already in the reader's language

The texts stand in problems.toml, one entry a code, so that a translator needs no Python.
"""

from __future__ import annotations

import tomllib
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Literal, cast

Severity = Literal["error", "warning", "info"]


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """code → {severity, en, zh, fix_en, fix_zh}; texts hold {placeholders}."""
    with Path(__file__).with_name("problems.toml").open("rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True)
class Where:
    """A place in a template: file within the template's folder, line and column from 1 (0: unknown)."""

    file: str = ""
    line: int = 0
    column: int = 0


NOWHERE = Where()


@dataclass(frozen=True)
class Both:
    """A detail that is itself words: each language has its own."""

    en: str
    zh: str

    def __str__(self) -> str:
        return self.en


class ContentProblem(Exception):
    """Content that cannot be used, with its place and its cure in both languages."""

    def __init__(self, code: str, where: Where = NOWHERE, **details: object) -> None:
        texts = catalogue()[code]
        self.code = code
        self.file, self.line, self.column = where.file, where.line, where.column
        self.details = details
        self.severity = cast(Severity, texts.get("severity", "error"))
        self.en, self.zh = _fill(texts["en"], details), _fill(texts["zh"], details, "zh")
        self.fix_en, self.fix_zh = _fill(texts["fix_en"], details), _fill(texts["fix_zh"], details, "zh")
        super().__init__(self.message("en"))

    def message(self, lang: str = "en") -> str:
        """What happened, with its place in front: `body.mjml:12:3: …`."""
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        text = self.zh if lang.startswith("zh") else self.en
        return f"{place}: {text}" if place else text

    def fix(self, lang: str = "en") -> str:
        """What to do about it."""
        return self.fix_zh if lang.startswith("zh") else self.fix_en

    def __reduce__(self) -> tuple[object, ...]:
        """Problems cross from the checking child process to its parent."""
        return _rebuild, (self.code, Where(self.file, self.line, self.column), self.details)


def _rebuild(code: str, where: Where, details: dict[str, object]) -> ContentProblem:
    return ContentProblem(code, where, **details)


def _fill(text: str, details: dict[str, object], lang: str = "en") -> str:
    """Placeholders by plain replacement: `str.format` would walk attributes of what is inserted."""
    for name, value in details.items():
        if isinstance(value, Both):
            value = getattr(value, lang)
        text = text.replace("{" + name + "}", _short(str(value)))
    return text


def _short(text: str) -> str:
    return text if len(text) <= 200 else text[:197] + "…"


@dataclass(frozen=True)
class Problem:
    """One finding: `severity` error stops a campaign, warning asks for a decision, info is advice."""

    severity: Severity
    code: str
    file: str
    line: int
    column: int
    message: str
    fix: str

    @classmethod
    def of(cls, problem: ContentProblem, lang: str = "en") -> Problem:
        """The finding in one language, without the place in its text."""
        text = problem.zh if lang.startswith("zh") else problem.en
        return cls(
            problem.severity,
            problem.code,
            problem.file,
            problem.line,
            problem.column,
            text,
            problem.fix(lang),
        )

    def as_dict(self) -> dict[str, str | int]:
        """For `--json`."""
        return asdict(self)
