"""Standard reports (RFC 3464) straight from the bytes, without parsing the mail.

Nine of ten bounces are of this form, and a campaign to a bad list brings them by the ten thousand. What is not standard
to the letter, or needs the prose around the report to be understood, is left to the slow path: `classify_fast` answers
None, or the very same verdict (tests/inbox/test_fast.py compares the two on every message there is).
"""

from __future__ import annotations

import re

from outreach.inbox import original
from outreach.inbox.charset import decode_header
from outreach.inbox.detectors import dsn
from outreach.inbox.outcome import Outcome, summarise
from outreach.inbox.report import groups
from outreach.inbox.verdict import Verdict

LARGEST = 1_000_000  # bytes; a report with a larger message attached goes the slow way
_BOUNDARY = re.compile(
    rb'\nContent-Type:[ \t]*multipart/report;(?:[^\n]|\n[ \t])*?boundary=(?:"([^"\n]{1,200})"|([^\s";]{1,200}))', re.I
)
_KIND = re.compile(rb'report-type="?delivery-status', re.I)
_PART = re.compile(rb"(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*)*\n")
_REPORT = re.compile(rb"\bContent-Type:[ \t]*message/delivery-status[ \t]*(?:;[^\n]*)?\n", re.I)
_ENCODED = re.compile(rb"\nContent-Transfer-Encoding:(?![ \t]*(?:7bit|8bit))", re.I)
_ANSWERED = re.compile(rb"^(?:In-Reply-To|References):((?:[^\n]|\n[ \t])*)", re.I | re.M)
# What other detectors would read differently.
_OTHERS = re.compile(
    rb"feedback-report|user\(s\) account|did not receive this message|notificationType|eventType|X-Apple-Unsubscribe"
    rb"|disposition-notification",
    re.I,
)


class _NeedsProse(Exception):
    """The report alone does not settle the case."""


def classify_fast(raw: bytes) -> Verdict | None:
    """The verdict on a standard report, or None for everything else."""
    if len(raw) > LARGEST or b"delivery-status" not in raw:
        return None
    data = raw.replace(b"\r\n", b"\n")
    end = data.find(b"\n\n")
    head = data[: end + 1]
    boundary = _BOUNDARY.search(head)
    if end < 0 or boundary is None or not _KIND.search(head) or b"@aol." in head or _OTHERS.search(data):
        return None
    parts = data[end:].split(b"\n--" + (boundary[1] or boundary[2]))[1:]
    if not 3 <= len(parts) <= 5 or not parts[-1].startswith(b"--"):
        return None
    if _ENCODED.search(parts[0]) or _ENCODED.search(parts[1]):
        return None
    return _verdict(head, parts[1], data[end:])


def _verdict(head: bytes, report: bytes, body: bytes) -> Verdict | None:
    start = _PART.match(report, report.find(b"\n") + 1)
    if start is None or not _REPORT.search(start[0]) or not report.isascii():
        return None
    try:
        outcomes = _outcomes(report[start.end() :].decode("ascii"))
        found = summarise(outcomes, "dsn") if outcomes else None
    except _NeedsProse:
        return None
    if found is None:
        return None
    answered = " ".join(decode_header(m[1]) for m in _ANSWERED.finditer(head))
    messages, uids = original.collect(answered, [body[: original.READ_RAW]])
    return found.but(original_ids=messages, own_uids=uids)


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
