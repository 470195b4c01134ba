"""What changed between two versions of a text, word by word. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

#: Words shown around a change; a long unchanged stretch becomes an ellipsis.
AROUND = 12
#: Beyond this many words a comparison is made by lines: difflib is quadratic.
MOST_WORDS = 4_000

_WORDS = re.compile(r"\s+|[\u4e00-\u9fff]|[^\s\u4e00-\u9fff]+")


@dataclass(frozen=True)
class Piece:
    """A stretch of text: `kind` is same, del or ins."""

    kind: str
    text: str


@dataclass(frozen=True)
class Change:
    """One changed thing: what it is called and its pieces."""

    name: str
    pieces: tuple[Piece, ...]


def words(before: str, after: str) -> tuple[Piece, ...]:
    """Compare two texts word by word (Chinese character by character)."""
    a, b = _split(before), _split(after)
    pieces: list[Piece] = []
    for kind, a1, a2, b1, b2 in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(Piece("same", _shorten(a[a1:a2])))
            continue
        if a2 > a1:
            pieces.append(Piece("del", "".join(a[a1:a2])))
        if b2 > b1:
            pieces.append(Piece("ins", "".join(b[b1:b2])))
    return tuple(pieces)


def _split(text: str) -> list[str]:
    found = _WORDS.findall(text)
    return found if len(found) <= MOST_WORDS else text.splitlines(keepends=True)


def _shorten(kept: list[str]) -> str:
    if len(kept) <= 2 * AROUND:
        return "".join(kept)
    return "".join(kept[:AROUND]) + " … " + "".join(kept[-AROUND:])


def definitions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Change]:
    """Compare two campaign files key by key."""
    old, new = dict(_flat(before)), dict(_flat(after))
    for key in sorted(old.keys() | new.keys()):
        if old.get(key) != new.get(key):
            yield Change(key, words(str(old.get(key, "")), str(new.get(key, ""))))


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for number, item in enumerate(value, 1):
            yield from _flat(item, f"{path} {number}")
    elif isinstance(value, list):
        yield path, ", ".join(str(item) for item in value)
    elif value not in (None, ""):
        yield path, str(value)
