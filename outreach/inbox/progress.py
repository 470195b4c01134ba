"""How far a folder is read: to the last mail before which nothing is missing. Pure.

Servers may answer a FETCH in any order (RFC 3501 7), and the mark is a single number: it must not pass a mail that has
not been filed, or a crash would lose that one.
"""

from __future__ import annotations

from collections.abc import Iterable


class Progress:
    """The UIDs that a pass wants, and which are dealt with."""

    def __init__(self, wanted: Iterable[int], mark: int) -> None:
        self._open = sorted(wanted, reverse=True)
        self._done: set[int] = set()
        self.mark = mark

    def done(self, uid: int) -> int:
        """Note that a mail is dealt with; return the mark."""
        self._done.add(uid)
        while self._open and self._open[-1] in self._done:
            self.mark = self._open.pop()
            self._done.discard(self.mark)
        return self.mark

    def after(self, uid: int) -> int:
        """The mark as it will stand once this mail is dealt with; nothing is noted."""
        if not self._open or self._open[-1] != uid:
            return self.mark
        mark = uid
        for following in reversed(self._open[:-1]):
            if following not in self._done:
                break
            mark = following
        return mark

    @property
    def first_open(self) -> int | None:
        """The first mail that is not dealt with."""
        return self._open[-1] if self._open else None
