"""Credits a deal to the mail that it came from: the customer's latest answered one (G4).

Reports count an answered mail as an inquiry already where the answer asks for something; then a deal adds no second.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.events.changes.store import add_conversion, drop_conversion
from outreach.events.kinds import INQUIRY_INTENTS, AddConversion, EventKind
from outreach.model import Event, Message
from outreach.model.base import table

MESSAGES, EVENTS = table(Message), table(Event)
#: How long after an answer a deal still counts as its fruit: an exporter's season and a half.
FRUITFUL = timedelta(days=270)
#: The stages that reports know.
KINDS = ("inquiry", "quotation", "order")


async def credit(conn: AsyncConnection, deal: Row[Any], stage: str, now: datetime) -> None:
    """Write the conversion of a stage, once for each deal; nothing where no mail of ours was answered before."""
    if stage not in KINDS:
        return
    mail = await _answered(conn, deal, now)
    if mail is None or (stage == "inquiry" and await _asked(conn, mail.id)):
        return
    change = AddConversion(
        kind=stage,
        at=now,
        campaign_id=mail.campaign_id,
        message_id=mail.id,
        contact_id=mail.contact_id,
        amount=deal.amount,
        currency=deal.currency if deal.amount is not None else None,
        external_id=_key(deal.id, stage),
    )
    await add_conversion(conn, change, 0, now)


async def take_back(conn: AsyncConnection, deal_id: int, stage: str) -> None:
    """A step was undone: it does not count."""
    await drop_conversion(conn, _key(deal_id, stage))


def _key(deal_id: int, stage: str) -> str:
    return f"deal:{deal_id}:{stage}"


async def _answered(conn: AsyncConnection, deal: Row[Any], now: datetime) -> Any:
    """The latest mail to this customer that somebody answered before the deal was opened; of its campaign if named."""
    m = MESSAGES.c
    whose = [m.company_id == deal.company_id]
    whose += [m.contact_id == deal.contact_id] if deal.contact_id is not None else []
    query = select(m.id, m.campaign_id, m.contact_id).where(
        or_(*whose), m.replied_at <= deal.created_at, m.replied_at > now - FRUITFUL
    )
    if deal.campaign_id is not None:
        query = query.where(m.campaign_id == deal.campaign_id)
    return (await conn.execute(query.order_by(m.replied_at.desc(), m.id.desc()).limit(1))).one_or_none()


async def _asked(conn: AsyncConnection, message_id: int) -> bool:
    replies = select(EVENTS.c.data).where(EVENTS.c.message_id == message_id, EVENTS.c.kind == str(EventKind.REPLY))
    return any((data or {}).get("intent") in INQUIRY_INTENTS for data in await conn.scalars(replies))
