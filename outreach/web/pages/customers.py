"""Customers: companies, contacts, their timelines; tags, owners and inline changes with a way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.audience.people.edit import EditRefused
from outreach.crm.calls.number import CHANNELS, ChannelRefused, channel_link, channel_value, shown_number, tel_link
from outreach.model.merged.store import part_of
from outreach.web.data import contacts as data
from outreach.web.data.inbox import to_answer
from outreach.web.data.people import full_name, zone_of
from outreach.web.data.scope import held
from outreach.web.data.tables import INBOUND
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes
from outreach.web.words import word

router = Pages()

#: What can be changed in its place, and how it is shown: field → kind of input.
CONTACT_FIELDS = {
    "first_name": "text", "last_name": "text", "country": "text", "city": "text", "industry": "text", "language": "text",
    "grade": "grade", "intent": "intent", "phone": "tel", "birthday": "date", "note": "area",
}  # fmt: skip
#: The kind of a tag that says what somebody is interested in, and how many one person may have.
INTEREST, MOST_INTERESTS = "interest", 20
#: Of these the trail keeps what stood there before: they classify, they do not describe a person.
CLASSIFYING = frozenset({"country", "industry", "language", "grade", "intent", "region"})


@router.page("/contacts/{contact_id:int}", Permission.CONTACTS_VIEW)
async def contact(staff: Staff, contact_id: int) -> Response:
    """A person: facts, addresses, timeline, what is next."""
    async with staff.app.db.read() as conn:
        row = await data.contact(conn, contact_id)
        if row is None:
            raise HTTPException(404)
    whole = part_of(row.source, row.erased_at is not None)
    if whole is not None:
        return staff.done(f"/contacts/{whole}", N_("These two contacts were merged."))
    staff.need(Permission.CONTACTS_VIEW, await held(staff, row.owner_id))
    return await contact_page(staff, row)


async def contact_page(staff: Staff, row: Any, error: str = "", typed: str = "", status: int = 200) -> Response:
    """The page of a person who may be seen; `error` says why a change was refused, `typed` is the address of it."""
    async with staff.app.db.read() as conn:
        context: dict[str, Any] = {
            "addresses": await data.addresses(conn, row.id),
            "tags": (await data.tags_of(conn, [row.id])).get(row.id, []),
            "timeline": await data.timeline(conn, contact_id=row.id),
            "tasks": await data.open_tasks(conn, row.id),
            "waiting": await to_answer(conn, staff, INBOUND.c.contact_id == row.id),
            "assignees": await data.assignees(conn),
            "known_tags": await data.all_tags(conn),
        }
    editable = staff.may(Permission.CONTACTS_EDIT, await held(staff, row.owner_id)) and row.erased_at is None
    return await staff.render(
        "contact.html", status=status, row=row, name=full_name(row.first_name, row.last_name, "?"), editable=editable,
        tz_there=zone_of(row.country, row.city), fields={key: kind for key, kind in CONTACT_FIELDS.items() if key != "phone"}, error=error, typed=typed, channels=_channels(row),
        phone=(shown_number(row.phone, row.country), tel_link(row.phone, row.country)),
        more={key: value for key, value in (row.attributes or {}).items() if key not in CHANNELS}, **context,
    )  # fmt: skip


def _channels(row: Any) -> list[tuple[str, str, str | None]]:
    """Each channel with the account and where a click on it leads."""
    accounts = row.attributes or {}
    return [
        (channel, value, channel_link(channel, value, row.country) if value else None)
        for channel in CHANNELS
        for value in (str(accounts.get(channel) or ""),)
    ]


@router.action("/contacts/{contact_id:int}/edit", Permission.CONTACTS_EDIT)
async def edit_contact(staff: Staff, contact_id: int) -> Response:
    """Change one field in its place."""
    row = await _need_contact(staff, contact_id)
    field, value = await _one_field(staff, CONTACT_FIELDS)
    try:
        if field == "phone":
            value = channel_value("phone", value, row.country)
        before = await staff.app.audience.edit(contact_id, {field: value}, staff.now)
    except (ChannelRefused, EditRefused) as refused:
        return await contact_page(staff, row, error=refusal(staff, refused), status=422)
    record_edit(staff, field, before, value)
    was = {key: old.isoformat() if isinstance(old, date) else old for key, old in before.items()}
    undo = {"do": "contact.edit", "id": contact_id, "values": was}
    return staff.done(f"/contacts/{contact_id}", N_("Changed."), undo=undo)


@router.action("/contacts/{contact_id:int}/interests", Permission.CONTACTS_EDIT)
async def edit_interests(staff: Staff, contact_id: int) -> Response:
    """Say what a person is interested in: these, in place of those before."""
    await _need_contact(staff, contact_id)
    given = str((await staff.form()).get("value", ""))[:2000].replace("；", ";").split(";")
    wanted = list(dict.fromkeys(filter(None, (name.strip()[:80] for name in given))))[:MOST_INTERESTS]
    async with staff.app.db.read() as conn:
        tags = (await data.tags_of(conn, [contact_id])).get(contact_id, [])
    there = [tag.name for tag in tags if tag.kind == INTEREST]
    gone, new = [name for name in there if name not in wanted], [name for name in wanted if name not in there]
    await _interested(staff, contact_id, new, gone)
    staff.record(before={"interests": there}, after={"interests": wanted})
    undo = {"do": "contact.interests", "id": contact_id, "back": gone, "away": new}
    return staff.done(f"/contacts/{contact_id}", N_("Changed."), undo=undo)


@undoes("contact.interests")
async def undo_interests(staff: Staff, told: dict[str, Any]) -> None:
    """Give the old interests back."""
    await _need_contact(staff, told["id"])
    await _interested(staff, told["id"], told["back"], told["away"])


async def _interested(staff: Staff, contact_id: int, new: list[str], gone: list[str]) -> None:
    if gone:
        await staff.app.audience.untag([contact_id], gone, INTEREST)
    if new:
        await staff.app.audience.tag([contact_id], new, INTEREST)


@router.action("/contacts/{contact_id:int}/tracking", Permission.CONTACTS_EDIT)
async def set_tracking(staff: Staff, contact_id: int) -> Response:
    """Count this person's opens and clicks from the next mail on, or do not."""
    await _need_contact(staff, contact_id)
    counted = (await staff.form()).get("counted") == "1"
    before = await staff.app.audience.edit(contact_id, {"tracking": counted}, staff.now)
    staff.record(before={"tracking": before.get("tracking")}, after={"tracking": counted})
    told = N_("Opens and clicks of this person are counted.")
    if not counted:
        told = N_("Opens and clicks of this person are not counted any more.")
    return staff.done(f"/contacts/{contact_id}", told, undo={"do": "contact.edit", "id": contact_id, "values": before})


def refusal(staff: Staff, refused: ChannelRefused | EditRefused) -> str:
    """Why a field was not changed, in the person's language."""
    if isinstance(refused, ChannelRefused):
        return staff.say(word("channel_error", refused.code)[0])
    return refused.reason(staff.lang)


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


async def _need_contact(staff: Staff, contact_id: int) -> Any:
    async with staff.app.db.read() as conn:
        row = await data.contact(conn, contact_id)
    if row is None:
        raise HTTPException(404)
    staff.need(Permission.CONTACTS_EDIT, await held(staff, row.owner_id))
    return row
