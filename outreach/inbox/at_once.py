"""Small standard reports are read where they arrive, without the parser's child: their cost is bounded (ADR 8). Pure.

Nearly all bounces of a campaign are such reports, and handing them to another process costs more than reading them.
Whatever is larger, longer or different in any way is left to the child.
"""

from __future__ import annotations

from outreach.inbox.brief import summarise_report
from outreach.inbox.fast import Room, look
from outreach.inbox.wire import Reading

LARGEST = 65_536  # bytes of the mail: each is looked at a fixed number of times
#: Bytes of the mail's own headers, and of one that is read: patterns with two open ends are tried on these alone.
HEAD, HEADER = 16_384, 1_000
ROOM = Room(report=4_096, recipients=3, boundary=8, head=HEAD, header=HEADER, part=HEADER)


def read_at_once(raw: bytes, *, summary: bool) -> Reading | None:
    """Verdict (and summary) as the child gives them, or None for what only the child may read."""
    found = look(raw, ROOM) if len(raw) <= LARGEST else None
    if found is None or not summary:
        return Reading(found.verdict, None) if found else None
    brief = summarise_report(found) if found.verdict.own_uids else None  # else tokens are looked for
    return Reading(found.verdict, brief) if brief else None
