"""The report as a workbook: every group of every dimension, cells typed, no text that a spreadsheet would run."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

#: What starts a formula in some spreadsheet, after white space and in full width too (CVE-2026-55154).
RISKY = re.compile(r"[\s\u200b\ufeff]*[=+\-@\t\r\n]")
#: Signs that XML 1.0 cannot hold.
ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
HEAD = PatternFill("solid", fgColor="E2F0F2")
#: openpyxl's widest sensible column, in characters.
WIDEST = 60


def is_risky(text: str) -> bool:
    """Whether a spreadsheet might take the text for a formula."""
    return bool(RISKY.match(unicodedata.normalize("NFKC", text)) or RISKY.match(text))


def write_cell(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    """Write a number as a number and everything else as text, never as a formula."""
    cell = sheet.cell(row, column)
    if value is None:
        return
    if isinstance(value, bool):
        value = "✓" if value else ""
    if isinstance(value, int | float):
        cell.value = value
        if isinstance(value, float):
            cell.number_format = "0.0%" if value >= 0.001 or value == 0 else "0.00%"
        return
    text = ILLEGAL.sub("", str(value))
    cell.value = text
    cell.data_type = "s"
    if is_risky(text):
        cell.quotePrefix = True  # stays text when the cell is edited, too


def add_sheet(book: Workbook, title: str, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Add a sheet with a frozen head, a filter, and columns as wide as what stands in them."""
    sheet = book.create_sheet(ILLEGAL.sub("", title)[:31])
    widths = [_width(head) for head in heads]
    for column, head in enumerate(heads, 1):
        write_cell(sheet, 1, column, head)
        sheet.cell(1, column).font = Font(bold=True)
        sheet.cell(1, column).fill = HEAD
        sheet.cell(1, column).alignment = Alignment(wrap_text=True, vertical="top")
    for number, row in enumerate(rows, 2):
        for column, value in enumerate(row, 1):
            write_cell(sheet, number, column, value)
            if isinstance(value, str):
                widths[column - 1] = max(widths[column - 1], _width(value))
    for column, width in enumerate(widths, 1):
        sheet.column_dimensions[get_column_letter(column)].width = min(width + 2, WIDEST)
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def build_workbook(sheets: Mapping[str, tuple[Sequence[str], Iterable[Sequence[Any]]]]) -> bytes:
    """Return the file: title → (heads, rows), in that order."""
    book = Workbook()
    for empty in book.worksheets:
        book.remove(empty)
    for title, (heads, rows) in sheets.items():
        add_sheet(book, title, heads, rows)
    out = BytesIO()
    book.save(out)
    return out.getvalue()
