"""The audit chain (H3): each entry's hash covers the entry and the hash before it.

A changed, missing, added or moved entry breaks the chain at its place; entries cut off at the end are missed by the
chain itself and found by the head, which stands in a row of its own and can be exported and kept elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

#: What stands before the first entry.
GENESIS = "0" * 64


@dataclass(frozen=True)
class Entry:
    """One entry as it is hashed. `number` counts from 1 without gaps; `at` is aware."""

    number: int
    at: datetime
    actor_id: int | None
    actor: str
    action: str
    object_type: str
    object_id: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    previous: str


@dataclass(frozen=True)
class Head:
    """The end of the chain: how many entries there are and the last one's hash."""

    count: int = 0
    hash: str = GENESIS


@dataclass(frozen=True)
class Fault:
    """Where the chain is broken. `kind`: edited, missing, moved, cut, grown."""

    number: int
    kind: str
    detail: str


def plain(value: Any) -> Any:
    """Return a value as JSON keeps it on both databases: no floats, no dates, no enums.

    PostgreSQL's jsonb rewrites numbers (1e3 becomes 1000), so what is not a whole number is kept as text.
    """
    if value is None or (isinstance(value, bool | int | str) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date | float | Decimal | bytes):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    return str(value)


def digest(entry: Entry) -> str:
    """Return the SHA-256 (hex) of an entry's canonical JSON."""
    facts = asdict(entry) | {"at": entry.at.astimezone(UTC).isoformat(timespec="microseconds")}
    text = json.dumps(plain(facts), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Walk:
    """A walk along the chain, entry by entry: a long one need not be in memory. `kept`: a head kept elsewhere."""

    def __init__(self, kept: Head | None = None) -> None:
        self.number, self.previous = 0, GENESIS
        self._kept, self._anew = kept, False

    def fault_at(self, entry: Entry, stored: str) -> Fault | None:
        """Return what is wrong with the next entry, given with its stored hash, or None."""
        self.number += 1
        fault = _fault_at(entry, stored, self.number, self.previous)
        self.previous = stored
        self._anew |= self._kept is not None and self._kept.count == self.number and self._kept.hash != stored
        return fault

    def fault_of_end(self, head: Head) -> Fault | None:
        """Return what is wrong with the whole, every entry being right, or None."""
        if self.number < head.count:
            return Fault(self.number + 1, "cut", f"{head.count - self.number} entries are missing at the end")
        if self.number > head.count or self.previous != head.hash:
            return Fault(self.number, "grown", "the end of the chain is not the recorded head")
        if self._kept and self._anew:
            return Fault(self._kept.count, "edited", "the chain was written anew: the kept head is not in it")
        return None


def first_fault(entries: Iterable[tuple[Entry, str]], head: Head) -> Fault | None:
    """Walk the chain in order and return the first fault, or None. `entries` gives each entry with its stored hash."""
    walk = Walk()
    for entry, stored in entries:
        fault = walk.fault_at(entry, stored)
        if fault:
            return fault
    return walk.fault_of_end(head)


def _fault_at(entry: Entry, stored: str, number: int, previous: str) -> Fault | None:
    if entry.number > number:
        return Fault(number, "missing", f"entry {number} is missing, {entry.number} follows")
    if entry.number < number:
        return Fault(number, "moved", f"entry {entry.number} stands at place {number}")
    if digest(entry) != stored:
        return Fault(number, "edited", f"entry {number} is not what was written")
    if entry.previous != previous:
        return Fault(number, "moved", f"entry {number} does not follow the one before it")
    return None
