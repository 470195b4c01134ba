"""Which character set a text file is in: BOM, then UTF-8, UTF-16, GB 18030, and Windows-1252 for what is left."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")

#: Enough of the bytes beyond ASCII to tell Chinese from western text.
EVIDENCE = 64 * 1024


def detect(chunks: Iterable[bytes]) -> str:
    """Return the name of the encoding. Reads all chunks: the only Chinese name may stand in the last line."""
    first, evidence = b"", bytearray()
    utf8, is_utf8 = codecs.getincrementaldecoder("utf-8")("strict"), True
    for chunk in chunks:
        if not first:
            first = chunk
            if (marked := _marked(first)) is not None:
                return marked
        if is_utf8 and not (chunk.isascii() and not evidence):
            is_utf8 = _continues(utf8, chunk)
        if not chunk.isascii() and len(evidence) < EVIDENCE:
            evidence += chunk
    is_utf8 = is_utf8 and _continues(utf8, b"", final=True)
    return "utf-8" if is_utf8 else _legacy(bytes(evidence[:EVIDENCE]))


def _marked(first: bytes) -> str | None:
    """Recognise a BOM, or UTF-16 without one: ASCII text then has a zero in every other byte."""
    for bom, name in _BOMS:
        if first.startswith(bom):
            return name
    head = first[:2000]
    if len(head) >= 4 and head[1::2].count(0) > len(head) // 4:
        return "utf-16-le"
    return "utf-16-be" if len(head) >= 4 and head[0::2].count(0) > len(head) // 4 else None


def _continues(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _legacy(evidence: bytes) -> str:
    """Tell GB 18030 from Windows-1252.

    In Chinese text nearly every pair has both bytes beyond A0 (GB 2312's characters); in western text a high byte is
    an accented letter, and ASCII follows it.
    """
    pairs = _HIGH_PAIR.findall(evidence)
    chinese = sum(1 for pair in pairs if pair[0] >= 0xA1 and pair[1] >= 0xA1)
    try:
        codecs.getincrementaldecoder("gb18030")("strict").decode(evidence)
    except UnicodeDecodeError:
        return "cp1252" if chinese * 2 < len(pairs) else "gb18030"
    return "gb18030" if chinese * 2 >= len(pairs) else "cp1252"
