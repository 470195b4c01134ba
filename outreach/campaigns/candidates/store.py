"""Read the people of a segment with everything the plan asks about them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience import segment
from outreach.campaigns.plan import Candidate, CompanyCount
from outreach.model import (
    Company,
    Contact,
    EmailAddress,
    Mailbox,
    MailboxState,
    Message,
    MessageState,
    Preference,
    Suppression,
)
from outreach.model.base import table
from outreach.model.suppressed import is_domain

CONTACTS, ADDRESSES = table(Contact), table(EmailAddress)
COMPANIES, MESSAGES, SUPPRESSIONS = table(Company), table(Message), table(Suppression)
PREFERENCES = table(Preference)
MAILBOXES = table(Mailbox)

#: Rows fetched at once; a plan of a million people keeps no more in hand.
CHUNK = 5_000
#: Ids in one IN list: short ones keep plans short, and every driver takes them.
IDS = 500

#: What a recipient chose on the preference page counts over so many days, as at the hand-over.
MONTH = timedelta(days=30)

#: A mail that is due within so many days is about to leave; a weekend and a holiday may lie before it.
SOON = timedelta(days=5)

#: A message in these states will probably still leave, so it counts against the caps too.
UNDER_WAY = tuple(
    state.value
    for state in (
        MessageState.QUEUED,
        MessageState.CLAIMED,
        MessageState.HANDING_OVER,
        MessageState.DEFERRED,
        MessageState.IN_DOUBT,
    )
)


def _recent(since: datetime, campaign_id: int | None) -> Any:
    """Messages that left lately or are about to, those of the campaign itself left out."""
    counted = or_(MESSAGES.c.sent_at > since, MESSAGES.c.state.in_(UNDER_WAY))
    return counted if campaign_id is None else and_(counted, MESSAGES.c.campaign_id != campaign_id)


def _people(tree: segment.Node, now: datetime) -> Select[Any]:
    by_key = SUPPRESSIONS.alias("by_key")
    return (
        select(
            CONTACTS.c.id,
            CONTACTS.c.company_id,
            CONTACTS.c.country,
            CONTACTS.c.city,
            CONTACTS.c.language,
            CONTACTS.c.basis,
            CONTACTS.c.basis_date,
            CONTACTS.c.source,
            func.coalesce(CONTACTS.c.owner_id, COMPANIES.c.owner_id).label("owner_id"),
            CONTACTS.c.mailbox_id,
            CONTACTS.c.paused_until,
            CONTACTS.c.left_at,
            ADDRESSES.c.id.label("address_id"),
            ADDRESSES.c.address,
            ADDRESSES.c.key,
            ADDRESSES.c.domain,
            ADDRESSES.c.mx,
            ADDRESSES.c.bounced_at,
            by_key.c.reason.label("suppressed"),
            PREFERENCES.c.topics_off,
            PREFERENCES.c.mails_per_month,
        )
        .select_from(CONTACTS)
        .outerjoin(COMPANIES, COMPANIES.c.id == CONTACTS.c.company_id)
        .outerjoin(ADDRESSES, and_(ADDRESSES.c.contact_id == CONTACTS.c.id, ADDRESSES.c.is_primary.is_(True)))
        .outerjoin(by_key, by_key.c.key == ADDRESSES.c.key)
        .outerjoin(PREFERENCES, PREFERENCES.c.contact_id == CONTACTS.c.id)
        .where(CONTACTS.c.id.in_(segment.select_ids(tree, now)))
        .order_by(CONTACTS.c.id)
    )


async def candidates(
    conn: AsyncConnection, text: str, *, now: datetime, contact_days: int, campaign_id: int | None = None
) -> AsyncIterator[Candidate]:
    """Yield the people of a segment in the order of their ids. Raises SegmentError for a wrong expression."""
    tree = segment.parse(text)
    domains = await _suppressed_domains(conn)
    recent = await _recent_by_contact(conn, now - timedelta(days=contact_days), campaign_id)
    wishes = await _recent_by_contact(conn, now - MONTH, campaign_id, who_wishes=True)
    last, seen = 0, -1
    while True:
        query = _people(tree, now).where(CONTACTS.c.id > last).limit(CHUNK)
        rows = (await conn.execute(query)).all()
        if not rows:
            return
        for row in rows:
            if row.id != seen:  # two addresses marked as primary: the first one counts
                yield _candidate(row, domains, recent.get(row.id, 0), wishes.get(row.id, 0))
            seen = row.id
        last = rows[-1].id


def _candidate(row: Any, domains: frozenset[str], recent: int, month: int) -> Candidate:
    return Candidate(
        contact_id=row.id,
        company_id=row.company_id,
        address_id=row.address_id,
        address=row.address,
        address_key=row.key,
        domain=row.domain,
        country=row.country,
        city=row.city,
        language=row.language,
        basis=row.basis,
        basis_date=row.basis_date,
        source=row.source,
        owner_id=row.owner_id,
        mailbox_id=row.mailbox_id,
        mx=row.mx,
        bounced=row.bounced_at is not None,
        paused_until=row.paused_until,
        left=row.left_at is not None,
        suppressed=row.suppressed or _domain_reason(row.domain, domains),
        recent=recent,
        topics_off=frozenset(topic for topic, is_off in (row.topics_off or {}).items() if is_off),
        per_month=row.mails_per_month,
        recent_month=month,
    )


def _domain_reason(domain: str | None, suppressed: frozenset[str]) -> str | None:
    """A suppressed domain holds for its subdomains too."""
    parts = (domain or "").split(".")
    parents = (".".join(parts[start:]) for start in range(len(parts) - 1))
    return "domain" if any(parent in suppressed for parent in parents) else None


async def _suppressed_domains(conn: AsyncConnection) -> frozenset[str]:
    rows = await conn.execute(select(SUPPRESSIONS.c.key).where(is_domain(SUPPRESSIONS.c.key)))
    return frozenset(row.key[2:] for row in rows)


async def _recent_by_contact(
    conn: AsyncConnection, since: datetime, campaign_id: int | None, *, who_wishes: bool = False
) -> dict[int, int]:
    """Return contact → mails since then; `who_wishes`: only of those who want so many a month and no more."""
    query = (
        select(MESSAGES.c.contact_id, func.count().label("mails"))
        .where(_recent(since, campaign_id))
        .group_by(MESSAGES.c.contact_id)
    )
    if who_wishes:
        wishing = select(PREFERENCES.c.contact_id).where(PREFERENCES.c.mails_per_month.is_not(None))
        query = query.where(MESSAGES.c.contact_id.in_(wishing))
    return {row.contact_id: row.mails for row in await conn.execute(query)}


async def company_counts(
    conn: AsyncConnection, *, now: datetime, days: int, campaign_id: int | None = None
) -> CompanyCount:
    """Return how many mails each company got in the last `days`, for the cap per customer."""
    query = (
        select(MESSAGES.c.company_id, func.count().label("mails"))
        .where(_recent(now - timedelta(days=days), campaign_id), MESSAGES.c.company_id.is_not(None))
        .group_by(MESSAGES.c.company_id)
    )
    return CompanyCount({row.company_id: row.mails for row in await conn.execute(query)})


async def candidates_by_id(
    conn: AsyncConnection, contact_ids: Sequence[int], *, now: datetime, contact_days: int
) -> dict[int, Candidate]:
    """Return these people as a plan sees them; every mail that they got lately counts, whichever campaign sent it."""
    domains = await _suppressed_domains(conn)
    recent = _recent(now - timedelta(days=contact_days), None)
    counted = select(MESSAGES.c.contact_id, func.count().label("mails")).group_by(MESSAGES.c.contact_id)
    found: dict[int, Candidate] = {}
    for start in range(0, len(contact_ids), IDS):
        ids = list(contact_ids[start : start + IDS])
        mails = {
            row.contact_id: row.mails
            for row in await conn.execute(counted.where(MESSAGES.c.contact_id.in_(ids), recent))
        }
        rows = await conn.execute(_people(segment.Everyone(), now).where(CONTACTS.c.id.in_(ids)))
        for row in rows:
            found.setdefault(row.id, _candidate(row, domains, mails.get(row.id, 0), mails.get(row.id, 0)))
    return found


async def voices(conn: AsyncConnection, company_ids: Sequence[int], *, now: datetime, days: int) -> dict[int, set[int]]:
    """Return whose own mailboxes wrote to each of these companies lately, or are about to: users by company."""
    found: dict[int, set[int]] = {}
    query = _voices(now, days, None)
    for start in range(0, len(company_ids), IDS):
        for row in await conn.execute(query.where(MESSAGES.c.company_id.in_(company_ids[start : start + IDS]))):
            found.setdefault(row.company_id, set()).add(row.owner_id)
    return found


async def every_voice(
    conn: AsyncConnection, *, now: datetime, days: int, campaign_id: int | None = None
) -> dict[int, set[int]]:
    """The same of every company, the mails of a campaign left out."""
    found: dict[int, set[int]] = {}
    for row in await conn.execute(_voices(now, days, campaign_id).where(MESSAGES.c.company_id.is_not(None))):
        found.setdefault(row.company_id, set()).add(row.owner_id)
    return found


def _voices(now: datetime, days: int, campaign_id: int | None) -> Select[Any]:
    """What was put off until a colleague has been silent is not about to leave: it must not silence them in turn."""
    return (
        select(MESSAGES.c.company_id, MAILBOXES.c.owner_id)
        .join(MAILBOXES, MAILBOXES.c.id == MESSAGES.c.mailbox_id)
        .where(_recent(now - timedelta(days=days), campaign_id), MAILBOXES.c.owner_id.is_not(None))
        .where(or_(MESSAGES.c.sent_at.is_not(None), MESSAGES.c.due_at <= now + SOON))
        .where(MAILBOXES.c.state != MailboxState.DISABLED)  # who has left speaks no more
        .distinct()
    )


async def company_totals(
    conn: AsyncConnection, company_ids: Sequence[int], *, now: datetime, days: int
) -> dict[int, int]:
    """Return how many mails these companies got in the last `days`, or are about to get."""
    recent = _recent(now - timedelta(days=days), None)
    query = select(MESSAGES.c.company_id, func.count().label("mails")).where(recent).group_by(MESSAGES.c.company_id)
    found: dict[int, int] = {}
    for start in range(0, len(company_ids), IDS):
        for row in await conn.execute(query.where(MESSAGES.c.company_id.in_(company_ids[start : start + IDS]))):
            found[row.company_id] = row.mails
    return found
