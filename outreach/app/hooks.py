"""What sending tells the stages above it: dead addresses become events, breakers pause, people are told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.campaigns import store as campaigns
from outreach.db import stops
from outreach.events.kinds import EventKind, NewEvent
from outreach.events.store import EventStore
from outreach.model import Activity, Campaign
from outreach.model.base import table
from outreach.outbox.message import Claimed
from outreach.sending.aftermath.worker import Hooks
from outreach.sending.reply_code import Reply
from outreach.sending.setup import Notice

CAMPAIGNS, ACTIVITIES = table(Campaign), table(Activity)


class SendingHooks(Hooks):
    """Each call runs in the transaction of the outcome that caused it."""

    def __init__(self, events: EventStore) -> None:
        self.events = events

    async def address_dead(
        self, conn: AsyncConnection, message: Claimed, reason: str, reply: Reply, at: datetime
    ) -> None:
        """The server refused the recipient for good: a hard bounce at the hand-over."""
        words = str(getattr(reply, "text", reply))
        data = {"hard": True, "reason": reason, "address": message.address, "at_hand_over": True, "text": words[:500]}
        event = NewEvent(EventKind.BOUNCE, f"bounce:{message.id}:handover", at, message_id=message.id, data=data)
        await self.events.record(conn, event, at)

    async def hold_campaign(
        self, conn: AsyncConnection, campaign_id: int, reason: str, detail: str, at: datetime
    ) -> None:
        """Pause the campaign, once, and say why."""
        row = await campaigns.get(conn, campaign_id)
        if row.state not in ("running", "pilot"):
            return
        await stops.hold(conn)
        text = f"{reason}: {detail}" if detail else reason
        await campaigns.pause(conn, campaign_id, text[:500], now=at, actor=None)

    async def notify(self, conn: AsyncConnection, notice: Notice) -> None:
        """Leave a line for people: the dashboard shows the newest ones."""
        data = {"mailbox_id": notice.mailbox_id, "mailbox": notice.mailbox, "reason": notice.reason}
        data |= {"detail": notice.detail[:500], "campaign_id": notice.campaign_id}
        await conn.execute(insert(ACTIVITIES).values(kind="warning", at=notice.at, text=notice.reason, data=data))


async def confirm_needed(conn: AsyncConnection, campaign_id: int) -> None:
    """A schedule that was missed by more than its window asks a person first."""
    await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == campaign_id).values(confirm_needed=True))
