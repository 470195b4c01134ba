"""Archived mails: whose they are, and what they hang together with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import HTTPException
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import AccessDenied, Held, Permission, Scope
from outreach.web.data.tables import ARCHIVE, CAMPAIGN, COMPANY, CONTACT, INBOUND, MESSAGE, USER

if TYPE_CHECKING:
    from outreach.web.routing import Staff

_PERSON = func.coalesce(INBOUND.c.contact_id, MESSAGE.c.contact_id)
_FIRM = func.coalesce(INBOUND.c.company_id, CONTACT.c.company_id)
#: As in the inbox: who answers a mail, else whose customer it is.
HOLDER: Any = func.coalesce(INBOUND.c.owner_id, CONTACT.c.owner_id, COMPANY.c.owner_id)
JOINED = (
    ARCHIVE.outerjoin(INBOUND, INBOUND.c.id == ARCHIVE.c.inbound_id)
    .outerjoin(MESSAGE, MESSAGE.c.id == ARCHIVE.c.message_id)
    .outerjoin(CONTACT, CONTACT.c.id == _PERSON)
    .outerjoin(COMPANY, COMPANY.c.id == _FIRM)
)


async def about(conn: AsyncConnection, staff: Staff, mail_id: int) -> Any:
    """Return person, customer and campaign of an archived mail. Raises 404, AccessDenied.

    The rule is the inbox's. What stands in no inbox and is nobody's is its mailbox's alone: who sees all mail sees it.
    """
    query = (
        select(
            ARCHIVE.c.id, INBOUND.c.state, CONTACT.c.id.label("contact_id"), CONTACT.c.first_name, CONTACT.c.last_name,
            COMPANY.c.id.label("company_id"), COMPANY.c.name.label("company"), CAMPAIGN.c.id.label("campaign_id"),
            CAMPAIGN.c.name.label("campaign"), HOLDER.label("held_by"), USER.c.team.label("held_team"),
        )
        .select_from(
            JOINED.outerjoin(CAMPAIGN, CAMPAIGN.c.id == MESSAGE.c.campaign_id).outerjoin(USER, USER.c.id == HOLDER)
        )
        .where(ARCHIVE.c.id == mail_id)
    )  # fmt: skip
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise HTTPException(404)
    unclaimed = row.held_by is None and (row.state is None or row.state == "own")
    if unclaimed and staff.reach(Permission.INBOX_VIEW) is not Scope.ALL:
        raise AccessDenied(Permission.INBOX_VIEW, "object")
    staff.need(Permission.INBOX_VIEW, Held(row.held_by, row.held_team))
    return row


async def ids_of(conn: AsyncConnection, inbound_ids: list[int]) -> dict[int, int]:
    """Received mail → its archived mail, of those that are kept."""
    query = select(ARCHIVE.c.inbound_id, ARCHIVE.c.id).where(
        ARCHIVE.c.inbound_id.in_(inbound_ids), ARCHIVE.c.direction == "in"
    )
    return {row.inbound_id: row.id for row in await conn.execute(query.order_by(ARCHIVE.c.id))}


async def came(conn: AsyncConnection, mail_id: int) -> bool:
    """Whether a mail was received; else it is ours."""
    return await conn.scalar(select(ARCHIVE.c.direction).where(ARCHIVE.c.id == mail_id)) == "in"
