"""Two contacts that are one person: choose the other, see both side by side with what will stand, merge, undo."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.app.same_person import merge_contacts, take_apart
from outreach.crm.same_person.store import NotOne
from outreach.crm.same_person.wishes import joined
from outreach.web.data import contacts as data
from outreach.web.data.people import full_name
from outreach.web.data.scope import held
from outreach.web.i18n import N_, in_words
from outreach.web.ids import id_of
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes

router = Pages()
#: Contacts that a search offers.
MOST = 12
#: What is compared line by line, as the contact's page calls it.
SHOWN = (
    "first_name", "last_name", "country", "city", "industry", "language", "grade", "intent", "phone", "birthday", "note",
)  # fmt: skip


async def _mine(staff: Staff, contact_id: int | None) -> Any:
    """The contact, if it is there and this person may change it."""
    async with staff.app.db.read() as conn:
        row = None if contact_id is None else await data.contact(conn, contact_id)
    if row is None:
        raise HTTPException(404)
    staff.need(Permission.CONTACTS_EDIT, await held(staff, row.owner_id))
    if row.erased_at is not None:
        raise HTTPException(404)
    return row


@router.page("/contacts/{contact_id:int}/merge", Permission.CONTACTS_EDIT)
async def choose(staff: Staff, contact_id: int) -> Response:
    """Whom to merge with; once chosen, both beside what will stand."""
    row = await _mine(staff, contact_id)
    return await _page(staff, row)


async def _page(staff: Staff, row: Any, error: str = "", status: int = 200) -> Response:
    params = staff.request.query_params
    words, other = params.get("q", "").strip()[:200], None
    if error == "" and "other" in params:
        other = await _mine(staff, id_of(params["other"]))
    found: list[Any] = []
    lines: list[tuple[str, Any, Any, Any]] = []
    async with staff.app.db.read() as conn:
        if words and other is None:
            rows = await data.first_contacts(conn, staff, words, MOST + 1)
            found = [one for one in rows if one.id != row.id]
        both = [row.id] if other is None else [row.id, other.id]
        addresses = {number: await data.addresses(conn, number) for number in both}
        tags = await data.tags_of(conn, both)
    seen = [one for one in found if staff.may(Permission.CONTACTS_EDIT, await held(staff, one.owner_id))][:MOST]
    if other is not None:
        lines = _lines(row, other)
    return await staff.render(
        "same_person.html", status=status, row=row, other=other, words=words, found=seen, lines=lines, error=error,
        addresses=addresses, tags=tags, full_name=full_name,
    )  # fmt: skip


def _lines(row: Any, other: Any) -> list[tuple[str, Any, Any, Any]]:
    """Field, here, there, and what will stand."""
    kept, dropped = dict(row._mapping), dict(other._mapping)
    after = kept | joined(kept, dropped)
    told = [
        (name, kept[name], dropped[name], after[name])
        for name in (*SHOWN, "basis", "tracking", "paused_until", "left_at")
    ]
    return [line for line in told if any(value not in (None, "") for value in line[1:])]


@router.action("/contacts/{contact_id:int}/merge", Permission.CONTACTS_EDIT)
async def merge(staff: Staff, contact_id: int) -> Response:
    """Make the other contact a part of this one."""
    row = await _mine(staff, contact_id)
    other = await _mine(staff, id_of((await staff.form()).get("other")))
    try:
        told = await merge_contacts(staff.app, contact_id, other.id, staff.actor, staff.now)
    except NotOne as refused:
        return await _page(staff, row, in_words(refused, staff.lang), 409)
    undo = {"do": "contact.merge", "told": told}
    return staff.done(f"/contacts/{contact_id}", N_("Merged: one contact, with everything of both."), undo=undo)


@undoes("contact.merge")
async def undo_merge(staff: Staff, told: dict[str, Any]) -> None:
    """Take the two apart again."""
    await _mine(staff, told["told"]["keep"])
    try:
        await take_apart(staff.app, told["told"], staff.actor, staff.now)
    except NotOne as refused:
        raise HTTPException(409, in_words(refused, staff.lang)) from refused
