"""The API's routes. Lists are read by id, so that a page never shifts while rows come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel
from sqlalchemy import ColumnElement, Table, select

from outreach.access.roles import Permission
from outreach.access.store import append_audit
from outreach.app import campaigns as work
from outreach.app import newcomers
from outreach.audience import segment
from outreach.reports.period import Period
from outreach.reports.weekly import make_report
from outreach.web.api.app import Script, allow
from outreach.web.api.bodies import (
    Entered,
    Entry,
    Expression,
    Near,
    NewContact,
    NewConversion,
    NewSegment,
    Recorded,
)
from outreach.web.api.record import RecordedRoute
from outreach.web.api.shape import item, listing
from outreach.web.data.scope import counted, held, owned, owners
from outreach.web.data.tables import ADDRESS, CAMPAIGN, COMPANY, CONTACT, EVENT, MESSAGE, SEGMENT, SUPPRESSION

router = APIRouter(route_class=RecordedRoute)

#: Larger than any id that a 32-bit column holds is no id.
Id = Annotated[int, Path(ge=1, le=2_147_483_647)]
Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[int, Query(ge=0, le=2_147_483_647)]
P = Permission


class Listing(BaseModel):
    """A page of a list; `next` is the `after` of the following page, null at the end."""

    items: list[dict[str, Any]]
    next: int | None = None


def _listing(rows: Sequence[Any], limit: int) -> Listing:
    items = [plain(row) for row in rows]
    return Listing(items=items, next=items[-1]["id"] if len(items) == limit else None)


def plain(row: Any) -> dict[str, Any]:
    return {key: _value(value) for key, value in row._mapping.items()}


def _value(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime | date) else value


async def read_page(
    script: Script, query: Any, table: Table, after: int, limit: int, *where: ColumnElement[bool]
) -> Listing:
    query = query.where(table.c.id > after, *where).order_by(table.c.id).limit(limit)
    async with script.app.db.read() as conn:
        return _listing((await conn.execute(query)).all(), limit)


CONTACT_COLUMNS = (
    CONTACT.c.id, CONTACT.c.company_id, CONTACT.c.first_name, CONTACT.c.last_name, CONTACT.c.country, CONTACT.c.region,
    CONTACT.c.city, CONTACT.c.industry, CONTACT.c.language, CONTACT.c.grade, CONTACT.c.intent, CONTACT.c.source, CONTACT.c.basis,
    CONTACT.c.owner_id, CONTACT.c.last_contacted, CONTACT.c.last_replied, CONTACT.c.created_at,
)  # fmt: skip


Contact = item("Contact", CONTACT_COLUMNS, "A person whom campaigns write to.")
Address = item("Address", (ADDRESS.c.address, ADDRESS.c.mx), "An address; `mx`: whether its domain takes mail.")
Person = item("Person", CONTACT_COLUMNS, "A person with the addresses.", addresses=list[Address])  # type: ignore[valid-type]


@router.get("/contacts", response_model=listing(Contact))
async def contacts(
    script: Script = allow(P.CONTACTS_VIEW),
    segment_text: Annotated[str, Query(alias="segment", max_length=4000)] = "",
    email: Annotated[str, Query(max_length=320)] = "",
    after: After = 0,
    limit: Limit = 50,
) -> Listing:
    """Contacts that the token's owner may see: those of a segment where `segment` is given, who has an address where
    `email` is.
    """
    where = [owned(script, P.CONTACTS_VIEW, CONTACT.c.owner_id), CONTACT.c.erased_at.is_(None)]
    if email:
        known = select(ADDRESS.c.contact_id).where(ADDRESS.c.normal == email.strip().lower())
        where.append(CONTACT.c.id.in_(known))
    if segment_text:
        where.append(segment.condition(segment.parse(segment_text), script.now))
    return await read_page(script, select(*CONTACT_COLUMNS), CONTACT, after, limit, *where)


@router.get("/contacts/{contact_id}", response_model=Person)
async def contact(contact_id: Id, script: Script = allow(P.CONTACTS_VIEW)) -> dict[str, Any]:
    """One contact with the addresses."""
    async with script.app.db.read() as conn:
        row = (await conn.execute(select(*CONTACT_COLUMNS).where(CONTACT.c.id == contact_id))).one_or_none()
        addresses = await conn.execute(
            select(ADDRESS.c.address, ADDRESS.c.mx).where(ADDRESS.c.contact_id == contact_id)
        )
        told = [dict(address._mapping) for address in addresses]
    if row is None:
        raise HTTPException(404, "there is no such contact")
    script.need(P.CONTACTS_VIEW, await held(script, row.owner_id))
    return plain(row) | {"addresses": told}


@router.post("/contacts", response_model=Entered, status_code=201)
async def add_contact(body: NewContact, script: Script = allow(P.CONTACTS_EDIT)) -> Entered:
    """Add a person, or fill what is empty of one who is known by the address; `near` warns of a second customer.

    Somebody known must be a contact that the token's owner may edit; the legal basis grows only with `evidence`.
    """
    no_field = {"source", "basis", "evidence", "company_id"}
    given = body.model_dump(mode="json", exclude=no_field)  # a birthday as an import reads it: yyyy-mm-dd
    values = {key: value for key, value in given.items() if value}
    for _, owner in await script.app.audience.holders(body.email):
        if owner is not None:  # nobody's contact becomes that of who adds it
            script.need(P.CONTACTS_EDIT, await held(script, owner))
    given = body.model_dump(include=no_field)
    try:
        entered = await newcomers.enter(script.app, values, **given, now=script.now, owner_id=script.actor.id)
    except LookupError as error:
        raise HTTPException(404, "there is no such customer") from error
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    company = entered.company.id if entered.company else None
    near = [
        Near(customer_id=row.id, customer=row.name, owner=row.owner, by=one.by, score=one.score)
        for one, row in entered.near
    ]
    async with script.app.db.write() as conn:
        after = {"company": company, "near": [one.customer_id for one in near]}
        await append_audit(
            conn, script.actor, "contact.added", "contact", entered.contact_id, now=script.now, after=after
        )
    return Entered(id=entered.contact_id, company_id=company, near=near)


COMPANY_COLUMNS = tuple(
    COMPANY.c[name]
    for name in ("id", "name", "domain", "country", "region", "city", "industry", "grade", "owner_id", "created_at")
)
Company = item("Company", COMPANY_COLUMNS, "A customer, or one to be.")


@router.get("/companies", response_model=listing(Company))
async def companies(script: Script = allow(P.CONTACTS_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Companies."""
    where = [owned(script, P.CONTACTS_VIEW, COMPANY.c.owner_id), COMPANY.c.merged_into.is_(None)]
    return await read_page(script, select(*COMPANY_COLUMNS), COMPANY, after, limit, *where)


