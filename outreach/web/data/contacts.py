"""Contacts and companies as lists: search, filter by segment text, sort, page; all on the server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sqlalchemy import ColumnElement, Select, and_, func, null, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.audience import segment
from outreach.db.alike import like
from outreach.web.data.matching import phones, says
from outreach.web.data.people import named, word_name
from outreach.web.data.scope import owned
from outreach.web.data.tables import (
    ACTIVITY,
    ADDRESS,
    CAMPAIGN,
    COMPANY,
    CONTACT,
    CONTACT_TAG,
    MESSAGE,
    SUPPRESSION,
    TAG,
    TASK,
    USER,
)

if TYPE_CHECKING:
    from outreach.web.routing import Staff

PAGE = 50
#: Beyond this offset a page would be read past row by row; people search instead of leafing so far.
DEEPEST = 100_000
SORTS: dict[str, Any] = {
    "name": word_name(),
    "company": COMPANY.c.name,
    "country": CONTACT.c.country,
    "grade": CONTACT.c.grade,
    "created": CONTACT.c.created_at,
    "contacted": CONTACT.c.last_contacted,
    "replied": CONTACT.c.last_replied,
    "order": CONTACT.c.last_order,
}
COMPANY_SORTS: dict[str, Any] = {
    "name": COMPANY.c.name,
    "country": COMPANY.c.country,
    "grade": COMPANY.c.grade,
    "created": COMPANY.c.created_at,
}


@dataclass(frozen=True)
class Wanted:
    """What a list shows: words, segment text, sort key (``-`` first: downwards), where it begins."""

    search: str = ""
    segment: str = ""
    sort: str = "-created"
    offset: int = 0

    @classmethod
    def of(cls, staff: Staff, default_sort: str = "-created", sorts: dict[str, Any] = SORTS) -> Wanted:
        """Read it from the address; what is not known is left out."""
        params = staff.request.query_params
        sort = params.get("sort", default_sort)
        offset = params.get("offset", "0")
        return cls(
            search=params.get("q", "").strip()[:200],
            segment=params.get("segment", "").strip()[:4000],
            sort=sort if sort.removeprefix("-") in sorts else default_sort,
            offset=min(int(offset), DEEPEST) if offset.isdecimal() and len(offset) < 9 else 0,
        )

    def url(self, path: str, **changes: Any) -> str:
        """The address of this list with something else."""
        values = {"q": self.search, "segment": self.segment, "sort": self.sort, "offset": self.offset} | changes
        kept = {key: value for key, value in values.items() if value not in ("", 0, None)}
        return f"{path}?{urlencode(kept)}" if kept else path


def _matches(text: str) -> ColumnElement[bool]:
    """Each part is a set of ids: names, addresses and companies stand in indexes, the contacts' rows are not read."""
    person, address = CONTACT.alias("person"), ADDRESS.alias("written")
    by_name = select(person.c.id).where(named(text, person))
    written = select(address.c.id).where(address.c.normal.like(like(text.lower()), escape="\\"))
    by_address = select(ADDRESS.c.contact_id).where(ADDRESS.c.id.in_(written))
    by_company = select(COMPANY.c.id).where(says(text, COMPANY.c.name))
    return or_(
        CONTACT.c.id.in_(by_name),
        CONTACT.c.id.in_(by_address),
        CONTACT.c.company_id.in_(by_company),
        CONTACT.c.id.in_(_tagged(text, CONTACT_TAG.c.contact_id)),
        phones(text, CONTACT.c.phone),
    )


def _tagged(text: str, column: Any) -> Select[Any]:
    """Contacts with such a tag or interest, or what else of theirs is asked for."""
    joined = CONTACT_TAG.join(TAG, TAG.c.id == CONTACT_TAG.c.tag_id).join(
        CONTACT, CONTACT.c.id == CONTACT_TAG.c.contact_id
    )
    return select(column).select_from(joined).where(says(text, TAG.c.name))


def contact_filter(staff: Staff, wanted: Wanted) -> ColumnElement[bool]:
    """The condition of a list of contacts. Raises segment.SegmentError."""
    parts = [owned(staff, P.CONTACTS_VIEW, CONTACT.c.owner_id), CONTACT.c.erased_at.is_(None)]
    if wanted.segment:
        parts.append(segment.condition(segment.parse(wanted.segment), staff.now))
    if wanted.search:
        parts.append(_matches(wanted.search))
    return and_(*parts)


def _order(sort: str, sorts: dict[str, Any], last: Any) -> tuple[Any, ...]:
    column = sorts[sort.removeprefix("-")]
    if sort.startswith("-"):
        return column.desc().nulls_last(), last.desc()
    return column.asc().nulls_last(), last.asc()


async def contacts(conn: AsyncConnection, staff: Staff, wanted: Wanted) -> tuple[Sequence[Any], int]:
    """One page of contacts and how many there are. Raises segment.SegmentError."""
    condition = contact_filter(staff, wanted)
    total = (await conn.execute(select(func.count()).select_from(CONTACT).where(condition))).scalar_one()
    return await _contact_page(conn, wanted, condition, PAGE), int(total)


