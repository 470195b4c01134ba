"""Calls: who can be reached now, a script beside the timeline, the outcome in a few keys."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import HTTPException
from fastapi.responses import Response
from jinja2 import TemplateError
from sqlalchemy import or_, select

from outreach.access.roles import Permission
from outreach.audience import segment
from outreach.audience.regions import country_name
from outreach.campaigns.calendar import Hours, add_working_days, holiday_name
from outreach.content.sandbox import Sandbox
from outreach.crm.calls.number import CHANNELS, channel_link, shown_number, tel_link
from outreach.crm.calls.order import OUTCOMES, Clock, clock_of, rank
from outreach.crm.calls.store import DO_NOT_CALL, Call, CallRefused
from outreach.db.bulk import among
from outreach.web.data import contacts as data
from outreach.web.data.people import full_name, user_names, zone_of
from outreach.web.data.scope import held, owned
from outreach.web.data.tables import COMPANY, CONTACT, CONTACT_TAG, TAG, TASK
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes

router = Pages()
#: People that are ranked by their clock, and lines that are shown.
CANDIDATES, LINES = 2000, 60
#: Choices for the next step: name → working days of the customer's week.
NEXT = {"1": 1, "3": 3, "7": 5, "30": 22}
#: What a script with a fault raises.
BROKEN = (TemplateError, TypeError, ValueError, ArithmeticError)
#: What a script may name.
FIELDS = ("first_name", "last_name", "company", "country", "city", "industry", "intent", "me", "sender")


@router.page("/follow-ups/calls", Permission.TASKS_VIEW)
async def listing(staff: Staff) -> Response:
    """People with a number, those at work now first, the hot ones before the rest."""
    params = staff.request.query_params
    text, intent = params.get("segment", "").strip()[:4000], params.get("intent", "")[:40]
    error, rows = "", []
    try:
        condition = segment.condition(segment.parse(text), staff.now) if text else None
        rows = await _people(staff, condition, intent, params.get("who") == "tasks")
    except segment.SegmentError as problem:
        error = f"{problem.message(staff.lang)}\n{problem.pointer()}"
    lines = []
    clocks: dict[tuple[str, str | None], Clock] = {}  # a thousand people live in a few dozen places
    for row in rows:
        zone = zone_of(row.country, row.city)
        if (zone, row.country) not in clocks:
            clocks[zone, row.country] = clock_of(staff.now, zone, row.country)
        clock = clocks[zone, row.country]
        lines.append((rank(clock, row.grade, row.intent), row, zone, clock))
    lines.sort(key=lambda line: line[0])
    return await staff.render(
        "calls.html", lines=lines[:LINES], total=len(lines), now_open=sum(line[3].is_open for line in lines), error=error,
        segment=text, intent=intent, tasks_only=params.get("who") == "tasks", full_name=full_name, number=shown_number,
        holiday=lambda row, zone: holiday_name(staff.now.astimezone(ZoneInfo(zone)).date(), row.country),
    )  # fmt: skip


async def _people(staff: Staff, condition: Any, intent: str, tasks_only: bool) -> Any:
    stopped = (
        select(CONTACT_TAG.c.contact_id)
        .join(TAG, TAG.c.id == CONTACT_TAG.c.tag_id)
        .where(TAG.c.kind == "tag", TAG.c.name == DO_NOT_CALL)
    )
    asked = select(TASK.c.contact_id).where(TASK.c.state == "open", TASK.c.kind == "call")
    due = CONTACT.c.id.in_(asked.where(TASK.c.contact_id.is_not(None)))
    where = [
        owned(staff, Permission.CONTACTS_VIEW, CONTACT.c.owner_id),
        CONTACT.c.erased_at.is_(None),
        CONTACT.c.left_at.is_(None),
        CONTACT.c.phone.is_not(None),
        CONTACT.c.id.not_in(stopped),
    ]
    if condition is not None:
        where.append(condition)
    if intent:
        where.append(or_(CONTACT.c.intent == intent, COMPANY.c.intent == intent))
    if tasks_only:
        where.append(due)
    joined = CONTACT.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
    order = (due.desc(), CONTACT.c.grade.asc().nulls_last(), CONTACT.c.id)
    # first which, then what of them: a sort carries only numbers then
    chosen = select(CONTACT.c.id).select_from(joined).where(*where).order_by(*order).limit(CANDIDATES)
    query = select(CONTACT, COMPANY.c.name.label("company"), due.label("due")).select_from(joined)
    async with staff.app.db.read() as conn:
        ids = (await conn.execute(chosen)).scalars().all()
        return (await conn.execute(query.where(among(conn, CONTACT.c.id, ids)).order_by(*order))).all()


@router.page("/follow-ups/calls/{contact_id:int}", Permission.TASKS_VIEW)
async def screen(staff: Staff, contact_id: int) -> Response:
    """Everything for one call."""
    return await _screen(staff, await _person(staff, contact_id, Permission.CONTACTS_VIEW))


async def _person(staff: Staff, contact_id: int, permission: Permission) -> Any:
    async with staff.app.db.read() as conn:
        row = await data.contact(conn, contact_id)
    if row is None or row.erased_at is not None:
        raise HTTPException(404)
    staff.need(permission, await held(staff, row.owner_id))
    return row


async def _screen(staff: Staff, row: Any, error: str = "", status: int = 200) -> Response:
    zone = zone_of(row.country, row.city)
    async with staff.app.db.read() as conn:
        timeline = await data.timeline(conn, contact_id=row.id)
        tasks = await data.open_tasks(conn, row.id)
        names = await user_names(conn)
        tags = (await data.tags_of(conn, [row.id])).get(row.id, [])
    at_work = await staff.app.owners.at_work(row.company_id, staff.actor.id, staff.now) if row.company_id else []
    script, broken = await _script(staff, row)
    return await staff.render(
        "call.html", status=status, row=row, name=full_name(row.first_name, row.last_name, "?"), zone=zone, error=error,
        clock=clock_of(staff.now, zone, row.country), tel=tel_link(row.phone, row.country), broken=broken,
        number=shown_number(row.phone, row.country), channels=_channels(row), timeline=timeline[:20], tasks=tasks,
        script=script, outcomes=OUTCOMES, next_steps=NEXT, names=names, at_work=at_work,
        holiday=holiday_name(staff.now.astimezone(ZoneInfo(zone)).date(), row.country),
        stopped=any(tag.name == DO_NOT_CALL for tag in tags),
    )  # fmt: skip


def _channels(row: Any) -> list[tuple[str, str, str | None]]:
    told = row.attributes or {}
    return [
        (name, str(told[name]), channel_link(name, str(told[name]), row.country)) for name in CHANNELS if told.get(name)
    ]


async def _script(staff: Staff, row: Any) -> tuple[str, str]:
    """The script that fits: the contact's intent and language first. A broken one says so and hides nobody's call."""
    rows = await staff.app.calls.scripts()
    wanted = (row.language or "en").split("-")[0]
    fits = [one for one in rows if one.intent in (None, row.intent)]
    fits.sort(key=lambda one: (one.intent != row.intent, one.language != wanted, one.language != "en", one.id))
    if not fits:
        return "", ""
    told = {name: getattr(row, name, None) or "" for name in FIELDS if name not in ("me", "sender")}
    told["country"] = country_name(row.country, fits[0].language) if row.country else ""
    told |= {"me": staff.visit.user.display_name or staff.actor.name, "sender": staff.app.settings.sender.company}
    try:
        return filled(fits[0].body, told), ""
    except BROKEN as error:
        return "", f"{fits[0].name}: {error}"


def filled(body: str, told: dict[str, str]) -> str:
    """A script with its fields filled in, within the sandbox and budget of templates. Raises one of BROKEN."""
    return Sandbox(autoescape=False).from_string(body).render(told)


@router.action("/follow-ups/calls/{contact_id:int}", Permission.TASKS_EDIT)
async def log(staff: Staff, contact_id: int) -> Response:
    """Write down what came of the call, and go on to the next one."""
    row = await _person(staff, contact_id, Permission.CONTACTS_EDIT)
    form = await staff.form()
    task = str(form.get("task", ""))
    call = Call(
        contact_id, str(form.get("outcome", "")), str(form.get("text", "")).strip()[:5000],
        intent=str(form.get("intent", "")) or None, next_kind=str(form.get("next_kind", "call")),
        next_at=_next_at(staff, row, str(form.get("next", "")), str(form.get("next_day", ""))),
        channel=_channel(str(form.get("channel", "phone"))), task_id=int(task) if task.isdecimal() else None,
    )  # fmt: skip
    try:
        done = await staff.app.calls.log(call, staff.actor, staff.now)
    except CallRefused as refused:
        words = {
            "outcome": N_("Choose what came of the call."),
            "next": N_("The next step lies in the past: choose a later day."),
        }
        return await _screen(staff, row, staff.say(words[refused.code]), 422)
    return staff.done("/follow-ups/calls", N_("Written down."), undo={"do": "call", **done.undo})


def _channel(text: str) -> str:
    return text if text in ("phone", *CHANNELS) else "phone"


def _next_at(staff: Staff, row: Any, choice: str, day: str) -> datetime | None:
    """The next step in the customer's working days, at ten in the morning there; or the day that was chosen."""
    zone = zone_of(row.country, row.city)
    try:
        if day:
            return datetime.combine(datetime.fromisoformat(day).date(), time(10), tzinfo=ZoneInfo(zone))
    except ValueError:
        return None
    if choice not in NEXT:
        return None
    later = add_working_days(staff.now, NEXT[choice], Hours(zone=zone, country=row.country)).astimezone(ZoneInfo(zone))
    return max(later.replace(hour=10, minute=0, second=0, microsecond=0), staff.now + timedelta(hours=1))


