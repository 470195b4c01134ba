"""Orders, deals and cases for scripts: what an ERP or a shop tells, what a report takes away."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import or_, select

from outreach.access.roles import Permission
from outreach.crm.deals.money import currency_of
from outreach.crm.deals.state import IllegalStage
from outreach.crm.deals.store import DealError, Terms
from outreach.crm.orders.rows import OrderRow
from outreach.crm.orders.store import OrdersRead
from outreach.crm.service.store import NewCase
from outreach.model.enums import TicketKind
from outreach.web.api.app import Script, allow
from outreach.web.api.record import RecordedRoute
from outreach.web.api.routes import After, Id, Limit, Listing, read_page
from outreach.web.api.shape import item, listing
from outreach.web.data.scope import held, owned
from outreach.web.data.tables import COMPANY, CONTACT, DEAL, ORDER, TICKET

router = APIRouter(route_class=RecordedRoute)
P = Permission
Number = Annotated[int, Field(ge=1, le=2_147_483_647)]
Step = Literal["quote", "sample", "order", "ship", "pay", "lose", "revive"]


class NewOrder(BaseModel):
    """An order. Its `number` makes it the same one: sent again it is changed. Name the customer by `email` or `company`."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(min_length=1, max_length=80)
    ordered_on: date
    amount: float = Field(ge=0, le=1e12)
    currency: str = Field(default="USD", min_length=1, max_length=8)
    email: str = Field(default="", max_length=320)
    company: str = Field(default="", max_length=200)
    delivered_on: date | None = None
    note: str | None = Field(default=None, max_length=2000)


class NewDeal(BaseModel):
    """A deal with a customer; it begins as an inquiry."""

    model_config = ConfigDict(extra="forbid")

    company_id: Number
    title: str = Field(min_length=1, max_length=200)
    amount: float | None = Field(default=None, ge=0, le=1e12)
    currency: str | None = Field(default=None, min_length=1, max_length=8)
    margin: float | None = Field(default=None, ge=-100, lt=100)


class DealStep(BaseModel):
    """What happened with a deal; `reason` where it was lost."""

    model_config = ConfigDict(extra="forbid")

    action: Step
    amount: float | None = Field(default=None, ge=0, le=1e12)
    currency: str | None = Field(default=None, min_length=1, max_length=8)
    margin: float | None = Field(default=None, ge=-100, lt=100)
    reason: str = Field(default="", max_length=500)


class NewTicket(BaseModel):
    """A question, complaint or wish of a contact."""

    model_config = ConfigDict(extra="forbid")

    kind: TicketKind
    subject: str = Field(min_length=1, max_length=200)
    text: str = Field(default="", max_length=20_000)
    contact_id: Number | None = None


@router.get("/orders", response_model=listing(item("Order", ORDER.c, "An order.")))
async def orders(script: Script = allow(P.CONTACTS_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Orders of the customers that may be seen."""
    seen = select(COMPANY.c.id).where(owned(script, P.CONTACTS_VIEW, COMPANY.c.owner_id))
    return await read_page(script, select(ORDER), ORDER, after, limit, ORDER.c.company_id.in_(seen))


@router.post("/orders", response_model=dict[str, Any])
async def add_order(body: NewOrder, script: Script = allow(P.ORDERS_IMPORT)) -> dict[str, Any]:
    """Add an order or change the one of this number."""
    if not (body.email or body.company):
        raise HTTPException(422, "name the customer by email or company")
    try:
        currency = currency_of(body.currency)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
    row = OrderRow(
        body.number,
        body.ordered_on,
        body.amount,
        currency,
        body.company,
        body.email.lower(),
        body.delivered_on,
        body.note,
    )
    done = OrdersRead(read=1)
    await script.app.orders.add_rows([(1, row)], done, script.actor, script.now)
    if done.rejects:
        raise HTTPException(422, done.rejects[0]["reason"])
    return {"added": done.added, "updated": done.updated, "unchanged": done.unchanged}


@router.get("/deals", response_model=listing(item("Deal", DEAL.c, "A deal.")))
async def deals(
    script: Script = allow(P.DEALS_VIEW),
    stage: Annotated[str, Query(max_length=20, pattern="^[a-z]*$")] = "",
    after: After = 0,
    limit: Limit = 50,
) -> Listing:
    """Deals, of one stage alone where `stage` is given."""
    where = [owned(script, P.DEALS_VIEW, DEAL.c.owner_id)]
    if stage:
        where.append(DEAL.c.stage == stage)
    return await read_page(script, select(DEAL), DEAL, after, limit, *where)


@router.post("/deals", response_model=dict[str, int], status_code=201)
async def add_deal(body: NewDeal, script: Script = allow(P.DEALS_EDIT)) -> dict[str, int]:
    """Open a deal."""
    query = select(COMPANY.c.owner_id).where(COMPANY.c.id == body.company_id, COMPANY.c.merged_into.is_(None))
    async with script.app.db.read() as conn:
        row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise HTTPException(404, "there is no such company")
    script.need(P.DEALS_EDIT, await held(script, row.owner_id))
    terms = Terms(body.amount, body.currency, body.margin)
    try:
        number = await script.app.deals.add(body.company_id, body.title, terms, script.actor, script.now)
    except DealError as error:
        raise HTTPException(422, str(error)) from error
    return {"id": number}


@router.post("/deals/{deal_id}/step", response_model=dict[str, Any])
async def step_deal(deal_id: Id, body: DealStep, script: Script = allow(P.DEALS_EDIT)) -> dict[str, Any]:
    """Move a deal along. `waits` true: the margin is under the floor, a manager has been asked."""
    row = await script.app.deals.one(deal_id)
    if row is None:
        raise HTTPException(404, "there is no such deal")
    script.need(P.DEALS_EDIT, await held(script, row.owner_id))
    terms = Terms(body.amount, body.currency, body.margin)
    try:
        done = await script.app.deals.step(
            deal_id, body.action, script.actor, script.now, terms=terms, reason=body.reason
        )
    except (DealError, IllegalStage) as error:
        raise HTTPException(409, str(error)) from error
    return {"stage": done.stage, "waits": done.waits}


@router.get("/cases", response_model=listing(item("Case", TICKET.c, "A question, complaint or wish.")))
async def cases(script: Script = allow(P.SERVICE_VIEW), after: After = 0, limit: Limit = 50) -> Listing:
    """Questions, complaints and wishes."""
    mine = or_(owned(script, P.SERVICE_VIEW, TICKET.c.owner_id), TICKET.c.handed_to == script.actor.id)
    return await read_page(script, select(TICKET), TICKET, after, limit, mine)


@router.post("/cases", response_model=dict[str, Any], status_code=201)
async def add_case(body: NewTicket, script: Script = allow(P.SERVICE_EDIT)) -> dict[str, Any]:
    """Open a case; it gets a number, an owner and a deadline."""
    if body.contact_id is not None:
        async with script.app.db.read() as conn:
            row = (await conn.execute(select(CONTACT.c.owner_id).where(CONTACT.c.id == body.contact_id))).one_or_none()
        if row is None:
            raise HTTPException(404, "there is no such contact")
        script.need(P.CONTACTS_VIEW, await held(script, row.owner_id))
    new = NewCase(body.kind, body.subject, body.text, contact_id=body.contact_id)
    number = await script.app.service.open(new, script.actor, script.now)
    made = await script.app.service.one(number)
    return {"id": number, "number": made.number if made else None}
