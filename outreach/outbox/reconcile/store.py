"""In doubt is never sent again by itself: it is settled by evidence, or by a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.model.enums import MessageState
from outreach.model.refusal import InTwo
from outreach.outbox.state import TRANSITIONS
from outreach.outbox.tables import mailbox, message


class NotInDoubt(InTwo):
    """Only a message in doubt can be settled by hand."""


ANSWERS = {"sent": "accept", "retry": "retry", "failed": "fail"}


async def resolve(
    conn: AsyncConnection, message_id: int, answer: str, now: datetime, *, why: str = "settled by hand"
) -> MessageState:
    """Settle a message in doubt: "sent", "retry" or "failed". Raises NotInDoubt, and ValueError on another answer."""
    if answer not in ANSWERS:
        raise ValueError(f"{answer!r}: say one of {', '.join(ANSWERS)}")
    target = TRANSITIONS[(MessageState.IN_DOUBT, ANSWERS[answer])]
    values: dict[str, Any] = {"state": target, "reason": why, "settled_at": now, "fence": None}
    if answer == "sent":
        values |= {"sent_at": func.coalesce(message.c.handed_at, now), "reason": None}
    if answer == "retry":
        values |= {"due_at": now, "handed_at": None, "settled_at": None}
    doubtful = and_(message.c.id == message_id, message.c.state == MessageState.IN_DOUBT)
    if (await conn.execute(update(message).where(doubtful).values(values))).rowcount != 1:
        state = await conn.scalar(select(message.c.state).where(message.c.id == message_id))
        raise NotInDoubt(
            f"message {message_id} is {state or 'unknown'}, not in doubt: there is nothing to settle",
            "这封邮件的状态不是“待确认”，无需处理：请刷新页面",
        )
    return target


async def note_probe(
    conn: AsyncConnection, mailbox_id: int, learned: Mapping[str, Any], *, first: bool = False
) -> None:
    """Keep what is known of the mailbox's Sent folder; `first`: only where nothing is known yet."""
    which = mailbox.c.id == mailbox_id
    if first:
        known = await conn.scalar(select(mailbox.c.probe).where(which))
        if known and "files" in known:
            return
    await conn.execute(update(mailbox).where(which).values(probe=dict(learned)))


async def copy_found(
    conn: AsyncConnection, mailbox_id: int, uid: str, message_id: str, folder: str, now: datetime
) -> bool:
    """A mail from one of our addresses stands in a folder; return whether it is a copy of one of our messages.

    A copy was filed by the server that took it, so a message in doubt has left. A copy with both our marks is proof in
    itself; with one of them only where a probe has shown that this mailbox keeps no more. The first copies of messages
    that are known to be sent teach the same as a probe.
    """
    found = (message.c.uid == uid) | (message.c.message_id == message_id) if uid else message.c.message_id == message_id
    columns = (
        message.c.id,
        message.c.uid,
        message.c.message_id,
        message.c.state,
        message.c.mailbox_id,
        mailbox.c.probe,
    )
    joined = select(*columns).join_from(message, mailbox, mailbox.c.id == message.c.mailbox_id)
    row = (await conn.execute(joined.where(found).limit(1))).one_or_none()
    if row is None:
        return False
    kept = {"keeps_id": row.message_id == message_id, "keeps_header": row.uid == uid}
    if row.state == MessageState.SENT and row.mailbox_id == mailbox_id and folder.upper() != "INBOX":
        learned = {"files": True, "folder": folder, "at": now.isoformat(), "how": "copies", **kept}
        await note_probe(conn, mailbox_id, learned, first=True)
    proven = all(kept.values()) or _known_to_keep(row.probe or {}, kept)
    if row.state == MessageState.IN_DOUBT and proven:
        await resolve(conn, row.id, "sent", now, why="found in the Sent folder")
    return True


def _known_to_keep(probe: Mapping[str, Any], kept: Mapping[str, bool]) -> bool:
    return bool(probe.get("files")) and all(probe.get(name, False) == value for name, value in kept.items())
