"""The fingerprint of a campaign as it stands in the database: what an approval is bound to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.campaigns.approval import RecipientsDigest, Subject
from outreach.campaigns.definition import Definition
from outreach.campaigns.store import CHUNK, RECIPIENTS, get, steps_of
from outreach.content.store import version_source
from outreach.model import Mailbox
from outreach.model.base import table

MAILBOXES = table(Mailbox)


async def recipients_digest(conn: AsyncConnection, campaign_id: int) -> str:
    """Return the SHA-256 over the frozen audience."""
    digest, last = RecipientsDigest(), 0
    table = RECIPIENTS.c
    while True:
        rows = (
            await conn.execute(
                select(
                    table.contact_id, table.address, table.mailbox_id, table.skip_reason, table.is_pilot, table.variant
                )
                .where(table.campaign_id == campaign_id, table.contact_id > last)
                .order_by(table.contact_id)
                .limit(CHUNK)
            )
        ).all()
        if not rows:
            return digest.hex()
        digest.feed(tuple(row) for row in rows)
        last = rows[-1].contact_id


async def fingerprint(conn: AsyncConnection, campaign_id: int, limits: Mapping[str, Any]) -> str:
    """Return the SHA-256 of everything that an approval of this campaign covers, as it stands in the database now.

    The template texts are hashed again, not their stored digest: a changed byte in the snapshot shows too.
    """
    row = await get(conn, campaign_id)
    what = Definition.model_validate(row.definition)
    boxes = await conn.execute(
        select(MAILBOXES.c.name, MAILBOXES.c.address).where(MAILBOXES.c.name.in_(what.mailboxes))
    )
    columns = [row.name, row.goal, row.segment, str(row.budget_amount), str(row.budget_currency), str(row.start_at)]
    return Subject(
        definition={"file": row.definition, "columns": columns, "author": row.author_id, "owner": row.owner_id},
        content=await _content_digests(conn, campaign_id),
        recipients=await recipients_digest(conn, campaign_id),
        mailboxes=[(box.name, box.address) for box in boxes],
        limits=limits,
    ).fingerprint()


async def _content_digests(conn: AsyncConnection, campaign_id: int) -> list[str]:
    digests = []
    for step in await steps_of(conn, campaign_id):
        source = await version_source(conn, step.version_id)
        digests.append(f"{step.number}|{source.digest()}|{step.after_days:g}|{step.only_if}|{step.same_thread}")
    return digests
