"""What every reader of a list gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

#: Line of the file (from 1) and the cells.
RawRow: TypeAlias = tuple[int, list[str]]


class ReadError(ValueError):
    """A file or row that cannot be read. `line` is 0 for the file as a whole."""

    def __init__(self, line: int, en: str, zh: str, cell: str = "") -> None:
        self.line, self.en, self.zh, self.cell = line, en, zh, cell
        super().__init__(en)

    def message(self, language: str = "en") -> str:
        """Return what happened and what to do."""
        return self.zh if language.startswith("zh") else self.en


@dataclass(frozen=True, slots=True)
class Table:
    """A list as its file has it, columns not yet understood."""

    columns: tuple[str, ...]
    encoding: str
    delimiter: str
    size: int
    rows: Callable[[], Iterator[RawRow | ReadError]]
    position: Callable[[], int]