async def first_contacts(conn: AsyncConnection, staff: Staff, words: str, most: int) -> Sequence[Any]:
    """The newest contacts that words find; nobody counts how many there are."""
    wanted = Wanted(search=words)
    return await _contact_page(conn, wanted, contact_filter(staff, wanted), most)


async def _contact_page(
    conn: AsyncConnection, wanted: Wanted, condition: ColumnElement[bool], most: int
) -> Sequence[Any]:
    joined = CONTACT.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
    ids = select(CONTACT.c.id).select_from(joined if "company" in wanted.sort else CONTACT).where(condition)
    # what words find is sorted: in the order of an index SQLite might try every contact against what they find
    sorts = {key: func.coalesce(column, null()) for key, column in SORTS.items()} if wanted.search else SORTS
    page = ids.order_by(*_order(wanted.sort, sorts, CONTACT.c.id)).limit(most).offset(wanted.offset)
    return await contact_rows(conn, (await conn.execute(page)).scalars().all())


async def contact_rows(conn: AsyncConnection, chosen: Sequence[int]) -> list[Any]:
    """The lines of these contacts, in this order."""
    address = select(ADDRESS.c.contact_id, func.min(ADDRESS.c.address).label("address")).where(ADDRESS.c.is_primary)
    address_of = address.where(ADDRESS.c.contact_id.in_(chosen)).group_by(ADDRESS.c.contact_id).subquery()
    query = (
        select(CONTACT, COMPANY.c.name.label("company"), address_of.c.address, USER.c.display_name.label("owner"))
        .select_from(
            CONTACT.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
            .outerjoin(address_of, address_of.c.contact_id == CONTACT.c.id)
            .outerjoin(USER, USER.c.id == CONTACT.c.owner_id)
        )
        .where(CONTACT.c.id.in_(chosen))
    )
    rows = {row.id: row for row in await conn.execute(query)}
    return [rows[number] for number in chosen if number in rows]


async def tags_of(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, list[Any]]:
    """The tags of contacts."""
    query = (
        select(CONTACT_TAG.c.contact_id, TAG.c.name, TAG.c.kind)
        .join(TAG, TAG.c.id == CONTACT_TAG.c.tag_id)
        .where(CONTACT_TAG.c.contact_id.in_(ids))
        .order_by(TAG.c.kind.desc(), TAG.c.name)
    )
    found: dict[int, list[Any]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.contact_id, []).append(row)
    return found


def company_filter(staff: Staff, wanted: Wanted) -> ColumnElement[bool]:
    """The condition of a list of companies. Raises segment.SegmentError."""
    parts: list[ColumnElement[bool]] = [COMPANY.c.merged_into.is_(None)]
    parts.append(owned(staff, P.CONTACTS_VIEW, COMPANY.c.owner_id))
    if wanted.search:
        by_domain = COMPANY.c.domain.like(like(wanted.search.lower()), escape="\\")
        by_tag = COMPANY.c.id.in_(_tagged(wanted.search, CONTACT.c.company_id))
        parts.append(
            or_(says(wanted.search, COMPANY.c.name), by_domain, by_tag, phones(wanted.search, COMPANY.c.phone))
        )
    if wanted.segment:
        people = select(CONTACT.c.company_id).where(segment.condition(segment.parse(wanted.segment), staff.now))
        parts.append(COMPANY.c.id.in_(people))
    return and_(*parts)


async def companies(conn: AsyncConnection, staff: Staff, wanted: Wanted) -> tuple[Sequence[Any], int]:
    """One page of companies with how many contacts each has."""
    condition = company_filter(staff, wanted)
    total = (await conn.execute(select(func.count()).select_from(COMPANY).where(condition))).scalar_one()
    return await _company_page(conn, wanted, condition, PAGE), int(total)


async def first_companies(conn: AsyncConnection, staff: Staff, words: str, most: int) -> Sequence[Any]:
    """The first companies that words find, by name; nobody counts how many there are."""
    wanted = Wanted(search=words, sort="name")
    return await _company_page(conn, wanted, company_filter(staff, wanted), most)


async def _company_page(
    conn: AsyncConnection, wanted: Wanted, condition: ColumnElement[bool], most: int
) -> Sequence[Any]:
    page = select(COMPANY.c.id).where(condition).order_by(*_order(wanted.sort, COMPANY_SORTS, COMPANY.c.id))
    # first which, then what of them: SQLite would count everybody's contacts before it sorts
    chosen = (await conn.execute(page.limit(most).offset(wanted.offset))).scalars().all()
    query = _company_lines().where(COMPANY.c.id.in_(chosen))
    rows = {row.id: row for row in await conn.execute(query)}
    return [rows[number] for number in chosen if number in rows]


def _company_lines() -> Select[Any]:
    people_of = select(func.count()).where(CONTACT.c.company_id == COMPANY.c.id).scalar_subquery()
    replied = select(func.max(CONTACT.c.last_replied)).where(CONTACT.c.company_id == COMPANY.c.id).scalar_subquery()
    columns = (COMPANY, people_of.label("people"), replied.label("replied"), USER.c.display_name.label("owner"))
    return select(*columns).outerjoin(USER, USER.c.id == COMPANY.c.owner_id)


