"""Calls: who can be reached now, a script beside the timeline, the outcome in a few keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import HTTPException
from fastapi.responses import Response
from jinja2 import TemplateError
from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission
from outreach.audience import segment
from outreach.audience.regions import country_name, wide_countries
from outreach.campaigns.calendar import Hours, add_working_days, holiday_name
from outreach.content.sandbox import Sandbox
from outreach.crm.calls.number import CHANNELS, channel_link, shown_number, tel_link
from outreach.crm.calls.order import OUTCOMES, Clock, clock_of, rank
from outreach.crm.calls.store import DO_NOT_CALL, Call, CallRefused
from outreach.web.data import contacts as data
from outreach.web.data.people import full_name, user_names, zone_of
from outreach.web.data.scope import held, owned
from outreach.web.data.tables import COMPANY, CONTACT, CONTACT_TAG, TAG, TASK
from outreach.web.i18n import N_
from outreach.web.ids import id_of
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes

router = Pages()
#: Lines that are shown, and groups of one place in the list that are read for them.
LINES, MOST_ALIKE = 60, 100
#: Choices for the next step: name → working days of the customer's week.
NEXT = {"1": 1, "3": 3, "7": 5, "30": 22}
#: The fields of a call as they stand before anybody writes.
UNWRITTEN = {
    "outcome": "",
    "text": "",
    "intent": "",
    "channel": "phone",
    "next": "",
    "next_day": "",
    "next_kind": "call",
}
NOTHING: Mapping[str, str] = {}
#: What a script with a fault raises.
BROKEN = (TemplateError, TypeError, ValueError, ArithmeticError)
#: What a script may name.
FIELDS = ("first_name", "last_name", "company", "country", "city", "industry", "intent", "me", "sender")


@router.page("/follow-ups/calls", Permission.TASKS_VIEW)
async def listing(staff: Staff) -> Response:
    """People with a number, those at work now first, the hot ones before the rest."""
    params = staff.request.query_params
    text, intent = params.get("segment", "").strip()[:4000], params.get("intent", "")[:40]
    error, listed = "", Listed()
    try:
        condition = segment.condition(segment.parse(text), staff.now) if text else None
        listed = await _listed(staff, condition, intent, params.get("who") == "tasks")
    except segment.SegmentError as problem:
        error = f"{problem.message(staff.lang)}\n{problem.pointer()}"
    return await staff.render(
        "calls.html", lines=listed.lines, total=listed.total, now_open=listed.now_open, error=error,
        segment=text, intent=intent, tasks_only=params.get("who") == "tasks", full_name=full_name, number=shown_number,
        holiday=lambda row, zone: holiday_name(staff.now.astimezone(ZoneInfo(zone)).date(), row.country),
    )  # fmt: skip


@dataclass
class Listed:
    """The first people to call, and how many there are. `lines`: rank, row, zone and clock of each."""

    lines: list[tuple[Any, Any, str, Clock]] = field(default_factory=list)
    total: int = 0
    now_open: int = 0


#: Where somebody's clock is read from: the city counts only where a country has several.
PLACE = case((CONTACT.c.country.in_(wide_countries()), CONTACT.c.city), else_=None)
#: What people who come at the same place of the list have in common.
ALIKE = (CONTACT.c.country, PLACE, CONTACT.c.grade, CONTACT.c.intent)
JOINED = CONTACT.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)


async def _listed(staff: Staff, condition: Any, intent: str, tasks_only: bool) -> Listed:
    """Ask the clock about everybody of the scope, by group, then read the few who come first."""
    due, where = _scope(staff, condition, intent, tasks_only)
    clocks: dict[tuple[str, str | None], Clock] = {}  # a thousand people live in a few dozen places

    def ranked(country: str | None, city: str | None, grade: str | None, wish: str | None) -> tuple[Any, str, Clock]:
        zone = zone_of(country, city)
        if (zone, country) not in clocks:
            clocks[zone, country] = clock_of(staff.now, zone, country)
        clock = clocks[zone, country]
        return rank(clock, grade, wish), zone, clock

    columns = [column.label(f"g{n}") for n, column in enumerate((*ALIKE, due))]
    query = select(*columns, func.count()).select_from(JOINED).where(*where).group_by(*columns)
    async with staff.app.db.read() as conn:
        groups: dict[Any, list[Any]] = {}
        found = Listed()
        for *common, is_due, count in await conn.execute(query):
            place, _, clock = ranked(*common)
            groups.setdefault((place, not is_due), []).append((common, is_due, count))
            found.total += count
            found.now_open += count if clock.is_open else 0
        sure: list[Any] = []  # groups that are shown wholly; of the next one its first people
        rows: list[Any] = []
        room = LINES
        for key in sorted(groups):
            size = sum(count for *_, count in groups[key])
            if size > room:
                rows = [*await _first(conn, where, due, groups[key], room)] if room else []
                break
            sure, room = sure + groups[key], room - size
        rows = [*await _first(conn, where, due, sure, LINES), *rows] if sure else rows
    for row in rows:
        place, zone, clock = ranked(row.country, row.city, row.grade, row.intent)
        found.lines.append(((place, not row.due), row, zone, clock))
    found.lines.sort(key=lambda line: line[0])
    return found


async def _first(conn: AsyncConnection, where: list[Any], due: Any, groups: list[Any], room: int) -> Any:
    """Read the first people of groups that come at the same place."""
    theirs = [
        and_(*(column.is_not_distinct_from(value) for column, value in zip(ALIKE, common, strict=True)),
             due if is_due else ~due)
        for common, is_due, _ in groups[:MOST_ALIKE]
    ]  # fmt: skip
    query = select(CONTACT, COMPANY.c.name.label("company"), COMPANY.c.phone.label("office"), due.label("due"))
    query = query.select_from(JOINED).where(*where, or_(*theirs))
    return (await conn.execute(query.order_by(CONTACT.c.grade.asc().nulls_last(), CONTACT.c.id).limit(room))).all()


def _scope(staff: Staff, condition: Any, intent: str, tasks_only: bool) -> tuple[Any, list[Any]]:
    """Whether a call is planned, and who may be called at all: on the own number or the company's."""
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
        or_(CONTACT.c.phone.is_not(None), COMPANY.c.phone.is_not(None)),
        CONTACT.c.id.not_in(stopped),
    ]
    if condition is not None:
        where.append(condition)
    if intent:
        where.append(or_(CONTACT.c.intent == intent, COMPANY.c.intent == intent))
    if tasks_only:
        where.append(due)
    return due, where


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


