"""What the archive keeps of a mail beside its bytes: who, when, what about, the text, and which files hang on it."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from outreach.inbox import address
from outreach.inbox.entity import Part
from outreach.inbox.header_values import display_name
from outreach.inbox.parse import Mail
from outreach.inbox.tokens import tokens_in

LONGEST_TEXT = 200_000  # characters kept for search; a novel is longer, a letter is not
MOST_ADDRESSES = 500  # of To and Cc each
_IDS = re.compile(r"<([^<>\s]{1,990})>")


@dataclass(frozen=True)
class Attachment:
    """A file that hangs on a mail; its bytes stay in the raw mail, never unpacked. size in bytes, sha256 in hex."""

    name: str
    content_type: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Summary:
    """Addresses in lower case, ids without <>, date in UTC or None. exceeded: limits that cut the mail (limits.py)."""

    message_id: str
    in_reply_to: tuple[str, ...]
    references: tuple[str, ...]
    from_address: str
    from_name: str
    to: tuple[str, ...]
    cc: tuple[str, ...]
    subject: str
    date: datetime | None
    text: str
    attachments: tuple[Attachment, ...]
    auto_submitted: str
    own_uid: str  # our X-Outreach-Message in the mail's own header: a copy of what we sent
    exceeded: tuple[str, ...]
    bulk: bool = False  # a mailing list or a newsletter: not written for us
    tokens: tuple[str, ...] = ()  # strings that may be signed tokens of ours


def summarise_mail(mail: Mail) -> Summary:
    found = _IDS.search(mail.get("Message-ID"))
    return Summary(
        message_id=found[1] if found else mail.get("Message-ID")[:990],
        in_reply_to=tuple(_IDS.findall(mail.get("In-Reply-To"))),
        references=tuple(_IDS.findall(mail.get("References")))[-50:],
        from_address=mail.from_addr,
        from_name=display_name(mail.get("From"))[:200],
        to=_addresses(mail, "To"),
        cc=_addresses(mail, "Cc"),
        subject=mail.subject[:2000],
        date=mail.date,
        text=mail.text[:LONGEST_TEXT],
        attachments=tuple(_attachment(part) for part in mail.leaves if hangs_on(part)),
        auto_submitted=mail.get("Auto-Submitted").lower()[:100],
        own_uid=mail.get("X-Outreach-Message")[:128],
        exceeded=mail.exceeded,
        bulk=_is_bulk(mail),
        tokens=tokens_in(mail),
    )


def _is_bulk(mail: Mail) -> bool:
    if mail.get("Precedence").strip().lower() in ("bulk", "list", "junk"):
        return True
    return any(mail.get(name) for name in ("List-Id", "List-Post", "List-Unsubscribe", "Feedback-ID"))


def _addresses(mail: Mail, header: str) -> tuple[str, ...]:
    found = [a.lower() for value in mail.get_all(header)[:20] for a in address.find_all(value[:50_000])]
    return tuple(dict.fromkeys(found))[:MOST_ADDRESSES]


def hangs_on(part: Part) -> bool:
    """Whether a part is a file that the writer enclosed."""
    return part.inside == 0 and bool(part.filename or part.disposition == "attachment" or not _is_prose(part))


def _is_prose(part: Part) -> bool:
    return part.content_type.startswith(("text/", "message/", "multipart/"))


def _attachment(part: Part) -> Attachment:
    data = part.data
    return Attachment(part.filename[:255], part.content_type, len(data), hashlib.sha256(data).hexdigest())
