"""How a person is reached: addresses added, removed, made primary; telephone, WhatsApp, WeChat, LinkedIn. With undo."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.audience.hygiene import AddressRefused
from outreach.audience.reasons import reason
from outreach.crm.calls.number import CHANNELS, ChannelRefused, channel_value
from outreach.web.data import contacts as data
from outreach.web.data.scope import held
from outreach.web.i18n import N_
from outreach.web.pages.customers import contact_page
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes
from outreach.web.words import word

router = Pages()


async def _person(staff: Staff, contact_id: int) -> Any:
    async with staff.app.db.read() as conn:
        row = await data.contact(conn, contact_id)
    if row is None or row.erased_at is not None:
        raise HTTPException(404)
    staff.need(Permission.CONTACTS_EDIT, await held(staff, row.owner_id))
    return row


def _to(contact_id: int) -> str:
    return f"/contacts/{contact_id}#addresses"


@router.action("/contacts/{contact_id:int}/addresses", Permission.CONTACTS_EDIT)
async def add(staff: Staff, contact_id: int) -> Response:
    """One more address; the first one becomes primary."""
    row = await _person(staff, contact_id)
    given = str((await staff.form()).get("address", ""))[:400]
    try:
        number = await staff.app.audience.add_address(contact_id, given, staff.now)
    except AddressRefused as refused:
        return await contact_page(staff, row, error=reason(refused.code, staff.lang), typed=given, status=422)
    staff.record(after={"address_id": number})
    undo = {"do": "address.drop", "contact": contact_id, "id": number}
    return staff.done(_to(contact_id), N_("The address is added."), undo=undo)


@undoes("address.drop")
async def undo_add(staff: Staff, told: dict[str, Any]) -> None:
    """Take an address that was just added away."""
    await _person(staff, told["contact"])
    await _guarded(staff, staff.app.audience.remove_address(told["contact"], told["id"]))


@router.action("/contacts/{contact_id:int}/addresses/{address_id:int}/remove", Permission.CONTACTS_EDIT)
async def remove(staff: Staff, contact_id: int, address_id: int) -> Response:
    """Take an address away."""
    row = await _person(staff, contact_id)
    try:
        kept = await staff.app.audience.remove_address(contact_id, address_id)
    except AddressRefused as refused:
        return await contact_page(staff, row, error=reason(refused.code, staff.lang), status=409)
    except LookupError as error:
        raise HTTPException(404) from error
    staff.record(before={"address_id": address_id})
    plain = {name: value.isoformat() if hasattr(value, "isoformat") else value for name, value in kept.items()}
    return staff.done(_to(contact_id), N_("The address is removed."), undo={"do": "address.restore", "row": plain})


@undoes("address.restore")
async def undo_remove(staff: Staff, told: dict[str, Any]) -> None:
    """Put a removed address back, with all that was known of it."""
    from datetime import datetime

    row = dict(told["row"])
    await _person(staff, row["contact_id"])
    for name, value in row.items():
        if name.endswith("_at") and value is not None:
            row[name] = datetime.fromisoformat(value)
    await _guarded(staff, staff.app.audience.restore_address(row))


@router.action("/contacts/{contact_id:int}/addresses/{address_id:int}/primary", Permission.CONTACTS_EDIT)
async def make_primary(staff: Staff, contact_id: int, address_id: int) -> Response:
    """Let mail go to this address from now on."""
    await _person(staff, contact_id)
    try:
        was = await staff.app.audience.make_primary(contact_id, address_id)
    except LookupError as error:
        raise HTTPException(404) from error
    staff.record(before={"primary": was}, after={"primary": address_id})
    undo = {"do": "address.primary", "contact": contact_id, "id": was} if was else None
    return staff.done(_to(contact_id), N_("Mail goes to this address from now on."), undo=undo)


@undoes("address.primary")
async def undo_primary(staff: Staff, told: dict[str, Any]) -> None:
    """Let mail go where it went."""
    await _person(staff, told["contact"])
    await _guarded(staff, staff.app.audience.make_primary(told["contact"], told["id"]))


async def _guarded(staff: Staff, work: Any) -> None:
    try:
        await work
    except (AddressRefused, LookupError) as refused:
        told = reason(refused.code, staff.lang) if isinstance(refused, AddressRefused) else ""
        raise HTTPException(409, told) from refused


@router.action("/contacts/{contact_id:int}/channels", Permission.CONTACTS_EDIT)
async def set_channel(staff: Staff, contact_id: int) -> Response:
    """Set an account in another channel, an empty field takes it away."""
    row = await _person(staff, contact_id)
    form = await staff.form()
    channel, given = str(form.get("channel", "")), str(form.get("value", ""))[:400]
    if channel not in CHANNELS:
        raise HTTPException(404)
    try:
        value = channel_value(channel, given, row.country)
    except ChannelRefused as refused:
        error = staff.say(word("channel_error", refused.code)[0])
        return await contact_page(staff, row, error=error, status=422)
    before = await staff.app.audience.set_attribute(contact_id, channel, value or None, staff.now)
    staff.record(after={"field": channel})
    undo = {"do": "channel", "id": contact_id, "channel": channel, "value": before}
    return staff.done(f"/contacts/{contact_id}#channels", N_("Changed."), undo=undo)


@undoes("channel")
async def undo_channel(staff: Staff, told: dict[str, Any]) -> None:
    """Put an account back."""
    await _person(staff, told["id"])
    if told["channel"] in CHANNELS:
        await staff.app.audience.set_attribute(told["id"], told["channel"], told["value"], staff.now)
