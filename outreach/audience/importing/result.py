"""What came of an import, and the file of refused rows."""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from outreach.audience.importing.near import Nears
from outreach.audience.row import Reject, Warnings

#: What spreadsheets take for a formula at the beginning of a cell (CVE-2026-55154 EspoCRM), full-width forms included.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def safe_cell(text: str) -> str:
    """Return a cell that no spreadsheet runs as a formula."""
    return "'" + text if text.lstrip().startswith(_FORMULA) or text.startswith(("\t", "\r")) else text


@dataclass(slots=True)
class ImportResult:
    """Counts of rows; read = added + updated + duplicates + rejected.

    A duplicate is a row whose contact was there already, from before or from an earlier line, and that changed nothing
    but what was empty.
    """

    read: int = 0
    added: int = 0
    updated: int = 0
    duplicates: int = 0
    rejected: int = 0
    rejects_file: Path | None = None
    warnings: Warnings = field(default_factory=Warnings)
    near: Nears = field(default_factory=Nears)

    def as_dict(self, language: str = "en") -> dict[str, Any]:
        """Return the contract's JSON; beside it the values that were left out and the customers that may be one.

        Of these the first are told, and how many there were in all.
        """
        counts = {name: getattr(self, name) for name in ("read", "added", "updated", "duplicates", "rejected")}
        where = str(self.rejects_file) if self.rejects_file else None
        more: dict[str, Any] = {"warnings": self.warnings.as_list(language), "warnings_count": self.warnings.count}
        more |= {"near_duplicates": self.near.as_list(), "near_duplicates_count": self.near.count}
        return counts | {"rejects_file": where} | more


class RejectsFile:
    """Writes refused rows as CSV: line, column, value, reason in both languages. Made only when there is one."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.file: IO[str] | None = None
        self.writer: Any = None

    def write(self, rejects: list[Reject]) -> None:
        """Append the rows."""
        if self.path is None or not rejects:
            return
        if self.file is None:
            # the BOM makes Excel read UTF-8
            self.file = self.path.open("w", encoding="utf-8-sig", newline="")
            self.writer = csv.writer(self.file)
            self.writer.writerow(["line", "column", "value", "reason", "原因"])
        for reject in rejects:
            value = safe_cell(reject.value[:500])
            self.writer.writerow(
                [reject.line, safe_cell(reject.column), value, reject.message("en"), reject.message("zh")]
            )

    def close(self) -> Path | None:
        """Close the file and return its path; None where nothing was refused."""
        if self.file is None:
            return None
        self.file.close()
        return self.path
