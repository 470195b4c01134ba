"""Erases a person (H4) without stopping the campaigns that others in the same audience are to get.

An approval covers the frozen audience. Erasure takes a name out of it, which is no edit: nobody gets anything else. So
in the same transaction the approvals that held are bound to the audience without that name, on record.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.campaigns import limits_in_force
from outreach.audience.privacy.store import Erasure
from outreach.campaigns.fingerprint.store import fingerprint
from outreach.campaigns.state import TERMINAL
from outreach.content.problem import ContentProblem
from outreach.db import stops
from outreach.model import Approval, Campaign, CampaignRecipient, EmailAddress
from outreach.model.base import table
from outreach.model.keys import normalise_address
from outreach.model.merged.store import parts

CAMPAIGNS, RECIPIENTS, ADDRESSES, APPROVALS = (
    table(Campaign), table(CampaignRecipient), table(EmailAddress), table(Approval),
)  # fmt: skip


async def erase_person(app: App, address: str, actor: Actor, now: datetime) -> Erasure:
    """Erase the person of an address; nothing leaves to them after this has returned."""
    person = select(ADDRESSES.c.contact_id).where(ADDRESSES.c.normal == normalise_address(address))
    async with app.db.write() as conn:
        await stops.hold(conn)
        number = await conn.scalar(person)
        campaigns = await bound(app, conn, [] if number is None else [number, *await parts(conn, number)])
        done = await app.audience.erase_in(conn, address, now=now, by_user=actor.id)
        await _told(app, conn, campaigns, done, actor, now)
    return done


async def erase_contact(app: App, contact_id: int, actor: Actor, now: datetime) -> Erasure:
    """Do the same by the person's number."""
    async with app.db.write() as conn:
        await stops.hold(conn)
        campaigns = await bound(app, conn, [contact_id, *await parts(conn, contact_id)])
        done = await app.audience.erase_contact_in(conn, contact_id, now=now, by_user=actor.id)
        await _told(app, conn, campaigns, done, actor, now)
    return done


async def _told(
    app: App, conn: AsyncConnection, campaigns: Sequence[int], done: Erasure, actor: Actor, now: datetime
) -> None:
    for number in campaigns:
        await bind_again(app, conn, number, "a recipient was erased", now)
    who = done.contact_id or "-"  # "-": who wrote to us and was no contact
    await append_audit(conn, actor, "contact.erased", "contact", who, now=now, after=dict(done.erased))


async def bound(app: App, conn: AsyncConnection, person: list[int]) -> Sequence[int]:
    """The campaigns with this person whose approval holds at this moment."""
    query = (
        select(CAMPAIGNS.c.id, CAMPAIGNS.c.approved_hash)
        .distinct()
        .join(RECIPIENTS, RECIPIENTS.c.campaign_id == CAMPAIGNS.c.id)
        .where(RECIPIENTS.c.contact_id.in_(person), CAMPAIGNS.c.approved_hash.is_not(None))
        .where(CAMPAIGNS.c.state.not_in([state.value for state in TERMINAL]))
    )
    rows = (await conn.execute(query)).all()
    return [row.id for row in rows if await _digest(app, conn, row.id) == row.approved_hash]


async def _digest(app: App, conn: AsyncConnection, number: int) -> str | None:
    try:
        return await fingerprint(conn, number, limits_in_force(app))
    except ContentProblem:  # a stored text was tampered with: its approval does not hold
        return None


async def bind_again(app: App, conn: AsyncConnection, number: int, why: str, now: datetime) -> None:
    """Bind the approvals of a campaign to its audience as it stands, on record."""
    digest = await _digest(app, conn, number)
    old = await conn.scalar(select(CAMPAIGNS.c.approved_hash).where(CAMPAIGNS.c.id == number))
    values = {"approved_hash": digest, "submitted_hash": digest}
    await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == number).values(**values))
    given = (APPROVALS.c.campaign_id == number) & (APPROVALS.c.hash == old) & APPROVALS.c.voided_at.is_(None)
    await conn.execute(update(APPROVALS).where(given).values(hash=digest))
    change = {"before": {"hash": old}, "after": {"hash": digest, "why": why}}
    await append_audit(conn, None, "campaign.bound_again", "campaign", number, now=now, **change)
