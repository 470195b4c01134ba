"""A customer's file in full: facts, people, deals, orders, files, cases, owner, and one timeline of everything."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from fastapi import HTTPException
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from outreach.access.roles import Held, Permission
from outreach.access.store import append_audit
from outreach.audience.people.edit import EditRefused
from outreach.crm.calls.number import CHANNELS, ChannelRefused, channel_link, channel_value, shown_number, tel_link
from outreach.crm.files.store import MOST_BYTES, FileRefused, Upload
from outreach.crm.owners.collide import Known
from outreach.crm.store import note
from outreach.web.assignee import assignee
from outreach.web.data import contacts as data
from outreach.web.data import customer as file
from outreach.web.data.inbox import to_answer
from outreach.web.data.people import full_name, user_names, zone_of
from outreach.web.data.scope import held
from outreach.web.data.tables import INBOUND
from outreach.web.i18n import N_, in_words
from outreach.web.ids import id_of
from outreach.web.pages.customers import record_edit, refusal
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes

router = Pages()

COMPANY_FIELDS = {
    "name": "text",
    "country": "text",
    "city": "text",
    "industry": "text",
    "grade": "grade",
    "intent": "intent",
    "source": "text",
    "phone": "tel",
    "note": "area",
}
#: What can be written into the timeline by hand.
NOTES = ("note", "meeting", "sample", "quotation")
#: Files that a browser shows without running anything; all others are downloaded.
SHOWN = ("image/png", "image/jpeg", "image/webp", "application/pdf")


async def found(staff: Staff, company_id: int, permission: Permission) -> Any:
    """Return the company if this person may do that to it. Raises 404, AccessDenied."""
    async with staff.app.db.read() as conn:
        row = await data.company(conn, company_id)
    if row is None:
        raise HTTPException(404)
    staff.need(permission, await held(staff, row.owner_id))
    return row


@router.page("/customers/{company_id:int}", Permission.CONTACTS_VIEW)
async def company(staff: Staff, company_id: int) -> Response:
    """The file."""
    row = await found(staff, company_id, Permission.CONTACTS_VIEW)
    if row.merged_into:
        return staff.done(f"/customers/{row.merged_into}", N_("These two customers were merged."))
    return await company_page(staff, row)


async def company_page(
    staff: Staff, row: Any, error: str = "", status: int = 200, deal: Mapping[str, str] | None = None
) -> Response:
    """The file; `error` says why something was refused, `deal` is what was typed of a new one."""
    params = staff.request.query_params
    group = params.get("show", "")
    group = group if group in file.GROUPS else ""
    mine = await held(staff, row.owner_id)
    # who else this may be takes a walk over all customers: beside the rest of the page
    facts, people, alike = await asyncio.gather(_facts(staff, row), _people(staff, row), _alike(staff, row))
    context = facts | people | {"alike": alike}
    async with staff.app.db.read() as conn:
        lines, more = await file.timeline(conn, row.id, group, file.Mark.read(params.get("before", "")))
    return await staff.render(
        "company.html", status=status, row=row, lines=lines, more=more, group=group, groups=list(file.GROUPS),
        editable=staff.may(Permission.CONTACTS_EDIT, mine), may_deal=staff.may(Permission.DEALS_EDIT, mine),
        may_case=staff.may(Permission.SERVICE_EDIT, mine), fields=COMPANY_FIELDS, notes=NOTES, error=error,
        full_name=full_name, tz_there=zone_of(row.country, row.city), most=MOST_BYTES,
        deal_typed={"title": "", "amount": "", "currency": staff.app.money.currency} | dict(deal or {}), deal_open=deal is not None,
        **context,
    )  # fmt: skip


async def _facts(staff: Staff, row: Any) -> dict[str, Any]:
    async with staff.app.db.read() as conn:
        deals = await file.deals(conn, row.id) if staff.may(Permission.DEALS_VIEW) else []
        orders = await file.orders(conn, row.id)
        told: dict[str, Any] = {
            "deals": deals,
            "orders": orders,
            "surveys": await file.surveys(conn, [order.id for order in orders]),
            "files": await file.files(conn, row.id),
            "cases": await file.cases(conn, row.id),
            "tasks": await file.tasks(conn, row.id),
            "interests": await file.interests(conn, row.id),
            "waiting": await to_answer(conn, staff, INBOUND.c.company_id == row.id),
            "assignees": await data.assignees(conn),
            "names": await user_names(conn),
            "parts": await file.parts(conn, row.id),
        }
    total, without_rate = staff.app.money.total([(order.amount, order.currency) for order in orders])
    told |= {"total": total, "without_rate": without_rate, "currency": staff.app.money.currency}
    told["owners"] = await staff.app.owners.history(row.id)
    told["reviews"] = await staff.app.grades.history(row.id)
    told["at_work"] = await staff.app.owners.at_work(row.id, row.owner_id, staff.now)
    return told


async def _alike(staff: Staff, row: Any) -> Any:
    known = Known(row.id, row.name, row.domain, row.country, (row.phone,) if row.phone else ())
    return await staff.app.owners.find_collisions(known)


async def _people(staff: Staff, row: Any) -> dict[str, Any]:
    async with staff.app.db.read() as conn:
        people = await data.people_of(conn, row.id)
    reach = {
        person.id: {
            "phone": shown_number(person.phone, person.country),
            "tel": tel_link(person.phone, person.country),
            "channels": [
                (channel, value, channel_link(channel, str(value), person.country))
                for channel in CHANNELS
                if (value := (person.attributes or {}).get(channel))
            ],
        }
        for person in people
    }
    return {"people": people, "reach": reach}


@router.action("/customers/{company_id:int}/edit", Permission.CONTACTS_EDIT)
async def edit_company(staff: Staff, company_id: int) -> Response:
    """Change one field of a company in its place."""
    row = await found(staff, company_id, Permission.CONTACTS_EDIT)
    form = await staff.form()
    field = str(form.get("field", ""))
    if field not in COMPANY_FIELDS:
        raise HTTPException(404)
    try:
        changes = {field: str(form.get("value", ""))[:10_000]}
        if field == "phone":
            changes[field] = channel_value("phone", changes[field], row.country)
        before = await staff.app.audience.edit_company(company_id, changes, staff.now)
    except (ChannelRefused, EditRefused) as refused:
        return await company_page(staff, row, refusal(staff, refused), 422)
    record_edit(staff, field, before, changes[field])
    undo = {"do": "company.edit", "id": company_id, "values": before}
    return staff.done(f"/customers/{company_id}", N_("Changed."), undo=undo)


@router.action("/customers/{company_id:int}/note", Permission.CONTACTS_EDIT)
async def add_note(staff: Staff, company_id: int) -> Response:
    """Write a note, a meeting, a sample or a quotation into the timeline."""
    row = await found(staff, company_id, Permission.CONTACTS_EDIT)
    form = await staff.form()
    kind, text = str(form.get("kind", "note")), str(form.get("text", "")).strip()[:5000]
    if kind not in NOTES:
        raise HTTPException(404)
    if not text:
        return await company_page(staff, row, staff.say(N_("Write something first.")), 422)
    contact = id_of(form.get("contact"))
    async with staff.app.db.write() as conn:
        people = {one.id for one in await data.people_of(conn, company_id)}
        await note(conn, kind, text, staff.now, company_id=company_id, user_id=staff.actor.id,
                   contact_id=contact if contact in people else None)  # fmt: skip
    return staff.done(f"/customers/{company_id}#timeline", N_("Noted."))


@router.action("/customers/{company_id:int}/assign", Permission.CONTACTS_ASSIGN)
async def assign(staff: Staff, company_id: int) -> Response:
    """Give the customer to another owner, with the open work."""
    await found(staff, company_id, Permission.CONTACTS_ASSIGN)
    owner = await assignee(staff, str((await staff.form()).get("owner", "")))
    undo = await staff.app.owners.assign([company_id], owner, staff.actor, staff.now)
    told = {"do": "owners", "items": undo}
    return staff.done(f"/customers/{company_id}", N_("Assigned, with the open work."), undo=told)


@undoes("owners")
async def undo_assign(staff: Staff, told: dict[str, Any]) -> None:
    """Give customers back."""
    staff.need(Permission.CONTACTS_ASSIGN)
    await staff.app.owners.take_back(told["items"], staff.actor, staff.now)


@router.action("/customers/files/of/{company_id:int}", Permission.CONTACTS_EDIT)
async def add_file(staff: Staff, company_id: int) -> Response:
    """Put a file into the folder."""
    row = await found(staff, company_id, Permission.CONTACTS_EDIT)
    given = (await staff.form()).get("file")
    try:
        if not isinstance(given, UploadFile):
            raise FileRefused("empty")
        content = await given.read(MOST_BYTES + 1)
        await given.close()
        upload = Upload(given.filename or "file", content)
        number = await staff.app.files.attach(company_id, upload, staff.actor, staff.now)
    except FileRefused as refused:
        words = {"empty": N_("The file is empty."), "large": N_("A file has at most 20 MB.")}
        return await company_page(staff, row, staff.say(words[refused.code]), 422)
    undo = {"do": "file", "id": number, "company": company_id}
    return staff.done(f"/customers/{company_id}#files", N_("The file is in the folder."), undo=undo)


@undoes("file")
async def undo_file(staff: Staff, told: dict[str, Any]) -> None:
    """Take a file out again."""
    await found(staff, told["company"], Permission.CONTACTS_EDIT)
    await staff.app.files.remove(told["id"], staff.actor, staff.now)


@router.page("/customers/files/{file_id:int}", Permission.CONTACTS_VIEW)
async def show_file(staff: Staff, file_id: int) -> Response:
    """A file: pictures and PDF as they are, all else as a download. Nothing in it is run."""
    row = await staff.app.files.get(file_id)
    if row is None:
        raise HTTPException(404)
    await found(staff, row.company_id, Permission.CONTACTS_VIEW)
    async with staff.app.db.write() as conn:  # shown or saved, it has left the house (B4)
        after = {"company_id": row.company_id}
        await append_audit(conn, staff.actor, "file.exported", "attachment", file_id, now=staff.now, after=after)
    shown = row.media_type in SHOWN
    way = "inline" if shown else "attachment"
    headers = {
        "content-disposition": f"{way}; filename*=UTF-8''{quote(row.name)}",
        "content-security-policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
    }
    return Response(row.content, media_type=row.media_type if shown else "application/octet-stream", headers=headers)


@router.action("/customers/{company_id:int}/merge", Permission.CONTACTS_EDIT)
async def merge(staff: Staff, company_id: int) -> Response:
    """Make another customer a part of this one, with everything that hangs on it."""
    await found(staff, company_id, Permission.CONTACTS_EDIT)
    other = id_of((await staff.form()).get("other"))
    if other is None:
        raise HTTPException(404)
    await found(staff, other, Permission.CONTACTS_EDIT)
    try:
        await staff.app.audience.merge(company_id, other, staff.now)
    except (LookupError, ValueError) as error:
        raise HTTPException(409, in_words(error, staff.lang)) from error
    both = {"keep": company_id, "drop": other}
    staff.record(before=both | {"merged_into": None}, after=both | {"merged_into": company_id})
    told = {"do": "merge", "keep": company_id, "drop": other}
    return staff.done(f"/customers/{company_id}", N_("Merged: everything stands here now."), undo=told)


@undoes("merge")
async def undo_merge(staff: Staff, told: dict[str, Any]) -> None:
    """Take a merge apart."""
    await found(staff, told["keep"], Permission.CONTACTS_EDIT)
    await staff.app.audience.take_apart(told["drop"], staff.now)


@router.action("/customers/{company_id:int}/take-apart", Permission.CONTACTS_EDIT)
async def take_apart(staff: Staff, company_id: int) -> Response:
    """Take a merge back, also long after."""
    await found(staff, company_id, Permission.CONTACTS_EDIT)
    other = id_of((await staff.form()).get("other"))
    async with staff.app.db.read() as conn:
        row = await data.company(conn, other) if other is not None else None
    if row is None or row.merged_into != company_id:
        raise HTTPException(404)
    await staff.app.audience.take_apart(row.id, staff.now)
    return staff.done(f"/customers/{row.id}", N_("Taken apart: what came from it stands here again."))


@undoes("company.edit")
async def undo_edit(staff: Staff, told: dict[str, Any]) -> None:
    """Put a company's fields back."""
    await found(staff, told["id"], Permission.CONTACTS_EDIT)
    await staff.app.audience.edit_company(told["id"], told["values"], staff.now)


