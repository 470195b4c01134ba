"""Which of all customers may be one with another: pairs of nearly the same name. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from outreach.audience.likeness import LIKELY, likeness, words_of

#: Names of one block that are compared with each other; larger blocks begin with a word that is no sign.
_BLOCK = 2_000


@dataclass(frozen=True, slots=True)
class Similar:
    """Two companies that may be one. `score` 0 to 100."""

    left: int
    right: int
    score: float


def similar_companies(names: Iterable[tuple[int, str]], cutoff: float = 90.0, limit: int = 200) -> list[Similar]:
    """Return pairs of (id, name) whose names are nearly the same (likeness.py), the most alike first.

    Names are compared within blocks of the same first three letters of their own words and the same numbers: all
    against all would take hours at a hundred thousand.
    """
    blocks: dict[tuple[str, str], list[tuple[int, str, str]]] = {}
    for number, name in names:
        words = words_of(name)
        if words.core:
            blocks.setdefault((words.core[:3], words.numbers), []).append((number, words.core, name))
    pairs = [pair for block in blocks.values() if len(block) > 1 for pair in _within(block[:_BLOCK], cutoff)]
    return sorted(pairs, key=lambda pair: (-pair.score, pair.left, pair.right))[:limit]


def _within(block: list[tuple[int, str, str]], cutoff: float) -> Iterator[Similar]:
    cores = [core for _, core, _ in block]
    for index, (number, core, name) in enumerate(block[:-1]):
        rest = cores[index + 1 :]
        for _, _, offset in process.extract(core, rest, scorer=fuzz.ratio, score_cutoff=LIKELY, limit=20):
            other, _, others = block[index + 1 + offset]
            score = likeness(words_of(name), words_of(others))
            if score >= cutoff:
                yield Similar(number, other, round(score, 1))
