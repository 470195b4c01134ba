"""The API's routes. Lists are read by id, so that a page never shifts while rows come in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, Table, select

from outreach.access.roles import Permission
from outreach.access.store import append_audit
from outreach.app import campaigns as work
from outreach.app import newcomers
from outreach.audience import segment
from outreach.reports.period import Period
from outreach.reports.weekly import make_report
from outreach.web.api.app import Script, allow
from outreach.web.api.record import RecordedRoute
from outreach.web.data.scope import held, owned
from outreach.web.data.tables import ADDRESS, CAMPAIGN, COMPANY, CONTACT, EVENT, MESSAGE, SUPPRESSION

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


class NewContact(BaseModel):
    """A person. `source` and `basis` are kept with the contact, and `evidence`: what the basis rests on.

    `company_id` is the customer that they belong to, where you know it (from `near` of an earlier answer, from
    `/companies`); without it the address, then the name of the company decides.
    """

    model_config = ConfigDict(extra="forbid")

    email: str = Field(min_length=3, max_length=320)
    source: str = Field(min_length=1, max_length=120)
    basis: Literal["consent", "customer", "inquiry", "public-business", "none"] = "none"
    evidence: str = Field(default="", max_length=500)
    first_name: str = Field(default="", max_length=120)
    last_name: str = Field(default="", max_length=120)
    company: str = Field(default="", max_length=200)
    country: str = Field(default="", max_length=80)
    city: str = Field(default="", max_length=120)
    industry: str = Field(default="", max_length=120)
    tags: str = Field(default="", max_length=500)
    interests: str = Field(default="", max_length=500)
    birthday: date | None = None
    phone: str = Field(default="", max_length=60)
    company_id: int | None = Field(default=None, ge=1, le=2_147_483_647)


class Near(BaseModel):
    """A customer that a new one may be. `by`: phone, name, sister (the same domain name, another ending); 100 is sure."""

    customer_id: int
    customer: str
    owner: str | None
    by: str
    score: float


class Entered(BaseModel):
    """The person's id, and the customer that they belong to.

    `near` is a warning: the customer was made now and may be one of these, which a colleague may work already. Look at
    them before you write; customers are merged on the page of duplicates.
    """

    id: int
    company_id: int | None
    near: list[Near]


class Entry(BaseModel):
    """An address or a domain."""

    model_config = ConfigDict(extra="forbid")

    entry: str = Field(min_length=3, max_length=320)


class Expression(BaseModel):
    """A segment's text."""

    model_config = ConfigDict(extra="forbid")

    expression: str = Field(min_length=1, max_length=8000)


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


@router.get("/contacts", response_model=Listing)
async def contacts(
    script: Script = allow(P.CONTACTS_VIEW),
    segment_text: Annotated[str, Query(alias="segment", max_length=4000)] = "",
    after: After = 0,
    limit: Limit = 50,
) -> Listing:
    """Contacts that the token's owner may see, those of a segment alone where `segment` is given."""
    where = [owned(script, P.CONTACTS_VIEW, CONTACT.c.owner_id), CONTACT.c.erased_at.is_(None)]
    if segment_text:
        where.append(segment.condition(segment.parse(segment_text), script.now))
    return await read_page(script, select(*CONTACT_COLUMNS), CONTACT, after, limit, *where)


@router.get("/contacts/{contact_id}", response_model=dict[str, Any])
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


