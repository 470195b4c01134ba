"""Remembered dates (节日与关怀): what waits for its owner's word, the letter with "send", and the programmes behind."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from starlette.datastructures import FormData

from outreach.access.roles import Held, Permission
from outreach.app.occasions import use as occasions
from outreach.app.sequences import use as work
from outreach.campaigns.definition import Definition
from outreach.campaigns.sequence_file import to_file
from outreach.campaigns.store import CampaignError
from outreach.content.preview import in_scheme
from outreach.content.problem import ContentProblem
from outreach.crm.greetings import greetable
from outreach.crm.occasion.state import IllegalDecision
from outreach.web import mail
from outreach.web.data import campaigns as campaign_data
from outreach.web.data import sequences as data
from outreach.web.data.people import full_name, zone_of
from outreach.web.data.scope import held
from outreach.web.i18n import N_, in_words
from outreach.web.pages.sequences import REFUSALS, found, titles
from outreach.web.routing import Pages, Staff

router = Pages()
KINDS = {
    "birthday": N_("Birthday"),
    "holiday": N_("Holidays of their country"),
    "quality": N_("Quality, after delivery"),
    "anniversary": N_("Anniversary of the first order"),
    "reactivation": N_("Long silent customers"),
}


@router.page("/greetings", Permission.CONTACTS_VIEW)
async def listing(staff: Staff) -> Response:
    """What waits for a word, and the programmes that propose it."""
    async with staff.app.db.read() as conn:
        waiting = await data.waiting(conn, staff)
        rows = await data.listing(conn, staff, "occasion") if staff.may(Permission.CAMPAIGNS_VIEW) else []
    return await staff.render(
        "greetings.html", waiting=waiting, rows=rows, kinds=KINDS, full_name=full_name, holidays=greetable(),
        zone_of=zone_of,
    )  # fmt: skip


@router.page("/greetings/{occasion_id:int}", Permission.CONTACTS_VIEW)
async def show(staff: Staff, occasion_id: int) -> Response:
    """One date with its letter."""
    return await _page(staff, await _one(staff, occasion_id, Permission.CONTACTS_VIEW))


async def _one(staff: Staff, occasion_id: int, permission: Permission) -> Any:
    async with staff.app.db.read() as conn:
        row = await data.occasion(conn, occasion_id)
    if row is None:
        raise HTTPException(404)
    staff.need(permission, await held(staff, row.owner_id))
    return row


async def _page(staff: Staff, row: Any, error: str = "", status: int = 200) -> Response:
    try:
        letter, problem = await occasions.letter(staff.app, row.id, staff.now), ""
    except ContentProblem as found_problem:
        letter, problem = None, found_problem.message(staff.lang)
    return await staff.render(
        "greeting.html", status=status, row=row, letter=letter, problem=problem, error=error, kinds=KINDS,
        holidays=greetable(), name=full_name(row.first_name, row.last_name, row.address or "?"),
        tz_there=zone_of(row.country, row.city), editable=staff.may(Permission.CAMPAIGNS_SEND),
    )  # fmt: skip


@router.page("/greetings/{occasion_id:int}/mail", Permission.CONTACTS_VIEW)
async def show_mail(staff: Staff, occasion_id: int) -> Response:
    """The letter alone, for the frame."""
    await _one(staff, occasion_id, Permission.CONTACTS_VIEW)
    try:
        letter = await occasions.letter(staff.app, occasion_id, staff.now)
    except ContentProblem as problem:
        return mail.framed_text(problem.message(staff.lang), staff.lang)
    return mail.framed(in_scheme(letter.html, "light"))


@router.action("/greetings/{occasion_id:int}/{action}", Permission.CAMPAIGNS_SEND)
async def decide(staff: Staff, occasion_id: int, action: str) -> Response:
    """Send it, not this time, or take that back."""
    if action not in ("send", "decline", "reconsider"):
        raise HTTPException(404)
    row = await _one(staff, occasion_id, Permission.CONTACTS_EDIT)
    try:
        leaves = await getattr(occasions, action)(staff.app, occasion_id, staff.actor, staff.now)
    except occasions.NotSent as refused:
        told = staff.say(N_("Not sent: %(why)s."), why=staff.word("skip", refused.reason))
        return await _page(staff, row, told, 409)
    except (CampaignError, IllegalDecision) as error:
        return await _page(staff, row, in_words(error, staff.lang), 409)
    if action == "send":
        when = staff.moment(leaves, zone_of(row.country, row.city))
        return staff.done("/greetings", N_("It leaves %(when)s."), when=when)
    return staff.done("/greetings" if action == "decline" else f"/greetings/{occasion_id}", N_("Done."))


# -- programmes --------------------------------------------------------------------------------------------------------


@router.page("/greetings/new", Permission.CAMPAIGNS_EDIT)
async def new(staff: Staff) -> Response:
    """An empty programme."""
    kind = staff.request.query_params.get("kind", "birthday")
    if kind not in KINDS:
        raise HTTPException(404)
    template = "quality-check" if kind == "quality" else "holiday-greeting"
    return await _form(staff, None, {"occasion": {"kind": kind}, "template": template, "segment": "basis = customer"})


@router.page("/greetings/programmes/{programme_id:int}", Permission.CAMPAIGNS_VIEW)
async def programme(staff: Staff, programme_id: int) -> Response:
    """One programme: what it remembers, its state, the last dates."""
    row = await found(staff, programme_id, Permission.CAMPAIGNS_VIEW, "occasion")
    what = Definition.model_validate(row.definition)
    async with staff.app.db.read() as conn:
        dates = await data.dates(conn, programme_id, staff)
    owner = Held(row.owner_id, row.owner_team)
    return await staff.render(
        "programme.html", row=row, what=what, dates=dates, kinds=KINDS, holidays=greetable(), full_name=full_name,
        names=dict(titles(staff)), may_edit=staff.may(Permission.CAMPAIGNS_EDIT, owner),
        may_send=staff.may(Permission.CAMPAIGNS_SEND, owner), may_pause=staff.may(Permission.CAMPAIGNS_PAUSE, owner),
    )  # fmt: skip


@router.page("/greetings/programmes/{programme_id:int}/edit", Permission.CAMPAIGNS_EDIT)
async def edit(staff: Staff, programme_id: int) -> Response:
    """A programme's settings; saving makes it a draft again."""
    row = await found(staff, programme_id, Permission.CAMPAIGNS_EDIT, "occasion")
    return await _form(staff, row, to_file(Definition.model_validate(row.definition)))


