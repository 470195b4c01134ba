"""Sequences: the list, the builder, the page of one with its people; the person's part on the contact page."""

from __future__ import annotations

import re
from datetime import datetime, time
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from starlette.datastructures import FormData

from outreach.access.roles import AccessDenied, Held, Permission
from outreach.app.sequences import use as work
from outreach.audience.segment import SegmentError
from outreach.campaigns.definition import Definition, DefinitionError
from outreach.campaigns.sequence_file import to_file
from outreach.campaigns.state import IllegalTransition
from outreach.campaigns.store import CampaignError
from outreach.config import ConfigError
from outreach.content.problem import ContentProblem
from outreach.crm.enrolment.state import IllegalMove
from outreach.web.campaign_faults import NUMBER
from outreach.web.data import campaigns as campaign_data
from outreach.web.data import sequences as data
from outreach.web.data.people import full_name
from outreach.web.data.scope import held
from outreach.web.format import zone
from outreach.web.i18n import N_, in_words
from outreach.web.ids import id_of
from outreach.web.pages.wizard import CONDITIONS
from outreach.web.routing import Pages, Staff
from outreach.web.security import local_path

router = Pages()
#: Rows of the builder: what is there, and so many empty ones.
SPARE_ROWS = 2
MOST_ROWS = 20
STATES = ("active", "waiting", "paused", "stopped", "finished")
KINDS = {"mail": N_("Mail"), "call": N_("Call"), "task": N_("Task")}
REFUSALS = (DefinitionError, CampaignError, IllegalTransition, ConfigError, ContentProblem, SegmentError, ValueError)
ADDRESS = re.compile(r"[^\s,;<>]+@[^\s,;<>]+")


@router.page("/sequences", Permission.CAMPAIGNS_VIEW)
async def listing(staff: Staff) -> Response:
    """All sequences."""
    async with staff.app.db.read() as conn:
        rows = await data.listing(conn, staff, "sequence")
    return await staff.render("sequences.html", rows=rows)


@router.page("/sequences/new", Permission.CAMPAIGNS_EDIT)
async def new(staff: Staff) -> Response:
    """An empty sequence: two mails and a call."""
    steps = [
        {"kind": "mail", "after_days": 0},
        {"kind": "mail", "after_days": 3, "same_thread": True},
        {"kind": "call", "after_days": 2},
    ]
    given = {"schedule": {"window": "09:00-17:00"}, "enrol": {}, "stop": {}, "step": steps}
    return await _form(staff, None, given)


@router.page("/sequences/{sequence_id:int}/edit", Permission.CAMPAIGNS_EDIT)
async def edit(staff: Staff, sequence_id: int) -> Response:
    """The builder; saving makes it a draft again and holds everybody."""
    row = await found(staff, sequence_id, Permission.CAMPAIGNS_EDIT)
    return await _form(staff, row, to_file(Definition.model_validate(row.definition)))


async def _form(staff: Staff, row: Any, given: dict[str, Any], error: str = "", status: int = 200) -> Response:
    async with staff.app.db.read() as conn:
        boxes = await campaign_data.mailbox_names(conn)
    rows = [*given["step"], *({} for _ in range(SPARE_ROWS))][:MOST_ROWS]
    return await staff.render(
        "sequence_form.html", status=status, row=row, given=given, steps=rows, error=error, titles=titles(staff),
        boxes=boxes, segments=await staff.app.audience.segments(), conditions=CONDITIONS, kinds=KINDS,
    )  # fmt: skip


def titles(staff: Staff) -> list[tuple[str, str]]:
    """Templates by name and title; a broken one is left out."""
    found = []
    for name in staff.app.template_names():
        try:
            source = staff.app.template(name)
            found.append(
                (name, source.title(staff.lang if staff.lang in source.languages else source.fallback_language))
            )
        except ContentProblem:
            continue
    return found


@router.action("/sequences/new", Permission.CAMPAIGNS_EDIT)
async def create(staff: Staff) -> Response:
    """Store a draft."""
    return await _save(staff, None)


@router.action("/sequences/{sequence_id:int}/edit", Permission.CAMPAIGNS_EDIT)
async def change(staff: Staff, sequence_id: int) -> Response:
    """Store the changes; every approval is void."""
    return await _save(staff, await found(staff, sequence_id, Permission.CAMPAIGNS_EDIT))


