"""SMTP replies: parsed within limits, with their enhanced codes (RFC 5321 4.2, RFC 3463)."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: Not part of an IP address or a version.
ENHANCED = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
#: Where RFC 2034 puts the enhanced code: at the start of the text. Elsewhere it is only a hint.
LEADING = re.compile(r"^([245])\.(\d{1,3})\.(\d{1,3})(?:\s|$)")


@dataclass(frozen=True, slots=True)
class ReplyLimits:
    """What one reply may cost.

    line: octets with CRLF, RFC 5321 4.5.3.1.5. lines, total: no number in the RFC; the longest EHLO answers and policy
    texts seen are 40 lines and 6 kB.
    """

    line: int = 512
    lines: int = 100
    total: int = 65_536


class ReplyError(Exception):
    """The server's bytes are no reply. The text says why, for the attempt's record."""


class Reply:
    """One reply. `code` 200 to 599; `raw` its lines without code and CRLF, joined by line feeds."""

    __slots__ = ("code", "raw")

    def __init__(self, code: int, raw: bytes) -> None:
        self.code = code
        self.raw = raw

    @classmethod
    def of(cls, code: int, text: str) -> Reply:
        """Make a reply from text (a connection's exception, a test)."""
        return cls(code, text.encode("utf-8", "replace"))

    @property
    def text(self) -> str:
        """The server's words. Undecodable bytes become U+FFFD; control characters become spaces."""
        words = self.raw.decode("utf-8", "replace")
        if words.isprintable():
            return words
        return "".join(c if c.isprintable() or c == "\n" else " " for c in words)

    @property
    def enhanced(self) -> tuple[int, int, int] | None:
        """The enhanced code at the start of the text, or else the first one found in it."""
        found = LEADING.match(self.text) or ENHANCED.search(self.text)
        return (int(found[1]), int(found[2]), int(found[3])) if found else None

    def __repr__(self) -> str:
        return f"Reply({self.code}, {self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Reply) and (self.code, self.raw) == (other.code, other.raw)

    def __hash__(self) -> int:
        return hash((self.code, self.raw))


class ReplyReader:
    """Turns received bytes into replies. Once `error` is set it is of no more use: close the link."""

    __slots__ = ("_code", "_limits", "_lines", "_rest", "_size", "error")

    def __init__(self, limits: ReplyLimits | None = None) -> None:
        self._limits = limits or ReplyLimits()
        self._rest = b""
        self._lines: list[bytes] = []
        self._code = 0
        self._size = 0
        self.error: ReplyError | None = None

    @property
    def partial(self) -> bool:
        """Whether a reply has begun and not ended."""
        return bool(self._rest or self._lines)

    def feed(self, data: bytes) -> list[Reply]:
        """Return the replies that `data` completes; what no server may send after them is kept in `error`."""
        if self._rest:
            data = self._rest + data
        replies: list[Reply] = []
        try:
            self._feed(data, replies)
        except ReplyError as error:
            self.error = error
        return replies

    def _feed(self, data: bytes, replies: list[Reply]) -> None:
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            reply = self._line(data[start : end + 1])
            if reply is not None:
                replies.append(reply)
            start = end + 1
        self._rest = data[start:]
        if len(self._rest) >= self._limits.line:
            raise ReplyError(f"a reply line of more than {self._limits.line} bytes")

    def _line(self, line: bytes) -> Reply | None:
        if len(line) > self._limits.line:
            raise ReplyError(f"a reply line of more than {self._limits.line} bytes")
        if line[-2:] != b"\r\n" or b"\0" in line or line.find(b"\r") != len(line) - 2:
            raise ReplyError("a reply line with a bare line feed, a bare CR or NUL")
        code, mark = line[:3], line[3:4]
        if not (code.isdigit() and b"200" <= code < b"600" and (mark in b" -" or mark == b"\r")):
            raise ReplyError(f"not an SMTP reply: {line[:40]!r}")
        return self._part(int(code), mark == b"-", line[4:-2])

    def _part(self, code: int, more: bool, text: bytes) -> Reply | None:
        if not self._lines and not more:
            return Reply(code, text)
        if self._lines and code != self._code:
            raise ReplyError(f"a reply whose lines disagree: {self._code} and {code}")
        self._code = code
        self._lines.append(text)
        self._size += len(text)
        if len(self._lines) > self._limits.lines or self._size > self._limits.total:
            raise ReplyError("a reply without end")
        if more:
            return None
        lines, self._lines, self._size = self._lines, [], 0
        return Reply(code, b"\n".join(lines))
