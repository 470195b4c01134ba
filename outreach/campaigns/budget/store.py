"""What a campaign cost, in the currency of its budget. Joins the caller's transaction."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.model import Campaign
from outreach.model.base import table

CAMPAIGNS = table(Campaign)


async def set_spent(conn: AsyncConnection, campaign_id: int, amount: float | None) -> bool:
    """Note the cost, None takes it away; return whether there is such a campaign. No approval depends on it."""
    change = update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id).values(spent_amount=amount)
    return bool((await conn.execute(change)).rowcount)
