"""An archived mail for people: headers, text, a list of its files, and each file as it came."""

from __future__ import annotations

import asyncio
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.inbox.archive.enclosed import Enclosure, look, take
from outreach.inbox.archive.store import ARCHIVE, HANGS, MAILS, raw_mail
from outreach.inbox.parse import Mail


@dataclass(frozen=True)
class Letter:
    """An archived mail for reading. direction: in, out. sender, to, cc: headers as they stand. at: UTC.

    inbound_id: the received mail that it is or answers; message_id: the campaign mail that it is.
    """

    id: int
    direction: str
    at: datetime
    inbound_id: int | None
    message_id: int | None
    sender: str
    to: str
    cc: str
    subject: str
    text: str
    files: tuple[Enclosure, ...]


async def read_letter(conn: AsyncConnection, mail_id: int) -> Letter | None:
    """Return an archived mail without its attachments' bytes; None where there is none, or it could not be read."""
    row = (await conn.execute(_readable(ARCHIVE).where(ARCHIVE.c.id == mail_id))).one_or_none()
    if row is None:
        return None
    query = select(HANGS.c.content_type, HANGS.c.size).where(HANGS.c.mail_id == mail_id)
    apart = [(hang.content_type, hang.size) for hang in await conn.execute(query.order_by(HANGS.c.position))]
    mail, files = await asyncio.to_thread(_look, bytes(row.raw), row.packed, apart)
    return Letter(
        row.id, row.direction, row.at, row.inbound_id, row.message_id, mail.get("From")[:1000], mail.get("To")[:5000],
        mail.get("Cc")[:5000], row.subject or "", row.text or "", files,
    )  # fmt: skip


async def letter_of(conn: AsyncConnection, inbound_id: int) -> Letter | None:
    """Return the archived mail of a received one; None where it is not kept (any more), or could not be read."""
    query = select(ARCHIVE.c.id).where(ARCHIVE.c.inbound_id == inbound_id, ARCHIVE.c.direction == "in")
    mail_id = await conn.scalar(query.order_by(ARCHIVE.c.id.desc()).limit(1))
    return await read_letter(conn, mail_id) if mail_id is not None else None


async def readable_raw(conn: AsyncConnection, mail_id: int) -> bytes | None:
    """Return the whole mail's bytes; None where there is none, or it could not be read: such a mail is never parsed."""
    if (await conn.execute(_readable(ARCHIVE.c.id).where(ARCHIVE.c.id == mail_id))).one_or_none() is None:
        return None
    return await raw_mail(conn, mail_id)


async def file_of(conn: AsyncConnection, mail_id: int, number: int) -> tuple[Enclosure, bytes] | None:
    """Return an attachment and its bytes, transfer encoding undone; None where there is none of that number."""
    raw = await readable_raw(conn, mail_id)
    return await asyncio.to_thread(take, raw, number) if raw is not None else None


def _readable(*columns: Any) -> Any:
    """Mails that the parser's child has read: what it could not read would stop the service itself, too."""
    joined = ARCHIVE.outerjoin(MAILS, MAILS.c.id == ARCHIVE.c.inbound_id)
    return select(*columns).select_from(joined).where(MAILS.c.state.is_distinct_from("quarantined"))


def _look(raw: bytes, packed: bool, apart: list[tuple[str, int]]) -> tuple[Mail, tuple[Enclosure, ...]]:
    return look(zlib.decompress(raw) if packed else raw, apart)
