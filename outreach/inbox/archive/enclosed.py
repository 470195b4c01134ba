"""The files that hang on a mail: listed without their bytes, and put into the hand as they came. Pure.

None is opened or unpacked. A list needs no file's bytes: they are stored apart (cutting.py), and what is left of the mail
tells their names.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from outreach.inbox.entity import NESTED, Part
from outreach.inbox.parse import Mail, parse
from outreach.inbox.summary import hangs_on

#: Characters of a file's name that are kept: 80 Chinese ones are 240 bytes, and file systems end at 255.
LONGEST_NAME = 80
LONGEST_SUFFIX = 12
#: Control characters, marks that turn the writing ("exe.pdf" for "fdp.exe"), and what some file system forbids.
_UNSAFE = re.compile('[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff<>:"|?*/\\\\]')
_DEVICE = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")
#: A base64 line has 76 characters and CRLF, and holds 57 bytes (RFC 2045 6.8).
_LINE, _HELD = 78, 57


@dataclass(frozen=True)
class Enclosure:
    """A file that hangs on a mail. number: its place, from 1. size: bytes when saved, to within a few for large ones."""

    number: int
    name: str
    content_type: str
    size: int


def files_in(raw: bytes) -> list[tuple[Enclosure, bytes]]:
    """Return all attachments of a whole mail with their bytes. Pure."""
    found = []
    for number, part in enumerate(_files(parse(raw)), 1):
        data = _data(part)
        found.append((_enclosure(number, part, len(data)), data))
    return found


def file_name(name: str, content_type: str, number: int) -> str:
    """Return a name that is safe on every file system and reads as it is; `number` where the mail gives none."""
    given = _UNSAFE.sub("", name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]).strip(" .")
    if not given:
        suffix = ".eml" if content_type in NESTED else mimetypes.guess_extension(content_type) or ".bin"
        return f"{number}{suffix}"
    stem, dot, suffix = given.rpartition(".")
    if dot and stem and len(suffix) <= LONGEST_SUFFIX:
        given = f"{stem[: LONGEST_NAME - len(suffix) - 1]}.{suffix}"
    return f"_{given}"[:LONGEST_NAME] if _DEVICE.match(given) else given[:LONGEST_NAME]


def look(rest: bytes, apart: Sequence[tuple[str, int]]) -> tuple[Mail, tuple[Enclosure, ...]]:
    """Return a mail and its files, of which those `apart` (content type, bytes in the mail) have been taken out. Pure."""
    mail = parse(rest)
    sizes = dict(_sizes(mail, apart))
    files = enumerate(_files(mail), 1)
    return mail, tuple(_enclosure(number, part, _size(mail, part, sizes)) for number, part in files)


def _sizes(mail: Mail, apart: Sequence[tuple[str, int]]) -> Iterator[tuple[int, int]]:
    """Which part (by its place) was stored apart, and its bytes in the mail: an empty body in the order of cutting."""
    waiting = list(apart)
    for place, part in enumerate(mail.parts):
        if not waiting:
            return
        if part.is_leaf and not part.raw.strip() and part.content_type[:100] == waiting[0][0]:
            yield place, waiting.pop(0)[1]


def _size(mail: Mail, part: Part, sizes: dict[int, int]) -> int:
    place = mail.parts.index(part)
    if part.is_leaf:
        stored = sizes.get(place)
        if stored is None:
            return len(part.data)
        return stored * _HELD // _LINE if part.encoding == "base64" else stored
    inner = takewhile(lambda n: mail.parts[n].depth > part.depth, range(place + 1, len(mail.parts)))
    return len(_data(part)) + sum(sizes.get(n, 0) for n in inner)


def _files(mail: Mail) -> list[Part]:
    """What the writer enclosed: files, and whole mails; what hangs on an enclosed mail stays inside it."""
    own = (part for part in mail.parts if part.inside == 0)
    return [part for part in own if (hangs_on(part) if part.is_leaf else part.content_type in NESTED)]


def _data(part: Part) -> bytes:
    if part.is_leaf or part.encoded:
        return part.data
    return part.data.replace(b"\n", b"\r\n")  # an enclosed mail: parsing made its line ends LF


def take(raw: bytes, number: int) -> tuple[Enclosure, bytes] | None:
    """Return one file of a whole mail; None where there is none of that number."""
    files = _files(parse(raw))
    if not 0 < number <= len(files):
        return None
    data = _data(files[number - 1])
    return _enclosure(number, files[number - 1], len(data)), data


def _enclosure(number: int, part: Part, size: int) -> Enclosure:
    return Enclosure(number, file_name(part.filename, part.content_type, number), part.content_type[:100], size)
