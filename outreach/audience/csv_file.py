"""CSV as people have it: BOM or none, UTF-8 or gb18030, comma, semicolon or tab, line breaks inside quotes.

One quotation mark that is never closed must not swallow the rest of the file: the record is given up after MAX_LINES
lines, its first line is reported, and reading goes on with the second.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import TextIOWrapper
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO

from outreach.audience.encoding import detect
from outreach.audience.table import RawRow, ReadError, Table

#: A cell with more line breaks than this is a forgotten quotation mark, not a note.
MAX_LINES = 200
#: Characters in one cell (Excel's own limit is 32,767).
MAX_CELL = 131_072
DELIMITERS = ",;\t|"
_CHUNK = 1 << 18


def open_csv(path: Path) -> Table:
    """Open a CSV file. Raises ReadError where it is empty."""
    encoding = detect(_chunks(path))
    first, delimiter, columns = _header(path, encoding)
    reader = _Reader(path, encoding, delimiter, first, len(columns))
    return Table(columns, encoding, delimiter, path.stat().st_size, reader.rows, reader.position)


def _chunks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _text(file: BinaryIO, encoding: str) -> TextIOWrapper:
    return TextIOWrapper(file, encoding=encoding, errors="replace", newline="")


def _header(path: Path, encoding: str) -> tuple[int, str, tuple[str, ...]]:
    """Return the header's line, the delimiter and the column names; blank lines and ``sep=;`` may come before it."""
    with path.open("rb") as raw, _text(raw, encoding) as file:
        lines = list(islice(file, 60))
    skipped, fixed = 0, ""
    while lines and (hint := _before_header(lines[0])) is not None:
        fixed = hint or fixed
        skipped, lines = skipped + 1, lines[1:]
    if not lines:
        raise ReadError(0, "the file is empty.", "文件是空的。")
    delimiter = fixed or _delimiter(lines)
    names = next(csv.reader(lines, delimiter=delimiter), [])
    while names and not names[-1].strip():  # trailing delimiters
        names.pop()
    columns = tuple(name.strip("\ufeff \t\r\n") or f"column {number}" for number, name in enumerate(names, 1))
    return skipped + 1, delimiter, columns


def _before_header(line: str) -> str | None:
    """Return "" for a blank line, the delimiter for Excel's ``sep=;``, None for the header itself."""
    plain = re.sub(r'[\ufeff" \r\n]', "", line)
    if plain.lower().startswith("sep=") and len(plain) <= 5:
        return plain[4:]
    return "" if not plain.strip("\t,;") else None


def _delimiter(lines: list[str]) -> str:
    """Return the delimiter that splits the lines into most columns, and into equally many."""

    def score(delimiter: str) -> tuple[float, int]:
        widths = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        same = sum(1 for width in widths if width == widths[0]) / len(widths) if widths else 0.0
        return (same if widths and widths[0] > 1 else 0.0, widths[0] if widths else 0)

    return max(DELIMITERS, key=score)


class _Reader:
    """Reads the rows; remembers how far it has come."""

    def __init__(self, path: Path, encoding: str, delimiter: str, header: int, width: int) -> None:
        self.path, self.encoding, self.delimiter = path, encoding, delimiter
        self.header, self.width = header, width
        self.raw: BinaryIO | None = None
        self.done = 0

    def position(self) -> int:
        """Return how many bytes have been read."""
        return self.raw.tell() if self.raw and not self.raw.closed else self.done

    def rows(self) -> Iterator[RawRow | ReadError]:
        """Yield the rows after the header."""
        csv.field_size_limit(MAX_CELL)
        with self.path.open("rb") as self.raw, _text(self.raw, self.encoding) as file:
            for _ in range(self.header - 1):
                next(file)
            lines = _Lines(file, self.header - 1)
            rows = self._all(lines)
            next(rows, None)
            yield from rows
            self.done = self.path.stat().st_size

    def _all(self, lines: _Lines) -> Iterator[RawRow | ReadError]:
        while True:
            reader = csv.reader(lines, delimiter=self.delimiter)
            try:
                yield from self._records(reader, lines)
                if not lines.ended_inside():
                    return
            except (_TooLong, csv.Error):
                pass
            yield self._given_up(lines)

    def _records(self, reader: Any, lines: _Lines) -> Iterator[RawRow]:
        for cells in reader:
            start = lines.begin
            if lines.exhausted and _unclosed(lines.pending, self.delimiter):
                return
            lines.forget()
            if cells and any(cells):
                yield start, cells

    def _given_up(self, lines: _Lines) -> ReadError:
        line, text = lines.begin, lines.pending[0] if lines.pending else ""
        lines.again_from_second()
        return ReadError(
            line, "a quotation mark in this line is never closed.", "这一行有引号没有配对。", text.strip()[:200]
        )


class _TooLong(Exception):
    """A record that spans more lines than any cell has."""


class _Lines:
    """The file's lines, with those of the record that is being read kept for a second try."""

    def __init__(self, file: Iterator[str], before: int) -> None:
        self.source: Iterator[str] = file
        self.pending: list[str] = []
        self.begin = before + 1
        self.exhausted = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.pending) >= MAX_LINES:
            raise _TooLong
        try:
            line = next(self.source)
        except StopIteration:
            self.exhausted = True
            raise
        self.pending.append(line)
        return line

    def forget(self) -> None:
        """The record is complete."""
        self.begin += len(self.pending)
        self.pending.clear()

    def ended_inside(self) -> bool:
        """Return whether the file ended in the middle of a record."""
        return self.exhausted and bool(self.pending)

    def again_from_second(self) -> None:
        """Read the record's lines once more, the first left out."""
        self.source = chain(self.pending[1:], self.source)
        self.begin += 1
        self.pending = []
        self.exhausted = False


def _unclosed(lines: list[str], delimiter: str) -> bool:
    """Return whether these lines end inside a quotation: there the strict reader complains."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error:
        return True
    return False
