"""Settings: mailboxes, users, roles, the suppression list, the audit trail, what runs here."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from importlib.metadata import version
from typing import Any
from zoneinfo import available_timezones

from fastapi import HTTPException
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy import select, update

from outreach.access.login import hash_password, new_password
from outreach.access.roles import EVERYBODY, GRANTS, Permission, Scope
from outreach.access.store import NewUser, UserError, append_audit
from outreach.app import doctor as examinations
from outreach.model import Role
from outreach.suppression.store import Held as SuppressionHeld
from outreach.web.data import today
from outreach.web.data.people import user_names
from outreach.web.data.tables import MAILBOX, SUPPRESSION
from outreach.web.format import zone
from outreach.web.i18n import N_, in_words
from outreach.web.ids import id_of
from outreach.web.routing import Pages, Staff

router = Pages()

TABS: tuple[tuple[str, str, Permission], ...] = (
    ("/settings", N_("Overview"), Permission.ACCOUNT),
    ("/settings/mailboxes", N_("Mailboxes"), Permission.MAILBOXES_VIEW),
    ("/settings/users", N_("Users"), Permission.USERS_VIEW),
    ("/settings/roles", N_("Roles"), Permission.ACCOUNT),
    ("/settings/suppression", N_("Suppression list"), Permission.SUPPRESSION_VIEW),
    ("/settings/country-rules", N_("Country rules"), Permission.CAMPAIGNS_VIEW),
    ("/settings/webhooks", N_("Webhooks"), Permission.WEBHOOKS_EDIT),
    ("/settings/audit", N_("Audit trail"), Permission.AUDIT_VIEW),
    ("/settings/violations", N_("Violations"), Permission.VIOLATIONS_READ),
)


def tabs(staff: Staff) -> list[tuple[str, str]]:
    """The tabs that this person may open."""
    return [(path, name) for path, name, permission in TABS if staff.may(permission)]


@router.page("/settings", Permission.ACCOUNT)
async def overview(staff: Staff) -> Response:
    """Who writes, what the limits are, which program this is."""
    settings = staff.app.settings
    return await staff.render("settings.html", tabs=tabs(staff), settings=settings, version=version("outreach"))


@router.page("/settings/mailboxes", Permission.MAILBOXES_VIEW)
async def mailboxes(staff: Staff) -> Response:
    """Each mailbox's health, limits and what stopped it."""
    async with staff.app.db.read() as conn:
        lines = await today.mailboxes(conn, staff)
        rows = {row.id: row for row in await conn.execute(select(MAILBOX))}
    configured = {box.name: box for box in staff.app.settings.mailbox}
    return await staff.render("mailboxes.html", tabs=tabs(staff), lines=lines, rows=rows, configured=configured)


@router.page("/settings/mailboxes/doctor", Permission.MAILBOXES_VIEW)
async def doctor(staff: Staff) -> Response:
    """The connection doctor: it takes seconds, so it loads by itself. Who sees only own mailboxes is told of those."""
    if staff.reach(Permission.MAILBOXES_VIEW) is Scope.ALL:
        checks = await examinations.examine(staff.app, staff.lang)
    else:
        async with staff.app.db.read() as conn:
            mine = {line.name for line in await today.mailboxes(conn, staff)}
        boxes = [box for box in staff.app.settings.mailbox if box.name in mine]
        checks = [check for box in boxes for check in await examinations.examine_mailbox(staff.app, box, staff.lang)]
    return await staff.render("part_doctor.html", checks=checks)


@router.action("/settings/mailboxes/{mailbox_id:int}/{action}", Permission.MAILBOXES_EDIT)
async def switch_mailbox(staff: Staff, mailbox_id: int, action: str) -> Response:
    """Pause or resume a mailbox by hand."""
    if action not in ("pause", "resume"):
        raise HTTPException(404)
    values: dict[str, Any] = {"state": "paused", "paused_reason": "by hand", "paused_until": None}
    if action == "resume":
        values = {"state": "active", "paused_reason": None, "paused_until": None, "failures": 0}
    async with staff.app.db.write() as conn:
        there = (MAILBOX.c.id == mailbox_id) & (MAILBOX.c.state != "disabled")
        shown = select(MAILBOX.c.state, MAILBOX.c.paused_reason).where(there).with_for_update()
        was = (await conn.execute(shown)).one_or_none()
        if was is None:
            raise HTTPException(404)
        await conn.execute(update(MAILBOX).where(there).values(**values))
        told = {"before": dict(was._mapping), "after": {name: values[name] for name in was._mapping}}
        await append_audit(conn, staff.actor, f"mailbox.{action}", "mailbox", mailbox_id, now=staff.now, **told)
    return staff.done("/settings/mailboxes", N_("Paused.") if action == "pause" else N_("It sends again."))


