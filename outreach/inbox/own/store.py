"""Our own mail as it is found in the mailbox: it settles doubts, answers what waits, and is part of the customer's file."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.events.kinds import EventKind, NewEvent
from outreach.inbox.archive.store import archive
from outreach.inbox.summary import Summary
from outreach.model import ArchivedMail, EmailAddress, InboundMail, Mailbox, Message
from outreach.model.base import table
from outreach.model.keys import normalise_address
from outreach.outbox import store as outbox

MESSAGES, ADDRESSES, MAILS, ARCHIVE = table(Message), table(EmailAddress), table(InboundMail), table(ArchivedMail)
BOXES = table(Mailbox)

#: What a row of `inbound_mail` says of a mail that did not come in.
COLUMNS: dict[str, Any] = {"state": "own", "kind": "other", "intent": None, "reply_text": None, "certainty": None}
#: Recipients of one letter that are looked up.
MOST_RECIPIENTS = 50
EXCERPT = 500


async def copy_of_ours(
    conn: AsyncConnection, mailbox_id: int, folder: str, raw: bytes, summary: Summary, now: datetime
) -> bool:
    """Whether it is a copy of a campaign's mail or of an answer written here (the Sent folder's).

    A copy of a message proves that it has left, and is archived.
    """
    if not summary.own_uid and not summary.message_id:
        return False
    if not await outbox.copy_found(conn, mailbox_id, summary.own_uid, summary.message_id, folder, now):
        return await _answered_here(conn, summary)
    ours = or_(MESSAGES.c.uid == summary.own_uid, MESSAGES.c.message_id == summary.message_id)
    number = await conn.scalar(select(MESSAGES.c.id).where(ours).limit(1))
    if number is not None and await conn.scalar(select(ARCHIVE.c.id).where(ARCHIVE.c.message_id == number)) is None:
        await archive(conn, raw, summary, now, message_id=number, direction="out")
    return True


async def _answered_here(conn: AsyncConnection, summary: Summary) -> bool:
    """Whether it is an answer that was written on the inbox page: archived when it left."""
    wanted = ARCHIVE.c.direction == "out", ARCHIVE.c.rfc_message_id == summary.message_id
    return bool(summary.message_id) and await conn.scalar(select(ARCHIVE.c.id).where(*wanted).limit(1)) is not None


async def by_hand(conn: AsyncConnection, summary: Summary, key: str, inbound_id: int, now: datetime) -> list[NewEvent]:
    """A letter that somebody wrote in a mail program: return an event for each customer that it went to.

    What it answers waits no longer. The mailbox's owner wrote it; who wrote from a shared one is not known.
    """
    at = min(summary.date, now) if summary.date else now
    answered = await _answered(conn, summary, at)
    wanted = [normalise_address(address) for address in (*summary.to, *summary.cc)][:MOST_RECIPIENTS]
    query = select(ADDRESSES.c.contact_id, ADDRESSES.c.normal).where(ADDRESSES.c.normal.in_(wanted))
    found: dict[int | None, str] = {row.contact_id: row.normal for row in await conn.execute(query)}
    if found:  # the letter stands in the customer's file, and goes with it
        await conn.execute(update(MAILS).where(MAILS.c.id == inbound_id).values(contact_id=min(filter(None, found))))
    if answered and not found:
        found = {None: summary.to[0] if summary.to else ""}
    box = select(BOXES.c.owner_id).join(MAILS, MAILS.c.mailbox_id == BOXES.c.id).where(MAILS.c.id == inbound_id)
    writer = {"user_id": owner} if (owner := await conn.scalar(box)) is not None else {}
    data = writer | {
        "by_hand": True,
        "answers": answered,
        "subject": summary.subject[:200],
        "text": summary.text[:EXCERPT],
    }
    return [
        NewEvent(
            EventKind.SENT,
            f"sent:{contact_id or 0}:{key}",
            at,
            contact_id=contact_id,
            inbound_id=inbound_id,
            data={**data, "address": address},
        )
        for contact_id, address in found.items()
    ]


async def _answered(conn: AsyncConnection, summary: Summary, at: datetime) -> list[int]:
    """Mark what the letter answers as answered; return those mails."""
    if not summary.in_reply_to:
        return []
    open_ones = MAILS.c.rfc_message_id.in_(summary.in_reply_to), MAILS.c.answered_at.is_(None), MAILS.c.state == "new"
    statement = update(MAILS).where(*open_ones).values(answered_at=at, state="closed").returning(MAILS.c.id)
    return list((await conn.execute(statement)).scalars())
