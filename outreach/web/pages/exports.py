"""Data that leaves the program, each time on record (B4): a person's data, erasure, a campaign's ledger."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response, StreamingResponse

from outreach.access.roles import Permission
from outreach.access.store import append_audit
from outreach.app.erasure import erase_contact
from outreach.web.data import campaigns as data
from outreach.web.data import contacts, ledger_export
from outreach.web.data.people import full_name
from outreach.web.data.scope import held
from outreach.web.i18n import N_
from outreach.web.pages.campaigns import found
from outreach.web.pages.settings import csv_lines
from outreach.web.routing import Pages, Staff

router = Pages()


async def _person(staff: Staff, contact_id: int, permission: Permission) -> None:
    """Raise 404 where there is nobody (any more), AccessDenied where this person may not do that to them."""
    async with staff.app.db.read() as conn:
        row = await contacts.contact(conn, contact_id)
    if row is None or row.erased_at is not None:
        raise HTTPException(404)
    staff.need(permission, await held(staff, row.owner_id))


async def _record(staff: Staff, action: str, kind: str, number: object, **after: Any) -> None:
    async with staff.app.db.write() as conn:
        await append_audit(conn, staff.actor, action, kind, number, now=staff.now, after=after)


@router.action("/contacts/{contact_id:int}/export", Permission.CONTACTS_EXPORT)
async def export(staff: Staff, contact_id: int) -> Response:
    """Everything that is stored on a person, as JSON."""
    await _person(staff, contact_id, Permission.CONTACTS_EXPORT)
    told = await staff.app.audience.export_contact(contact_id)
    await _record(staff, "contact.exported", "contact", contact_id)
    text = json.dumps(told, ensure_ascii=False, indent=1, default=str)
    headers = {"content-disposition": f'attachment; filename="contact-{contact_id}.json"'}
    return Response(text, media_type="application/json", headers=headers)


@router.action("/contacts/{contact_id:int}/erase", Permission.CONTACTS_ERASE)
async def erase(staff: Staff, contact_id: int) -> Response:
    """Erase a person; a keyed hash keeps them from being mailed or imported again."""
    await _person(staff, contact_id, Permission.CONTACTS_ERASE)
    await erase_contact(staff.app, contact_id, staff.actor, staff.now)
    return staff.done("/contacts", N_("Erased. Nobody can mail or import this person again."))


@router.page("/campaigns/{campaign_id:int}/ledger.csv", Permission.CONTACTS_EXPORT)
async def ledger(staff: Staff, campaign_id: int) -> Response:
    """The people at a stage of a campaign as CSV, all of them: sent lot by lot."""
    await found(staff, campaign_id, Permission.CAMPAIGNS_VIEW)
    stage = staff.request.query_params.get("stage", "sent")
    if stage not in data.STAGES:
        raise HTTPException(404)
    async with staff.app.db.read() as conn:
        what = await ledger_export.wanted(conn, campaign_id, stage)
    await _record(staff, "campaign.exported", "campaign", campaign_id, stage=stage, rows=what.total)
    header = ["address", "name", "company", "country", "state", "reason", "sent_at", "reply_code", "opened", "clicked"]
    headers = {"content-disposition": f'attachment; filename="campaign-{campaign_id}-{stage}.csv"'}
    lines = _lines(header, ledger_export.lots(staff.app.db, what))
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


async def _lines(header: list[str], lots: AsyncIterator[Sequence[Any]]) -> AsyncIterator[str]:
    yield "\ufeff" + csv_lines([header])
    async for rows in lots:
        yield csv_lines(_cells(row) for row in rows)


def _cells(row: Any) -> list[Any]:
    told = row._mapping
    names = ("state", "reason", "sent_at", "reply_code", "first_open_at", "first_click_at")
    person = [row.address, full_name(row.first_name, row.last_name), row.company, row.country]
    return person + [told.get(name) for name in names]
