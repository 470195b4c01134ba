"""The first rows of a list as an import would understand them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from outreach.audience.importing.near import Near
from outreach.audience.read import open_source
from outreach.audience.row import Draft, Reject, RowCleaner
from outreach.audience.table import ReadError


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do with the first rows, for the wizard."""

    columns: tuple[str, ...]
    fields: tuple[str | None, ...]
    encoding: str
    delimiter: str
    rows: list[tuple[int, list[str]]]
    problems: list[Reject]
    warnings: list[dict[str, Any]]
    near: list[Near]


def preview(path: Path, columns: Mapping[str, str] | None, origin: str, rows: int) -> tuple[Preview, list[Draft]]:
    """Read the first rows; `near` is left for who may ask the database. Raises ReadError, HeaderError."""
    source = open_source(path, columns)
    cleaner = RowCleaner(source.columns, source.fields, source=origin)
    shown: list[tuple[int, list[str]]] = []
    problems: list[Reject] = []
    drafts: list[Draft] = []
    for item in islice(source.rows(), rows):
        if isinstance(item, ReadError):
            problems.append(Reject(item.line, "", item.cell, "unclosed_quote"))
            continue
        shown.append((item[0], list(item[1])))
        cleaned: Draft | Reject = cleaner.clean(*item)
        if isinstance(cleaned, Reject):
            problems.append(cleaned)
        else:
            drafts.append(cleaned)
    warnings = cleaner.warnings.as_list()
    told = Preview(source.columns, source.fields, source.encoding, source.delimiter, shown, problems, warnings, [])
    return told, drafts
