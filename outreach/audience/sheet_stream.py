"""Large XLSX sheets, read as a stream: calamine is quicker but holds the sheet, half a gigabyte at a million rows.

Strings that the sheet shares with others are put into a temporary file, with eight bytes of memory for each.
"""

from __future__ import annotations

import re
import zipfile
from array import array
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from xml.parsers import expat

from outreach.audience.table import ReadError

#: Bytes of XML above which a sheet is streamed: about 60,000 rows of ten columns, 30 MB in calamine.
LARGE = 24 << 20
_CHUNK = 1 << 16
#: Formats 14 to 22, 27 to 36, 45 to 47 and 50 to 58 are dates (ECMA-376 18.8.30).
_DATE_IDS = frozenset([*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)])
_LITERAL = re.compile(r'"[^"]*"|\[[^\]]*\]|\\.')
_LETTERS = re.compile(r"[A-Z]+")
#: A sheet has at most 16,384 columns (Excel's own limit).
_MOST_COLUMNS = 16_384


def _parse(file: IO[bytes], start: Callable[[str, dict[str, str]], None], end: Callable[[str], None] | None = None,
           text: Callable[[str], None] | None = None) -> Iterator[int]:  # fmt: skip
    """Feed a file to expat, a chunk at a time; yield the bytes read after each. Raises ReadError on broken XML."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _no_doctype  # entities are how XML explodes; spreadsheets have none
    parser.StartElementHandler = lambda tag, attributes: start(tag.rpartition(":")[2], attributes)
    if end is not None:
        parser.EndElementHandler = lambda tag: end(tag.rpartition(":")[2])
    if text is not None:
        parser.CharacterDataHandler = text
        parser.buffer_text = True
    read = 0
    try:
        while chunk := file.read(_CHUNK):
            parser.Parse(chunk, False)
            read += len(chunk)
            yield read
        parser.Parse(b"", True)
    except (expat.ExpatError, zipfile.BadZipFile, EOFError, OSError) as problem:
        en, zh = f"the workbook is damaged ({problem}); save it again.", f"工作簿已损坏（{problem}）；请重新保存。"
        raise ReadError(0, en, zh) from None
    yield read


def _no_doctype(*_: Any) -> None:
    raise ReadError(
        0, "the workbook holds a document type, which no spreadsheet has.", "工作簿含有文档类型声明，不予读取。"
    )


class SharedStrings:
    """The strings of a workbook by number, on disk."""

    def __init__(self, file: IO[bytes] | None) -> None:
        self.store = TemporaryFile()  # noqa: SIM115 - it lives as long as the sheet is read; close() ends it
        self.offsets = array("Q", [0])
        self.parts: list[str] = []
        self.skipping = self.inside = False
        self.get = lru_cache(maxsize=10_000)(self._get)
        if file is not None:
            deque(_parse(file, self._start, self._end, self._text), maxlen=0)

    def close(self) -> None:
        """Give the temporary file back."""
        self.store.close()

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "si":
            self.parts = []
        elif tag == "rPh":  # how a Japanese or Chinese word is pronounced, not part of it
            self.skipping = True
        elif tag == "t":
            self.inside = not self.skipping

    def _end(self, tag: str) -> None:
        if tag == "t":
            self.inside = False
        elif tag == "rPh":
            self.skipping = False
        elif tag == "si":
            self.store.write("".join(self.parts).encode())
            self.offsets.append(self.store.tell())

    def _text(self, text: str) -> None:
        if self.inside:
            self.parts.append(text)

    def _get(self, number: int) -> str:
        if not 0 <= number < len(self.offsets) - 1:
            return ""
        self.store.seek(self.offsets[number])
        return self.store.read(self.offsets[number + 1] - self.offsets[number]).decode()


class SheetStream:
    """The first visible sheet of a workbook. Raises ReadError where there is none."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            with zipfile.ZipFile(path) as book:
                self.sheet, self.base = _first_sheet(book)
                self.dates = _date_styles(book)
                self.size = book.getinfo(self.sheet).file_size
        except (zipfile.BadZipFile, KeyError) as problem:
            raise ReadError(0, f"this is no XLSX workbook ({problem}).", f"不是 XLSX 工作簿（{problem}）。") from None
        self.read = 0

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (row number of the sheet, cells as text)."""
        with (
            zipfile.ZipFile(self.path) as book,
            closing(_shared_strings(book)) as shared,
            book.open(self.sheet) as file,
        ):
            cells = _Cells(shared, self.dates, self.base)
            for self.read in _parse(file, cells.start, cells.end, cells.text):
                while cells.done:
                    yield cells.done.popleft()

    def position(self) -> int:
        """Return how many bytes of the sheet have been read."""
        return self.read


def _elements(book: zipfile.ZipFile, name: str) -> list[tuple[str, dict[str, str]]]:
    found: list[tuple[str, dict[str, str]]] = []
    if name in book.namelist():
        with book.open(name) as file:
            deque(_parse(file, lambda tag, attributes: found.append((tag, attributes))), maxlen=0)
    return found


def _first_sheet(book: zipfile.ZipFile) -> tuple[str, datetime]:
    targets = {a.get("Id", ""): a.get("Target", "") for tag, a in _elements(book, "xl/_rels/workbook.xml.rels")}
    parts = _elements(book, "xl/workbook.xml")
    old_mac = any(tag == "workbookPr" and a.get("date1904") in ("1", "true") for tag, a in parts)
    base = datetime(1904, 1, 1) if old_mac else datetime(1899, 12, 30)
    for tag, a in parts:
        if tag == "sheet" and a.get("state", "visible") == "visible":
            target = targets.get(next((value for name, value in a.items() if name.endswith(":id")), ""), "")
            return (target.lstrip("/") if target.startswith("/") else f"xl/{target}"), base
    raise ReadError(0, "the workbook has no visible sheet.", "工作簿没有可见的工作表。")


def _date_styles(book: zipfile.ZipFile) -> frozenset[int]:
    """Return the numbers of the cell styles that show dates."""
    own, styles, inside = set(_DATE_IDS), [], False
    for tag, a in _elements(book, "xl/styles.xml"):
        if tag == "numFmt" and re.search("[dmyhs]", _LITERAL.sub("", a.get("formatCode", "")).lower()):
            own.add(int(a.get("numFmtId", "0")))
        inside = tag == "cellXfs" or (inside and tag not in ("cellStyles", "dxfs", "cellStyleXfs"))
        if inside and tag == "xf":
            styles.append(int(a.get("numFmtId", "0")))
    return frozenset(number for number, form in enumerate(styles) if form in own)


def _shared_strings(book: zipfile.ZipFile) -> SharedStrings:
    if "xl/sharedStrings.xml" not in book.namelist():
        return SharedStrings(None)
    with book.open("xl/sharedStrings.xml") as file:
        return SharedStrings(file)


class _Cells:
    """Puts rows together from expat's calls."""

    def __init__(self, shared: SharedStrings, dates: frozenset[int], base: datetime) -> None:
        self.shared, self.dates, self.base = shared, dates, base
        self.done: deque[tuple[int, list[str]]] = deque()
        self.number, self.row = 0, list[str]()
        self.column, self.kind, self.style = 0, "n", 0
        self.inside, self.parts = False, list[str]()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin a row, a cell, or the text of one."""
        if tag == "c":
            place = _LETTERS.match(attributes.get("r", ""))
            self.column = _column(place[0]) if place else len(self.row)
            self.kind, self.style = attributes.get("t", "n"), int(attributes.get("s", "0"))
            self.parts = []
        elif tag in ("v", "t"):
            self.inside = True
        elif tag == "row":
            self.number, self.row = int(attributes.get("r", self.number + 1)), []

    def text(self, text: str) -> None:
        """Take the text of a cell."""
        if self.inside:
            self.parts.append(text)

    def end(self, tag: str) -> None:
        """End what was begun."""
        if tag in ("v", "t"):
            self.inside = False
        elif tag == "c" and self.parts:
            if self.column < _MOST_COLUMNS:
                self.row += [""] * (self.column - len(self.row))
                self.row.append(self._value("".join(self.parts)))
        elif tag == "row":
            self.done.append((self.number, self.row))

    def _value(self, written: str) -> str:
        match self.kind:
            case "s":
                return self.shared.get(int(written)).strip()
            case "b":
                return "yes" if written == "1" else "no"
            case "e":
                return ""
            case "n":
                return self._number(written)
        return written.strip()

    def _number(self, written: str) -> str:
        try:
            value = float(written)
            if self.style in self.dates:
                moment = self.base + timedelta(days=value)
                return moment.date().isoformat() if value.is_integer() else moment.isoformat(timespec="seconds")
        except (ValueError, OverflowError):
            return written.strip()
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


@lru_cache(maxsize=2048)
def _column(letters: str) -> int:
    number = 0
    for letter in letters[:4]:
        number = number * 26 + ord(letter) - 64
    return number - 1
