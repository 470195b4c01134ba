"""What an approver needs: the queue, the frozen audience in figures and samples, the version before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Table, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.model import AuditEntry
from outreach.web.data.people import PERSON
from outreach.web.data.scope import owned
from outreach.web.data.tables import APPROVAL, CAMPAIGN, COMPANY, CONTACT, RECIPIENT, STEP, USER

if TYPE_CHECKING:
    from outreach.campaigns.definition import Definition
    from outreach.web.routing import Staff

AUDIT: Table = AuditEntry.__table__  # type: ignore[attr-defined]
SAMPLE = 6


async def queue(conn: AsyncConnection, staff: Staff) -> Sequence[Any]:
    """Campaigns in review, the longest waiting first, with their sizes."""
    size = select(func.count()).where(RECIPIENT.c.campaign_id == CAMPAIGN.c.id, RECIPIENT.c.skip_reason.is_(None))
    author = USER.alias("author")
    query = (
        select(CAMPAIGN, size.scalar_subquery().label("people"), author.c.display_name.label("author"))
        .outerjoin(author, author.c.id == CAMPAIGN.c.author_id)
        .where(CAMPAIGN.c.state == "review", owned(staff, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id))
    )
    return (await conn.execute(query.order_by(CAMPAIGN.c.submitted_at))).all()


async def given(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, list[Any]]:
    """The approvals that count for each campaign's present version."""
    query = (
        select(APPROVAL, USER.c.display_name.label("who"))
        .join(CAMPAIGN, CAMPAIGN.c.id == APPROVAL.c.campaign_id)
        .outerjoin(USER, USER.c.id == APPROVAL.c.user_id)
        .where(
            APPROVAL.c.campaign_id.in_(ids),
            APPROVAL.c.decision == "approve",
            APPROVAL.c.voided_at.is_(None),
            APPROVAL.c.hash == CAMPAIGN.c.submitted_hash,
        )
        .order_by(APPROVAL.c.at)
    )
    found: dict[int, list[Any]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.campaign_id, []).append(row)
    return found


async def lately(conn: AsyncConnection, staff: Staff) -> Sequence[Any]:
    """The last words of approvers."""
    query = (
        select(APPROVAL, CAMPAIGN.c.name, USER.c.display_name.label("who"))
        .join(CAMPAIGN, CAMPAIGN.c.id == APPROVAL.c.campaign_id)
        .outerjoin(USER, USER.c.id == APPROVAL.c.user_id)
        .where(owned(staff, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id))
        .order_by(APPROVAL.c.at.desc())
        .limit(20)
    )
    return (await conn.execute(query)).all()


async def audience(conn: AsyncConnection, campaign_id: int) -> dict[str, int]:
    """People, companies, countries and languages of the frozen audience."""
    base = RECIPIENT.join(CONTACT, CONTACT.c.id == RECIPIENT.c.contact_id)
    columns = (
        func.count().label("people"),
        func.count(CONTACT.c.company_id.distinct()).label("companies"),
        func.count(CONTACT.c.country.distinct()).label("countries"),
        func.count(CONTACT.c.language.distinct()).label("languages"),
        func.count().filter(CONTACT.c.first_name.is_(None) | (CONTACT.c.first_name == "")).label("nameless"),
    )
    query = select(*columns).select_from(base)
    query = query.where(RECIPIENT.c.campaign_id == campaign_id, RECIPIENT.c.skip_reason.is_(None))
    return dict((await conn.execute(query)).one()._mapping)


async def sample(conn: AsyncConnection, campaign_id: int, seed: int) -> Sequence[Any]:
    """Six people of the audience, others with each seed; one without a first name among them if there is one."""
    # a fixed scramble of the ids: the same seed shows the same people on both databases
    scramble = (RECIPIENT.c.contact_id * 7919 + seed * 104729) % 10007
    order = (scramble, RECIPIENT.c.contact_id)
    chosen = select(RECIPIENT.c.id).where(RECIPIENT.c.campaign_id == campaign_id, RECIPIENT.c.skip_reason.is_(None))
    ids = (await conn.execute(chosen.order_by(*order).limit(SAMPLE))).scalars().all()
    base = RECIPIENT.join(CONTACT, CONTACT.c.id == RECIPIENT.c.contact_id).outerjoin(
        COMPANY, COMPANY.c.id == CONTACT.c.company_id
    )
    query = select(RECIPIENT.c.address, *PERSON).select_from(base).where(RECIPIENT.c.id.in_(ids))
    return (await conn.execute(query.order_by(*order))).all()


async def step_versions(conn: AsyncConnection, campaign_id: int, what: Definition) -> Sequence[Any]:
    """The steps' template versions, in the order in which they are sent: a sequence's numbers say nothing of it."""
    query = select(STEP.c.number, STEP.c.template_version_id, STEP.c.after_days, STEP.c.only_if)
    rows = (await conn.execute(query.where(STEP.c.campaign_id == campaign_id).order_by(STEP.c.number))).all()
    places = {step.number: place for place, step in enumerate(what.sequence.steps)} if what.sequence else {}
    return sorted(rows, key=lambda row: places.get(row.number, row.number))


async def submissions(conn: AsyncConnection, campaign_id: int) -> Sequence[Any]:
    """Every time the campaign was submitted, oldest first: what stood in it then."""
    query = select(AUDIT.c.at, AUDIT.c.actor_id, AUDIT.c.after).where(
        AUDIT.c.action == "campaign.submitted",
        AUDIT.c.object_type == "campaign",
        AUDIT.c.object_id == str(campaign_id),
    )
    return (await conn.execute(query.order_by(AUDIT.c.id))).all()
