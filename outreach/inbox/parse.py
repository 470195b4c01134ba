"""A received mail as a value: tolerant, bounded, pure.

The parser is our own because the library's is not made for enemies: it raises RecursionError on nested messages or
comments and takes 18 s for 100,000 empty parts. This one walks the bytes once, never recurses deeper than
`Limits.depth` and never raises; what exceeds a limit is left unread and named in `Mail.exceeded`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from outreach.inbox.entity import NESTED, Headers, Part
from outreach.inbox.header_values import first_address, parse_date
from outreach.inbox.limits import DEFAULT, Limits
from outreach.inbox.mime import boundary_spans, normalise, parameters, split_head, undeclared_boundary
from outreach.inbox.plain import html_to_text
from outreach.inbox.returned import cut


@dataclass(frozen=True, eq=False)
class Mail:
    """A parsed mail. `exceeded` names the limits that cut it (size, headers, parts, depth), empty for nearly all."""

    parts: tuple[Part, ...]
    exceeded: tuple[str, ...] = ()
    size: int = 0

    @property
    def headers(self) -> Headers:
        return self.parts[0].headers

    def get(self, name: str, default: str = "") -> str:
        return self.headers.get(name, default)

    def get_all(self, name: str) -> list[str]:
        return self.headers.get_all(name)

    @property
    def content_type(self) -> str:
        return self.parts[0].content_type

    @cached_property
    def subject(self) -> str:
        return self.get("Subject")

    @cached_property
    def from_addr(self) -> str:
        """The address in From in lower case, or ""."""
        return first_address(self.get("From"))

    @cached_property
    def date(self) -> datetime | None:
        """The Date header in UTC, None when it is missing or makes no sense."""
        return parse_date(self.get("Date"))

    @cached_property
    def leaves(self) -> tuple[Part, ...]:
        return tuple(part for part in self.parts if part.is_leaf)

    @cached_property
    def own(self) -> tuple[Part, ...]:
        """Leaves that the sender wrote for reading: not inside an enclosed message, not attached."""
        return tuple(p for p in self.leaves if p.inside == 0 and p.disposition != "attachment" and not p.filename)

    @cached_property
    def plain(self) -> str:
        """All text/plain the sender wrote, joined by a blank line; "" when there is only HTML."""
        return "\n\n".join(p.text for p in self.own if p.content_type == "text/plain")

    @cached_property
    def html(self) -> str:
        return "\n".join(p.text for p in self.own if p.content_type == "text/html")

    @cached_property
    def text(self) -> str:
        """What a person would read: the plain text, or the HTML as text."""
        return self.plain if self.plain.strip() else html_to_text(self.html)

    @cached_property
    def notice(self) -> str:
        """The text without a returned message below it."""
        return cut(self.text)

    def of_type(self, *types: str) -> list[Part]:
        return [part for part in self.parts if part.content_type in types]

    def children(self, part: Part) -> list[Part]:
        index = self.parts.index(part)
        return [child for child in self.parts if child.parent == index]


def parse(raw: bytes, limits: Limits = DEFAULT) -> Mail:
    """Parse a whole mail (RFC 5322 bytes, any line ending). Never raises; see `Mail.exceeded`."""
    size = len(raw)
    walk = _Walk(limits)
    if size > limits.size:
        walk.exceeded.append("size")
        raw = raw[: limits.size]
    data = normalise(raw)
    walk.entity(data, 0, len(data), depth=0, inside=0, parent=-1, default="text/plain")
    return Mail(tuple(walk.parts), tuple(dict.fromkeys(walk.exceeded)), size)


class _Walk:
    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.parts: list[Part] = []
        self.exceeded: list[str] = []

    def entity(self, raw: bytes, start: int, end: int, *, depth: int, inside: int, parent: int, default: str) -> None:
        head, body, cut = split_head(raw, start, end, self.limits.headers)
        if cut:
            self.exceeded.append("headers")
        headers = Headers(head)
        kind, params = parameters(headers.get("Content-Type"))
        kind = kind if kind.count("/") == 1 else default
        index = len(self.parts)
        part = Part(headers, kind, params, depth, inside, parent, raw, body, end)
        self.parts.append(part)
        if part.is_leaf:
            return
        if depth >= self.limits.depth:
            self.exceeded.append("depth")
        elif kind in NESTED:
            self._message(part, index)
        else:
            self._multipart(part, index)

    def _message(self, part: Part, index: int) -> None:
        if self._full():
            return
        source, start, end = part.source, part.start, part.end
        if part.headers.get("Content-Transfer-Encoding").strip().lower() in ("base64", "quoted-printable"):
            source = normalise(part.data)  # RFC 2046 5.2.1 forbids it; several MTAs do it
            start, end = 0, len(source)
        while source.startswith(b"\n", start, end):
            start += 1
        self.entity(
            source,
            start,
            end,
            depth=part.depth + 1,
            inside=part.inside + 1,
            parent=index,
            default="text/plain",
        )

    def _multipart(self, part: Part, index: int) -> None:
        boundary = part.params.get("boundary", "").rstrip().encode("utf-8", "replace")
        default = "message/rfc822" if part.content_type == "multipart/digest" else "text/plain"
        found = False
        if not boundary or part.source.find(b"--" + boundary, part.start, part.end) < 0:
            boundary = undeclared_boundary(part.source, part.start, part.end)
        for start, end in boundary_spans(part.source, part.start, part.end, boundary) if boundary else ():
            if self._full():
                return
            found = True
            self.entity(
                part.source,
                start,
                end,
                depth=part.depth + 1,
                inside=part.inside,
                parent=index,
                default=default,
            )
        if not found and not self._full():  # a multipart without parts is read as the text it is
            plain = Part(
                Headers([]),
                "text/plain",
                {},
                part.depth + 1,
                part.inside,
                index,
                part.source,
                part.start,
                part.end,
            )
            self.parts.append(plain)

    def _full(self) -> bool:
        if len(self.parts) < self.limits.parts:
            return False
        self.exceeded.append("parts")
        return True