@router.get("/companies", response_model=Listing)
async def companies(script: Script = allow(P.CONTACTS_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Companies."""
    names = ("id", "name", "domain", "country", "region", "city", "industry", "grade", "owner_id", "created_at")
    where = [owned(script, P.CONTACTS_VIEW, COMPANY.c.owner_id), COMPANY.c.merged_into.is_(None)]
    return await read_page(script, select(*(COMPANY.c[name] for name in names)), COMPANY, after, limit, *where)


@router.get("/segments", response_model=Listing)
async def segments(script: Script = allow(P.SEGMENTS_VIEW)) -> Listing:
    """Stored segments."""
    rows = await script.app.audience.segments()
    return Listing(items=[{key: _value(value) for key, value in row.items()} for row in rows])


@router.post("/segments/count", response_model=dict[str, int])
async def count(body: Expression, script: Script = allow(P.SEGMENTS_VIEW)) -> dict[str, int]:
    """How many a segment's text has."""
    return {"count": await script.app.audience.count(body.expression, script.now)}


@router.get("/campaigns", response_model=Listing)
async def campaigns(script: Script = allow(P.CAMPAIGNS_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Campaigns."""
    names = (
        "id",
        "name",
        "goal",
        "state",
        "owner_id",
        "segment",
        "start_at",
        "started_at",
        "finished_at",
        "created_at",
    )
    where = owned(script, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id)
    return await read_page(script, select(*(CAMPAIGN.c[name] for name in names)), CAMPAIGN, after, limit, where)


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


@router.get("/campaigns/{campaign_id}/messages", response_model=Listing)
async def messages(
    campaign_id: Id, script: Script = allow(P.CAMPAIGNS_VIEW), after: After = 0, limit: Limit = 50
) -> Listing:
    """The ledger: who got it, when, with which answer."""
    await _campaign(script, campaign_id)
    names = (
        "id", "uid", "message_id", "step", "contact_id", "address", "state", "reason", "sent_at", "reply_code", "reply_text",
        "first_open_at", "first_click_at", "bounced_at", "replied_at", "unsubscribed_at",
    )  # fmt: skip
    query = select(*(MESSAGE.c[name] for name in names))
    return await read_page(script, query, MESSAGE, after, limit, MESSAGE.c.campaign_id == campaign_id)


@router.get("/events", response_model=Listing)
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
    names = ("id", "kind", "at", "message_id", "contact_id", "campaign_id", "machine")
    return await read_page(script, select(*(EVENT.c[name] for name in names)), EVENT, after, limit, *where)


@router.get("/suppression", response_model=Listing)
async def suppression(script: Script = allow(P.SUPPRESSION_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Who must not be mailed."""
    names = ("id", "key", "address", "reason", "source", "at")
    return await read_page(script, select(*(SUPPRESSION.c[name] for name in names)), SUPPRESSION, after, limit)


@router.post("/suppression", response_model=dict[str, bool], status_code=201)
async def suppress(body: Entry, script: Script = allow(P.SUPPRESSION_ADD)) -> dict[str, bool]:
    """Add an address or a domain: it holds before the next hand-over."""
    try:
        await script.app.suppression.add(body.entry, source="api", now=script.now, by_user=script.actor.id)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    async with script.app.db.write() as conn:
        await append_audit(conn, script.actor, "suppression.added", "suppression", "list", now=script.now)
    return {"suppressed": True}


@router.get("/reports/{label}", response_model=dict[str, Any])
async def report(label: Annotated[str, Path(max_length=10)], script: Script = allow(P.REPORTS_VIEW)) -> dict[str, Any]:
    """The figures of a week (2026-W47), month (2026-11) or quarter (2026-Q4)."""
    try:
        period = Period.parse(label, script.app.settings.sender.timezone)
    except ValueError as error:
        raise HTTPException(404, str(error)) from error
    made = await make_report(
        script.app.reports, period, script.now, language="en", company="", house=script.app.indicators
    )
    told: dict[str, Any] = made.json()
    return told


@router.post("/conversions", response_model=dict[str, Any])
async def conversions(body: dict[str, Any], request: Request) -> dict[str, Any]:
    """An inquiry, quotation or order from a website, with the token of the click that led there.

    The signed token is the proof; no other is asked for. Body: token, kind, amount, currency, external_id, at.
    """
    from outreach.tracking.store import record_conversion

    app, now = request.app.state.outreach, request.app.state.clock()
    try:
        async with app.db.write() as conn:
            return dict(await record_conversion(conn, app.events, app.signer, body, now))
    except (ValueError, LookupError, TypeError) as error:
        raise HTTPException(422, str(error)) from error
