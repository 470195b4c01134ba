"""Open a contact list: CSV, spreadsheet or vCard, as an iterator of numbered rows in flat memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from outreach.audience.csv_file import open_csv
from outreach.audience.headers import guess
from outreach.audience.table import RawRow, ReadError, Table
from outreach.audience.vcard import open_vcard
from outreach.audience.workbook import open_workbook

Openers: TypeAlias = Mapping[str, Callable[[Path], Table]]

OPENERS: Openers = {
    ".csv": open_csv,
    ".tsv": open_csv,
    ".txt": open_csv,
    ".xlsx": open_workbook,
    ".xlsm": open_workbook,
    ".xls": open_workbook,
    ".ods": open_workbook,
    ".vcf": open_vcard,
}


@dataclass(frozen=True, slots=True)
class Source:
    """A list that is open for reading. `fields[i]` is what column i means, None where it is left out.

    `rows()` yields (line of the file, cells) or ReadError for a row that cannot be read; it can be called again.
    `size` is the file's bytes or the sheet's rows, `position()` how far `rows()` has come, in the same unit.
    """

    path: Path
    columns: tuple[str, ...]
    fields: tuple[str | None, ...]
    encoding: str
    delimiter: str
    size: int
    rows: Callable[[], Iterator[RawRow | ReadError]]
    position: Callable[[], int]


def open_table(path: Path) -> Table:
    """Open a list whose columns mean anything. Raises ReadError where the file cannot be read."""
    if not path.is_file():
        raise ReadError(0, f"there is no file {path.name}.", f"找不到文件 {path.name}。")
    opener = OPENERS.get(path.suffix.lower())
    if opener is None:
        known = ", ".join(OPENERS)
        raise ReadError(0, f"“{path.suffix}” is no list that can be read; save it as one of {known}.",
                        f"无法读取 “{path.suffix}” 文件；请另存为：{known}。")  # fmt: skip
    return opener(path)


def open_source(path: Path, mapping: Mapping[str, str] | None = None) -> Source:
    """Open a list. Raises ReadError where the file cannot be read, HeaderError where its columns cannot be used."""
    table = open_table(path)
    fields = guess(table.columns, mapping)
    return Source(path, table.columns, fields, table.encoding, table.delimiter, table.size, table.rows, table.position)
