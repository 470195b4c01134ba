"""Spreadsheets: through calamine, which holds the sheet; large XLSX sheets as a stream (sheet_stream.py)."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from outreach.audience.sheet_stream import LARGE, SheetStream
from outreach.audience.table import RawRow, ReadError, Table


def open_workbook(path: Path) -> Table:
    """Open the first visible sheet that has rows. Raises ReadError on what is no workbook, or has a password."""
    if path.suffix.lower() in (".xlsx", ".xlsm") and zipfile.is_zipfile(path):
        stream = SheetStream(path)
        if stream.size > LARGE:
            return _streamed(stream)
    sheet = _sheet(path)
    start = sheet.start[0] if sheet.start else 0
    rows = sheet.iter_rows()
    columns, header = _header(rows)
    reader = _Reader(sheet, start, header, len(columns))
    return Table(columns, sheet.name, "", sheet.height, reader.rows, reader.position)


def _streamed(stream: SheetStream) -> Table:
    columns, header = _header(cells for _, cells in stream.rows())

    def rows() -> Iterator[RawRow | ReadError]:
        for count, (number, cells) in enumerate(stream.rows(), start=1):
            if count > header and any(cells[: len(columns)]):
                yield number, cells[: len(columns)]

    return Table(columns, "", "", stream.size, rows, stream.position)


def _sheet(path: Path) -> CalamineSheet:
    try:
        book = CalamineWorkbook.from_path(str(path))
        for meta in book.sheets_metadata:
            if meta.visible == SheetVisibleEnum.Visible:
                sheet = book.get_sheet_by_name(meta.name)
                if sheet.height > 0:
                    return sheet
    except CalamineError as problem:
        raise ReadError(0, f"the workbook cannot be read ({problem}); save it again, without a password.",
                        f"无法打开工作簿（{problem}）；请去掉密码后重新保存。") from None  # fmt: skip
    raise ReadError(0, "the workbook has no sheet with rows.", "工作簿里没有数据。")


def _header(rows: Iterator[list[Any]]) -> tuple[tuple[str, ...], int]:
    """Return the column names and how many rows were read for them. A title above the table has one cell only."""
    best: tuple[tuple[str, ...], int] = ((), 0)
    for number, cells in enumerate(rows, start=1):
        names = [cell_text(cell) for cell in cells]
        while names and not names[-1]:
            names.pop()
        filled = sum(1 for name in names if name)
        if filled > sum(1 for name in best[0] if name):
            best = (tuple(names), number)
        if filled > 1 or number >= 10:
            break
    if not best[0]:
        raise ReadError(0, "the sheet has no header row.", "工作表没有表头。")
    return tuple(name or f"column {number}" for number, name in enumerate(best[0], 1)), best[1]


class _Reader:
    def __init__(self, sheet: CalamineSheet, start: int, header: int, width: int) -> None:
        self.sheet, self.start, self.header, self.width = sheet, start, header, width
        self.read = 0

    def position(self) -> int:
        """Return how many rows have been read."""
        return self.read

    def rows(self) -> Iterator[RawRow | ReadError]:
        """Yield the rows after the header; the line is the sheet's own row number."""
        for number, cells in enumerate(self.sheet.iter_rows(), start=1):
            self.read = number
            if number > self.header:
                texts = [cell_text(cell) for cell in cells[: self.width]]
                if any(texts):
                    yield self.start + number, texts


def cell_text(cell: Any) -> str:
    """Return a cell as its text: whole numbers without a fraction, dates in ISO 8601."""
    match cell:
        case str():
            return cell.strip()
        case bool():
            return "yes" if cell else "no"
        case float() if cell.is_integer() and abs(cell) < 1e15:
            return str(int(cell))
        case datetime() if cell.time() == time(0):
            return cell.date().isoformat()
        case datetime() | date() | time():
            return cell.isoformat()
        case timedelta() | None:
            return "" if cell is None else str(cell)
    return str(cell)
