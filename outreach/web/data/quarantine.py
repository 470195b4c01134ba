"""Mails that could not be read: what is known of them, without the mails themselves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.web.data.tables import ARCHIVE, INBOUND, MAILBOX

HERE = INBOUND.c.state == "quarantined"


async def unread(conn: AsyncConnection, limit: int, offset: int) -> Sequence[Any]:
    """The mails in quarantine, newest first; `size` in bytes, None where the server gave nothing."""
    kept = select(func.max(func.length(ARCHIVE.c.raw))).where(ARCHIVE.c.inbound_id == INBOUND.c.id).scalar_subquery()
    query = (
        select(
            INBOUND.c.id, INBOUND.c.folder, INBOUND.c.received_at, INBOUND.c.error, kept.label("size"),
            MAILBOX.c.address.label("mailbox"),
        )
        .select_from(INBOUND.outerjoin(MAILBOX, MAILBOX.c.id == INBOUND.c.mailbox_id))
        .where(HERE)
        .order_by(INBOUND.c.received_at.desc(), INBOUND.c.id.desc())
    )  # fmt: skip
    return (await conn.execute(query.limit(limit).offset(offset))).all()


async def count(conn: AsyncConnection) -> int:
    """How many there are."""
    return int((await conn.execute(select(func.count()).select_from(INBOUND).where(HERE))).scalar_one())


async def why(conn: AsyncConnection, inbound_id: int) -> str | None:
    """Why this mail is in quarantine; None where it is not there (any more)."""
    query = select(INBOUND.c.error).where(HERE, INBOUND.c.id == inbound_id)
    row = (await conn.execute(query)).one_or_none()
    return (row.error or "") if row else None
