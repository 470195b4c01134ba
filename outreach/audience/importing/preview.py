"""The first rows of a list as an import would understand them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from outreach.audience.headers import HeaderError
from outreach.audience.importing.near import Near
from outreach.audience.read import understood
from outreach.audience.row import Draft, Reject, RowCleaner, Warnings
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
    warnings: Warnings
    near: list[Near]
    fault: HeaderError | None = None


def preview(path: Path, choices: Sequence[str], origin: str, rows: int) -> tuple[Preview, list[Draft]]:
    """Read the first rows; `near` is left for who may ask the database. Raises ReadError.

    With columns that cannot be used the rows are shown as they stand, so that other ones can be chosen.
    """
    source, fault = understood(path, choices=choices)
    cleaner = None if fault else RowCleaner(source.columns, source.fields, source=origin)
    shown: list[tuple[int, list[str]]] = []
    problems: list[Reject] = []
    drafts: list[Draft] = []
    for item in islice(source.rows(), rows):
        if isinstance(item, ReadError):
            problems.append(Reject(item.line, "", item.cell, "unclosed_quote"))
            continue
        shown.append((item[0], list(item[1])))
        if cleaner is None:
            continue
        cleaned: Draft | Reject = cleaner.clean(*item)
        if isinstance(cleaned, Reject):
            problems.append(cleaned)
        else:
            drafts.append(cleaned)
    told = Preview(
        source.columns, source.fields, source.encoding, source.delimiter, shown, problems,
        cleaner.warnings if cleaner else Warnings(), [], fault,
    )  # fmt: skip
    return told, drafts
