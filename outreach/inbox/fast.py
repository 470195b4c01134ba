"""Standard reports (RFC 3464) straight from the bytes, without parsing the mail.

Nine of ten bounces are of this form, and a campaign to a bad list brings them by the ten thousand. What is not standard
to the letter, or needs the prose around the report to be understood, is left to the slow path: `classify_fast` answers
None, or the very same verdict (tests/inbox/test_fast.py compares the two on every message there is).

The mail is copied twice (line ends, lower case) and then searched: every search moves forward, nothing nests. What was
found on the way is kept in a `Look`, so that the summary (brief.py) need not look again. The parts' own headers are the
same few in all bounces of a campaign; what they say is remembered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from outreach.inbox import original
from outreach.inbox.charset import decode_header
from outreach.inbox.detectors import dsn
from outreach.inbox.entity import Headers
from outreach.inbox.limits import DEFAULT
from outreach.inbox.mime import begins_with_header, boundary_spans, normalise, parameters, split_head
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.report import Fields, groups, plain_recipients
from outreach.inbox.verdict import Verdict

LARGEST = 1_000_000  # bytes; a report with a larger message attached goes the slow way
# What other detectors would read differently, in lower case.
_OTHERS = (
    b"feedback-report", b"user(s) account", b"did not receive this message", b"notificationtype", b"eventtype",
    b"x-apple-unsubscribe", b"disposition-notification", b"details.txt", b"deliverystatus.txt",
)  # fmt: skip
_RETURNED = ("message/rfc822", "text/rfc822-headers")
_RETURNED_AS_WRITTEN = (b"\r\nContent-Type: message/rfc822", b"\r\nContent-Type: text/rfc822-headers")
_PLAIN = ("", "7bit", "8bit", "binary")
#: Bytes of a part's headers whose meaning is remembered: of how many it is, lru_cache says.
_SHORT = 500
_LINE = re.compile(rb"\n(?![ \t])")
_NONE = (b"",)
#: The headers of the mail itself that are read, here and for the summary.
READ = frozenset({
    b"from", b"to", b"cc", b"date", b"subject", b"message-id", b"in-reply-to", b"references", b"auto-submitted",
    b"content-type", b"x-outreach-message",
})  # fmt: skip
# Content-Type as most mail systems write it: `parameters` takes ten times as long for the same boundary.
_TYPE = re.compile(
    rb"\s*multipart/report;\s*(?:report-type=\"?delivery-status\"?;\s*boundary=\"([^\"\\\s]{1,200})\""
    rb"|boundary=\"([^\"\\\s]{1,200})\";\s*report-type=\"?delivery-status\"?)\s*",
    re.I,
)


@dataclass(frozen=True)
class Room:
    """How much of a report is read here: bytes of its fields, recipients, and how short its boundary may be.

    head: bytes of the mail's own headers; header: of one that is read; part: of a part's headers. What is larger goes
    the slow way. Each of a short boundary's many look-alikes costs a look.
    """

    report: int = LARGEST
    recipients: int = LARGEST
    boundary: int = 1
    head: int = DEFAULT.headers
    header: int = 16_384
    part: int = DEFAULT.headers


AMPLE = Room()


class PartHead(NamedTuple):
    """What a part's headers say: its type ("" where there is none, "?" where it is encoded or cut), and whether a file."""

    kind: str
    charset: str
    named: bool


class Look(NamedTuple):
    """A standard report that was understood, and what was found on the way.

    data: the mail in LF (of the returned message at least its headers), low: the same in lower case. parts: of two or
    three, what its headers say, and where its body begins and ends.
    """

    verdict: Verdict
    data: bytes
    low: bytes
    headers: dict[bytes, list[bytes]]  # of those in READ: name in lower case → values as they stand
    parts: list[tuple[PartHead, int, int]]


class _NeedsProse(Exception):
    """The report alone does not settle the case."""


def classify_fast(raw: bytes, room: Room = AMPLE) -> Verdict | None:
    """The verdict on a standard report, or None for everything else."""
    found = look(raw, room)
    return found.verdict if found else None


def look(raw: bytes, room: Room = AMPLE) -> Look | None:
    """The verdict on a standard report and what it was read from, or None for everything else."""
    if len(raw) > LARGEST or b"delivery-status" not in raw:
        return None
    data = _in_lf(raw)
    end = data.find(b"\n\n")
    if not 0 < end <= room.head or not begins_with_header(data, 0, end):
        return None
    headers = _headers(data[:end])
    if end > room.header and any(len(value) > room.header for values in headers.values() for value in values):
        return None
    boundary = _boundary(headers.get(b"content-type", _NONE)[0])
    if len(boundary) < room.boundary:
        return None
    body, low = end + 2, data.lower()
    parts = _parts(data, low, body, boundary, room)
    report = _text(data, *parts[1]) if parts else None
    if report is None or len(report) > room.report or _is_from_aol(headers.get(b"from", _NONE)[0]):
        return None
    answered = [decode_header(headers[name][0]) for name in (b"in-reply-to", b"references") if name in headers]
    verdict = _verdict(" ".join(filter(None, answered)), report, data, low, body, room.recipients)
    return Look(verdict, data, low, headers, parts) if verdict else None


def _headers(head: bytes) -> dict[bytes, list[bytes]]:
    """What `split_head` gives for the names in READ, in half the time."""
    found: dict[bytes, list[bytes]] = {}
    for line in _LINE.split(head):
        name, colon, value = line.partition(b":")
        name = name.rstrip(b" \t").lower()
        if name in READ and colon:
            found.setdefault(name, []).append(value)
    return found


