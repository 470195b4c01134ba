"""Who writes to whom, and the header that says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from outreach.content import headers


@dataclass(frozen=True, slots=True)
class Identity:
    """Who writes to whom; fixed when the message is planned, so that a retry sends the same bytes.

    message_id, in_reply_to and references stand without <>; date is aware; uid is opaque.
    """

    uid: str
    message_id: str
    from_name: str
    from_address: str
    to_name: str
    to_address: str
    date: datetime
    reply_to: str | None = None
    list_id: str = ""
    in_reply_to: str | None = None
    references: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Urls:
    """One recipient's addresses. open None: no pixel; click None: links stay as they are; trap: for machines only."""

    unsubscribe: str
    preferences: str
    open: str | None = None
    click: Callable[[int, str], str] | None = None
    unsubscribe_mailto: str | None = None
    trap: str | None = None


PREVIEW_URLS = Urls("https://unsubscribe.example/", "https://preferences.example/")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message as a person sees it."""

    subject: str
    preview: str
    html: str
    text: str


def head(identity: Identity, subject: str, urls: Urls | None) -> str:
    """All header fields but those of MIME; without urls no List-Unsubscribe. Raises ContentProblem."""
    who = identity
    rows = [
        headers.mailbox("From", who.from_name, who.from_address),
        headers.mailbox("To", who.to_name, who.to_address),
        headers.mailbox("Reply-To", "", who.reply_to) if who.reply_to else "",
        headers.unstructured("Subject", subject),
        headers.date(who.date),
        headers.token("Message-ID", f"<{who.message_id}>"),
        headers.token("In-Reply-To", f"<{who.in_reply_to}>") if who.in_reply_to else "",
        references(who.references),
        headers.token("List-Id", f"<{who.list_id}>") if who.list_id else "",
        list_unsubscribe(urls) if urls else "",
        headers.token("X-Outreach-Message", who.uid),
    ]
    return "".join(rows)


def references(ids: tuple[str, ...]) -> str:
    """The thread so far, one id a line; nothing where there is none."""
    if not ids:
        return ""
    checked = [headers.token("References", f"<{one}>").partition(" ")[2] for one in ids]
    return "References: " + " ".join(checked)


def list_unsubscribe(urls: Urls) -> str:
    """RFC 2369 and RFC 8058: the https address first, one-click by POST."""
    row = headers.token("List-Unsubscribe", f"<{urls.unsubscribe}>")
    if urls.unsubscribe_mailto:
        mailto = headers.token("List-Unsubscribe", f"<mailto:{urls.unsubscribe_mailto.removeprefix('mailto:')}>")
        row = row[:-2] + ",\r\n" + mailto.removeprefix("List-Unsubscribe:")
    return row + "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"
