"""Customers: companies, contacts, their timelines; tags, owners and inline changes with a way back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from starlette.datastructures import FormData

from outreach.access.roles import Held, Permission
from outreach.audience import segment
from outreach.web.data import contacts as data
from outreach.web.data.people import full_name, zone_of
from outreach.web.data.scope import held
from outreach.web.data.tables import CONTACT
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff, read_undo
from outreach.web.security import local_path
from outreach.web.undos import UNDOS

router = Pages()

#: What can be changed in its place, and how it is shown: field → kind of input.
CONTACT_FIELDS = {
    "first_name": "text", "last_name": "text", "country": "text", "city": "text", "industry": "text", "language": "text",
    "grade": "grade", "intent": "intent", "phone": "tel", "note": "area",
}  # fmt: skip
#: Of these the trail keeps what stood there before: they classify, they do not describe a person.
CLASSIFYING = frozenset({"country", "industry", "language", "grade", "intent", "region"})
#: Rows changed at once by ticks: what a page holds.
MOST_TICKED = 200


@router.page("/customers", Permission.CONTACTS_VIEW)
async def companies(staff: Staff) -> Response:
    """The list of companies."""
    wanted = data.Wanted.of(staff, "name", data.COMPANY_SORTS)
    async with staff.app.db.read() as conn:
        rows, total, error = await _guarded(staff, data.companies, conn, wanted)
    return await staff.render("customers.html", rows=rows, total=total, wanted=wanted, error=error, limit=data.PAGE)


@router.page("/contacts", Permission.CONTACTS_VIEW)
async def contacts(staff: Staff) -> Response:
    """The list of contacts."""
    wanted = data.Wanted.of(staff)
    async with staff.app.db.read() as conn:
        rows, total, error = await _guarded(staff, data.contacts, conn, wanted)
        tags = await data.tags_of(conn, [row.id for row in rows])
        context: dict[str, Any] = {"known_tags": await data.all_tags(conn), "assignees": await data.assignees(conn)}
    return await staff.render(
        "contacts.html", rows=rows, total=total, wanted=wanted, error=error, tags=tags, limit=data.PAGE,
        full_name=full_name, **context,
    )  # fmt: skip


async def _guarded(staff: Staff, query: Any, conn: Any, wanted: data.Wanted) -> tuple[Any, int, str]:
    """A segment text with a fault shows an empty list and where the fault is."""
    try:
        rows, total = await query(conn, staff, wanted)
    except segment.SegmentError as error:
        return [], 0, f"{error.message(staff.lang)}\n{error.pointer()}"
    return rows, total, ""


@router.page("/contacts/{contact_id:int}", Permission.CONTACTS_VIEW)
async def contact(staff: Staff, contact_id: int) -> Response:
    """A person: facts, addresses, timeline, what is next."""
    async with staff.app.db.read() as conn:
        row = await data.contact(conn, contact_id)
        if row is None:
            raise HTTPException(404)
    staff.need(Permission.CONTACTS_VIEW, await held(staff, row.owner_id))
    async with staff.app.db.read() as conn:
        context: dict[str, Any] = {
            "addresses": await data.addresses(conn, contact_id),
            "tags": (await data.tags_of(conn, [contact_id])).get(contact_id, []),
            "timeline": await data.timeline(conn, contact_id=contact_id),
            "tasks": await data.open_tasks(conn, contact_id),
            "assignees": await data.assignees(conn),
            "known_tags": await data.all_tags(conn),
        }
    editable = staff.may(Permission.CONTACTS_EDIT, await held(staff, row.owner_id))
    return await staff.render(
        "contact.html", row=row, name=full_name(row.first_name, row.last_name, "?"), editable=editable,
        tz_there=zone_of(row.country, row.city), fields=CONTACT_FIELDS, **context,
    )  # fmt: skip


@router.action("/contacts/{contact_id:int}/edit", Permission.CONTACTS_EDIT)
async def edit_contact(staff: Staff, contact_id: int) -> Response:
    """Change one field in its place."""
    await _need_contact(staff, contact_id)
    field, value = await _one_field(staff, CONTACT_FIELDS)
    before = await staff.app.audience.edit(contact_id, {field: value}, staff.now)
    record_edit(staff, field, before, value)
    undo = {"do": "contact.edit", "id": contact_id, "values": before}
    return staff.done(f"/contacts/{contact_id}", N_("Changed."), undo=undo)


def record_edit(staff: Staff, field: str, before: Mapping[str, Any], value: str) -> None:
    """Before and after of what classifies a customer; of what describes a person only that it was changed."""
    if field in CLASSIFYING:
        staff.record(before={field: before.get(field)}, after={field: value})
    else:
        staff.record(after={"field": field})


async def _one_field(staff: Staff, allowed: dict[str, str]) -> tuple[str, str]:
    form = await staff.form()
    field = str(form.get("field", ""))
    if field not in allowed:
        raise HTTPException(404)
    return field, str(form.get("value", ""))[:10_000]


async def _need_contact(staff: Staff, contact_id: int) -> None:
    async with staff.app.db.read() as conn:
        row = await data.contact(conn, contact_id)
    if row is None:
        raise HTTPException(404)
    staff.need(Permission.CONTACTS_EDIT, await held(staff, row.owner_id))


@router.action("/contacts/bulk/tag", Permission.CONTACTS_EDIT)
async def tag(staff: Staff) -> Response:
    """Tag or untag the ticked contacts."""
    form = await staff.form()
    ids = await _ticked(staff, form, Permission.CONTACTS_EDIT)
    names = [name.strip() for name in str(form.get("tag", "")).replace("；", ";").split(";") if name.strip()][:20]
    to = local_path(str(form.get("next", "")), "/contacts")
    if not ids or not names:
        return staff.done(to)
    if form.get("how") == "untag":
        await staff.app.audience.untag(ids, names)
        staff.record(before={"ids": ids, "tags": names})
        undo = {"do": "tag", "ids": ids, "names": names}
        return staff.done(to, N_("Tag removed from %(count)s people."), undo=undo, count=len(ids))
    await staff.app.audience.tag(ids, names)
    staff.record(after={"ids": ids, "tags": names})
    undo = {"do": "untag", "ids": ids, "names": names}
    return staff.done(to, N_("%(count)s people tagged."), undo=undo, count=len(ids))


@router.action("/contacts/bulk/assign", Permission.CONTACTS_ASSIGN)
async def assign(staff: Staff) -> Response:
    """Give the ticked contacts to an owner."""
    form = await staff.form()
    ids = await _ticked(staff, form, Permission.CONTACTS_ASSIGN)
    to = local_path(str(form.get("next", "")), "/contacts")
    owner = str(form.get("owner", ""))
    if not ids or not owner.isdecimal():
        return staff.done(to)
    before = await _owners(staff, ids)
    await staff.app.audience.assign(ids, int(owner), staff.now)
    staff.record(before={"owners": [[number, was] for number, was in before.items()]}, after={"owner_id": int(owner)})
    undo = {"do": "assign", "owners": [[number, was] for number, was in before.items()]}
    return staff.done(to, N_("%(count)s people assigned."), undo=undo, count=len(ids))


async def _owners(staff: Staff, ids: list[int]) -> dict[int, int | None]:
    from sqlalchemy import select

    table = CONTACT
    async with staff.app.db.read() as conn:
        rows = await conn.execute(select(table.c.id, table.c.owner_id).where(table.c.id.in_(ids)))
        return {row.id: row.owner_id for row in rows}


async def _ticked(staff: Staff, form: FormData, permission: Permission) -> list[int]:
    """The ticked contacts, each checked: one that may not be changed refuses them all."""
    ids = sorted({int(str(value)) for value in form.getlist("id") if str(value).isdecimal()})[:MOST_TICKED]
    for owner in set((await _owners(staff, ids)).values()):
        staff.need(permission, await held(staff, owner))
    return ids


@router.action("/undo", Permission.ACCOUNT)
async def undo(staff: Staff) -> Response:
    """Take back what was just done. The signed words were made by this session; permissions are asked again."""
    form = await staff.form()
    to = local_path(str(form.get("next", "")), "/")
    told = read_undo(staff, str(form.get("undo", "")))
    if told is None:
        return staff.done(to, N_("Too late to undo."))
    await _undo(staff, told)
    staff.record(after={key: told[key] for key in ("do", "id", "ids") if key in told})
    return staff.done(to, N_("Undone."))


async def _undo(staff: Staff, told: dict[str, Any]) -> None:
    audience = staff.app.audience
    if told["do"] == "contact.edit":
        await _need_contact(staff, told["id"])
        await audience.edit(told["id"], told["values"], staff.now)
    elif told["do"] in ("tag", "untag"):
        staff.need(Permission.CONTACTS_EDIT)
        await getattr(audience, told["do"])(told["ids"], told["names"])
    elif told["do"] == "assign":
        staff.need(Permission.CONTACTS_ASSIGN)
        for owner in {was for _, was in told["owners"]}:
            await audience.assign([number for number, was in told["owners"] if was == owner], owner, staff.now)
    elif told["do"] == "inbound.reopen":
        staff.need(Permission.INBOX_ANSWER)
        from outreach.web.pages.inbox import answers

        await answers().reopen(staff.app, told["id"], staff.actor, staff.now)
    elif told["do"] == "task.reopen":
        staff.need(Permission.TASKS_EDIT, Held(told["owner"]))
        await staff.app.crm.reopen(told["id"])
    elif told["do"] in UNDOS:
        await UNDOS[told["do"]](staff, told)
