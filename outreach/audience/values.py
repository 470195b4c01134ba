"""The other cells: text, dates, numbers, lists and closed vocabularies, as they are stored."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache

from outreach.audience.hygiene import words

#: Longer than any name or remark; what is beyond is cut.
LONGEST_TEXT = 500
LONGEST_NOTE = 10_000
MAX_LABELS = 50

_NUMERIC_DATE = re.compile(r"(\d{1,4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,4})日?(?:[ T].*)?")
_SERIAL = re.compile(r"[3-6]\d{4}(?:\.0)?")
_LISTS = re.compile(r"[;；|、\n]+")
_COMMAS = re.compile(r"[,，]+")


class ValueRefused(ValueError):
    """A value that cannot be understood: a code of reasons.py."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def clean_text(text: str) -> str:
    """Return a short text: NFKC, no control characters, single spaces, at most LONGEST_TEXT characters."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text.strip()[:LONGEST_TEXT]
    folded = unicodedata.normalize("NFKC", text)
    plain = "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in folded)
    return " ".join(plain.split())[:LONGEST_TEXT]


def clean_note(text: str) -> str:
    """Return a long text: line breaks stay, other control characters go."""
    folded = unicodedata.normalize("NFKC", text.replace("\r\n", "\n").replace("\r", "\n"))
    return "".join(char for char in folded if char == "\n" or unicodedata.category(char)[0] != "C").strip()[
        :LONGEST_NOTE
    ]


def labels(text: str) -> tuple[str, ...]:
    """Return the tags of a cell, lower case, each once. ``;`` parts them; commas do where there is no ``;``."""
    parts = _LISTS.split(text)
    if len(parts) == 1:
        parts = _COMMAS.split(text)
    cleaned = (clean_label(part) for part in parts)
    return tuple(dict.fromkeys(label for label in cleaned if label))[:MAX_LABELS]


def clean_label(text: str) -> str:
    """Return a tag as it is stored: clean text in lower case, at most 80 characters."""
    return clean_text(text).lower()[:80].strip()


def parse_date(text: str) -> date:
    """Return the date of a cell. Raises ValueRefused where it is none or ambiguous (03/04/2026)."""
    plain = unicodedata.normalize("NFKC", text).strip()
    try:
        if _SERIAL.fullmatch(plain):  # a date that Excel shows as a number: days since 1899-12-30
            return date(1899, 12, 30) + timedelta(days=int(float(plain)))
        if len(plain) == 8 and plain.isdigit():
            return date(int(plain[:4]), int(plain[4:6]), int(plain[6:]))
        match = _NUMERIC_DATE.fullmatch(plain)
        if match is not None:
            return _ordered(match[1], match[2], match[3], dotted="." in plain)
        return date.fromisoformat(plain)
    except ValueError:
        raise ValueRefused("bad_date") from None


def _ordered(first: str, second: str, third: str, dotted: bool) -> date:
    if len(first) == 4:
        return date(int(first), int(second), int(third))
    if len(third) != 4:
        raise ValueError("no year")
    one, two, year = int(first), int(second), int(third)
    if dotted or one > 12 or one == two:  # dots are used where the day stands first
        return date(year, two, one)
    if two > 12:
        return date(year, one, two)
    raise ValueError("day or month")


def parse_number(text: str) -> float:
    """Return the number of a cell, with or without currency and separators. Raises ValueRefused."""
    plain = re.sub(r"[^\d.,-]", "", unicodedata.normalize("NFKC", text))
    if "," in plain and "." in plain:
        decimal = "," if plain.rfind(",") > plain.rfind(".") else "."
        plain = plain.replace("." if decimal == "," else ",", "").replace(",", ".")
    elif plain.count(",") == 1 and len(plain.rpartition(",")[2]) != 3:
        plain = plain.replace(",", ".")
    else:
        plain = plain.replace(",", "")
    try:
        return round(float(plain), 2)
    except ValueError:
        raise ValueRefused("bad_number") from None


@lru_cache(maxsize=4)
def _vocabulary(table: str) -> dict[str, str]:
    return {word: value for value, listed in words()[table].items() for word in listed}


def _said(table: str, text: str, code: str) -> str:
    found = _vocabulary(table).get(" ".join(unicodedata.normalize("NFKC", text).lower().split()))
    if found is None:
        raise ValueRefused(code)
    return found


def basis_of(text: str) -> str:
    """Return the stored value of a legal basis. Raises ValueRefused."""
    return _said("basis", text, "bad_basis")


def grade_of(text: str) -> str:
    """Return A, B, C or D. Raises ValueRefused."""
    return _said("grade", text, "unknown_grade")


def split_name(full: str) -> tuple[str, str]:
    """Return (first, last) of a full name. "Last, First" is turned; Chinese names begin with the family's."""
    name = clean_text(full)
    if "," in name:
        last, _, first = name.partition(",")
        return first.strip(), last.strip()
    if re.fullmatch(r"[\u4e00-\u9fff]{2,4}", name):
        family = 2 if len(name) == 4 or name[:2] in _DOUBLE else 1
        return name[family:], name[:family]
    first, _, last = name.rpartition(" ")
    return (first, last) if first else (last, "")


#: Family names of two characters.
_DOUBLE = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "司徒",
        "令狐",
        "端木",
        "南宫",
        "夏侯",
        "轩辕",
    ]
)
