"""Messages in doubt: what is known of each, and a person's word that settles them."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.model import Campaign, Company, Contact, Mailbox, MailFolder, Message, MessageState
from outreach.model.base import table
from outreach.outbox import store as outbox

MESSAGES, CAMPAIGNS, CONTACTS, COMPANIES = table(Message), table(Campaign), table(Contact), table(Company)
MAILBOXES, FOLDERS = table(Mailbox), table(MailFolder)

#: Rows of a page.
PAGE = 100
#: A provider needs a moment to file a copy: a pass over Sent counts as a look only so long after the hand-over.
FILED_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class Doubt:
    """A message in doubt. copy: "absent" (its mailbox files every mail, Sent was read since, there is none), "waiting"
    (Sent has not been read since) or "unknown" (this mailbox is not known to file what it sends).
    """

    id: int
    uid: str
    message_id: str
    campaign_id: int
    campaign: str
    address: str
    contact_id: int
    name: str
    company: str | None
    mailbox: str
    handed_at: datetime | None
    reason: str | None
    copy: str
    sent_read_at: datetime | None
    tz: str | None


async def doubts(
    app: App, *, where: ColumnElement[bool] | None = None, offset: int = 0, limit: int = PAGE
) -> tuple[list[Doubt], int]:
    """Return messages in doubt, newest first, and how many there are. where: a condition on message or campaign."""
    trusted = {app.mailbox_ids[box.name] for box in app.settings.mailbox if box.files_sent}
    doubtful = and_(MESSAGES.c.state == MessageState.IN_DOUBT.value, true() if where is None else where)
    joined = MESSAGES.join(CAMPAIGNS, CAMPAIGNS.c.id == MESSAGES.c.campaign_id)
    query = (
        select(
            MESSAGES,
            CAMPAIGNS.c.name.label("campaign"),
            CONTACTS.c.first_name,
            CONTACTS.c.last_name,
            COMPANIES.c.name.label("company"),
            MAILBOXES.c.name.label("mailbox"),
            MAILBOXES.c.probe,
        )
        .select_from(
            joined.outerjoin(CONTACTS, CONTACTS.c.id == MESSAGES.c.contact_id)
            .outerjoin(COMPANIES, COMPANIES.c.id == MESSAGES.c.company_id)
            .outerjoin(MAILBOXES, MAILBOXES.c.id == MESSAGES.c.mailbox_id)
        )
        .where(doubtful)
        .order_by(MESSAGES.c.handed_at.desc(), MESSAGES.c.id)
    )
    async with app.db.read() as conn:
        total = await conn.scalar(select(func.count()).select_from(joined).where(doubtful))
        rows = (await conn.execute(query.offset(offset).limit(limit))).all()
        read = {(row.mailbox_id, row.name): row.read_at for row in await conn.execute(select(FOLDERS))}
    return [_doubt(row, read, row.mailbox_id in trusted) for row in rows], int(total or 0)


def _doubt(row: Any, read: dict[tuple[int, str], datetime | None], trusted: bool) -> Doubt:
    probe = row.probe or {}
    looked = read.get((row.mailbox_id, str(probe.get("folder", ""))))
    return Doubt(
        id=row.id,
        uid=row.uid,
        message_id=row.message_id,
        campaign_id=row.campaign_id,
        campaign=row.campaign,
        address=row.address,
        contact_id=row.contact_id,
        name=" ".join(part for part in (row.first_name, row.last_name) if part),
        company=row.company,
        mailbox=row.mailbox or "",
        handed_at=row.handed_at,
        reason=row.reason,
        copy=_copy(row.handed_at, looked, bool(probe.get("files", trusted))),
        sent_read_at=looked,
        tz=row.tz,
    )


def _copy(handed_at: datetime | None, looked: datetime | None, files: bool) -> str:
    if not files:
        return "unknown"
    if looked is None or handed_at is None or looked < handed_at + FILED_WITHIN:
        return "waiting"
    return "absent"


async def settle_one(app: App, message_id: int, answer: str, actor: Actor, now: datetime) -> str:
    """Settle a message in doubt ("sent", "retry" or "failed"), on record. Raises NotInDoubt and ValueError."""
    async with app.db.write() as conn:
        return await _settle(conn, message_id, answer, actor, now)


async def settle_many(app: App, ids: Sequence[int], answer: str, actor: Actor, now: datetime) -> int:
    """Settle several and return how many. What is not in doubt any more stays as it is: somebody was faster."""
    settled = 0
    async with app.db.write() as conn:
        for message_id in ids:
            with contextlib.suppress(outbox.NotInDoubt):
                await _settle(conn, message_id, answer, actor, now)
                settled += 1
    return settled


async def _settle(conn: AsyncConnection, message_id: int, answer: str, actor: Actor, now: datetime) -> str:
    state = (await outbox.resolve(conn, message_id, answer, now)).value
    after = {"answer": answer, "state": state}
    await append_audit(conn, actor, f"message.resolved_{answer}", "message", message_id, now=now, after=after)
    return state
