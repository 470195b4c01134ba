"""500 texts that have broken SQL, JSON paths, LIKE patterns and parsers elsewhere."""

from __future__ import annotations

from itertools import product

_OPENERS = (
    "'",
    '"',
    "')",
    '")',
    "'))",
    "`",
    "\\'",
    "%' ",
    "_'",
    "]'",
    "$$",
    "\\",
    "''",
    "/*",
    ";",
    "x'||'",
    "{}",
    "\u2019",
    "\uff07",
    "\x00'",
)
_BODIES = (
    " OR 1=1", " OR 'a'='a", "; DROP TABLE contact", " UNION SELECT id FROM contact", " AND sleep(5)", "||(SELECT 1)",
    "; DELETE FROM contact_tag", " OR EXISTS(SELECT 1)", ") OR (1=1", " LIKE '%", "; ATTACH DATABASE 'x' AS y",
    "; COPY contact TO PROGRAM 'id'", " OR pg_sleep(5) IS NULL", "; PRAGMA writable_schema=1", ".\"$[0]\"", " GLOB '*'",
)  # fmt: skip
_CLOSERS = ("--", "/*", "#", "")


def payloads(count: int = 500) -> list[str]:
    """Return so many different ones, always the same."""
    found = [f"{opener}{body}{closer}" for opener, body, closer in product(_OPENERS, _BODIES, _CLOSERS)]
    step = len(found) / count
    return [found[int(index * step)] for index in range(count)]
