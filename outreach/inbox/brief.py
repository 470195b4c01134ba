"""The summary of a standard report from what the look at it found: the same as summary.py's, at a tenth of the price.

A campaign to a bad list brings reports by the ten thousand; what is not a plain report answers None, and goes the slow way
(tests/inbox/test_brief.py compares the two on every message there is).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from outreach.inbox import address
from outreach.inbox.archive.cutting import SMALLEST
from outreach.inbox.charset import decode, decode_header
from outreach.inbox.fast import Look
from outreach.inbox.header_values import display_name, first_address, parse_date
from outreach.inbox.summary import LONGEST_TEXT, MOST_ADDRESSES, Summary

#: Bytes; a report with a whole letter in it is larger, and may carry attachments.
LARGEST = 64_000
_IDS = re.compile(r"<([^<>\s]{1,990})>")


def summarise_report(look: Look) -> Summary | None:
    """The summary of a report whose verdict names our message; None where anything about it is unusual."""
    if len(look.data) > LARGEST or any(head.named for head, _, _ in look.parts):
        return None
    low = look.low
    if len(low) >= SMALLEST and (b"name=" in low or b"name*" in low or b"disposition:" in low):
        return None  # a file may hang on the returned message that the archive keeps by itself
    text = _prose(look)
    return _summary(look, text) if text is not None else None


def _prose(look: Look) -> str | None:
    """The text of the first part, if it was written to be read."""
    head, start, end = look.parts[0]
    if head.kind not in ("text/plain", ""):
        return None
    text = decode(look.data[start:end], head.charset)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text if text.strip() else None


def _summary(look: Look, text: str) -> Summary:
    headers = look.headers
    named = _first(headers, b"message-id")
    found = _IDS.search(named)
    sender, name = _sender(headers[b"from"][0]) if b"from" in headers else ("", "")
    return Summary(
        message_id=found[1] if found else named[:990],
        in_reply_to=_ids(_first(headers, b"in-reply-to")),
        references=_ids(_first(headers, b"references"))[-50:],
        from_address=sender,
        from_name=name,
        to=_all_addresses(headers.get(b"to", ())),
        cc=_all_addresses(headers.get(b"cc", ())),
        subject=_first(headers, b"subject")[:2000],
        date=parse_date(_first(headers, b"date")),
        text=text[:LONGEST_TEXT],
        attachments=(),
        auto_submitted=_first(headers, b"auto-submitted").lower()[:100],
        own_uid=_first(headers, b"x-outreach-message")[:128],
        exceeded=(),
        bulk=False,
    )


def _first(headers: dict[bytes, list[bytes]], name: bytes) -> str:
    return decode_header(headers[name][0]) if name in headers else ""


def _ids(value: str) -> tuple[str, ...]:
    return tuple(_IDS.findall(value)) if value else ()


@lru_cache(maxsize=256)
def _sender(value: bytes) -> tuple[str, str]:
    """Address and name in a From value; the bounces of one host have the same."""
    text = decode_header(value)
    return first_address(text), display_name(text)[:200]


def _all_addresses(values: Sequence[bytes]) -> tuple[str, ...]:
    if len(values) == 1:
        return _addresses(values[0])
    return tuple(dict.fromkeys(found for value in values[:20] for found in _addresses(value)))[:MOST_ADDRESSES]


@lru_cache(maxsize=256)
def _addresses(value: bytes) -> tuple[str, ...]:
    found = (one.lower() for one in address.find_all(decode_header(value)[:50_000]))
    return tuple(dict.fromkeys(found))[:MOST_ADDRESSES]
