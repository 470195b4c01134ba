"""The message that a report is about: its headers, wherever the report put them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from outreach.inbox import address
from outreach.inbox.entity import Headers, Part
from outreach.inbox.mime import split_head
from outreach.inbox.parse import Mail
from outreach.inbox.verdict import Ids

_INLINE = re.compile(
    r"^(?:Return-Path|Received|From|To|Subject|Message-ID|Date|DKIM-Signature|X-Received|MIME-Version):[^\n]*\n"
    r"(?:(?:[ \t]|[A-Za-z0-9-]+:)[^\n]*\n){2,}",
    re.I | re.M,
)
_ANGLED = re.compile(r"<([^<>\s]{3,250})>")
# Matched where find() has found the name: searching by a pattern without regard to case is 20 times slower.
_MESSAGE_ID = re.compile(rb"message-id:[ \t]*(?:\r?\n[ \t]+)?<([^<>\s]{3,250})>", re.I)
_UID = re.compile(rb"x-outreach-message:[ \t]*([A-Za-z0-9._~-]{1,128})\s", re.I)
MOST = 200  # ids of each sort that are kept of one mail
_FOR = re.compile(r"\bfor\s+<?([^\s<>;]+@[^\s<>;]+)>?\s*;")
READ_RAW = 65_536  # bytes of the mail searched for ids: enough for notices, not for their attachments
READ = 65_536  # bytes of each part searched for ids: headers stand at the front
_TEXTUAL = ("text/", "message/")


def headers(mail: Mail) -> Headers | None:
    """The returned message's headers: from an enclosed message, a headers part, or the end of the notice."""
    for part in mail.parts[1:]:
        if part.inside == 1 and mail.parts[part.parent].inside == 0:
            return part.headers
    for part in mail.of_type("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"):
        return of_text(part.text)
    for part in mail.leaves:
        if part.inside == 0 and part.content_type.startswith("text/") and (found := _last_inline(part)):
            return of_text(found)
    return None


def _last_inline(part: Part) -> str | None:
    found = list(_INLINE.finditer(part.text[:READ]))
    blocks = [m[0] for m in found if m.start() > 0]
    return blocks[0] if blocks else None


def of_text(text: str) -> Headers:
    raw = text.lstrip("\n").encode("utf-8", "replace")
    return Headers(split_head(raw, 0, len(raw), len(raw))[0])


def recipients(mail: Mail) -> list[str]:
    """To whom the returned message went: its To, else the `for` of its Received headers."""
    found = headers(mail)
    if found is None:
        return []
    for name in ("To", "X-Original-To", "Delivered-To", "Resent-To"):
        named = [a for value in found.get_all(name) for a in address.find_all(value[:5000])]
        if named:
            return list(dict.fromkeys(named))
    return [m[1] for value in found.get_all("Received") if (m := _FOR.search(value))][:1]


def ids(mail: Mail) -> Ids:
    """(Message-IDs, X-Outreach-Message values) that stand in the mail below its own header, for matching.

    In-Reply-To and References of the mail itself count among the Message-IDs: so most answers name what they answer.
    """
    root = mail.parts[0]
    blocks = [root.source[root.start : root.start + READ_RAW]]
    for part in mail.leaves:
        if part.inside == 0 and part.encoded and part.content_type.startswith(_TEXTUAL):
            blocks.append(part.data[:READ])
    return collect(mail.get("In-Reply-To") + " " + mail.get("References"), ((b, b.lower(), 0, len(b)) for b in blocks))


def collect(answered: str, blocks: Iterable[tuple[bytes, bytes, int, int]]) -> Ids:
    """The ids in the headers that say what is answered, and in blocks of bytes.

    A block: the bytes, the same in lower case, and from where to where they are searched.
    """
    messages = _ANGLED.findall(answered[:READ])
    uids: list[str] = []
    for block in blocks:
        messages += [found.decode("utf-8", "replace") for found in _values(*block, b"message-id:", _MESSAGE_ID)]
        uids += [found.decode("ascii") for found in _values(*block, b"x-outreach-message:", _UID)]
    return tuple(dict.fromkeys(messages)), tuple(dict.fromkeys(uids))


def _values(
    block: bytes, low: bytes, start: int, stop: int, name: bytes, pattern: re.Pattern[bytes]
) -> Iterator[bytes]:
    at = low.find(name, start, stop)
    for _ in range(MOST):
        if at < 0:
            return
        if found := pattern.match(block, at, stop):
            yield found[1]
        at = low.find(name, at + len(name), stop)
