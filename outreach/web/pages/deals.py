"""Deals: the board by stage, a deal with its next steps, and the manager's word on thin margins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import select
from starlette.datastructures import FormData

from outreach.access.roles import Permission, Scope
from outreach.audience.values import ValueRefused, parse_number
from outreach.crm.deals.state import OPEN, ORDER, IllegalStage, actions
from outreach.crm.deals.store import DealError, Terms
from outreach.model.enums import Region
from outreach.web.data import contacts as data
from outreach.web.data import customer as file
from outreach.web.data.people import user_names
from outreach.web.data.scope import held, owned
from outreach.web.data.tables import COMPANY, DEAL
from outreach.web.format import number
from outreach.web.i18n import N_
from outreach.web.ids import id_of
from outreach.web.pages.company import company_page
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes
from outreach.web.words import word

router = Pages()
#: Cards of a column; more are on the customers' pages.
CARDS = 40
NOTHING: Mapping[str, str] = {}


@router.page("/customers/deals", Permission.DEALS_VIEW)
async def board(staff: Staff) -> Response:
    """Open deals by stage, those that wait for a manager first, and what was paid and lost lately."""
    wide = staff.reach(Permission.DEALS_VIEW) > Scope.OWN
    mine = not (wide and staff.request.query_params.get("scope") == "all")
    query = (
        select(DEAL, COMPANY.c.name.label("company"), COMPANY.c.country)
        .join(COMPANY, COMPANY.c.id == DEAL.c.company_id)
        .where(owned(staff, Permission.DEALS_VIEW, DEAL.c.owner_id))
    )
    if mine:
        query = query.where(DEAL.c.owner_id == staff.actor.id)
    region = region_of(staff)
    if region:
        query = query.where(COMPANY.c.region == region)
    open_ones = query.where(DEAL.c.stage.in_([str(stage) for stage in OPEN])).order_by(DEAL.c.stage_at.desc())
    closed = query.where(DEAL.c.stage.in_(("paid", "lost"))).order_by(DEAL.c.stage_at.desc()).limit(20)
    async with staff.app.db.read() as conn:
        rows = (await conn.execute(open_ones.limit(2000))).all()
        over = (await conn.execute(closed)).all()
        names = await user_names(conn)
    columns = [_column(staff, str(stage), rows) for stage in ORDER if stage in OPEN]
    waits = [row for row in rows if row.approval == "needed"]
    return await staff.render(
        "deals.html", columns=columns, waits=waits, closed=over, names=names, wide=wide, mine=mine, region=region,
        currency=staff.app.money.currency, cards=CARDS,
    )  # fmt: skip


def region_of(staff: Staff) -> str:
    """The region that the address of a list asks for; empty for all."""
    given = staff.request.query_params.get("region", "")
    return given if given in set(map(str, Region)) else ""


def _column(staff: Staff, stage: str, rows: Any) -> dict[str, Any]:
    mine = [row for row in rows if row.stage == stage]
    total, _ = staff.app.money.total([(row.amount, row.currency) for row in mine])
    return {"stage": stage, "rows": mine[:CARDS], "count": len(mine), "total": total}


@router.action("/customers/deals", Permission.DEALS_EDIT)
async def add(staff: Staff) -> Response:
    """Open a deal with a customer."""
    form = await staff.form()
    given = id_of(form.get("company"))
    async with staff.app.db.read() as conn:
        company = await data.company(conn, given) if given is not None else None
    if company is None:
        raise HTTPException(404)
    staff.need(Permission.DEALS_EDIT, await held(staff, company.owner_id))
    title = str(form.get("title", "")).strip()[:200]
    typed = _typed(form, "title", "amount", "currency")
    if not title:
        return await company_page(staff, company, staff.say(N_("Say what the deal is about.")), 422, deal=typed)
    try:
        added = await staff.app.deals.add(company.id, title, _terms(form), staff.actor, staff.now)
    except DealError as refused:
        return await company_page(staff, company, staff.say(word("deal_error", refused.code)[0]), 422, deal=typed)
    return staff.done(f"/customers/deals/{added}", N_("The deal is open."))


def _typed(form: FormData, *names: str) -> dict[str, str]:
    """What was written into these fields, to stand there again."""
    return {name: str(form[name])[:5000] for name in names if name in form}


def _terms(form: FormData) -> Terms:
    """Amount, currency and margin of a form. Raises DealError."""
    return Terms(_number(form, "amount"), str(form.get("currency", "")).strip() or None, _number(form, "margin"))


def _number(form: FormData, name: str) -> float | None:
    text = str(form.get(name, "")).strip()
    if not text:
        return None
    try:
        return parse_number(text)
    except ValueRefused as refused:
        raise DealError(name, f"{text!r} is no number") from refused


async def _found(staff: Staff, deal_id: int, permission: Permission) -> Any:
    row = await staff.app.deals.one(deal_id)
    if row is None:
        raise HTTPException(404)
    staff.need(permission, await held(staff, row.owner_id))
    return row


@router.page("/customers/deals/{deal_id:int}", Permission.DEALS_VIEW)
async def show(staff: Staff, deal_id: int) -> Response:
    """A deal: where it stands, what comes next."""
    return await _show(staff, await _found(staff, deal_id, Permission.DEALS_VIEW))


async def _show(
    staff: Staff, row: Any, error: str = "", status: int = 200, typed: Mapping[str, str] = NOTHING
) -> Response:
    async with staff.app.db.read() as conn:
        company = await data.company(conn, row.company_id)
        lines, _ = await file.timeline(conn, row.company_id, "trade")
        names = await user_names(conn)
        assignees = await data.assignees(conn)
    mine = [line for line in lines if line.data.get("deal_id") == row.id]
    others = await staff.app.owners.at_work(row.company_id, staff.actor.id, staff.now)
    editable = staff.may(Permission.DEALS_EDIT, await held(staff, row.owner_id))
    at = [str(stage) for stage in ORDER]
    stored = {
        "amount": number(row.amount).replace(",", "") if row.amount is not None else "", "currency": row.currency,
        "margin": row.margin if row.margin is not None else "", "title": row.title, "note": row.note or "",
        "expected_on": row.expected_on or "", "reason": "", "comment": "",
    }  # fmt: skip
    return await staff.render(
        "deal.html", status=status, row=row, typed=stored | dict(typed), changing="note" in typed, firm=company, lines=mine, more=False, group="trade", names=names, error=error,
        editable=editable, actions=actions(row.stage), stages=at, here=at.index(row.stage) if row.stage in at else -1,
        money=staff.app.money, decide=_may_decide(staff, row), assignees=assignees,
        at_work=[one for one in others if one.user_id != row.owner_id],
    )  # fmt: skip


def _may_decide(staff: Staff, row: Any) -> bool:
    concerned = staff.actor.id in (row.owner_id, row.asked_by)
    return row.approval == "needed" and not concerned and staff.may(Permission.DEALS_APPROVE)


@router.action("/customers/deals/{deal_id:int}/step", Permission.DEALS_EDIT)
async def step(staff: Staff, deal_id: int) -> Response:
    """Move a deal along."""
    row = await _found(staff, deal_id, Permission.DEALS_EDIT)
    form = await staff.form()
    action, reason = str(form.get("action", "")), str(form.get("reason", ""))
    try:
        done = await staff.app.deals.step(deal_id, action, staff.actor, staff.now, terms=_terms(form), reason=reason)
    except DealError as refused:
        typed = _typed(form, "amount", "currency", "margin", "reason")
        return await _show(staff, row, staff.say(word("deal_error", refused.code)[0]), 422, typed)
    except IllegalStage:
        return await _show(staff, row, staff.say(N_("Somebody has moved the deal since: look at it again.")), 409)
    to = f"/customers/deals/{deal_id}"
    if done.waits:
        return staff.done(to, N_("The margin is under the floor: a manager has been asked."))
    return staff.done(to, N_("Moved."), undo={
        "do": "deal.step", "id": deal_id, "now": done.stage, "was": done.before, "changed": done.changed,
    })  # fmt: skip


@undoes("deal.step")
async def undo_step(staff: Staff, told: dict[str, Any]) -> None:
    """Put a deal back."""
    await _found(staff, told["id"], Permission.DEALS_EDIT)
    try:
        await staff.app.deals.put_back(told["id"], told["now"], told["was"], staff.actor, staff.now, told["changed"])
    except DealError as error:
        raise HTTPException(409, staff.say(word("deal_error", error.code)[0])) from error


@router.action("/customers/deals/{deal_id:int}/decide", Permission.DEALS_APPROVE)
async def decide(staff: Staff, deal_id: int) -> Response:
    """A manager's word on a margin under the floor, on the terms that the page showed."""
    row = await _found(staff, deal_id, Permission.DEALS_APPROVE)
    form = await staff.form()
    grant, comment = form.get("grant") == "1", str(form.get("comment", ""))
    try:
        await staff.app.deals.decide(deal_id, grant, comment, _terms(form), staff.actor, staff.now)
    except DealError as refused:
        typed = _typed(form, "comment")
        return await _show(staff, row, staff.say(word("deal_error", refused.code)[0]), 422, typed)
    return staff.done(f"/customers/deals/{deal_id}", N_("Decided; the owner sees it."))


