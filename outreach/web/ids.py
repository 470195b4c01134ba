"""Numbers of objects as addresses and forms give them: one that no table can hold names nothing."""

from __future__ import annotations

#: The largest id that a 32-bit column holds; a larger one would break the query instead of finding nothing.
LARGEST = 2_147_483_647


def id_of(given: object) -> int | None:
    """Return the id that a text names; None where it is none."""
    text = str(given or "")
    if not (text.isascii() and text.isdecimal() and len(text) <= len(str(LARGEST))):
        return None
    number = int(text)
    return number if number <= LARGEST else None