async def _save(staff: Staff, row: Any) -> Response:
    raw = _raw(staff, await staff.form(), row)
    try:
        if row is None:
            number = await work.create(staff.app, raw, staff.actor, staff.now, staff.say(N_("Sequence")))
        else:
            number = row.id
            await work.edit(staff.app, number, raw, staff.actor, staff.now)
    except REFUSALS as error:
        told = in_words(error, staff.lang)
        return await _form(staff, row, raw, told, 422)
    return staff.done(f"/sequences/{number}", N_("Saved as a draft. The preflight below says what is missing."))


def _raw(staff: Staff, form: FormData, row: Any) -> dict[str, Any]:
    """The sequence file that the form describes; what the form does not show is kept from the old one."""

    def text(name: str, most: int = 400) -> str:
        return str(form.get(name, "")).strip()[:most]

    raw: dict[str, Any] = to_file(Definition.model_validate(row.definition)) if row is not None else {}
    raw |= {
        "name": text("name", 200),
        "goal": text("goal"),
        "mailboxes": [str(b)[:100] for b in form.getlist("mailbox")],
    }
    raw.setdefault("owner", staff.actor.name)
    raw["schedule"] = {**raw.get("schedule", {}), "window": text("window") or None}
    tags = [f"tag:{tag.strip()}" for tag in text("tags").split(";") if tag.strip()]
    most = text("most_per_day", 6)
    raw["enrol"] = {
        "segment": text("segment", 8000) or None,
        "existing": form.get("existing") == "1",
        "on": [str(one) for one in form.getlist("on")] + tags,
        "most_per_day": int(most) if most.isdecimal() else 0,
    }
    stop = raw.get("stop", {})
    raw["stop"] = {**stop, **{name: form.get(name) == "1" for name in ("company_reply", "meeting", "colleague")}}
    places = [_step(form, n) for n in range(MOST_ROWS)]
    raw["step"] = [step for _, step in sorted((p for p in places if p), key=lambda place: place[0])]
    return raw


def _step(form: FormData, n: int) -> tuple[float, dict[str, Any]] | None:
    """Place and content of a row of the builder; an empty row is no step."""

    def text(name: str, most: int = 200) -> str:
        return str(form.get(f"{name}_{n}", "")).strip()[:most]

    kind = text("kind")
    if kind not in KINDS or (kind == "mail" and not text("template")) or (kind != "mail" and not text("title")):
        return None
    days, number, place = text("days"), text("number"), text("place")
    step: dict[str, Any] = {
        "kind": kind,
        "after_days": float(days) if NUMBER.match(days) else 3,
        "only_if": text("only_if") or "always",
        "where": text("where", 4000) or None,
    }
    if number.isdecimal():
        step["number"] = int(number)
    if kind == "mail":
        thread = form.get(f"same_thread_{n}") == "1"
        step |= {"template": text("template"), "subject": text("subject") or None, "same_thread": thread}
    else:
        step |= {"title": text("title"), "note": text("note", 4000)}
    return float(place) if NUMBER.match(place) else float(n + 1), step


# -- one sequence ------------------------------------------------------------------------------------------------------


async def found(staff: Staff, campaign_id: int, permission: Permission, kind: str = "sequence") -> Any:
    """The sequence, if it is there and may be seen; one that runs may be seen by whoever may enrol customers."""
    async with staff.app.db.read() as conn:
        row = await campaign_data.one(conn, campaign_id)
    if row is None or row.kind != kind:
        raise HTTPException(404)
    if not (permission is Permission.CAMPAIGNS_VIEW and row.state == "running"):
        staff.need(permission, Held(row.owner_id, row.owner_team))
    return row


@router.page("/sequences/{sequence_id:int}", Permission.CAMPAIGNS_VIEW)
async def show(staff: Staff, sequence_id: int) -> Response:
    """One sequence: steps with their figures, and where everybody stands."""
    row = await found(staff, sequence_id, Permission.CAMPAIGNS_VIEW)
    return await _page(staff, row)


async def _page(staff: Staff, row: Any, error: str = "", status: int = 200) -> Response:
    params = staff.request.query_params
    state = params.get("state", "") if params.get("state", "") in STATES else ""
    search, given = params.get("q", "").strip()[:200], params.get("offset", "0")
    offset = int(given) if given.isdecimal() and len(given) < 8 else 0
    what = Definition.model_validate(row.definition)
    assert what.sequence is not None
    told = await work.status(staff.app, row.id)
    async with staff.app.db.read() as conn:
        people, total = await data.people(conn, staff, row.id, state, search, offset)
        figures = await data.by_step(conn, row.id)
        given_words = await campaign_data.approvals(conn, row.id)
    owner = Held(row.owner_id, row.owner_team)
    return await staff.render(
        "sequence.html", status=status, row=row, what=what, steps=what.sequence.steps, figures=figures, told=told,
        people=people, total=total, state=state, states=STATES, search=search, offset=offset, limit=data.PAGE,
        names=dict(titles(staff)), conditions=CONDITIONS, full_name=full_name, error=error,
        places={step.number: place for place, step in enumerate(what.sequence.steps, 1)},
        returned=next((a for a in reversed(given_words) if a.decision == "reject"), None),
        may_edit=staff.may(Permission.CAMPAIGNS_EDIT, owner), may_send=staff.may(Permission.CAMPAIGNS_SEND, owner),
        may_pause=staff.may(Permission.CAMPAIGNS_PAUSE, owner),
    )  # fmt: skip


