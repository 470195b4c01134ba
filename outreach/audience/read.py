"""Open a contact list: CSV, spreadsheet or vCard, as an iterator of numbered rows in flat memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from outreach.audience.csv_file import open_csv
from outreach.audience.headers import HeaderError, chosen, supposed, unusable
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


def open_source(path: Path, mapping: Mapping[str, str] | None = None, choices: Sequence[str] = ()) -> Source:
    """Open a list. Raises ReadError where the file cannot be read, HeaderError where its columns cannot be used.

    `choices` say by its place what each column is (headers.chosen); `mapping` by its name.
    """
    source, fault = understood(path, mapping, choices)
    if fault:
        raise fault
    return source


def understood(
    path: Path, mapping: Mapping[str, str] | None = None, choices: Sequence[str] = ()
) -> tuple[Source, HeaderError | None]:
    """Open a list whose columns a person may still choose; beside it what is wrong with them. Raises ReadError."""
    table = open_table(path)
    if choices and len(choices) != len(table.columns):
        raise ReadError(0, "the list has other columns now; read it again.", "名单的列已变，请重新读取。")
    fields = chosen(table.columns, choices) if choices else supposed(table.columns, mapping)
    source = Source(
        path, table.columns, fields, table.encoding, table.delimiter, table.size, table.rows, table.position
    )
    return source, unusable(fields, table.columns)
