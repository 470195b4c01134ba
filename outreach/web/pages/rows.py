"""A value in the row of a list, changed in its place: saved at once, with a way back, never over somebody else's change."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import select

from outreach.access.roles import Permission
from outreach.audience.people.edit import EditRefused, Overtaken
from outreach.audience.regions import countries_of
from outreach.audience.regions import country_name as name_of
from outreach.model.enums import Region
from outreach.web.data import contacts as data
from outreach.web.data import views
from outreach.web.data.people import full_name
from outreach.web.data.scope import held
from outreach.web.data.tables import COMPANY, CONTACT
from outreach.web.i18n import N_
from outreach.web.ids import id_of
from outreach.web.pages.customers import record_edit
from outreach.web.routing import Pages, Staff, sign_undo
from outreach.web.undos import undoes
from outreach.web.words import INTENT

router = Pages()
#: What can be changed in a row; the owner needs a permission of its own.
CONTACT_CELLS = ("grade", "intent", "tags", "country", "industry", "owner_id")
COMPANY_CELLS = ("grade", "country", "industry", "owner_id")
MOST_TAGS = 20


@lru_cache(maxsize=2)
def _countries(lang: str) -> tuple[tuple[str, str], ...]:
    codes = [code for region in Region for code in countries_of(region)]
    return tuple(sorted(((code, name_of(code, lang)) for code in codes), key=lambda pair: pair[1]))


async def _choices(staff: Staff, field: str) -> Sequence[tuple[str, str]] | None:
    """What can be chosen; None where it is written."""
    nothing = ("", "–")
    if field == "grade":
        return [nothing, *((grade, grade) for grade in "ABCD")]
    if field == "intent":
        return [nothing, *((key, staff.say(words)) for key, (words, _) in INTENT.items())]
    if field == "country":
        return [nothing, *_countries(staff.lang)]
    if field == "owner_id":
        async with staff.app.db.read() as conn:
            people = await data.assignees(conn)
        return [nothing, *((str(one.id), one.display_name or one.name) for one in people)]
    return None


def _needed(field: str) -> Permission:
    return Permission.CONTACTS_ASSIGN if field == "owner_id" else Permission.CONTACTS_EDIT


async def _owner_of(staff: Staff, which: Any, number: int, permission: Permission) -> Any:
    """The row, if it is there and this person may do that to it."""
    async with staff.app.db.read() as conn:
        row = (await conn.execute(select(which).where(which.c.id == number))).one_or_none()
    if row is None:
        raise HTTPException(404)
    staff.need(permission, await held(staff, row.owner_id))
    return row


async def _tags(staff: Staff, contact_id: int) -> list[str]:
    async with staff.app.db.read() as conn:
        found = (await data.tags_of(conn, [contact_id])).get(contact_id, [])
    return sorted(tag.name for tag in found if tag.kind == "tag")


def _split(text: str) -> list[str]:
    """Tags as people write them, each once."""
    parts = text.replace("；", ";").replace("，", ";").replace(",", ";").split(";")
    return sorted(dict.fromkeys(part.strip()[:60] for part in parts if part.strip()))[:MOST_TAGS]


# ---- rows


async def _contact_row(staff: Staff, number: int, status: int = 200, **more: Any) -> Response:
    async with staff.app.db.read() as conn:
        rows, tags = await data.contact_rows(conn, [number]), await data.tags_of(conn, [number])
    context = {"columns": views.columns(staff), "all_columns": views.COLUMNS, "full_name": full_name, "tags": tags}
    return await staff.render("part_contact_row.html", status=status, row=rows[0], **(context | more))


async def _company_row(staff: Staff, number: int, status: int = 200, **more: Any) -> Response:
    async with staff.app.db.read() as conn:
        row = await data.company_row(conn, number)
    return await staff.render("part_company_row.html", status=status, row=row, **more)


@router.page("/contacts/{contact_id:int}/row", Permission.CONTACTS_VIEW)
async def contact_row(staff: Staff, contact_id: int) -> Response:
    """The row as it stands."""
    await _owner_of(staff, CONTACT, contact_id, Permission.CONTACTS_VIEW)
    return await _contact_row(staff, contact_id, field=staff.request.query_params.get("field", "")[:20])


@router.page("/customers/{company_id:int}/row", Permission.CONTACTS_VIEW)
async def company_row(staff: Staff, company_id: int) -> Response:
    """The row as it stands."""
    await _owner_of(staff, COMPANY, company_id, Permission.CONTACTS_VIEW)
    return await _company_row(staff, company_id, field=staff.request.query_params.get("field", "")[:20])


# ---- the field


def _field(given: Any, allowed: Sequence[str]) -> str:
    field = str(given or "")
    if field not in allowed:
        raise HTTPException(404)
    return field


@router.page("/contacts/{contact_id:int}/cell", Permission.CONTACTS_EDIT)
async def contact_cell(staff: Staff, contact_id: int) -> Response:
    """One value of a contact as a field."""
    field = _field(staff.request.query_params.get("field", "grade"), CONTACT_CELLS)
    row = await _owner_of(staff, CONTACT, contact_id, _needed(field))
    seen = "; ".join(await _tags(staff, contact_id)) if field == "tags" else str(row._mapping[field] or "")
    choices = await _choices(staff, field)
    return await staff.render(
        "part_cell_edit.html", base="/contacts", row_id=contact_id, field=field, seen=seen, choices=choices
    )


@router.page("/customers/{company_id:int}/cell", Permission.CONTACTS_EDIT)
async def company_cell(staff: Staff, company_id: int) -> Response:
    """One value of a company as a field."""
    field = _field(staff.request.query_params.get("field", "grade"), COMPANY_CELLS)
    row = await _owner_of(staff, COMPANY, company_id, _needed(field))
    seen, choices = str(row._mapping[field] or ""), await _choices(staff, field)
    return await staff.render(
        "part_cell_edit.html", base="/customers", row_id=company_id, field=field, seen=seen, choices=choices
    )


# ---- saving it


async def _given(staff: Staff, number: int, allowed: Sequence[str]) -> tuple[str, str, str]:
    """Field, what the person wrote, what they saw before."""
    form = await staff.form()
    field = _field(form.get("field"), allowed)
    name = f"value-{number}-{field}"
    if name not in form:
        raise HTTPException(422)  # a request without a value says nothing: it must not empty what stands there
    return field, str(form[name]).strip()[:400], str(form.get("seen", ""))[:2000]


def _stored(field: str, text: str) -> Any:
    """What the database holds for a value of the page. Raises 404 for an owner that is no number."""
    if field != "owner_id":
        return text or None
    if text and id_of(text) is None:
        raise HTTPException(404)
    return id_of(text)


async def _owner_there(staff: Staff, field: str, value: Any) -> None:
    """Raise 404 for an owner whom nothing can be given to."""
    if field == "owner_id" and value is not None:
        async with staff.app.db.read() as conn:
            if value not in {one.id for one in await data.assignees(conn)}:
                raise HTTPException(404)


def _refusal(staff: Staff, error: EditRefused | Overtaken) -> dict[str, Any]:
    """Status and words of what was not saved."""
    if isinstance(error, EditRefused):
        return {
            "status": 422,
            "told": f"{staff.say(N_('Not saved.'))} {error.reason(staff.lang)}",
            "field": error.field,
        }
    told = staff.say(N_("Not saved: somebody else changed it meanwhile. This is how it stands now."))
    return {"status": 409, "told": told, "field": error.field}


@router.action("/contacts/{contact_id:int}/cell", Permission.CONTACTS_EDIT)
async def change_contact(staff: Staff, contact_id: int) -> Response:
    """Save one value of a contact, if it still is what the person saw."""
    field, text, seen = await _given(staff, contact_id, CONTACT_CELLS)
    await _owner_of(staff, CONTACT, contact_id, _needed(field))
    try:
        if field == "tags":
            undo = await _retag(staff, contact_id, _split(text), _split(seen))
        else:
            value = _stored(field, text)
            await _owner_there(staff, field, value)
            before = await staff.app.audience.edit(contact_id, {field: value}, staff.now, {field: _stored(field, seen)})
            record_edit(staff, field, before, text)
            undo = {"do": "contact.edit", "id": contact_id, "values": before}
    except (EditRefused, Overtaken) as error:
        return await _contact_row(staff, contact_id, **_refusal(staff, error))
    told, way_back = staff.say(N_("Changed.")), sign_undo(staff, undo)
    return await _contact_row(staff, contact_id, told=told, undo=way_back, field=field)


@router.action("/customers/{company_id:int}/cell", Permission.CONTACTS_EDIT)
async def change_company(staff: Staff, company_id: int) -> Response:
    """Save one value of a company, if it still is what the person saw; a new owner gets its people and open work."""
    field, text, seen = await _given(staff, company_id, COMPANY_CELLS)
    row = await _owner_of(staff, COMPANY, company_id, _needed(field))
    value = _stored(field, text)
    try:
        if field == "owner_id" and value is not None:
            await _owner_there(staff, field, value)
            if row.owner_id != _stored(field, seen):
                raise Overtaken(field, row.owner_id)
            items = await staff.app.owners.assign([company_id], value, staff.actor, staff.now)
            undo: dict[str, Any] = {"do": "owners", "items": items}
        else:
            before = await staff.app.audience.edit_company(
                company_id, {field: value}, staff.now, {field: _stored(field, seen)}
            )
            record_edit(staff, field, before, text)
            undo = {"do": "company.edit", "id": company_id, "values": before}
    except (EditRefused, Overtaken) as error:
        return await _company_row(staff, company_id, **_refusal(staff, error))
    told, way_back = staff.say(N_("Changed.")), sign_undo(staff, undo)
    return await _company_row(staff, company_id, told=told, undo=way_back, field=field)


async def _retag(staff: Staff, contact_id: int, wanted: list[str], seen: list[str]) -> dict[str, Any]:
    """Give a contact these tags instead of those. Raises Overtaken."""
    there = await _tags(staff, contact_id)
    if there != seen:
        raise Overtaken("tags", there)
    gone, new = [name for name in there if name not in wanted], [name for name in wanted if name not in there]
    if gone:
        await staff.app.audience.untag([contact_id], gone)
    if new:
        await staff.app.audience.tag([contact_id], new)
    staff.record(before={"tags": there}, after={"tags": wanted})
    return {"do": "contact.tags", "id": contact_id, "back": gone, "away": new}


@undoes("contact.tags")
async def undo_tags(staff: Staff, told: dict[str, Any]) -> None:
    """Give the old tags back."""
    await _owner_of(staff, CONTACT, told["id"], Permission.CONTACTS_EDIT)
    if told["away"]:
        await staff.app.audience.untag([told["id"]], told["away"])
    if told["back"]:
        await staff.app.audience.tag([told["id"]], told["back"])