@router.page("/settings/users", Permission.USERS_VIEW)
async def users(staff: Staff) -> Response:
    """Everybody who may log in."""
    return await _users(staff)


async def _users(staff: Staff, error: str = "", status: int = 200, new: NewUser | None = None) -> Response:
    rows = await staff.app.access.users()
    return await staff.render(
        "users.html", status=status, tabs=tabs(staff), rows=rows, error=error, roles=list(Role), new=new or NewUser("", [], ""),
        names={row.id: row.display_name or row.name for row in rows},
    )  # fmt: skip


ERRORS = {
    "exists": N_("There is a user of this name already."),
    "no_role": N_("Choose at least one role."),
    "last_admin": N_("This is the last administrator: make somebody else administrator first."),
    "self": N_("Nobody can declare himself trained and authorised: ask another manager."),
    "unknown": N_("There is no such user."),
}


@router.action("/settings/users", Permission.USERS_EDIT)
async def add_user(staff: Staff) -> Response:
    """Add a user with a first password that is shown once."""
    form = await staff.form()
    name = str(form.get("name", "")).strip()[:80]
    roles = [Role(str(r)) for r in form.getlist("role") if str(r) in set(Role)]
    password = new_password()
    new = NewUser(
        name, roles, hash_password(password), str(form.get("display_name", "")).strip()[:120],
        email=str(form.get("email", "")).strip()[:254] or None, team=str(form.get("team", "")).strip()[:80] or None,
    )  # fmt: skip
    if not name or " " in name:
        return await _users(staff, staff.say(N_("Give a name without blanks, such as li.na.")), 422, new)
    try:
        await staff.app.access.add_user(new, actor=staff.actor, now=staff.now)
    except UserError as refused:
        text = ERRORS[refused.code]
        return await _users(staff, staff.say(text), 422, new)
    return await staff.render("password_once.html", name=name, password=password)


@router.page("/settings/users/{user_id:int}", Permission.USERS_VIEW)
async def user(staff: Staff, user_id: int) -> Response:
    """One user: roles, authorisation, account."""
    return await _user(staff, user_id)


async def _user(staff: Staff, user_id: int, error: str = "", status: int = 200) -> Response:
    row = await staff.app.access.user(user_id)
    if row is None:
        raise HTTPException(404)
    async with staff.app.db.read() as conn:
        names = await user_names(conn)
    year = (staff.now + timedelta(days=365)).date().isoformat()
    return await staff.render(
        "user.html", status=status, row=row, roles=list(Role), error=error, names=names, in_a_year=year
    )


@router.action("/settings/users/{user_id:int}/roles", Permission.USERS_EDIT)
async def change_roles(staff: Staff, user_id: int) -> Response:
    """Change roles, team and name; a change of roles ends the user's sessions at once."""
    form = await staff.form()
    roles = [str(r) for r in form.getlist("role") if str(r) in set(Role)]
    if not roles:
        text = ERRORS["no_role"]
        return await _user(staff, user_id, staff.say(text), 422)
    row = await staff.app.access.user(user_id)
    if row is None:
        raise HTTPException(404)
    changes: dict[str, Any] = {"roles": roles} if sorted(roles) != sorted(row.roles) else {}
    for key in ("display_name", "email", "team"):
        value = str(form.get(key, "")).strip()[:254] or None
        if value != getattr(row, key):
            changes[key] = value or ("" if key == "display_name" else None)
    return await _change(staff, user_id, changes)


