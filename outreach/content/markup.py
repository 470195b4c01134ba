"""A scanner for tags that knows offsets: the parsers at hand tell neither line nor column.

It reads MJML and the HTML inside: tags, attributes with their places, comments. It is strict where a
browser is lenient, because a mail client is not a browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_NAME = r"[A-Za-z][\w:.-]*"
_START = re.compile(r"<!--|</?[A-Za-z]")
_TAG = re.compile(
    rf"<(?P<close>/)?(?P<name>{_NAME})(?P<attributes>(?:[^<>\"']|\"[^\"]*\"|'[^']*')*?)(?P<empty>/)?>", re.DOTALL
)
_ATTRIBUTE = re.compile(
    rf"(?P<name>{_NAME}|[@*:]{_NAME})(?:\s*=\s*(?:\"(?P<double>[^\"]*)\"|'(?P<single>[^']*)'"
    r"|(?P<bare>[^\s\"'=<>`]+)))?",
    re.DOTALL,
)
VOID = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])


@dataclass(frozen=True)
class Attribute:
    """`start`…`end` is the value without its quotes, as offsets into the scanned text."""

    name: str
    value: str
    offset: int
    start: int
    end: int


@dataclass(frozen=True)
class Tag:
    """kind: open, close, empty (self-closing), comment; text that is no tag has none of these."""

    kind: str
    name: str
    attributes: tuple[Attribute, ...]
    start: int
    end: int

    def get(self, name: str) -> str | None:
        """An attribute's value, None where it is missing."""
        return next((item.value for item in self.attributes if item.name == name), None)


def tags(text: str, start: int = 0) -> Iterator[Tag]:
    """All tags and comments in order; ends at one that is never closed, so that time grows with the text alone."""
    while begin := _START.search(text, start):
        if begin[0] == "<!--":
            end = text.find("-->", begin.end())
            if end < 0:
                return
            yield Tag("comment", "", (), begin.start(), end + 3)
            start = end + 3
            continue
        match = _TAG.match(text, begin.start())
        if match is None:
            return
        kind = "close" if match["close"] else "empty" if match["empty"] else "open"
        attributes = tuple(_attributes(text, match.start("attributes"), match.end("attributes")))
        yield Tag(kind, match["name"].lower(), attributes, match.start(), match.end())
        start = match.end()


def _attributes(text: str, start: int, end: int) -> Iterator[Attribute]:
    for match in _ATTRIBUTE.finditer(text, start, end):
        group = next((name for name in ("double", "single", "bare") if match[name] is not None), None)
        value = match[group] if group else ""
        span = match.span(group) if group else (match.end(), match.end())
        yield Attribute(match["name"].lower(), value, match.start(), *span)
