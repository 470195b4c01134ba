"""From the frozen audience of an approved campaign to the rows of the outbox."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.app.preflight import Plan, load_plan
from outreach.audience.regions import time_zone
from outreach.campaigns import store as campaigns
from outreach.campaigns.calendar import next_open
from outreach.content.template import choose_language
from outreach.model import CampaignRecipient, Contact, EmailAddress, MessageState
from outreach.model.base import table
from outreach.outbox import store as outbox

RECIPIENTS, CONTACTS, ADDRESSES = table(CampaignRecipient), table(Contact), table(EmailAddress)


async def plan_messages(app: App, conn: AsyncConnection, campaign_id: int, now: datetime) -> int:
    """Make the message rows of the frozen audience; a second call adds none."""
    work = await load_plan(app, conn, campaign_id, now)
    domains = {box.id: app.settings.mailbox_named(box.name).domain for box in work.boxes}
    added, last = 0, 0
    while True:
        rows = (await conn.execute(_recipients_after(campaign_id, last))).all()
        if not rows:
            await outbox.leave_out(conn, campaign_id)
            return added
        added += await outbox.plan(conn, [_message_row(work, row, domains) for row in rows])
        last = rows[-1].contact_id


def _recipients_after(campaign_id: int, last: int) -> Any:
    return (
        select(
            RECIPIENTS.c.contact_id,
            RECIPIENTS.c.address,
            RECIPIENTS.c.mailbox_id,
            RECIPIENTS.c.is_pilot,
            RECIPIENTS.c.variant,
            ADDRESSES.c.key,
            CONTACTS.c.company_id,
            CONTACTS.c.country,
            CONTACTS.c.city,
            CONTACTS.c.language,
        )
        .join(CONTACTS, CONTACTS.c.id == RECIPIENTS.c.contact_id)
        .join(ADDRESSES, ADDRESSES.c.id == RECIPIENTS.c.address_id)
        .where(
            RECIPIENTS.c.campaign_id == campaign_id,
            RECIPIENTS.c.skip_reason.is_(None),
            RECIPIENTS.c.contact_id > last,
        )
        .order_by(RECIPIENTS.c.contact_id)
        .limit(campaigns.CHUNK)
    )


def _message_row(work: Plan, row: Any, domains: dict[int, str]) -> dict[str, Any]:
    zone = time_zone(row.country, row.city) if row.country else None
    return {
        "campaign_id": work.row.id,
        "step": 0,
        "contact_id": row.contact_id,
        "company_id": row.company_id,
        "address": row.address,
        "address_key": row.key,
        "mailbox_id": row.mailbox_id,
        "mail_domain": domains[row.mailbox_id],
        "due_at": next_open(work.start, work.hours(row.country, zone, row.variant)),
        # who is not in the test waits for what it shows
        "state": MessageState.PLANNED if work.what.variant and row.variant is None else MessageState.QUEUED,
        "language": choose_language(work.sources[0], row.language, row.country),
        "variant": row.variant,
        "is_pilot": row.is_pilot,
        "country": row.country,
        "tz": zone,
    }