@router.action("/sequences/{sequence_id:int}/enrol", Permission.CAMPAIGNS_SEND)
async def enrol(staff: Staff, sequence_id: int) -> Response:
    """Put people in: addresses, or a segment's text."""
    row = await found(staff, sequence_id, Permission.CAMPAIGNS_VIEW)
    form = await staff.form()
    text = str(form.get("who", "")).strip()[:20_000]
    contact = id_of(form.get("contact_id"))
    if contact is None and not text:  # an empty condition would be everybody
        return await _page(staff, row, staff.say(N_("Say who: addresses, or the condition of a segment.")), 422)
    try:
        if contact is not None:
            people = [contact]
        elif ADDRESS.match(text):
            people = await work.by_address(staff.app, ADDRESS.findall(text))
        else:
            people = await work.by_expression(staff.app, text, staff.now)
        told = await work.enrol(staff.app, sequence_id, people, staff.actor, staff.now)
    except (*REFUSALS, LookupError) as error:
        told_text = in_words(error, staff.lang)
        return await _page(staff, row, told_text, 422)
    to = local_path(str(form.get("next", "")), f"/sequences/{sequence_id}")
    if told["refused"]:
        reasons = {reason.partition(":")[0] for reason in told["refused"].values()}
        why = ", ".join(sorted(staff.word("skip", reason) for reason in reasons))
        text = N_("%(count)s enrolled; %(left)s left out: %(why)s.")
        return staff.done(to, text, count=len(told["enrolled"]), left=len(told["refused"]), why=why)
    return staff.done(to, N_("%(count)s enrolled."), count=len(told["enrolled"]))


@router.action("/sequences/{sequence_id:int}/people/{contact_id:int}/{action}", Permission.CONTACTS_EDIT)
async def person(staff: Staff, sequence_id: int, contact_id: int, action: str) -> Response:
    """Pause, resume or stop one person."""
    await found(staff, sequence_id, Permission.CAMPAIGNS_VIEW)
    form = await staff.form()
    to = local_path(str(form.get("next", "")), f"/sequences/{sequence_id}")
    ids = (staff.app, sequence_id, contact_id, staff.actor, staff.now)
    try:
        if action == "pause":
            await work.pause_person(*ids, until=_day(str(form.get("until", "")), staff.tz))
        elif action in ("resume", "stop"):
            await getattr(work, f"{action}_person")(*ids)
        else:
            raise HTTPException(404)
    except (CampaignError, IllegalMove) as error:
        raise HTTPException(409, in_words(error, staff.lang)) from error
    texts = {"pause": N_("Paused."), "resume": N_("Goes on."), "stop": N_("Stopped: what waited never leaves.")}
    return staff.done(to, texts[action])


def _day(text: str, tz: str) -> datetime | None:
    try:
        return datetime.combine(datetime.fromisoformat(text).date(), time(), zone(tz)) if text else None
    except ValueError:
        return None


@router.page("/contacts/{contact_id:int}/sequence", Permission.CONTACTS_VIEW)
async def of_contact(staff: Staff, contact_id: int) -> Response:
    """The part of the contact page: which sequence the person is in, or could be put into."""
    async with staff.app.db.read() as conn:
        owner = await data.owner_of_contact(conn, contact_id)
        if owner is None:
            raise HTTPException(404)
        rows = await data.of_contact(conn, contact_id)
        choice = await data.open_to_all(conn)
    held_by = await held(staff, owner.owner_id)
    staff.need(Permission.CONTACTS_VIEW, held_by)
    editable = staff.may(Permission.CONTACTS_EDIT, held_by)
    return await staff.render(
        "part_sequence.html", rows=rows, choice=choice, contact_id=contact_id, editable=editable,
        may_enrol=editable and staff.may(Permission.CAMPAIGNS_SEND), back=f"/contacts/{contact_id}",
    )  # fmt: skip


__all__ = ["AccessDenied", "router"]