@lru_cache(maxsize=256)
def _is_from_aol(value: bytes) -> bool:
    return "@aol." in decode_header(value).lower()


def _in_lf(raw: bytes) -> bytes:
    """The mail with lines that end in LF: of the returned message, which is only searched for ids, no more than that.

    What stands in it is found whichever way its lines end; a longer mail is read whole, for `READ_RAW` counts bytes.
    """
    if len(raw) <= original.READ_RAW and raw[:1].isalpha():
        for name in _RETURNED_AS_WRITTEN:
            at = raw.find(name)
            end = raw.find(b"\r\n\r\n", at) + 4 if at >= 0 else 0
            if end >= 4:
                return raw[:end].replace(b"\r\n", b"\n") + raw[end:]
    return normalise(raw)


def _boundary(kind: bytes) -> bytes:
    """The boundary of a Content-Type that announces a report; b"" for any other."""
    if (found := _TYPE.fullmatch(kind)) and kind.isascii() and b"=?" not in kind:
        return found[1] or found[2]
    name, params = parameters(decode_header(kind))
    if name != "multipart/report" or params.get("report-type", "").lower() != "delivery-status":
        return b""
    return params.get("boundary", "").encode()


def _parts(data: bytes, low: bytes, body: int, boundary: bytes, room: Room) -> list[tuple[PartHead, int, int]]:
    """The parts of a report: prose, the only report, and perhaps what is returned. Empty where anything is unusual."""
    spans = _three_spans(data, body, boundary) or list(islice(boundary_spans(data, body, len(data), boundary), 4))
    if len(spans) not in (2, 3):
        return []
    parts = [_part(data, start, end, room.part) for start, end in spans]
    if parts[1][0].kind != "message/delivery-status" or parts[0][0].kind[:5] not in ("text/", ""):
        return []
    if len(parts) == 3 and parts[2][0].kind not in _RETURNED:
        return []
    stop = spans[1][1]
    if low.count(b"delivery-status", body, stop) != 1:
        return []
    written = low[:stop]
    for other in _OTHERS:
        if other in written:
            return []
    return parts


def _three_spans(data: bytes, body: int, boundary: bytes) -> list[tuple[int, int]]:
    """What `boundary_spans` gives for three parts with nothing odd about their boundaries; empty where it is for it."""
    mark = b"\n--" + boundary
    found: list[int] = []
    size, at = len(mark), body - 1
    while (at := data.find(mark, at)) >= 0 and len(found) < 5:
        found.append(at)
        at += size
    if len(found) != 4:
        return []
    first, second, third, last = found
    opened = data[first + size] == data[second + size] == data[third + size] == 0x0A
    after = data[last + size : last + size + 3]
    if not opened or after[:2] != b"--" or after[2:] not in (b"", b"\n", b"\r"):
        return []
    spans = [(first + size + 1, second), (second + size + 1, third), (third + size + 1, last)]
    return [*spans[:2], (spans[2][0], len(data))] if all(start <= end for start, end in spans) else []


def _part(data: bytes, start: int, end: int, most: int) -> tuple[PartHead, int, int]:
    """What a part's headers say; where its body begins and ends."""
    if data.startswith(b"\n", start, end):
        return PartHead("", "", False), start + 1, end
    blank = data.find(b"\n\n", start, end)
    if start < blank <= start + _SHORT:
        head = _short_head(data[start : blank + 1])
        if head is not None:
            return head, blank + 2, end
    if not 0 <= blank <= start + most:
        return PartHead("?", "", False), start, end
    raw, content, cut = split_head(data, start, end, DEFAULT.headers)
    return (PartHead("?", "", False) if cut else _said(raw)), content, end


@lru_cache(maxsize=1024)
def _short_head(head: bytes) -> PartHead | None:
    """The same for whole headers; None where they are none, but the part's text."""
    return _said(split_head(head, 0, len(head), len(head))[0]) if begins_with_header(head, 0, len(head)) else None


def _said(raw: list[tuple[bytes, bytes]]) -> PartHead:
    headers = Headers(raw)
    kind, params = parameters(headers.get("Content-Type"))
    encoding = headers.get("Content-Transfer-Encoding").strip().lower()
    named = "Content-Disposition" in headers or any(name.startswith("name") for name in params)
    return PartHead(kind if encoding in _PLAIN else "?", params.get("charset", ""), named)


def _text(data: bytes, _: PartHead, start: int, end: int) -> str | None:
    text = data[start:end]
    return text.decode("ascii") if text.isascii() and b"\r" not in text else None


def _verdict(answered: str, report: str, data: bytes, low: bytes, body: int, most: int) -> Verdict | None:
    stop = body + original.READ_RAW
    try:
        outcomes = _outcomes(report, most)
        ids = original.collect(answered, [(data, low, body, min(stop, len(data)))])
        return summarise(outcomes, "dsn", ids) if outcomes else None
    except _NeedsProse:
        return None


def _prose() -> str:
    raise _NeedsProse


def _outcomes(report: str, most: int) -> list[Outcome]:
    recipients = plain_recipients(report)
    if recipients is None:
        _, recipients = groups(report)
    if len(recipients) > most:
        return []
    return [_outcome(fields) for fields in recipients if not dsn.good_news(fields)]


def _outcome(fields: Fields) -> Outcome:
    who = dsn.named_recipient(fields)
    if who.find("@") < 1:
        raise _NeedsProse
    return dsn.outcome(fields, who, _prose)
