"""One MIME entity: its headers, and its body as bytes and as text, decoded when asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from outreach.inbox.charset import decode, decode_header
from outreach.inbox.mime import parameters, un_transfer

NESTED = ("message/rfc822", "message/global", "message/news")


class Headers:
    """Headers in their order; names are compared without case, values are decoded when asked for."""

    def __init__(self, raw: list[tuple[bytes, bytes]]) -> None:
        self.raw = raw

    @cached_property
    def _by_name(self) -> dict[bytes, list[bytes]]:
        out: dict[bytes, list[bytes]] = {}
        for name, value in self.raw:
            out.setdefault(name.lower(), []).append(value)
        return out

    @cached_property
    def items(self) -> list[tuple[str, str]]:
        return [(name.decode("ascii"), decode_header(value)) for name, value in self.raw]

    def get(self, name: str, default: str = "") -> str:
        """The first header of that name, decoded and unfolded, or `default`."""
        found = self._by_name.get(name.lower().encode())
        return decode_header(found[0]) if found else default

    def get_all(self, name: str) -> list[str]:
        return [decode_header(value) for value in self._by_name.get(name.lower().encode(), ())]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and name.lower().encode() in self._by_name


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
        return not self.content_type.startswith("multipart/") and self.content_type not in NESTED

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