@undoes("call")
async def undo_call(staff: Staff, told: dict[str, Any]) -> None:
    """Take a logged call back."""
    await _person(staff, told["contact"], Permission.CONTACTS_EDIT)
    await staff.app.calls.unlog(told, staff.actor, staff.now)


@router.page("/follow-ups/scripts", Permission.TASKS_VIEW)
async def scripts(staff: Staff) -> Response:
    """The scripts."""
    return await _scripts(staff)


async def _scripts(staff: Staff, error: str = "", given: Any = None, status: int = 200) -> Response:
    rows = await staff.app.calls.scripts()
    return await staff.render(
        "scripts.html",
        status=status,
        rows=rows,
        error=error,
        given=given or dict.fromkeys(("name", "language", "intent", "body"), ""),
        fields=FIELDS,
    )


@router.action("/follow-ups/scripts", Permission.TEMPLATES_EDIT)
async def save_script(staff: Staff) -> Response:
    """Store a script; it is tried out before."""
    form = await staff.form()
    given = {name: str(form.get(name, "")).strip()[:20_000] for name in ("name", "language", "intent", "body")}
    if not given["name"] or not given["body"]:
        return await _scripts(staff, staff.say(N_("A script has a name and words.")), given, 422)
    try:
        filled(given["body"], dict.fromkeys(FIELDS, ""))
    except BROKEN as error:
        return await _scripts(staff, str(error), given, 422)
    language = given["language"][:8] or "en"
    await staff.app.calls.save_script(
        given["name"][:80], language, given["intent"] or None, given["body"], staff.actor, staff.now
    )
    return staff.done("/follow-ups/scripts", N_("Saved."))
