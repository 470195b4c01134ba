"""Where the attachments of a mail stand in its bytes, so that each is kept once however often it is sent. Pure.

An attachment is taken out as it stands, in its transfer encoding, and never unpacked; put back, the mail is the same to
the byte. Only mails with CRLF throughout are cut (all that come over IMAP are): in others the places cannot be told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from outreach.inbox.entity import Part
from outreach.inbox.parse import Mail

#: Bytes below which a row of its own costs more than it saves.
SMALLEST = 8_192
MOST = 50


@dataclass(frozen=True)
class Cut:
    """An attachment: where its encoded body begins and ends in the raw mail; `sha256` is of those bytes."""

    start: int
    end: int
    sha256: str
    name: str
    content_type: str


def cuts_of(raw: bytes, mail: Mail) -> tuple[Cut, ...]:
    """Return the attachments worth taking out, in their order."""
    root = mail.parts[0].source
    lines = raw.count(b"\r\n")
    if not lines or mail.exceeded or lines != raw.count(b"\n") or len(root) + lines != len(raw):
        return ()
    found: list[Cut] = []
    for part in mail.leaves:
        if part.source is root and part.end - part.start >= SMALLEST and _is_file(part) and len(found) < MOST:
            start = part.start + root.count(b"\n", 0, part.start)
            end = start + (part.end - part.start) + root.count(b"\n", part.start, part.end)
            digest = hashlib.sha256(raw[start:end]).hexdigest()
            found.append(Cut(start, end, digest, part.filename[:255], part.content_type[:100]))
    return tuple(sorted(found, key=lambda cut: cut.start))


def _is_file(part: Part) -> bool:
    return bool(part.filename) or part.disposition == "attachment" or not part.content_type.startswith("text/")


def take_out(raw: bytes, cuts: Sequence[Cut]) -> bytes:
    """Return the mail without its attachments' bodies."""
    pieces, at = [], 0
    for cut in cuts:
        pieces.append(raw[at : cut.start])
        at = cut.end
    return b"".join((*pieces, raw[at:]))


def put_back(rest: bytes, cuts: Sequence[tuple[int, str]], files: Mapping[str, bytes]) -> bytes:
    """Return the whole mail; `cuts` are (start in the whole mail, sha256). Raises KeyError where a file is missing."""
    pieces: list[bytes] = []
    at = done = 0
    for start, digest in cuts:
        pieces += [rest[at : at + start - done], files[digest]]
        at += start - done
        done = start + len(files[digest])
    return b"".join((*pieces, rest[at:]))
