"""`outreach inbox show ID`: an archived mail as lines of text, and its files on disk."""

from __future__ import annotations

import re
from pathlib import Path

from outreach.inbox.archive.enclosed import files_in
from outreach.inbox.archive.letters.store import Letter

#: What a terminal would obey instead of showing: a stranger wrote these lines.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def lines_of(letter: Letter, saved: list[str]) -> list[str]:
    """Headers, text, attachments, and where they were saved."""
    heads = [("From", letter.sender), ("To", letter.to), ("Cc", letter.cc), ("Date", f"{letter.at:%Y-%m-%d %H:%M} UTC")]
    lines = [f"{name}: {value}" for name, value in [*heads, ("Subject", letter.subject)] if value]
    lines += ["", letter.text.rstrip()]
    if letter.files:
        lines += ["", *(f"{one.number:>3}  {one.name}  {one.content_type}  {one.size} bytes" for one in letter.files)]
    return [_OBEYED.sub("\ufffd", line) for line in [*lines, *(f"✓ {path}" for path in saved)]]


def save(letter: Letter, raw: bytes, folder: Path) -> list[Path]:
    """Write the mail and its attachments; what is there already is never overwritten."""
    folder.mkdir(parents=True, exist_ok=True)
    written = [(f"{letter.id}.eml", raw), *((one.name, data) for one, data in files_in(raw))]
    return [_write(folder, name, content) for name, content in written]


def _write(folder: Path, name: str, content: bytes) -> Path:
    stem, suffix = Path(name).stem, Path(name).suffix
    number = 1
    while True:
        path = folder / (name if number == 1 else f"{stem}-{number}{suffix}")
        try:
            with path.open("xb") as file:
                file.write(content)
        except FileExistsError:
            number += 1
        else:
            return path
