"""Search everything: people, companies, deals, orders, notes, files, cases, campaigns, mails in and out."""

from __future__ import annotations

import asyncio
import re
from itertools import zip_longest
from typing import Any

from fastapi.responses import Response
from sqlalchemy import Table, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission, Scope
from outreach.inbox.archive.store import search as search_archive
from outreach.web.data import archive, contacts
from outreach.web.data.customer import visible_company
from outreach.web.data.matching import says
from outreach.web.data.people import full_name
from outreach.web.data.scope import owned
from outreach.web.data.tables import (
    ACTIVITY,
    ARCHIVE,
    ATTACHMENT,
    CAMPAIGN,
    COMPANY,
    CONTACT,
    DEAL,
    ORDER,
    TICKET,
)
from outreach.web.routing import Pages, Staff

router = Pages()
EACH = 8
#: Hits of the archive that are looked through for the own ones.
LOOKED_AT = 400
#: Lines of the timeline that people wrote; the others repeat mails, deals and cases, which are found themselves.
WRITTEN = ("note", "call", "chat", "meeting", "sample", "quotation")


@router.page("/search", Permission.ACCOUNT)
async def show(staff: Staff) -> Response:
    """The first hits of each kind; what may not be seen is not found."""
    words = staff.request.query_params.get("q", "").strip()[:200]
    found: dict[str, Any] = {"people": [], "companies": [], "campaigns": [], "mails": []}
    found |= {"deals": [], "orders": [], "cases": [], "files": [], "notes": []}
    if words:
        await _search(staff, words, found)
    return await staff.render("search.html", words=words, full_name=full_name, each=EACH, **found)


async def _search(staff: Staff, words: str, found: dict[str, Any]) -> None:
    """Each walks over a table: side by side they take both processors."""
    await asyncio.gather(*(part(staff, words, found) for part in (_people, _companies, _rest)))


async def _people(staff: Staff, words: str, found: dict[str, Any]) -> None:
    if staff.may(Permission.CONTACTS_VIEW):
        async with staff.app.db.read() as conn:
            found["people"] = await contacts.first_contacts(conn, staff, words, EACH)


async def _companies(staff: Staff, words: str, found: dict[str, Any]) -> None:
    if staff.may(Permission.CONTACTS_VIEW):
        async with staff.app.db.read() as conn:
            found["companies"] = await contacts.first_companies(conn, staff, words, EACH)


async def _rest(staff: Staff, words: str, found: dict[str, Any]) -> None:
    async with staff.app.db.read() as conn:
        await _customer_file(conn, staff, words, found)
        if staff.may(Permission.CAMPAIGNS_VIEW):
            query = select(CAMPAIGN.c.id, CAMPAIGN.c.name, CAMPAIGN.c.state).where(
                says(words, CAMPAIGN.c.name),
                owned(staff, Permission.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id),
            )
            found["campaigns"] = (await conn.execute(query.order_by(CAMPAIGN.c.id.desc()).limit(EACH))).all()
        if staff.may(Permission.INBOX_VIEW) and re.search(r"\w", words):
            found["mails"] = await _mails(conn, staff, words)


async def _mails(conn: AsyncConnection, staff: Staff, words: str) -> list[dict[str, Any]]:
    """Mails in and out. The archive holds everybody's: who sees only some customers finds only theirs."""
    if staff.reach(Permission.INBOX_VIEW) is Scope.ALL:
        return await search_archive(conn, words, limit=EACH)
    hits = await search_archive(conn, words, limit=LOOKED_AT)
    holder = archive.HOLDER  # a mail of nobody's is its mailbox's alone
    mine = select(ARCHIVE.c.id).select_from(archive.JOINED).where(
        ARCHIVE.c.id.in_([hit["id"] for hit in hits]), holder.is_not(None), owned(staff, Permission.INBOX_VIEW, holder)
    )  # fmt: skip
    seen = set((await conn.execute(mine)).scalars())
    return [hit for hit in hits if hit["id"] in seen][:EACH]


async def _customer_file(conn: AsyncConnection, staff: Staff, words: str, found: dict[str, Any]) -> None:
    """Deals, orders, files and cases of customers that may be seen."""

    async def hits(source: Table, where: Any, *columns: Any) -> Any:
        joined = source.outerjoin(COMPANY, COMPANY.c.id == source.c.company_id)
        query = select(source.c.id, source.c.company_id, COMPANY.c.name.label("company"), *columns)
        return (
            await conn.execute(query.select_from(joined).where(where).order_by(source.c.id.desc()).limit(EACH))
        ).all()

    if staff.may(Permission.DEALS_VIEW):
        mine = owned(staff, Permission.DEALS_VIEW, DEAL.c.owner_id)
        found["deals"] = await hits(DEAL, says(words, DEAL.c.title, DEAL.c.note) & mine, DEAL.c.title, DEAL.c.stage)
    if staff.may(Permission.CONTACTS_VIEW):
        seen = visible_company(staff)
        found["orders"] = await hits(ORDER, says(words, ORDER.c.number, ORDER.c.note) & seen, ORDER.c.number)
        found["files"] = await hits(ATTACHMENT, says(words, ATTACHMENT.c.name) & seen, ATTACHMENT.c.name)
        found["notes"] = await _notes(conn, staff, words)
    if staff.may(Permission.SERVICE_VIEW):
        mine = or_(owned(staff, Permission.SERVICE_VIEW, TICKET.c.owner_id), TICKET.c.handed_to == staff.actor.id)
        said = says(words, TICKET.c.number, TICKET.c.subject, TICKET.c.text)
        found["cases"] = await hits(TICKET, said & mine, TICKET.c.number, TICKET.c.subject, TICKET.c.state)


async def _notes(conn: AsyncConnection, staff: Staff, words: str) -> list[Any]:
    """What people wrote into the timeline, and the notes on customers and contacts that may be seen, by turns."""
    firm = (COMPANY.c.id.label("company_id"), COMPANY.c.name.label("company"))
    person = (CONTACT.c.id.label("contact_id"), CONTACT.c.first_name, CONTACT.c.last_name)
    theirs = and_(owned(staff, Permission.CONTACTS_VIEW, CONTACT.c.owner_id), CONTACT.c.erased_at.is_(None))
    joined = ACTIVITY.outerjoin(CONTACT, CONTACT.c.id == ACTIVITY.c.contact_id)
    joined = joined.outerjoin(COMPANY, COMPANY.c.id == func.coalesce(ACTIVITY.c.company_id, CONTACT.c.company_id))
    seen = or_(
        and_(COMPANY.c.id.is_not(None), visible_company(staff)),
        and_(COMPANY.c.id.is_(None), CONTACT.c.id.is_not(None), theirs),
    )
    lines = select(*firm, *person, ACTIVITY.c.text, ACTIVITY.c.kind, ACTIVITY.c.at).select_from(joined)
    lines = lines.where(ACTIVITY.c.kind.in_(WRITTEN), says(words, ACTIVITY.c.text), seen).order_by(ACTIVITY.c.at.desc())
    of_firms = select(*firm, COMPANY.c.note.label("text")).where(says(words, COMPANY.c.note), visible_company(staff))
    of_people = select(*firm, *person, CONTACT.c.note.label("text")).where(says(words, CONTACT.c.note), theirs)
    of_people = of_people.select_from(CONTACT.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id))
    asked = (lines, of_firms.order_by(COMPANY.c.id.desc()), of_people.order_by(CONTACT.c.id.desc()))
    told = [(await conn.execute(query.limit(EACH))).all() for query in asked]
    return [row for turn in zip_longest(*told) for row in turn if row is not None][:EACH]