async def _change(staff: Staff, user_id: int, changes: dict[str, Any], action: str = "user.changed") -> Response:
    try:
        if changes:
            await staff.app.access.change_user(user_id, changes, actor=staff.actor, now=staff.now, action=action)
    except UserError as refused:
        text = ERRORS[refused.code]
        return await _user(staff, user_id, staff.say(text), 422)
    return staff.done(f"/settings/users/{user_id}", N_("Changed."))


@router.action("/settings/users/{user_id:int}/authorise", Permission.USERS_AUTHORISE)
async def authorise(staff: Staff, user_id: int) -> Response:
    """Declare trained and authorised until a date, or take it back."""
    given = str((await staff.form()).get("until", ""))
    try:
        day = date.fromisoformat(given) if given else None
    except ValueError:
        return await _user(staff, user_id, staff.say(N_("This is no date: use YYYY-MM-DD.")), 422)
    until = datetime(day.year, day.month, day.day, 23, 59, tzinfo=zone(staff.tz)) if day else None
    if until is not None and until <= staff.now:
        told = staff.say(N_("This day is over: choose a later one, or leave the field empty to take it back."))
        return await _user(staff, user_id, told, 422)
    try:
        await staff.app.access.authorise(user_id, until, actor=staff.actor, now=staff.now)
    except UserError as refused:
        text = ERRORS[refused.code]
        return await _user(staff, user_id, staff.say(text), 422)
    return staff.done(f"/settings/users/{user_id}", N_("Recorded."))


@router.action("/settings/users/{user_id:int}/password", Permission.USERS_EDIT)
async def reset_password(staff: Staff, user_id: int) -> Response:
    """Set a new password, shown once; the user's sessions end."""
    row = await staff.app.access.user(user_id)
    if row is None:
        raise HTTPException(404)
    password = new_password()
    await staff.login.set_password(user_id, password, actor=staff.actor, now=staff.now)
    return await staff.render("password_once.html", name=row.name, password=password)


@router.action("/settings/users/{user_id:int}/{action}", Permission.USERS_EDIT)
async def switch_user(staff: Staff, user_id: int, action: str) -> Response:
    """Close or open an account, or switch its second factor off."""
    if await staff.app.access.user(user_id) is None:
        raise HTTPException(404)
    if action == "disable":
        return await _change(staff, user_id, {"disabled_at": staff.now}, "user.disabled")
    if action == "enable":
        return await _change(staff, user_id, {"disabled_at": None}, "user.enabled")
    if action == "second-factor-off":
        await staff.login.disable_totp(user_id, actor=staff.actor, now=staff.now)
        return staff.done(f"/settings/users/{user_id}", N_("Changed."))
    raise HTTPException(404)


@router.page("/settings/roles", Permission.ACCOUNT)
async def roles(staff: Staff) -> Response:
    """The table of roles, as the program uses it."""

    def reach(role: Role, permission: Permission) -> str:
        return max(GRANTS[role].get(permission, Scope.NONE), EVERYBODY.get(permission, Scope.NONE)).name

    return await staff.render(
        "roles.html", tabs=tabs(staff), roles=list(Role), permissions=list(Permission), reach=reach
    )


@router.page("/settings/suppression", Permission.SUPPRESSION_VIEW)
async def suppression(staff: Staff) -> Response:
    """Who must never be mailed."""
    return await _suppression(staff)


async def _suppression(staff: Staff, error: str = "", status: int = 200, **typed: str) -> Response:
    from outreach.web.data.matching import says

    params = staff.request.query_params
    search, reason = params.get("q", "").strip()[:200], params.get("reason", "")
    query = select(SUPPRESSION).order_by(SUPPRESSION.c.at.desc(), SUPPRESSION.c.id.desc()).limit(200)
    if search:
        query = query.where(says(search, SUPPRESSION.c.address, SUPPRESSION.c.key))
    if reason:
        query = query.where(SUPPRESSION.c.reason == reason)
    async with staff.app.db.read() as conn:
        rows = (await conn.execute(query)).all()
        names = await user_names(conn)
    return await staff.render(
        "suppression.html",
        status=status,
        tabs=tabs(staff),
        rows=rows,
        search=search,
        reason=reason,
        error=error,
        names=names,
        typed={"entry": "", "off": "", "why": ""} | typed,
    )