async def _office(staff: Staff, row: Any) -> str | None:
    """The number of the person's company: who has none of their own is asked for there."""
    async with staff.app.db.read() as conn:
        number: str | None = await conn.scalar(select(COMPANY.c.phone).where(COMPANY.c.id == row.company_id))
    return number


async def _screen(
    staff: Staff, row: Any, error: str = "", status: int = 200, given: Mapping[str, str] = NOTHING
) -> Response:
    """`given`: what was written into the form, to stand there again."""
    zone = zone_of(row.country, row.city)
    async with staff.app.db.read() as conn:
        timeline = await data.timeline(conn, contact_id=row.id)
        tasks = await data.open_tasks(conn, row.id)
        names = await user_names(conn)
        tags = (await data.tags_of(conn, [row.id])).get(row.id, [])
    office = await _office(staff, row)
    at_work = await staff.app.owners.at_work(row.company_id, staff.actor.id, staff.now) if row.company_id else []
    script, language, broken = await _script(staff, row)
    return await staff.render(
        "call.html", status=status, row=row, name=full_name(row.first_name, row.last_name, "?"), zone=zone, error=error,
        clock=clock_of(staff.now, zone, row.country), tel=tel_link(row.phone or office, row.country), broken=broken,
        given=UNWRITTEN | dict(given), number=shown_number(row.phone or office, row.country), office=office and not row.phone, channels=_channels(row), timeline=timeline[:20], tasks=tasks,
        script=script, script_language=language, outcomes=OUTCOMES, next_steps=NEXT, names=names, at_work=at_work,
        holiday=holiday_name(staff.now.astimezone(ZoneInfo(zone)).date(), row.country),
        stopped=any(tag.name == DO_NOT_CALL for tag in tags),
    )  # fmt: skip


def _channels(row: Any) -> list[tuple[str, str, str | None]]:
    told = row.attributes or {}
    return [
        (name, str(told[name]), channel_link(name, str(told[name]), row.country)) for name in CHANNELS if told.get(name)
    ]


async def _script(staff: Staff, row: Any) -> tuple[str, str, str]:
    """The script that fits (the contact's intent and language first), its language, and why it is broken.

    A broken one hides nobody's call.
    """
    rows = await staff.app.calls.scripts()
    wanted = (row.language or "en").split("-")[0]
    fits = [one for one in rows if one.intent in (None, row.intent)]
    fits.sort(key=lambda one: (one.intent != row.intent, one.language != wanted, one.language != "en", one.id))
    if not fits:
        return "", "", ""
    told = {name: getattr(row, name, None) or "" for name in FIELDS if name not in ("me", "sender")}
    told["country"] = country_name(row.country, fits[0].language) if row.country else ""
    told |= {"me": staff.visit.user.display_name or staff.actor.name, "sender": staff.app.settings.sender.company}
    try:
        return filled(fits[0].body, told), fits[0].language, ""
    except BROKEN as error:
        return "", "", f"{fits[0].name}: {error}"


def filled(body: str, told: dict[str, str]) -> str:
    """A script with its fields filled in, within the sandbox and budget of templates. Raises one of BROKEN."""
    return Sandbox(autoescape=False).from_string(body).render(told)


@router.action("/follow-ups/calls/{contact_id:int}", Permission.TASKS_EDIT)
async def log(staff: Staff, contact_id: int) -> Response:
    """Write down what came of the call, and go on to the next one."""
    row = await _person(staff, contact_id, Permission.CONTACTS_EDIT)
    form = await staff.form()
    call = Call(
        contact_id, str(form.get("outcome", "")), str(form.get("text", "")).strip()[:5000],
        intent=str(form.get("intent", "")) or None, next_kind=str(form.get("next_kind", "call")),
        next_at=_next_at(staff, row, str(form.get("next", "")), str(form.get("next_day", ""))),
        channel=_channel(str(form.get("channel", "phone"))), task_id=id_of(form.get("task")),
    )  # fmt: skip
    try:
        done = await staff.app.calls.log(call, staff.actor, staff.now)
    except CallRefused as refused:
        words = {
            "outcome": N_("Choose what came of the call."),
            "next": N_("The next step lies in the past: choose a later day."),
        }
        written = {name: str(form[name])[:5000] for name in UNWRITTEN if name in form}
        return await _screen(staff, row, staff.say(words[refused.code]), 422, written)
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
        told = staff.say(N_("The script cannot be filled in: %(why)s"), why=str(error))
        return await _scripts(staff, told, given, 422)
    language = given["language"][:8] or "en"
    await staff.app.calls.save_script(
        given["name"][:80], language, given["intent"] or None, given["body"], staff.actor, staff.now
    )
    return staff.done("/follow-ups/scripts", N_("Saved."))
