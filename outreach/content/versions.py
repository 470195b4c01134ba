"""Versions of a template compared, and a version put back into its folder."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path
from typing import Literal

from outreach.content.problem import ContentProblem

_NAME = re.compile(r"(?:[\w-][\w.-]*/)*[\w-][\w.-]*\.(?:mjml|txt|toml|json|css|svg|png|jpe?g|gif)")


@dataclass(frozen=True)
class FileChange:
    """One file between two versions; lines as `diff -u` has them (+, -, blank), empty for images."""

    name: str
    kind: Literal["added", "removed", "changed"]
    lines: tuple[str, ...] = ()


def diff(old: Mapping[str, str], new: Mapping[str, str], context: int = 3) -> list[FileChange]:
    """What changed between two versions' files, by name; nothing where they are equal."""
    return [
        _change(name, old.get(name), new.get(name), context)
        for name in sorted({*old, *new})
        if old.get(name) != new.get(name)
    ]


def _change(name: str, before: str | None, after: str | None, context: int) -> FileChange:
    kind: Literal["added", "removed", "changed"] = "changed"
    if before is None or after is None:
        kind = "added" if before is None else "removed"
    if (before or after or "").startswith("base64:"):
        return FileChange(name, kind)
    rows = unified_diff((before or "").splitlines(), (after or "").splitlines(), n=context, lineterm="")
    return FileChange(name, kind, tuple(rows)[2:])


def restore(folder: Path, files: Mapping[str, str]) -> list[str]:
    """Write a version's own files (not the company layout) into its folder; returns the names written.

    Files that the version does not have are removed. Raises ContentProblem on a name that leads outside.
    """
    own = {name: text for name, text in files.items() if not name.startswith("_layout/")}
    for name in own:
        if not _NAME.fullmatch(name) or ".." in name:
            raise ContentProblem("template.missing", path=name)
    folder.mkdir(parents=True, exist_ok=True)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in own and _NAME.fullmatch(name):
            path.unlink()
    for name, text in own.items():
        _write(folder / name, text)
    return sorted(own)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if text.startswith("base64:"):
        path.write_bytes(b64decode(text.removeprefix("base64:")))
    else:
        path.write_text(text, encoding="utf-8", newline="")
