"""Puts off what waits for one person, or gives it to another mailbox; exact, like a stop (db/stops.py)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db import stops
from outreach.model.enums import MessageState
from outreach.outbox.tables import message

WAITING = (MessageState.QUEUED, MessageState.DEFERRED)


async def put_off(conn: AsyncConnection, campaign_id: int, contact_id: int, until: datetime) -> None:
    """Let what waits for this person wait until then; what a worker has claimed and not handed over comes back."""
    await stops.hold(conn)
    mine = and_(message.c.campaign_id == campaign_id, message.c.contact_id == contact_id)
    await _both(conn, mine, {"due_at": until})


async def give_to(conn: AsyncConnection, campaign_ids: Sequence[int], mailboxes: Sequence[int], successor: int) -> None:
    """Let another mailbox send what waits in these ones; the Message-IDs stay, so threads hold."""
    await stops.hold(conn)
    mine = and_(message.c.campaign_id.in_(campaign_ids), message.c.mailbox_id.in_(mailboxes))
    await _both(conn, mine, {"mailbox_id": successor})


async def _both(conn: AsyncConnection, mine: Any, values: dict[str, Any]) -> None:
    claimed = and_(mine, message.c.state == MessageState.CLAIMED)
    released = {"state": MessageState.QUEUED, "fence": None, **values}
    await conn.execute(update(message).where(claimed).values(released))
    await conn.execute(update(message).where(mine, message.c.state.in_(WAITING)).values(values))
