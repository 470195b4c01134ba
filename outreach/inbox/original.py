"""The message that a report is about: its headers, wherever the report put them."""

from __future__ import annotations

import re

from outreach.inbox import address
from outreach.inbox.parse import Headers, Mail, Part
from outreach.inbox.mime import split_head

_INLINE = re.compile(
    r"^(?:Return-Path|Received|From|To|Subject|Message-ID|Date|DKIM-Signature|X-Received|MIME-Version):[^\n]*\n"
    r"(?:(?:[ \t]|[A-Za-z0-9-]+:)[^\n]*\n){2,}",
    re.I | re.M,
)
_MESSAGE_ID = re.compile(r"^Message-ID:[ \t]*(?:\n[ \t]+)?<([^<>\s]{3,250})>", re.I | re.M)
_UID = re.compile(r"^X-Outreach-Message:[ \t]*([A-Za-z0-9._~-]{1,128})[ \t]*$", re.I | re.M)
_FOR = re.compile(r"\bfor\s+<?([^\s<>;]+@[^\s<>;]+)>?\s*;")
READ = 65_536  # characters of each part searched for ids: headers stand at the front
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


def ids(mail: Mail) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(Message-IDs, X-Outreach-Message values) that stand in the mail's parts below its own header, for matching.

    In-Reply-To and References of the mail itself count among the Message-IDs: that is how most answers name what they answer.
    """
    messages: list[str] = []
    uids: list[str] = []
    for name in ("In-Reply-To", "References"):
        messages += re.findall(r"<([^<>\s]{3,250})>", mail.get(name)[:READ])
    for part in mail.parts[1:] or mail.parts:
        blocks = [f"{name}: {value}" for name, value in part.headers.items if name.lower() in _ID_HEADERS and part.inside]
        if part.is_leaf and part.content_type.startswith(_TEXTUAL):
            blocks.append(part.text[:READ])
        for block in blocks:
            messages += _MESSAGE_ID.findall(block)
            uids += _UID.findall(block)
    return tuple(dict.fromkeys(messages)), tuple(dict.fromkeys(uids))


_ID_HEADERS = ("message-id", "x-outreach-message")
