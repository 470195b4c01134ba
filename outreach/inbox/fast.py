"""Standard reports (RFC 3464) straight from the bytes, without parsing the mail.

Nine of ten bounces are of this form, and a campaign to a bad list brings them by the ten thousand. What is not standard
to the letter, or needs the prose around the report to be understood, is left to the slow path: `classify_fast` answers
None, or the very same verdict (tests/inbox/test_fast.py compares the two on every message there is).
"""

from __future__ import annotations

from itertools import islice

from outreach.inbox import original
from outreach.inbox.detectors import dsn
from outreach.inbox.entity import Headers
from outreach.inbox.limits import DEFAULT
from outreach.inbox.mime import boundary_spans, normalise, parameters, split_head
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.report import groups
from outreach.inbox.verdict import Verdict

LARGEST = 1_000_000  # bytes; a report with a larger message attached goes the slow way
# What other detectors would read differently, in lower case.
_OTHERS = (
    b"feedback-report", b"user(s) account", b"did not receive this message", b"notificationtype", b"eventtype",
    b"x-apple-unsubscribe", b"disposition-notification", b"details.txt", b"deliverystatus.txt",
)  # fmt: skip
_RETURNED = (b"content-type: message/rfc822", b"content-type: text/rfc822-headers")
_PLAIN = ("", "7bit", "8bit", "binary")


class _NeedsProse(Exception):
    """The report alone does not settle the case."""


def classify_fast(raw: bytes) -> Verdict | None:
    """The verdict on a standard report, or None for everything else."""
    if len(raw) > LARGEST or b"delivery-status" not in raw:
        return None
    data = normalise(raw)
    head, body, cut = split_head(data, 0, len(data), DEFAULT.headers)
    headers = Headers(head)
    kind, params = parameters(headers.get("Content-Type"))
    if cut or kind != "multipart/report" or params.get("report-type", "").lower() != "delivery-status":
        return None
    report = _report(data, body, params.get("boundary", ""))
    if report is None or "@aol." in headers.get("From").lower():
        return None
    return _verdict(headers, report, data[body : body + original.READ_RAW])


def _report(data: bytes, body: int, boundary: str) -> str | None:
    """The text of the second part, if it is the only report and neither it nor the first part is encoded."""
    spans = list(islice(boundary_spans(data, body, len(data), boundary.encode()), 4)) if boundary else []
    if len(spans) not in (2, 3) or not all(_is_returned(data, start) for start, _ in spans[2:]):
        return None
    low = data[: spans[1][1]].lower()
    if low.count(b"delivery-status", body) != 1:
        return None
    for other in _OTHERS:
        if other in low:
            return None
    return _text(data, *spans[1]) if _is_prose(data, low, *spans[0]) else None


def _is_prose(data: bytes, low: bytes, start: int, end: int) -> bool:
    """The first part is text as it stands. Its usual headers are known at a glance."""
    head = low[start : low.find(b"\n\n", start, end) + 1]
    if b"content-type: text/" in head and b"content-transfer" not in head:
        return True
    return _part(data, start, end)[0][:5] in ("text/", "")


def _is_returned(data: bytes, start: int) -> bool:
    """The third part is the returned message or its headers: nothing that a detector reads."""
    head = data[start : start + 400].lower()
    return head.startswith(_RETURNED) or any(b"\n" + name in head.partition(b"\n\n")[0] for name in _RETURNED)


def _part(data: bytes, start: int, end: int) -> tuple[str, int]:
    """Content type and beginning of the body; "?" where the part is encoded or cut by a limit."""
    head, content, cut = split_head(data, start, end, DEFAULT.headers)
    headers = Headers(head)
    kind, _ = parameters(headers.get("Content-Type"))
    if cut or headers.get("Content-Transfer-Encoding").strip().lower() not in _PLAIN:
        return "?", content
    return kind, content


def _text(data: bytes, start: int, end: int) -> str | None:
    kind, content = _part(data, start, end)
    text = data[content:end]
    standard = kind == "message/delivery-status" and text.isascii() and b"\r" not in text
    return text.decode("ascii") if standard else None


def _verdict(headers: Headers, report: str, body: bytes) -> Verdict | None:
    try:
        outcomes = _outcomes(report)
        answered = headers.get("In-Reply-To") + " " + headers.get("References")
        return summarise(outcomes, "dsn", original.collect(answered, [body])) if outcomes else None
    except _NeedsProse:
        return None


def _prose() -> str:
    raise _NeedsProse


def _outcomes(report: str) -> list[Outcome]:
    _, recipients = groups(report)
    return [_outcome(fields) for fields in recipients if not dsn.good_news(fields)]


def _outcome(fields: dict[str, str]) -> Outcome:
    who = dsn.named_recipient(fields)
    if who.find("@") < 1:
        raise _NeedsProse
    return dsn.outcome(fields, who, _prose)