@router.action("/settings/suppression", Permission.SUPPRESSION_ADD)
async def suppress(staff: Staff) -> Response:
    """Add an address or a domain by hand."""
    entry = str((await staff.form()).get("entry", "")).strip()[:320]
    try:
        await staff.app.suppression.add(entry, source="staff", now=staff.now, actor=staff.actor)
    except ValueError as error:
        return await _suppression(staff, in_words(error, staff.lang), 422, entry=entry)
    return staff.done("/settings/suppression", N_("Added: it holds for every list."))


@router.action("/settings/suppression/remove", Permission.SUPPRESSION_REMOVE)
async def unsuppress(staff: Staff) -> Response:
    """Take an entry off the list; a wish of the person's own needs a reason."""
    form = await staff.form()
    entry, why = str(form.get("entry", "")).strip()[:320], str(form.get("why", "")).strip()[:500]
    if not why:
        return await _suppression(staff, staff.say(N_("Say why: it is kept in the audit trail.")), 422, off=entry)
    try:
        there = await staff.app.suppression.remove(entry, now=staff.now, force=True, why=why, actor=staff.actor)
    except (ValueError, SuppressionHeld) as error:
        return await _suppression(staff, in_words(error, staff.lang), 422, off=entry, why=why)
    if not there:
        told = staff.say(N_("It is not on the list. Look at how it is written there."))
        return await _suppression(staff, told, 422, off=entry, why=why)
    return staff.done("/settings/suppression", N_("Removed."))


@router.page("/settings/audit", Permission.AUDIT_VIEW)
async def audit(staff: Staff) -> Response:
    """The trail, newest first."""
    params = staff.request.query_params
    before, actor = id_of(params.get("before")), id_of(params.get("actor"))
    where: dict[str, Any] = {}
    if params.get("action"):
        where["action"] = params["action"][:80]
    if actor is not None:
        where["actor_id"] = actor
    rows = await staff.app.access.entries(limit=50, before=before, where=where)
    head = await staff.app.access.head()
    async with staff.app.db.read() as conn:
        names = await user_names(conn)
    return await staff.render(
        "audit.html", tabs=tabs(staff), rows=rows, head=head, names=names, action=params.get("action", "")
    )


@router.page("/settings/audit/verify", Permission.AUDIT_VIEW)
async def verify(staff: Staff) -> Response:
    """Walk the whole chain; it may take seconds, so it loads by itself."""
    fault = await staff.app.access.verify()
    head = await staff.app.access.head()
    return await staff.render("part_verify.html", fault=fault, head=head)


@router.page("/settings/audit/sample", Permission.AUDIT_VIEW)
async def sample(staff: Staff) -> Response:
    """A random sample for a spot check."""
    rows = await staff.app.access.sample(20)
    async with staff.app.db.read() as conn:
        names = await user_names(conn)
    return await staff.render("part_audit.html", rows=rows, names=names)


@router.page("/settings/audit/head.txt", Permission.AUDIT_VIEW)
async def head(staff: Staff) -> Response:
    """The end of the chain, to be kept elsewhere: with it, even a rewritten chain is found out."""
    told = await staff.app.access.head()
    text = f"outreach audit head\ncount {told.count}\nhash {told.hash}\nat {staff.now.isoformat()}\n"
    return PlainTextResponse(text, headers={"content-disposition": 'attachment; filename="audit-head.txt"'})


def safe_cell(value: object) -> str:
    """A cell that no spreadsheet takes for a formula (CVE-2026-55154): also after blanks and in full width."""
    text = "" if value is None else str(value)
    first = text.lstrip()[:1]
    return "'" + text if first in tuple("=+-@＝＋－＠") or text[:1] in ("\t", "\r", "\n") else text


def csv_lines(rows: Iterable[Sequence[Any]]) -> str:
    """Lines of a CSV; no cell is a formula."""
    out = io.StringIO()
    csv.writer(out).writerows([safe_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def csv_answer(name: str, header: list[str], rows: Any) -> Response:
    """A CSV with a BOM, so that Excel reads UTF-8."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response("\ufeff" + csv_lines([header, *rows]), media_type="text/csv; charset=utf-8", headers=headers)


ZONES = sorted(
    name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "posix", "right"))
)