@router.action("/customers/deals/{deal_id:int}/edit", Permission.DEALS_EDIT)
async def edit(staff: Staff, deal_id: int) -> Response:
    """Change title, terms, expected day and note."""
    row = await _found(staff, deal_id, Permission.DEALS_EDIT)
    form = await staff.form()
    typed = _typed(form, "title", "note", "expected_on")
    changes: dict[str, Any] = {"note": str(form.get("note", "")).strip()[:5000] or None}
    if title := str(form.get("title", "")).strip()[:200]:
        changes["title"] = title
    try:
        expected = str(form.get("expected_on", ""))
        changes["expected_on"] = date.fromisoformat(expected) if expected else None
        before = await staff.app.deals.edit(deal_id, changes, _terms(form), staff.actor, staff.now)
    except DealError as refused:
        return await _show(staff, row, staff.say(word("deal_error", refused.code)[0]), 422, typed)
    except ValueError:
        return await _show(staff, row, staff.say(N_("Write the day as YYYY-MM-DD.")), 422, typed)
    now_there = await staff.app.deals.one(deal_id)
    undo = {
        "do": "deal.edit",
        "id": deal_id,
        "was": _plain(before),
        "now": _plain({k: getattr(now_there, k) for k in before}),
    }
    return staff.done(f"/customers/deals/{deal_id}", N_("Changed."), undo=undo)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as a way back can carry them."""
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in values.items()}


@undoes("deal.edit")
async def undo_edit(staff: Staff, told: dict[str, Any]) -> None:
    """Put title, note, day and terms back, if nobody has changed them since. Raises ValueError."""
    row = await _found(staff, told["id"], Permission.DEALS_EDIT)
    if _plain({name: getattr(row, name) for name in told["now"]}) != told["now"]:
        raise ValueError("somebody has changed the deal since")
    was = dict(told["was"])
    if was.get("expected_on"):
        was["expected_on"] = date.fromisoformat(was["expected_on"])
    terms = Terms(was.get("amount"), was.get("currency"), was.get("margin"))
    try:
        await staff.app.deals.edit(told["id"], was, terms, staff.actor, staff.now)
    except DealError as error:
        raise HTTPException(409, staff.say(word("deal_error", error.code)[0])) from error
