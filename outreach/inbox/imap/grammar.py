"""What an IMAP server says, cut into responses as the bytes come in (RFC 3501 4.3, 7). Bounded; no input or output.

A response is a line whose literals (`{n}` and n bytes) are kept apart: `parts` alternates between text and literal and
begins with text. Whoever listens decides what it means.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

#: Bytes of one line, literals not counted. A capability list has hundreds, a mad server sends for ever.
LONGEST_LINE = 1_000_000
#: Literals of one response: a FETCH of ours has one.
MOST_LITERALS = 50

_LITERAL = re.compile(rb"\{(\d{1,19})\+?\}\Z")
_NUMBER = re.compile(rb"\b(UID|RFC822\.SIZE) (\d+)")
_INTERNAL = re.compile(rb'INTERNALDATE "([^"]+)"')
_MOMENT = re.compile(rb" ?(\d{1,2})-([A-Za-z]{3})-(\d{4}) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MONTHS = {name: at for at, name in enumerate(b"jan feb mar apr may jun jul aug sep oct nov dec".split(), 1)}
_UID = re.compile(rb"\bUID (\d+)")
_FETCH = re.compile(rb"\* \d+ FETCH \(", re.I)
_LIST = re.compile(rb'\* (?:LIST|XLIST) \(([^)]*)\) (?:"(?:[^"\\]|\\.)*"|NIL) (.*)\Z', re.I | re.S)


class Garbage(Exception):
    """The server does not speak IMAP, or says more than anybody needs: the connection is of no use any more."""


@dataclass(slots=True)
class Response:
    """One response. `text`: its first line; parts: text, literal, text, …"""

    parts: list[bytes]

    @property
    def text(self) -> bytes:
        return self.parts[0]

    @property
    def size(self) -> int:
        return sum(map(len, self.parts))


@dataclass(frozen=True)
class Listed:
    """A mail's number, size in bytes and arrival (UTC), before its bytes are fetched."""

    uid: int
    size: int
    arrived: datetime | None


@dataclass
class Reader:
    """Cuts the stream. `largest`: bytes that a literal may announce."""

    largest: int = 30_000_000
    _buffer: bytearray = field(default_factory=bytearray)
    _parts: list[bytes] = field(default_factory=list)
    _wanted: int = -1
    _looked: int = 0

    def feed(self, data: bytes) -> Iterator[Response]:
        """Take what arrived; yield the responses that it completes. Raises Garbage.

        Responses are cut out of `data` itself; only an unfinished one is copied aside, and nothing is looked at twice.
        """
        if self._buffer:
            self._buffer += data
            if not self._completes():
                return
            data = self._gathered()
        at = 0
        while True:
            if self._wanted >= 0:
                if len(data) - at < self._wanted:
                    break
                self._parts.append(data[at : at + self._wanted])
                at += self._wanted
                self._wanted = -1
            end = data.find(b"\n", at)
            if end < 0:
                break
            line = data[at:end]
            at = end + 1
            found = self._line(line)
            if found is not None:
                yield found
        self._buffer += data[at:]
        self._looked = len(self._buffer)
        self._check_line()

    def _gathered(self) -> bytes:
        """Take what was set aside: a literal at once, for it may be large."""
        start = max(self._wanted, 0)
        with memoryview(self._buffer) as view:
            if self._wanted >= 0:
                self._parts.append(bytes(view[:start]))
                self._wanted = -1
            rest = bytes(view[start:])
        self._buffer.clear()
        return rest

    def _completes(self) -> bool:
        """Whether what is waited for is there: a literal, or the end of a line."""
        if self._wanted >= 0:
            return len(self._buffer) >= self._wanted
        looked, self._looked = self._looked, len(self._buffer)
        if self._buffer.find(b"\n", looked) >= 0:
            return True
        self._check_line()
        return False

    def _check_line(self) -> None:
        if self._wanted < 0 and len(self._buffer) > LONGEST_LINE:
            raise Garbage(f"a line of more than {LONGEST_LINE} bytes")

    @property
    def empty(self) -> bool:
        """Whether nothing is left over: before the handshake of STARTTLS nothing may be (RFC 9051 11.1)."""
        return not self._buffer and not self._parts

    def _line(self, line: bytes) -> Response | None:
        line = line[:-1] if line.endswith(b"\r") else line
        self._parts.append(line)
        found = _LITERAL.search(line) if line.endswith(b"}") else None
        if found is None:
            parts, self._parts = self._parts, []
            return Response(parts)
        self._wanted = int(found[1])
        if self._wanted > self.largest:
            raise Garbage(f"a literal of {self._wanted} bytes was announced, at most {self.largest} are taken")
        if len(self._parts) > 2 * MOST_LITERALS:
            raise Garbage(f"a response of more than {MOST_LITERALS} literals")
        return None


def is_fetch(response: Response) -> bool:
    return _FETCH.match(response.text) is not None


def listed(response: Response) -> Listed | None:
    """UID, size and arrival out of a FETCH response; None where it is none or names no UID."""
    if not is_fetch(response):
        return None
    text = b" ".join(response.parts[::2])
    items = {name: int(value) for name, value in _NUMBER.findall(text.upper())}
    if b"UID" not in items:
        return None
    arrived = _INTERNAL.search(text)
    return Listed(items[b"UID"], items.get(b"RFC822.SIZE", 0), moment(arrived[1]) if arrived else None)


def body(response: Response) -> tuple[int, bytes] | None:
    """(UID, bytes) of a FETCH response with one literal; the UID may stand before or after it. None: neither is there.

    A server may send an empty body as "" and an expunged one as NIL: both are no body.
    """
    if not is_fetch(response) or len(response.parts) < 2:
        return None
    found = _UID.search(response.parts[0]) or _UID.search(response.parts[-1])
    return (int(found[1]), response.parts[1]) if found else None


def folder(response: Response) -> tuple[frozenset[str], str] | None:
    """(flags in lower case, wire name) of a LIST response; the name may be quoted, bare or a literal."""
    is_literal = len(response.parts) > 1
    found = _LIST.match(_LITERAL.sub(b"x", response.text) if is_literal else response.text)
    if found is None:
        return None
    flags = frozenset(flag.decode("ascii", "replace").lower() for flag in found[1].split())
    name = (response.parts[1] if is_literal else found[2]).strip()
    if name.startswith(b'"') and not is_literal:
        name = re.sub(rb"\\(.)", rb"\1", name.strip(b'"'))
    return flags, name.decode("utf-8", "replace")


def moment(text: bytes) -> datetime | None:
    """An INTERNALDATE in UTC."""
    try:
        if found := _MOMENT.fullmatch(text):  # the library's reader takes five times as long
            day, month, year, hour, minute, second, sign, hours, minutes = found.groups()
            zone = (int(hours) * 60 + int(minutes)) * (-1 if sign == b"-" else 1)
            local = datetime(
                int(year), _MONTHS[month.lower()], int(day), int(hour), int(minute), int(second), tzinfo=UTC
            )
            return local - timedelta(minutes=zone)
        return parsedate_to_datetime(text.decode("ascii").strip().replace("-", " ", 2)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, KeyError):
        return None


def number(pattern: bytes, text: bytes) -> int:
    """The first number that follows `pattern`, which ends in one group; 0 where it is missing."""
    found = re.search(pattern, text, re.I)
    return int(found[1]) if found else 0


def quoted(text: str) -> str:
    """An IMAP quoted string. Raises ValueError on what cannot stand in one."""
    if not text.isascii() or any(sign in text for sign in "\r\n\0"):
        raise ValueError("a quoted string holds ASCII on one line")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
