"""Small standard reports are read where they arrive, without the parser's child: their cost is bounded (ADR 8). Pure.

Nearly all bounces of a campaign are such reports, and handing them to another process costs more than reading them.
Whatever is larger, longer or different in any way is left to the child.
"""

from __future__ import annotations

from outreach.inbox.brief import summarise_report
from outreach.inbox.fast import Room, classify_fast
from outreach.inbox.wire import Reading

LARGEST = 65_536  # bytes of the mail: each is looked at a fixed number of times
ROOM = Room(report=4_096, recipients=3, boundary=8)
#: Bytes of the mail's own headers, and of one that is read: patterns with two open ends are tried on these alone.
HEAD, HEADER = 16_384, 1_000
_READ = frozenset({
    b"from", b"to", b"cc", b"date", b"subject", b"message-id", b"in-reply-to", b"references", b"auto-submitted",
    b"content-type", b"x-outreach-message",
})  # fmt: skip


def read_at_once(raw: bytes, *, summary: bool) -> Reading | None:
    """Verdict (and summary) as the child gives them, or None for what only the child may read."""
    if len(raw) > LARGEST or b"delivery-status" not in raw or not _has_short_headers(raw):
        return None
    verdict = classify_fast(raw, ROOM)
    if verdict is None or not summary:
        return Reading(verdict, None) if verdict else None
    brief = summarise_report(raw) if verdict.own_uids else None  # without our own header, tokens are looked for
    return Reading(verdict, brief) if brief else None


def _has_short_headers(raw: bytes) -> bool:
    end = max(raw.find(b"\n\r\n", 0, HEAD), raw.find(b"\n\n", 0, HEAD))
    if end <= HEADER:
        return end > 0
    size = 0
    for line in raw[:end].lower().split(b"\n"):
        if line[:1] not in (b" ", b"\t"):
            size = 0 if line.partition(b":")[0].rstrip() in _READ else -HEAD
        size += len(line)
        if size > HEADER:
            return False
    return True
