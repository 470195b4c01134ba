"""Standard reports (RFC 3464) straight from the bytes, without parsing the mail.

Nine of ten bounces are of this form, and a campaign to a bad list brings them by the ten thousand. What is not standard
to the letter, or needs the prose around the report to be understood, is left to the slow path: `classify_fast` answers
None, or the very same verdict (tests/inbox/test_fast.py compares the two on every message there is).

The mail is copied twice (line ends, lower case) and then searched: every search moves forward, nothing nests.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

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
_RETURNED = (b"content-type: message/rfc822", b"content-type: text/rfc822-headers")
_RETURNED_AS_WRITTEN = (b"\r\nContent-Type: message/rfc822", b"\r\nContent-Type: text/rfc822-headers")
_PLAIN = ("", "7bit", "8bit", "binary")
_STANDARD = b"\ncontent-type: message/delivery-status\n"
_VALUE = re.compile(rb"[ \t]*:(.*(?:\n[ \t].*)*)")
# Content-Type as most mail systems write it: `parameters` takes ten times as long for the same boundary.
_TYPE = re.compile(
    rb"\s*multipart/report;\s*(?:report-type=\"?delivery-status\"?;\s*boundary=\"([^\"\\\s]{1,200})\""
    rb"|boundary=\"([^\"\\\s]{1,200})\";\s*report-type=\"?delivery-status\"?)\s*",
    re.I,
)


@dataclass(frozen=True)
class Room:
    """How much of a report is read here: bytes of its fields, recipients, and how short its boundary may be.

    What is larger goes the slow way. Each of a short boundary's many look-alikes costs a look.
    """

    report: int = LARGEST
    recipients: int = LARGEST
    boundary: int = 1


AMPLE = Room()


class _NeedsProse(Exception):
    """The report alone does not settle the case."""


def classify_fast(raw: bytes, room: Room = AMPLE) -> Verdict | None:
    """The verdict on a standard report, or None for everything else."""
    if len(raw) > LARGEST or b"delivery-status" not in raw:
        return None
    data = _in_lf(raw)
    low = data.lower()
    end = data.find(b"\n\n")
    if not 0 < end <= DEFAULT.headers or not begins_with_header(data, 0, end):
        return None
    boundary = _boundary(_header(data, low, b"content-type", end))
    report = _report(data, low, end + 2, boundary) if len(boundary) >= room.boundary else None
    if report is None or len(report) > room.report:
        return None
    if "@aol." in decode_header(_header(data, low, b"from", end)).lower():
        return None
    answered = [found for name in (b"in-reply-to", b"references") if (found := _header(data, low, name, end))]
    return _verdict(" ".join(map(decode_header, answered)), report, data, low, end + 2, room.recipients)


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


def _header(data: bytes, low: bytes, name: bytes, end: int) -> bytes:
    """The first header of that name as it stands, b"" where there is none. `low`: `data` in lower case."""
    at = 0 if low.startswith(name) else low.find(b"\n" + name, 0, end) + 1
    while at or low.startswith(name):
        if found := _VALUE.match(data, at + len(name), end):
            return found[1]
        at = low.find(b"\n" + name, at, end) + 1
        if not at:
            break
    return b""


def _boundary(kind: bytes) -> bytes:
    """The boundary of a Content-Type that announces a report; b"" for any other."""
    if (found := _TYPE.fullmatch(kind)) and kind.isascii() and b"=?" not in kind:
        return found[1] or found[2]
    name, params = parameters(decode_header(kind))
    if name != "multipart/report" or params.get("report-type", "").lower() != "delivery-status":
        return b""
    return params.get("boundary", "").encode()


def _report(data: bytes, low: bytes, body: int, boundary: bytes) -> str | None:
    """The text of the second part, if it is the only report and neither it nor the first part is encoded."""
    spans = _three_spans(data, body, boundary) or list(islice(boundary_spans(data, body, len(data), boundary), 4))
    if len(spans) not in (2, 3) or not all(_is_returned(low, start) for start, _ in spans[2:]):
        return None
    stop = spans[1][1]
    if low.count(b"delivery-status", body, stop) != 1:
        return None
    for other in _OTHERS:
        if low.find(other, 0, stop) >= 0:
            return None
    return _text(data, low, *spans[1]) if _is_prose(data, low, *spans[0]) else None


def _three_spans(data: bytes, body: int, boundary: bytes) -> list[tuple[int, int]]:
    """What `boundary_spans` gives for three parts with nothing odd about their boundaries; empty where it is for it."""
    mark = b"\n--" + boundary
    line = mark + b"\n"
    first = data.find(line, body - 1)
    second = data.find(line, first + len(line))
    third = data.find(line, second + len(line))
    last = data.find(mark + b"--", third + len(line)) + len(mark) + 2
    closed = last > third + len(line) and data[last : last + 1] in (b"", b"\n", b"\r")
    if min(first, second, third) < 0 or not closed or data.count(mark, body - 1) != 4:
        return []
    return [(first + len(line), second), (second + len(line), third), (third + len(line), len(data))]


def _is_prose(data: bytes, low: bytes, start: int, end: int) -> bool:
    """The first part is text as it stands. Its usual headers are known at a glance."""
    head = low[start : low.find(b"\n\n", start, end) + 1]
    if b"content-type: text/" in head and b"content-transfer" not in head:
        return True
    return _part(data, start, end)[0][:5] in ("text/", "")


def _is_returned(low: bytes, start: int) -> bool:
    """The third part is the returned message or its headers: nothing that a detector reads."""
    head = low[start : start + 400]
    return head.startswith(_RETURNED) or any(b"\n" + name in head.partition(b"\n\n")[0] for name in _RETURNED)


def _part(data: bytes, start: int, end: int) -> tuple[str, int]:
    """Content type and beginning of the body; "?" where the part is encoded or cut by a limit."""
    head, content, cut = split_head(data, start, end, DEFAULT.headers)
    headers = Headers(head)
    kind, _ = parameters(headers.get("Content-Type"))
    if cut or headers.get("Content-Transfer-Encoding").strip().lower() not in _PLAIN:
        return "?", content
    return kind, content


def _text(data: bytes, low: bytes, start: int, end: int) -> str | None:
    content = _content_at_a_glance(data, low, start, end)
    if content < 0:
        kind, content = _part(data, start, end)
        if kind != "message/delivery-status":
            return None
    text = data[content:end]
    return text.decode("ascii") if text.isascii() and b"\r" not in text else None


def _content_at_a_glance(data: bytes, low: bytes, start: int, end: int) -> int:
    """Where the report begins below the usual headers; -1 where they have to be read with care."""
    blank = low.find(b"\n\n", start, end)
    head = b"\n" + low[start : blank + 1]
    usual = blank >= 0 and head.count(b"content-type") == 1 and _STANDARD in head
    plain = b"content-transfer" not in head and b"\n " not in head and b"\n\t" not in head
    return blank + 2 if usual and plain and len(head) < 1000 and begins_with_header(data, start, end) else -1


def _verdict(answered: str, report: str, data: bytes, low: bytes, body: int, most: int) -> Verdict | None:
    stop = body + original.READ_RAW
    try:
        outcomes = _outcomes(report, most)
        ids = original.collect(answered, [(data[body:stop], low[body:stop])])
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
