"""A received mail as a value: tolerant, bounded, pure.

The parser is our own because the library's is not made for enemies: it raises RecursionError on nested messages or
comments and takes 18 s for 100,000 empty parts. This one walks the bytes once, never recurses deeper than
`Limits.depth` and never raises; what exceeds a limit is left unread and named in `Mail.exceeded`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_tz
from functools import cached_property

from outreach.inbox.charset import decode, decode_header
from outreach.inbox.limits import DEFAULT, Limits
from outreach.inbox.mime import boundary_spans, normalise, parameters, split_head, un_transfer
from outreach.inbox.plain import html_to_text
from outreach.inbox.returned import cut

ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.\u0080-\U0010ffff-]{1,64}@(?:[A-Za-z0-9\u0080-\U0010ffff-]{1,63}\.)*"
    r"[A-Za-z0-9\u0080-\U0010ffff-]{1,63}"
)
_NESTED = ("message/rfc822", "message/global", "message/news")


class Headers:
    """Headers in their order; names are compared without case, values are decoded when asked for."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self.raw = raw

    @cached_property
    def _by_name(self) -> dict[str, list[bytes]]:
        out: dict[str, list[bytes]] = {}
        for name, value in self.raw:
            out.setdefault(name.decode("ascii").lower(), []).append(value)
        return out

    @cached_property
    def items(self) -> list[tuple[str, str]]:
        return [(name.decode("ascii"), decode_header(value)) for name, value in self.raw]

    def get(self, name: str, default: str = "") -> str:
        """The first header of that name, decoded and unfolded, or `default`."""
        found = self._by_name.get(name.lower())
        return decode_header(found[0]) if found else default

    def get_all(self, name: str) -> list[str]:
        return [decode_header(value) for value in self._by_name.get(name.lower(), ())]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower() in self._by_name


@dataclass(frozen=True, eq=False)
class Part:
    """One MIME entity: a leaf, a multipart, or an enclosed message. `Mail.parts` lists them in document order."""

    headers: Headers
    content_type: str
    params: dict[str, str]
    depth: int  # 0 for the mail itself
    inside: int  # how many message/rfc822 enclose it: 0 means that the sender of this mail wrote it
    parent: int  # index in Mail.parts of the entity around it, -1 for the mail itself
    source: bytes = field(repr=False)
    start: int
    end: int

    @property
    def is_leaf(self) -> bool:
        return not self.content_type.startswith("multipart/") and self.content_type not in _NESTED

    @property
    def charset(self) -> str:
        return self.params.get("charset", "")

    @cached_property
    def _disposition(self) -> tuple[str, dict[str, str]]:
        return parameters(self.headers.get("Content-Disposition"))

    @property
    def disposition(self) -> str:
        return self._disposition[0]

    @cached_property
    def filename(self) -> str:
        name = self._disposition[1].get("filename") or self.params.get("name") or ""
        return decode_header(name.encode("utf-8", "replace"))

    @property
    def raw(self) -> bytes:
        """The body as it stands in the mail (lines ended by LF), transfer encoding not undone."""
        return self.source[self.start : self.end]

    @cached_property
    def encoding(self) -> str:
        """The Content-Transfer-Encoding in lower case, "" when there is none."""
        return self.headers.get("Content-Transfer-Encoding").split(";")[0].strip().lower()

    @property
    def encoded(self) -> bool:
        return self.encoding not in ("", "7bit", "8bit", "binary")

    @cached_property
    def data(self) -> bytes:
        return un_transfer(self.raw, self.encoding) if self.encoded else self.raw

    @cached_property
    def text(self) -> str:
        """The body as text with LF lines, whatever its type; never raises."""
        return decode(self.data, self.charset).replace("\r\n", "\n").replace("\r", "\n")


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
        elif kind in _NESTED:
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


def first_address(value: str) -> str:
    """The first address in a header value, in lower case; the one in <> wins over one in a display name."""
    angle = re.search(r"<([^<>\s]*@[^<>\s]*)>", value)
    found = angle[1] if angle else ""
    if not found:
        bare = ADDRESS.search(value)
        found = bare[0] if bare else ""
    return found.strip("'\"").lower()


def parse_date(value: str) -> datetime | None:
    """An RFC 5322 date in UTC; a date without a zone is taken as UTC. None when it makes no sense."""
    try:
        found = parsedate_tz(value[:200])
        if found is None:
            return None
        naive = datetime(*found[:6], tzinfo=UTC)
        return datetime.fromtimestamp(naive.timestamp() - (found[9] or 0), UTC)
    except (ValueError, OverflowError, TypeError, IndexError, OSError):
        return None