@router.action("/customers/{company_id:int}/tasks", Permission.TASKS_EDIT)
async def add_task(staff: Staff, company_id: int) -> Response:
    """Make a task for this customer: one's own, or its owner's."""
    row = await found(staff, company_id, Permission.CONTACTS_VIEW)
    form = await staff.form()
    title = str(form.get("title", "")).strip()[:200]
    kind = str(form.get("kind", "other"))
    if not title or kind not in ("call", "mail", "meeting", "sample", "other"):
        return await company_page(staff, row, staff.say(N_("Write what is to be done.")), 422)
    from outreach.crm.store import add_task as make

    due = due_of(staff, str(form.get("due", "")))
    wide = staff.may(Permission.TASKS_EDIT, Held(row.owner_id))
    owner = row.owner_id if wide and row.owner_id else staff.actor.id
    async with staff.app.db.write() as conn:
        number = await make(conn, kind, title, staff.now, owner_id=owner, company_id=company_id, due=due)
    return staff.done(f"/customers/{company_id}", N_("Task made."), undo={"do": "task.drop", "id": number})


def due_of(staff: Staff, text: str) -> datetime | str:
    """A day that was chosen, at the close of it in the person's zone; the same working day where none was."""
    from zoneinfo import ZoneInfo

    try:
        day = datetime.fromisoformat(text)
    except ValueError:
        return "same_working_day"
    if len(text) <= 10:
        day = day.replace(hour=18)
    moment = day.replace(tzinfo=ZoneInfo(staff.tz)) if day.tzinfo is None else day
    return moment if moment > staff.now else staff.now + timedelta(minutes=30)


@undoes("task.drop")
async def undo_task(staff: Staff, told: dict[str, Any]) -> None:
    """Drop a task that was just made."""
    staff.need(Permission.TASKS_EDIT)
    await staff.app.crm.finish(told["id"], staff.now, outcome="undone", dropped=True)
