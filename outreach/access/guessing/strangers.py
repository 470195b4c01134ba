"""Wrong guesses at names that nobody has are held off like those at real ones: no name can be found by trying."""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime

from outreach.access.secrets import token_hash, wait_after

#: Names remembered at once, about 2 MB. Each guess costs an argon2 hash, two at a time, so that it takes a guesser many
#: minutes to push one name out of a full memory.
REMEMBERED = 10_000


class Strangers:
    """Counts in memory what the user's row counts for a real name; the names themselves are not kept."""

    def __init__(self, remembered: int = REMEMBERED) -> None:
        self._remembered = remembered
        self._failures: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    def waits_until(self, name: str) -> datetime | None:
        """Return until when the next guess is refused; it may have passed."""
        known = self._failures.get(token_hash(name.strip()))
        return known[1] if known else None

    def count(self, name: str, now: datetime) -> None:
        """Count one wrong guess; the name that was guessed at longest ago is forgotten where there are too many."""
        key = token_hash(name.strip())
        failures = self._failures.pop(key, (0, now))[0] + 1
        self._failures[key] = (failures, now + wait_after(failures))
        if len(self._failures) > self._remembered:
            self._failures.popitem(last=False)
