"""The indicators with their definitions, what campaigns cost, and the suggestions of staff (G3, G4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import select
from starlette.datastructures import FormData

from outreach.access.roles import Permission, Scope
from outreach.audience.values import ValueRefused, parse_number
from outreach.campaigns.budget.store import set_spent
from outreach.crm.suggestions.store import SuggestionRefused
from outreach.reports.indicators.figures import POINTS, indicators
from outreach.reports.indicators.store import IndicatorStore, Shares
from outreach.reports.metrics import Figures
from outreach.reports.period import Period
from outreach.web.data.scope import held
from outreach.web.data.tables import CAMPAIGN
from outreach.web.i18n import N_
from outreach.web.kept import PATIENCE
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes
from outreach.web.words import word

router = Pages()
KINDS = {"weekly": N_("Weekly"), "monthly": N_("Monthly"), "quarterly": N_("Quarterly")}


def _period(staff: Staff) -> Period:
    office = staff.app.settings.sender.timezone
    params = staff.request.query_params
    try:
        if params.get("period"):
            return Period.parse(params["period"], office)
        kind = params.get("kind", "quarterly")
        today = staff.now.astimezone(ZoneInfo(office)).date()
        return Period.holding(today, kind if kind in KINDS else "quarterly", office)  # type: ignore[arg-type]
    except ValueError as error:
        raise HTTPException(404) from error


def _owners(staff: Staff) -> list[int] | None:
    """Who sees only own customers gets the figures of these."""
    own = staff.reach(Permission.CONTACTS_VIEW) is Scope.OWN and staff.actor.id is not None
    return [int(staff.actor.id)] if own and staff.actor.id is not None else None


@router.page("/reports/indicators", Permission.REPORTS_VIEW)
async def show(staff: Staff) -> Response:
    """Each indicator with the period before and what it means; below it what campaigns and sources cost."""
    return await _show(staff, _period(staff))


@dataclass(frozen=True)
class Mails:
    """What became of the mails of a period and of the one before: what takes long to count, and nobody here changes."""

    now: Figures
    before: Figures
    shares: Shares


async def _mails(store: IndicatorStore, period: Period, owners: list[int] | None) -> Mails:
    return Mails(
        await store.figures(period, owners),
        await store.figures(period.previous, owners),
        await store.shares(period, owners),
    )


async def _show(staff: Staff, period: Period, error: str = "", status: int = 200) -> Response:
    store, owners = staff.app.indicators, _owners(staff)
    key = ("indicators", period, tuple(owners) if owners is not None else None)
    told = await staff.kept.soon(
        key, staff.now, lambda: _mails(store, period, owners), patience=None if error else PATIENCE
    )
    pairs, by_campaign, by_source = [], [], []
    if told:
        mails = told.value
        now = indicators(await store.counts(period, staff.now, owners, figures=mails.now))
        before = indicators(await store.counts(period.previous, staff.now, owners, figures=mails.before))
        pairs = list(zip(now, before, strict=True))
        by_campaign, by_source = await store.costs(period, owners, shares=mails.shares)
    budgets = await store.budgets(period, owners)
    editable = {one.id for one in budgets if staff.may(Permission.CAMPAIGNS_EDIT, await held(staff, one.owner_id))}
    following = Period.holding(period.last + timedelta(days=1), period.kind, period.zone)
    return await staff.render(
        "indicators.html", status=status, period=period, kinds=KINDS, pairs=pairs, points=POINTS, told=told,
        previous=period.previous.label, following=following.label if following.start < staff.now else "", error=error,
        budgets=budgets, editable=editable, by_campaign=by_campaign, by_source=by_source, own=owners is not None,
        currency=staff.app.money.currency,
    )  # fmt: skip


@router.action("/campaigns/{campaign_id:int}/spent", Permission.CAMPAIGNS_EDIT)
async def spend(staff: Staff, campaign_id: int) -> Response:
    """Note what a campaign cost, in the currency of its budget; an empty field takes it away."""
    columns = (CAMPAIGN.c.id, CAMPAIGN.c.owner_id, CAMPAIGN.c.spent_amount)
    async with staff.app.db.read() as conn:
        row = (await conn.execute(select(*columns).where(CAMPAIGN.c.id == campaign_id))).one_or_none()
    if row is None:
        raise HTTPException(404)
    staff.need(Permission.CAMPAIGNS_EDIT, await held(staff, row.owner_id))
    form = await staff.form()
    period = _of_form(staff, form)
    try:
        amount = _amount(form, "amount")
    except SuggestionRefused:
        told = staff.say(N_("A cost is a number that is not below zero."))
        return await _show(staff, period, told, 422)
    async with staff.app.db.write() as conn:
        await set_spent(conn, campaign_id, amount)
    staff.record(before={"spent": row.spent_amount}, after={"spent": amount})
    undo = {"do": "campaign.spent", "id": campaign_id, "amount": row.spent_amount}
    return staff.done(f"/reports/indicators?period={period.label}#costs", N_("The cost is noted."), undo=undo)


def _of_form(staff: Staff, form: FormData) -> Period:
    try:
        return Period.parse(str(form.get("period", "")), staff.app.settings.sender.timezone)
    except ValueError:
        return _period(staff)


def _amount(form: FormData, name: str) -> float | None:
    """An amount of a form, None where the field is empty. Raises SuggestionRefused (amount)."""
    text = str(form.get(name, "")).strip()
    if not text:
        return None
    try:
        value = parse_number(text)
    except ValueRefused as refused:
        raise SuggestionRefused("amount", f"{text!r} is no number") from refused
    if not 0 <= value < 1e12:
        raise SuggestionRefused("amount", "an amount is not below zero")
    return value


@undoes("campaign.spent")
async def undo_spend(staff: Staff, told: dict[str, Any]) -> None:
    """Put the cost back."""
    async with staff.app.db.read() as conn:
        owner = await conn.scalar(select(CAMPAIGN.c.owner_id).where(CAMPAIGN.c.id == told["id"]))
    staff.need(Permission.CAMPAIGNS_EDIT, await held(staff, owner))
    async with staff.app.db.write() as conn:
        await set_spent(conn, told["id"], told["amount"])


# ---- suggestions


@router.page("/suggestions", Permission.ACCOUNT)
async def suggestions(staff: Staff) -> Response:
    """One's own suggestions; who decides sees everybody's."""
    return await _suggestions(staff)


async def _suggestions(
    staff: Staff, error: str = "", text: str = "", status: int = 200, typed: tuple[int, FormData] | None = None
) -> Response:
    """`typed`: the suggestion and the form of a decision that was refused."""
    decides = staff.may(Permission.TARGETS_EDIT)
    rows = await staff.app.suggestions.listed(user_id=None if decides else staff.actor.id)
    return await staff.render(
        "suggestions.html", status=status, rows=rows, decides=decides, error=error, text=text, typed=typed,
        currency=staff.app.money.currency,
    )  # fmt: skip


def _refused(staff: Staff, refused: SuggestionRefused) -> str:
    return staff.say(word("suggestion_error", refused.code)[0])


@router.action("/suggestions", Permission.ACCOUNT)
async def make(staff: Staff) -> Response:
    """Put a suggestion on record."""
    text = str((await staff.form()).get("text", ""))[:4000]
    try:
        await staff.app.suggestions.make(text, staff.actor, staff.now)
    except SuggestionRefused as refused:
        return await _suggestions(staff, _refused(staff, refused), text, 422)
    return staff.done("/suggestions", N_("It is on record; a manager will answer."))


@router.action("/suggestions/{suggestion_id:int}/decide", Permission.TARGETS_EDIT)
async def decide(staff: Staff, suggestion_id: int) -> Response:
    """Say what becomes of a suggestion, and what it brought."""
    form = await staff.form()
    try:
        before = await staff.app.suggestions.decide(
            suggestion_id, str(form.get("state", "")), staff.actor, staff.now, answer=str(form.get("answer", "")),
            amount=_amount(form, "amount"),
        )  # fmt: skip
    except SuggestionRefused as refused:
        return await _suggestions(staff, _refused(staff, refused), status=422, typed=(suggestion_id, form))
    except LookupError as error:
        raise HTTPException(404) from error
    at = before["decided_at"]
    kept = before | {"decided_at": at.isoformat() if at else None}
    undo = {"do": "suggestion", "id": suggestion_id, "values": kept}
    return staff.done("/suggestions", N_("Decided; its author sees it."), undo=undo)


@undoes("suggestion")
async def undo_decision(staff: Staff, told: dict[str, Any]) -> None:
    """Put a decision back."""
    from datetime import datetime

    staff.need(Permission.TARGETS_EDIT)
    values = dict(told["values"])
    at = values["decided_at"]
    values["decided_at"] = datetime.fromisoformat(at) if at else None
    await staff.app.suggestions.put_back(told["id"], values, staff.actor, staff.now)