@router.get("/companies/{company_id}", response_model=Company)
async def company(company_id: Id, script: Script = allow(P.CONTACTS_VIEW)) -> dict[str, Any]:
    """One company. One that was merged into another is not told; ask for the other."""
    query = select(*COMPANY_COLUMNS).where(COMPANY.c.id == company_id, COMPANY.c.merged_into.is_(None))
    async with script.app.db.read() as conn:
        row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise HTTPException(404, "there is no such company")
    script.need(P.CONTACTS_VIEW, await held(script, row.owner_id))
    return plain(row)


StoredSegment = item("Segment", SEGMENT.c, "A stored segment: `expression` is its text.")


@router.get("/segments", response_model=listing(StoredSegment))
async def segments(script: Script = allow(P.SEGMENTS_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Stored segments."""
    return await read_page(script, select(SEGMENT), SEGMENT, after, limit)


@router.post("/segments", response_model=StoredSegment, status_code=201)
async def add_segment(body: NewSegment, script: Script = allow(P.SEGMENTS_EDIT)) -> dict[str, Any]:
    """Store a segment under a new name; one that is there is never replaced."""
    name = body.name.strip()
    if not name:
        raise HTTPException(422, "give the segment a name")
    if await script.app.audience.segment_named(name):
        raise HTTPException(409, "there is a segment of this name already: choose another name")
    number = await script.app.audience.save_segment(name, body.expression, script.actor.id, script.now)
    async with script.app.db.write() as conn:
        after = {"expression": body.expression}
        await append_audit(conn, script.actor, "segment.saved", "segment", number, now=script.now, after=after)
        return plain((await conn.execute(select(SEGMENT).where(SEGMENT.c.id == number))).one())


@router.post("/segments/count", response_model=dict[str, int])
async def count(body: Expression, script: Script = allow(P.SEGMENTS_VIEW)) -> dict[str, int]:
    """How many a segment's text has, among the contacts that the token's owner reaches."""
    return {"count": await script.app.audience.count(body.expression, script.now, counted(script))}


CAMPAIGN_COLUMNS = (
    CAMPAIGN.c.id, CAMPAIGN.c.name, CAMPAIGN.c.goal, CAMPAIGN.c.state, CAMPAIGN.c.owner_id, CAMPAIGN.c.segment,
    CAMPAIGN.c.start_at, CAMPAIGN.c.started_at, CAMPAIGN.c.finished_at, CAMPAIGN.c.created_at,
)  # fmt: skip
Campaign = item("Campaign", CAMPAIGN_COLUMNS, "A campaign, or the sequence that is one.")


@router.get("/campaigns", response_model=listing(Campaign))
async def campaigns(script: Script = allow(P.CAMPAIGNS_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Campaigns."""
    where = owned(script, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id)
    return await read_page(script, select(*CAMPAIGN_COLUMNS), CAMPAIGN, after, limit, where)


async def _campaign(script: Script, campaign_id: int) -> None:
    async with script.app.db.read() as conn:
        row = (await conn.execute(select(CAMPAIGN.c.owner_id).where(CAMPAIGN.c.id == campaign_id))).one_or_none()
    if row is None:
        raise HTTPException(404, "there is no such campaign")
    script.need(P.CAMPAIGNS_VIEW, await held(script, row.owner_id))


@router.get("/campaigns/{campaign_id}", response_model=dict[str, Any])
async def campaign(campaign_id: Id, script: Script = allow(P.CAMPAIGNS_VIEW)) -> dict[str, Any]:
    """A campaign's state and counts, as `outreach campaigns status` tells them."""
    await _campaign(script, campaign_id)
    told: dict[str, Any] = await work.status(script.app, campaign_id)
    return {key: _value(value) for key, value in told.items()}


MESSAGE_COLUMNS = (
    MESSAGE.c.id, MESSAGE.c.uid, MESSAGE.c.message_id, MESSAGE.c.step, MESSAGE.c.contact_id, MESSAGE.c.address,
    MESSAGE.c.state, MESSAGE.c.reason, MESSAGE.c.sent_at, MESSAGE.c.reply_code, MESSAGE.c.reply_text,
    MESSAGE.c.first_open_at, MESSAGE.c.first_click_at, MESSAGE.c.bounced_at, MESSAGE.c.replied_at,
    MESSAGE.c.unsubscribed_at,
)  # fmt: skip
Message = item("Message", MESSAGE_COLUMNS, "A mail to one person.")


@router.get("/campaigns/{campaign_id}/messages", response_model=listing(Message))
async def messages(
    campaign_id: Id, script: Script = allow(P.CAMPAIGNS_VIEW), after: After = 0, limit: Limit = 50
) -> Listing:
    """The ledger: who got it, when, with which answer."""
    await _campaign(script, campaign_id)
    return await read_page(
        script, select(*MESSAGE_COLUMNS), MESSAGE, after, limit, MESSAGE.c.campaign_id == campaign_id
    )


EVENT_COLUMNS = (
    EVENT.c.id, EVENT.c.kind, EVENT.c.at, EVENT.c.message_id, EVENT.c.contact_id, EVENT.c.campaign_id, EVENT.c.machine,
)  # fmt: skip
Event = item("Event", EVENT_COLUMNS, "What happened with a mail; `machine`: a scanner did it, not a person.")


@router.get("/events", response_model=listing(Event))
async def events(
    script: Script = allow(P.CAMPAIGNS_VIEW),
    kind: Annotated[str, Query(max_length=40, pattern="^[a-z_]*$")] = "",
    after: After = 0,
    limit: Limit = 50,
) -> Listing:
    """What happened: bounces, replies, opens, clicks, unsubscribes; of campaigns that may be seen."""
    seen = select(CAMPAIGN.c.id).where(owned(script, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id))
    where: list[ColumnElement[bool]] = [EVENT.c.campaign_id.in_(seen)]
    if kind:
        where.append(EVENT.c.kind == kind)
    return await read_page(script, select(*EVENT_COLUMNS), EVENT, after, limit, *where)


SUPPRESSION_COLUMNS = (
    SUPPRESSION.c.id, SUPPRESSION.c.key, SUPPRESSION.c.address, SUPPRESSION.c.reason, SUPPRESSION.c.source,
    SUPPRESSION.c.at,
)  # fmt: skip
Suppressed = item("Suppressed", SUPPRESSION_COLUMNS, "Who must not be mailed; of an erased person the key alone.")


@router.get("/suppression", response_model=listing(Suppressed))
async def suppression(script: Script = allow(P.SUPPRESSION_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Who must not be mailed."""
    return await read_page(script, select(*SUPPRESSION_COLUMNS), SUPPRESSION, after, limit)


@router.post("/suppression", response_model=dict[str, bool], status_code=201)
async def suppress(body: Entry, script: Script = allow(P.SUPPRESSION_ADD)) -> dict[str, bool]:
    """Add an address or a domain: it holds before the next hand-over."""
    try:
        await script.app.suppression.add(body.entry, source="api", now=script.now, actor=script.actor)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    return {"suppressed": True}


@router.get("/reports/{label}", response_model=dict[str, Any])
async def report(label: Annotated[str, Path(max_length=10)], script: Script = allow(P.REPORTS_VIEW)) -> dict[str, Any]:
    """The figures of a week (2026-W47), month (2026-11) or quarter (2026-Q4), of the own customers for who sees only these."""
    try:
        period = Period.parse(label, script.app.settings.sender.timezone)
    except ValueError as error:
        raise HTTPException(404, str(error)) from error
    made = await make_report(
        script.app.reports, period, script.now, language="en", company="", owners=owners(script),
        house=script.app.indicators,
    )  # fmt: skip
    told: dict[str, Any] = made.json()
    return told


@router.post("/conversions", response_model=Recorded)
async def conversions(body: NewConversion, request: Request) -> dict[str, Any]:
    """An inquiry, quotation or order from a website, with the token of the click that led there.

    The signed token is the proof; no other is asked for.
    """
    from outreach.tracking.store import record_conversion

    app, now = request.app.state.outreach, request.app.state.clock()
    try:
        async with app.db.write() as conn:
            told = body.model_dump(mode="json", exclude_unset=True)
            return dict(await record_conversion(conn, app.events, app.signer, told, now))
    except (ValueError, LookupError, TypeError) as error:
        raise HTTPException(422, str(error)) from error
