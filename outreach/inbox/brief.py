"""The summary of a standard report straight from its bytes: the same as summary.py's, at a fifth of the price.

A campaign to a bad list brings reports by the ten thousand; what is not a plain report answers None, and goes the slow way
(tests/inbox/test_brief.py compares the two on every message there is).
"""

from __future__ import annotations

import re
from itertools import islice

from outreach.inbox import address
from outreach.inbox.charset import decode
from outreach.inbox.entity import Headers
from outreach.inbox.header_values import display_name, first_address, parse_date
from outreach.inbox.limits import DEFAULT
from outreach.inbox.mime import boundary_spans, normalise, parameters, split_head
from outreach.inbox.summary import LONGEST_TEXT, MOST_ADDRESSES, Summary

#: Bytes; a report with a whole letter in it is larger, and may carry attachments.
LARGEST = 64_000
_IDS = re.compile(r"<([^<>\s]{1,990})>")
_PLAIN = ("", "7bit", "8bit", "binary")
_ADDRESSED = ("delivered-to", "x-original-to", "envelope-to")


def summarise_report(raw: bytes) -> Summary | None:
    """The summary of a report whose verdict names our message; None where anything about it is unusual."""
    if len(raw) > LARGEST:
        return None
    data = normalise(raw)
    low = data.lower()
    if b"name=" in low or b"name*" in low or b"disposition:" in low:
        return None  # files hang on it
    head, body, cut = split_head(data, 0, len(data), DEFAULT.headers)
    headers = Headers(head)
    kind, params = parameters(headers.get("Content-Type"))
    boundary = params.get("boundary", "").rstrip().encode("utf-8", "replace")
    if cut or kind != "multipart/report" or not boundary:
        return None
    text = _prose(data, body, boundary)
    return _summary(headers, text) if text is not None else None


def _prose(data: bytes, body: int, boundary: bytes) -> str | None:
    """The text of the first part, if it is the only one that was written to be read."""
    spans = list(islice(boundary_spans(data, body, len(data), boundary), 4))
    if not 2 <= len(spans) <= 3:
        return None
    kinds = []
    for start, end in spans:
        head, content, _ = split_head(data, start, end, DEFAULT.headers)
        headers = Headers(head)
        kind, params = parameters(headers.get("Content-Type"))
        kinds.append(kind if kind.count("/") == 1 else "text/plain")
        if len(kinds) == 1:
            encoding = headers.get("Content-Transfer-Encoding").split(";")[0].strip().lower()
            text = decode(data[content:end], params.get("charset", ""))
            if kinds[0] != "text/plain" or encoding not in _PLAIN or not text.strip():
                return None
    known = all(kind.startswith("message/") or kind == "text/rfc822-headers" for kind in kinds[1:])
    return text.replace("\r\n", "\n").replace("\r", "\n") if known else None


def _summary(headers: Headers, text: str) -> Summary:
    named = headers.get("Message-ID")
    found = _IDS.search(named)
    return Summary(
        message_id=found[1] if found else named[:990],
        in_reply_to=tuple(_IDS.findall(headers.get("In-Reply-To"))),
        references=tuple(_IDS.findall(headers.get("References")))[-50:],
        from_address=first_address(headers.get("From")),
        from_name=display_name(headers.get("From"))[:200],
        to=_addresses(headers, "To"),
        cc=_addresses(headers, "Cc"),
        subject=headers.get("Subject")[:2000],
        date=parse_date(headers.get("Date")),
        text=text[:LONGEST_TEXT],
        attachments=(),
        auto_submitted=headers.get("Auto-Submitted").lower()[:100],
        own_uid=headers.get("X-Outreach-Message")[:128],
        exceeded=(),
        bulk=False,
    )


def _addresses(headers: Headers, name: str) -> tuple[str, ...]:
    found = [a.lower() for value in headers.get_all(name)[:20] for a in address.find_all(value[:50_000])]
    return tuple(dict.fromkeys(found))[:MOST_ADDRESSES]
