"""Bytes to text. A mail's charset is a claim, so decoding never raises."""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache

# Names on the wire → the codec that reads what is really sent under that name.
# WHATWG Encoding Standard: latin-1 is windows-1252 in practice, gb2312 and gbk are subsets of gb18030, and so on.
SUPERSETS = {
    "us-ascii": "ascii",
    "ansi_x3.4-1968": "ascii",
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "latin-1": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "gb_2312-80": "gb18030",
    "x-gbk": "gb18030",
    "cp936": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "sjis": "cp932",
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
    "iso-8859-8-i": "iso-8859-8",
    "iso-8859-11": "tis-620",
    "utf8": "utf-8",
    "unicode-1-1-utf-7": "utf-7",
    "utf-8": "utf-8-sig",
}
# Python codecs that are no charsets; punycode and idna also take quadratic time on long input.
FORBIDDEN = frozenset({"punycode", "idna", "unicode_escape", "raw_unicode_escape", "undefined", "mbcs", "oem"})
# 7-bit encodings: when they fail, utf-8 would "succeed" and show escape sequences to people.
SEVEN_BIT = ("iso2022", "iso-2022", "hz", "utf-7", "utf7")
_WORD = re.compile(r"=\?([^?*\s]{1,60})(?:\*[^?\s]{0,40})?\?([bBqQ])\?([^?\n]*)\?=")
_BETWEEN = re.compile(r"(=\?[^?\s]{1,100}\?[bBqQ]\?[^?\n]*\?=)\s+(?==\?[^?\s]{1,100}\?[bBqQ]\?[^?\n]*\?=)")
_FOLD = re.compile(r"\r?\n(?=[ \t])|[\r\n]+")


@lru_cache(maxsize=512)
def codec_for(name: str) -> str | None:
    """The Python codec for a charset name from a mail, or None when it is unknown or no charset at all."""
    wanted = name.strip().strip("\"'").lower().replace(" ", "")
    wanted = SUPERSETS.get(wanted, wanted)
    try:
        found = codecs.lookup(wanted)
    except (LookupError, ValueError, TypeError, ImportError):
        return None
    if found.name.replace("-", "_") in FORBIDDEN or not getattr(found, "_is_text_encoding", True):
        return None
    return found.name


def decode(data: bytes, declared: str = "") -> str:
    """Text of `data`: by the declared charset, else utf-8, else gb18030, else with replacement marks."""
    codec = codec_for(declared) if declared else None
    for candidate in (codec, "utf-8", "gb18030"):
        if candidate is None:
            continue
        try:
            return data.decode(candidate)
        except (UnicodeError, ValueError, OverflowError):
            if candidate.startswith(SEVEN_BIT):
                break
    return data.decode(codec or "utf-8", "replace") if codec != "cp1252" else data.decode("latin-1")


def decode_header(raw: bytes) -> str:
    """One header's value: unfolded, RFC 2047 words decoded (split characters joined), 8-bit bytes tolerated."""
    text = raw.decode("ascii") if raw.isascii() else decode(raw)
    if "\n" in text or "\r" in text:
        text = _FOLD.sub("", text)
    if "=?" in text:
        text = _decode_words(text)
    return text.strip()


def _decode_words(text: str) -> str:
    out: list[str] = []
    pending, charset, at = b"", "", 0
    for word in _WORD.finditer(_BETWEEN.sub(r"\1", text)):
        gap = word.string[at : word.start()]
        at = word.end()
        if gap or word[1].lower() != charset:  # neighbours in one charset are one run of bytes
            out += [decode(pending, charset), gap]
            pending, charset = b"", word[1].lower()
        pending += _word_bytes(word[2], word[3])
    tail = _BETWEEN.sub(r"\1", text)[at:]
    return "".join([*out, decode(pending, charset), tail])


def _word_bytes(encoding: str, payload: str) -> bytes:
    raw = payload.encode("utf-8", "surrogateescape")
    return un_base64(raw) if encoding in "bB" else un_quoted(raw.replace(b"_", b" "), header=True)


def un_base64(data: bytes) -> bytes:
    """Lenient base64: foreign bytes are skipped, a broken end is dropped; prose that only claims to be base64 stays."""
    if data.count(b" ") > len(data) // 50:
        return data
    clean = _NOT_BASE64.sub(b"", data)
    clean = clean[: len(clean) - 1] if len(clean) % 4 == 1 else clean
    return binascii.a2b_base64(clean + b"=" * (-len(clean) % 4)) if clean else b""


def un_quoted(data: bytes, *, header: bool = False) -> bytes:
    """Lenient quoted-printable (RFC 2045 6.7): a wrong escape stays as it stands."""
    return binascii.a2b_qp(_SOFT_BREAK.sub(b"=\n", data) if b"= " in data else data, header=header)


_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_SOFT_BREAK = re.compile(rb"=[ \t]{1,70}\r?\n")