async def company_row(conn: AsyncConnection, company_id: int) -> Any | None:
    """The line of one company."""
    return (await conn.execute(_company_lines().where(COMPANY.c.id == company_id))).one_or_none()


async def contact(conn: AsyncConnection, contact_id: int) -> Any | None:
    """A contact with its company and owner."""
    query = (
        select(
            CONTACT,
            COMPANY.c.name.label("company"),
            COMPANY.c.grade.label("company_grade"),
            USER.c.display_name.label("owner"),
        )
        .select_from(
            CONTACT.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id).outerjoin(
                USER, USER.c.id == CONTACT.c.owner_id
            )
        )
        .where(CONTACT.c.id == contact_id)
    )
    return (await conn.execute(query)).one_or_none()


async def addresses(conn: AsyncConnection, contact_id: int) -> Sequence[Any]:
    """A contact's addresses, each with why it must not be mailed, if so."""
    query = (
        select(ADDRESS, SUPPRESSION.c.reason.label("suppressed"))
        .outerjoin(SUPPRESSION, or_(SUPPRESSION.c.key == ADDRESS.c.key, SUPPRESSION.c.key == "d:" + ADDRESS.c.domain))
        .where(ADDRESS.c.contact_id == contact_id)
        .order_by(ADDRESS.c.is_primary.desc(), ADDRESS.c.id)
    )
    return (await conn.execute(query)).all()


async def company(conn: AsyncConnection, company_id: int) -> Any | None:
    """A company with its owner."""
    query = select(COMPANY, USER.c.display_name.label("owner")).outerjoin(USER, USER.c.id == COMPANY.c.owner_id)
    return (await conn.execute(query.where(COMPANY.c.id == company_id))).one_or_none()


async def people_of(conn: AsyncConnection, company_id: int) -> Sequence[Any]:
    """The contacts of a company."""
    address = select(func.min(ADDRESS.c.address)).where(ADDRESS.c.contact_id == CONTACT.c.id, ADDRESS.c.is_primary)
    query = select(CONTACT, address.scalar_subquery().label("address")).where(CONTACT.c.company_id == company_id)
    return (await conn.execute(query.order_by(CONTACT.c.id).limit(200))).all()


async def timeline(conn: AsyncConnection, *, contact_id: int | None = None, company_id: int | None = None) -> list[Any]:
    """What happened with a person or a company, newest first: activities and mails of campaigns."""
    mine = ACTIVITY.c.contact_id == contact_id if contact_id else ACTIVITY.c.company_id == company_id
    query = select(ACTIVITY.c.kind, ACTIVITY.c.at, ACTIVITY.c.text, ACTIVITY.c.data).where(mine)
    told = [
        (row.at, row.kind, row.text, row.data)
        for row in await conn.execute(query.order_by(ACTIVITY.c.at.desc()).limit(60))
    ]
    sent = MESSAGE.c.contact_id == contact_id if contact_id else MESSAGE.c.company_id == company_id
    mails = (
        select(
            MESSAGE.c.sent_at,
            MESSAGE.c.first_open_at,
            MESSAGE.c.first_click_at,
            MESSAGE.c.bounced_at,
            MESSAGE.c.campaign_id,
            CAMPAIGN.c.name,
        )
        .join(CAMPAIGN, CAMPAIGN.c.id == MESSAGE.c.campaign_id)
        .where(sent, MESSAGE.c.sent_at.is_not(None))
        .order_by(MESSAGE.c.sent_at.desc())
        .limit(40)
    )
    for row in await conn.execute(mails):
        data = {
            "campaign_id": row.campaign_id,
            "opened": bool(row.first_open_at),
            "clicked": bool(row.first_click_at),
            "bounced": bool(row.bounced_at),
        }
        told.append((row.sent_at, "mail", row.name, data))
    return sorted(told, key=lambda item: item[0], reverse=True)[:80]


async def open_tasks(conn: AsyncConnection, contact_id: int) -> Sequence[Any]:
    """What is still to be done for a contact."""
    query = select(TASK).where(TASK.c.contact_id == contact_id, TASK.c.state == "open").order_by(TASK.c.due_at)
    return (await conn.execute(query)).all()


async def all_tags(conn: AsyncConnection) -> Sequence[str]:
    """Every tag's name, for suggestions."""
    query = select(TAG.c.name).where(TAG.c.kind == "tag").order_by(TAG.c.name).limit(500)
    return (await conn.execute(query)).scalars().all()


async def assignees(conn: AsyncConnection) -> Sequence[Any]:
    """Users whom customers can be assigned to."""
    query = select(USER.c.id, USER.c.name, USER.c.display_name, USER.c.roles).where(USER.c.disabled_at.is_(None))
    rows = (await conn.execute(query.order_by(USER.c.name))).all()
    return [row for row in rows if {"salesperson", "manager", "customer_service", "marketer"} & set(row.roles)]
