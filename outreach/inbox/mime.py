"""The grammar of RFC 5322 and MIME as seen in the wild: headers, parameters, boundaries. Bytes in; never raises."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from outreach.inbox.charset import decode, un_base64, un_quoted

_HEADER = re.compile(rb"^([!-9;-~]{1,200})[ \t]*:(.*(?:\n[ \t].*)*)", re.M)
_FIRST = re.compile(rb"(?:>?From .*\n)?(?:[!-9;-~]{1,200}[ \t]*:)")
_PARAMETER = re.compile(r';\s*([^\s=;"]{1,80})\s*=\s*(?:"((?:[^"\\]|\\.)*)"?|([^;]*))', re.S)
_SECTION = re.compile(r"^(.+?)(?:\*(\d{1,3}))?(\*)?$")
_UNESCAPE = re.compile(r"\\(.)", re.S)
_COMMENT = re.compile(r"\([^()]*\)")
_OPENED = re.compile(rb"^--([^\s]{1,200})[ \t]*\nContent-[A-Za-z-]{2,40}:", re.M)
FIRST_BOUNDARY = 4096  # bytes of a body in which a boundary that nothing declares is looked for: a preamble is shorter


def normalise(raw: bytes) -> bytes:
    """Lines that end in LF alone, whichever of CRLF, LF and CR the mail came with; no mbox line, no blank lead."""
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n")
        if b"\n" not in raw[:2000]:
            raw = raw.replace(b"\r", b"\n")
    if raw[:1] in b"\n\xef\xff \t":
        raw = raw.removeprefix(b"\xef\xbb\xbf").lstrip(b"\n")
    return raw


def begins_with_header(raw: bytes, start: int, end: int) -> bool:
    """Whether the entity at raw[start:end] has headers at all (see `split_head`)."""
    return _FIRST.match(raw, start, end) is not None


def split_head(raw: bytes, start: int, end: int, limit: int) -> tuple[list[tuple[bytes, bytes]], int, bool]:
    """Headers of the entity at raw[start:end] as (name, raw value), where its body begins, whether `limit` cut them.

    An entity whose first line is no header has no headers: all of it is body.
    """
    if raw.startswith(b"\n", start, end):
        return [], min(start + 1, end), False
    if not _FIRST.match(raw, start, end):
        return [], start, False
    blank = raw.find(b"\n\n", start, end)
    stop, body = (end, end) if blank < 0 else (blank, blank + 2)
    cut = stop - start > limit
    region = raw[start : min(stop, start + limit)]
    return _HEADER.findall(region), body, cut


def parameters(value: str) -> tuple[str, dict[str, str]]:
    """A header such as Content-Type: its lower-case main value, and its parameters (RFC 2231 pieces joined)."""
    return _short_parameters(value) if len(value) < 200 else _parameters(value)


def _parameters(value: str) -> tuple[str, dict[str, str]]:
    main = value.partition(";")[0]
    if "(" in main:
        main = _COMMENT.sub("", main)
    main = main.strip().lower()
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, str, bool]]] = {}
    for found in _PARAMETER.finditer(value[:20_000]):
        name, text = found[1].lower(), found[3]
        text = _UNESCAPE.sub(r"\1", found[2]) if text is None else text.strip().strip("'")
        section = _SECTION.match(name)
        if section and (section[2] or section[3]):
            pieces.setdefault(section[1], []).append((int(section[2] or 0), text, bool(section[3])))
        else:
            plain.setdefault(name, text)
    joined = {name: _join_2231(sorted(found, key=lambda p: p[0])) for name, found in pieces.items()}
    return main, {**joined, **plain} if not joined else {**plain, **joined}


# Most mails say the same few things here. The dictionaries are shared, so nobody may change them.
_short_parameters = lru_cache(maxsize=2048)(_parameters)


def _join_2231(pieces: list[tuple[int, str, bool]]) -> str:
    charset, first = "", pieces[0][1]
    if pieces[0][2] and first.count("'") >= 2:
        charset, _, first = first.split("'", 2)
        pieces = [(0, first, True), *pieces[1:]]
    data = b"".join(unquote_to_bytes(text) if escaped else text.encode() for _, text, escaped in pieces)
    return decode(data, charset)


def boundary_spans(raw: bytes, start: int, end: int, boundary: bytes) -> Iterator[tuple[int, int]]:
    """Spans of a multipart's parts, preamble and epilogue left out; a missing last boundary ends at `end`."""
    mark, at, opened = b"--" + boundary, start, -1
    while True:
        hit = raw.find(mark, at, end)
        if hit < 0:
            break
        at = hit + len(mark)
        if hit > start and raw[hit - 1] != 0x0A:
            continue
        line = raw.find(b"\n", at, end)
        line = end if line < 0 else line
        rest = raw[at : min(line, at + 80)].strip()
        if rest not in (b"", b"--"):
            continue
        if opened >= 0:
            yield opened, max(opened, hit - 1)
        opened, at = min(line + 1, end), line
        if rest == b"--":
            return
    if opened >= 0:
        yield opened, end


def undeclared_boundary(raw: bytes, start: int, end: int) -> bytes:
    """The boundary that stands in the body itself, b"" if none does.

    Gateways rewrite or lose the Content-Type of the notices that they pass on, and the parts are left without the
    boundary that would part them.
    """
    found = _OPENED.search(raw, start, min(end, start + FIRST_BOUNDARY))
    return found[1] if found else b""


def un_transfer(data: bytes, encoding: str) -> bytes:
    """The body behind a Content-Transfer-Encoding; unknown ones are left as they are."""
    if encoding == "base64":
        return un_base64(data)
    if encoding == "quoted-printable":
        return un_quoted(data)
    if encoding in ("x-uuencode", "uuencode", "x-uue"):
        return _un_uu(data)
    return data


def _un_uu(data: bytes) -> bytes:
    out = bytearray()
    for line in data.split(b"\n"):
        if line[:6] == b"begin " or line.rstrip() in (b"end", b"`", b""):
            continue
        try:
            out += binascii.a2b_uu(line[:90])
        except binascii.Error:
            continue
    return bytes(out)