async def _form(staff: Staff, row: Any, given: dict[str, Any], error: str = "", status: int = 200) -> Response:
    async with staff.app.db.read() as conn:
        boxes = await campaign_data.mailbox_names(conn)
    return await staff.render(
        "programme_form.html", status=status, row=row, given=given, error=error, titles=titles(staff), boxes=boxes,
        kinds=KINDS, holidays=greetable(),
    )  # fmt: skip


@router.action("/greetings/new", Permission.CAMPAIGNS_EDIT)
async def create(staff: Staff) -> Response:
    """Store a draft."""
    return await _save(staff, None)


@router.action("/greetings/programmes/{programme_id:int}/edit", Permission.CAMPAIGNS_EDIT)
async def change(staff: Staff, programme_id: int) -> Response:
    """Store the changes; every approval is void."""
    return await _save(staff, await found(staff, programme_id, Permission.CAMPAIGNS_EDIT, "occasion"))


async def _save(staff: Staff, row: Any) -> Response:
    raw = _raw(staff, await staff.form(), row)
    try:
        if row is None:
            number = await work.create(staff.app, raw, staff.actor, staff.now, raw["name"])
        else:
            number = row.id
            await work.edit(staff.app, number, raw, staff.actor, staff.now)
    except REFUSALS as error:
        told = in_words(error, staff.lang)
        return await _form(staff, row, raw, told, 422)
    return staff.done(
        f"/greetings/programmes/{number}", N_("Saved as a draft. The preflight below says what is missing.")
    )


def _raw(staff: Staff, form: FormData, row: Any) -> dict[str, Any]:
    def text(name: str, most: int = 400) -> str:
        return str(form.get(name, "")).strip()[:most]

    def whole(name: str, otherwise: int) -> int:
        return int(text(name, 4)) if text(name, 4).isdecimal() else otherwise

    raw: dict[str, Any] = to_file(Definition.model_validate(row.definition)) if row is not None else {}
    raw |= {
        "name": text("name", 200), "template": text("template"), "segment": text("segment", 8000) or None,
        "mailboxes": [str(box)[:100] for box in form.getlist("mailbox")],
    }  # fmt: skip
    raw.setdefault("owner", staff.actor.name)
    raw["occasion"] = {
        "kind": text("kind"),
        "holidays": [str(one)[:40] for one in form.getlist("holiday")] if text("kind") == "holiday" else [],
        "after_days": whole("after_days", 7),
        "months": whole("months", 6),
        "ask": form.get("ask") == "1",
        "ask_days": whole("ask_days", 7),
    }
    return raw
