"""Who and what an event speaks of, read in its own transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.privacy.store import ERASED
from outreach.audience.regions import time_zone
from outreach.events.facts import AddressFacts, Facts
from outreach.events.kinds import EventKind, NewEvent
from outreach.model import Campaign, CampaignState, Company, Contact, EmailAddress, Message, MessageState
from outreach.model.keys import address_key, normalise_address
from outreach.model.merged.store import part_of, whole

message: Table = Message.__table__  # type: ignore[attr-defined]
contact: Table = Contact.__table__  # type: ignore[attr-defined]
company: Table = Company.__table__  # type: ignore[attr-defined]
campaign: Table = Campaign.__table__  # type: ignore[attr-defined]
email: Table = EmailAddress.__table__  # type: ignore[attr-defined]

#: The campaign is paused by what happened to its last 100 mails (reliability.md); this one is counted by the effect.
RECENT = 100

#: SQLite allows 32,766 parameters a statement, PostgreSQL's driver 32,767; short lists keep plans short too.
CHUNK = 500


async def load_facts(conn: AsyncConnection, event: NewEvent, secret: bytes) -> Facts:
    """Return the facts of one event. An unknown message or contact yields facts without them, never an error."""
    facts, address = await _of_message(conn, event) if event.message_id else (Facts(), event.data.get("address"))
    if address == ERASED:
        facts, address = await _of_key(conn, facts)
    contact_id = await whole(conn, facts.contact_id or event.contact_id)
    if contact_id is None and address:
        contact_id = await _owner_of(conn, str(address))
    facts = replace(facts, contact_id=contact_id, campaign_id=facts.campaign_id or event.campaign_id)
    facts = await _with_contact(conn, facts)
    facts = _with_address(facts, address, secret)
    return await _with_harm(conn, event, facts)


async def _of_message(conn: AsyncConnection, event: NewEvent) -> tuple[Facts, str | None]:
    m, c = message.c, campaign.c
    columns = (
        m.id,
        m.campaign_id,
        m.contact_id,
        m.company_id,
        m.address,
        m.address_key,
        m.state,
        m.first_open_at,
        m.bounced_at,
        m.tz,
    )
    query = select(*columns, c.definition, c.state.label("campaign_state"))
    query = query.select_from(message.join(campaign, c.id == m.campaign_id)).where(m.id == event.message_id)
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        return Facts(), event.data.get("address")
    facts = Facts(
        message_id=row.id,
        campaign_id=row.campaign_id,
        contact_id=row.contact_id,
        company_id=row.company_id,
        in_doubt=row.state == MessageState.IN_DOUBT,
        bounced=row.bounced_at is not None,
        zone=row.tz,
        address=AddressFacts("", "", row.address_key),
        first_open_at=row.first_open_at,
        stop_colleagues=bool((row.definition or {}).get("stop_colleagues")),
        campaign_sending=row.campaign_state in (CampaignState.RUNNING, CampaignState.PILOT),
    )
    return facts, row.address


async def _of_key(conn: AsyncConnection, facts: Facts) -> tuple[Facts, str | None]:
    """A mail whose address was forgotten still has its key: the person may have come back since, as another contact."""
    key = facts.address.key if facts.address else ""
    query = select(email.c.address, email.c.contact_id).where(email.c.key == key).order_by(email.c.id.desc()).limit(1)
    row = (await conn.execute(query)).one_or_none()
    return (facts, None) if row is None else (replace(facts, contact_id=row.contact_id), row.address)


async def _owner_of(conn: AsyncConnection, address: str) -> int | None:
    query = select(email.c.contact_id).where(email.c.normal == normalise_address(address))
    return (await conn.execute(query)).scalar_one_or_none()


async def _with_contact(conn: AsyncConnection, facts: Facts) -> Facts:
    if facts.contact_id is None:
        return facts
    c = contact.c
    columns = (
        *(c.company_id, c.first_name, c.last_name, c.owner_id, c.basis, c.grade, c.last_replied),
        *(c.country, c.city),
    )
    query = select(*columns, company.c.name, company.c.owner_id.label("company_owner"))
    query = query.select_from(contact.outerjoin(company, company.c.id == c.company_id))
    row = (await conn.execute(query.where(c.id == facts.contact_id))).one_or_none()
    if row is None:
        return replace(facts, contact_id=None)
    return replace(
        facts,
        company_id=facts.company_id or row.company_id,
        owner_id=row.owner_id or row.company_owner,
        contact_name=" ".join(part for part in (row.first_name, row.last_name) if part),
        company_name=row.name or "",
        basis=row.basis,
        grade=row.grade,
        ever_replied=row.last_replied is not None,
        addresses=await _addresses(conn, facts.contact_id),
        zone=facts.zone or time_zone(row.country, row.city),
    )


async def _addresses(conn: AsyncConnection, contact_id: int) -> tuple[AddressFacts, ...]:
    e = email.c
    query = select(e.address, e.normal, e.key, e.soft_bounces, e.first_soft_bounce_at)
    rows = (await conn.execute(query.where(e.contact_id == contact_id).order_by(e.id))).all()
    return tuple(AddressFacts(*row) for row in rows)


def _with_address(facts: Facts, address: str | None, secret: bytes) -> Facts:
    if not address:
        return facts
    normal = normalise_address(str(address))
    known = next((a for a in facts.addresses if a.normal == normal), None)
    return replace(facts, address=known or AddressFacts(str(address), normal, address_key(normal, secret)))


async def _with_harm(conn: AsyncConnection, event: NewEvent, facts: Facts) -> Facts:
    if facts.campaign_id is None:
        return facts
    if event.kind == EventKind.BOUNCE and event.data.get("hard"):
        return replace(facts, recent_hard=await _recent_hard(conn, facts.campaign_id, facts.message_id))
    if event.kind == EventKind.COMPLAINT:
        sent, complaints = await _complaints(conn, facts.campaign_id, facts.message_id)
        return replace(facts, sent=sent, complaints=complaints)
    return facts


async def _recent_hard(conn: AsyncConnection, campaign_id: int, but: int | None) -> int:
    m = message.c
    last = select(m.bounce_hard).where(m.campaign_id == campaign_id, m.sent_at.is_not(None), m.id != (but or 0))
    recent = last.order_by(m.sent_at.desc()).limit(RECENT - 1).subquery()
    query = select(func.count()).select_from(recent).where(recent.c.bounce_hard.is_(True))
    return (await conn.execute(query)).scalar_one()


async def _complaints(conn: AsyncConnection, campaign_id: int, but: int | None) -> tuple[int, int]:
    m = message.c
    query = select(func.count(m.sent_at), func.count(m.complained_at).filter(m.id != (but or 0))).where(
        m.campaign_id == campaign_id, m.sent_at.is_not(None)
    )
    sent, complaints = (await conn.execute(query)).one()
    return sent, complaints


async def load_many(conn: AsyncConnection, ids: Iterable[int]) -> dict[int, Facts]:
    """Return what opens and clicks need of each message: its campaign, contact, first open, and when it left."""
    m = message.c
    left = func.coalesce(m.sent_at, m.handed_at, type_=m.sent_at.type).label("left_at")
    whose = (contact.c.source, contact.c.erased_at.is_not(None).label("erased"))
    columns = (m.id, m.campaign_id, m.contact_id, m.company_id, m.state, m.first_open_at, left, *whose)
    query = select(*columns).select_from(message.outerjoin(contact, contact.c.id == m.contact_id))
    wanted = sorted(set(ids))
    found: dict[int, Facts] = {}
    for start in range(0, len(wanted), CHUNK):
        rows = await conn.execute(query.where(m.id.in_(wanted[start : start + CHUNK])))
        found.update((row.id, _brief(row)) for row in rows)
    return found


def _brief(row: Any) -> Facts:
    return Facts(
        message_id=row.id,
        campaign_id=row.campaign_id,
        contact_id=part_of(row.source, row.erased) or row.contact_id,
        company_id=row.company_id,
        in_doubt=row.state == MessageState.IN_DOUBT,
        first_open_at=row.first_open_at,
        sent_at=row.left_at,
    )
