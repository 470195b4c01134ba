"""New customers of a list that may be one that is there: by name, by telephone, by a sister domain. Pure.

The search is bounded: names are compared only with those whose own words begin or end alike (likeness.py), the newest
few of each such block.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from rapidfuzz import fuzz, process

from outreach.audience.dedupe import domain_label
from outreach.audience.likeness import ABROAD, ALIKE, LIKELY, SISTER, Words, likeness, words_of

#: New customers of one list that are compared. The page of duplicates compares all of them.
MOST_CHECKED = 20_000
#: Customers and telephone numbers of before that are held in memory meanwhile, the newest first: some 40 MB.
MOST_HELD = 100_000
#: Names of one block: beyond that a beginning is no sign (“China …”).
BLOCK = 60
#: The most promising names of a block, which are measured word by word.
MEASURED = 10
#: Letters that two names must share at their beginning or at their end.
EDGE = 4
#: Pairs that are told one by one, where the caller wants no other number.
TOLD = 100


class Named(NamedTuple):
    """A customer as the search sees it."""

    id: int
    name: str
    domain: str | None
    country: str | None


class Near(NamedTuple):
    """A new customer of line `line` that may be the customer `other_id`. `by`: phone, name, sister (domain)."""

    line: int
    name: str
    other_id: int
    other: str
    by: str
    score: float


@dataclass(slots=True)
class Nears:
    """What was found: `most` pairs at most, how many there were, how many new customers were compared."""

    count: int = 0
    checked: int = 0
    pairs: list[Near] = field(default_factory=list)
    most: int = TOLD

    def add(self, near: Near) -> None:
        """Count a pair and keep it where there is room."""
        self.count += 1
        if len(self.pairs) < self.most:
            self.pairs.append(near)

    def as_list(self) -> list[dict[str, Any]]:
        """Return the pairs that were kept, for JSON."""
        names = ("line", "name", "customer_id", "customer", "by", "score")
        return [dict(zip(names, near, strict=True)) for near in self.pairs]


def phone_mark(phone: str, country: str | None) -> tuple[str, str] | None:
    """Return what two spellings of one number share (+49 30 123456, 030/123456): its last digits, and the country."""
    digits = "".join(char for char in phone if char.isdecimal())
    return (digits[-8:], country or "") if len(digits) >= 7 else None


class NearBook:
    """The customers that are there, by what they may be found with."""

    def __init__(self) -> None:
        #: Lists, not deques: nearly all hold one name, and an empty deque takes as much as ten.
        self.blocks: dict[str, list[tuple[str, Named]]] = {}
        self.labels: dict[str, Named] = {}
        self.phones: dict[tuple[str, str], Named] = {}

    def remember(self, one: Named) -> None:
        """Let later customers be compared with this one."""
        words = words_of(one.name)
        entry = (words.core, one)
        for edge in _edges(words):
            if (block := self.blocks.get(edge)) is None:
                self.blocks[edge] = [entry]  # nearly all hold one name: made to its size
            else:
                block.append(entry)
                del block[:-BLOCK]
        if label := domain_label(one.domain):
            self.labels.setdefault(label, one)

    def remember_phone(self, phone: str, one: Named) -> None:
        """Let later customers be compared with this one's number."""
        if mark := phone_mark(phone, one.country):
            self.phones.setdefault(mark, one)

    def look(self, line: int, new: Named, phone: str = "") -> Near | None:
        """Return the customer that a new one most likely is, and remember the new one."""
        found = self._by_phone(new, phone) or self._by_name(new) or self._bydomain_label(new)
        self.remember(new)
        if phone:
            self.remember_phone(phone, new)
        return Near(line, new.name, found[0].id, found[0].name, found[1], found[2]) if found else None

    def _by_phone(self, new: Named, phone: str) -> tuple[Named, str, float] | None:
        mark = phone_mark(phone, new.country) if phone else None
        other = self.phones.get(mark) if mark else None
        return (other, "phone", 95.0) if other and other.id != new.id else None

    def _by_name(self, new: Named) -> tuple[Named, str, float] | None:
        words = words_of(new.name)
        best: tuple[Named, str, float] | None = None
        for edge in _edges(words):
            block = self.blocks.get(edge, [])
            cores = [core for core, _ in block]
            for _, _, index in process.extract(
                words.core, cores, scorer=fuzz.ratio, score_cutoff=LIKELY, limit=MEASURED
            ):
                other = block[index][1]
                score = likeness(words, words_of(other.name))
                apart = bool(new.country and other.country and new.country != other.country)
                if other.id == new.id or score < (ABROAD if apart else ALIKE):
                    continue
                if best is None or score > best[2]:
                    best = (other, "name", round(score, 1))
        return best

    def _bydomain_label(self, new: Named) -> tuple[Named, str, float] | None:
        other = self.labels.get(domain_label(new.domain) or "")
        if other is None or other.id == new.id or other.domain == new.domain:
            return None
        score = likeness(words_of(new.name), words_of(other.name))
        return (other, "sister", round(score, 1)) if score >= SISTER else None


def _edges(words: Words) -> set[str]:
    """The blocks of a name: its numbers with its first letters and with its last; too short a name says nothing."""
    core = words.core
    if len(core) < EDGE and core.isascii():
        return set()
    return {f"<{core[:EDGE]} {words.numbers}", f">{core[-EDGE:]} {words.numbers}"} if core else set()
