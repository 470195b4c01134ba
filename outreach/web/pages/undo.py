"""Taking back what was just done: the page that did it signs what undoes it; permissions are asked again here."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from outreach.access.roles import Held, Permission
from outreach.app import answers
from outreach.web.data.scope import held
from outreach.web.data.tables import CONTACT
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff, read_undo
from outreach.web.security import local_path
from outreach.web.undos import UNDOS

router = Pages()


@router.action("/undo", Permission.ACCOUNT)
async def undo(staff: Staff) -> Response:
    """Take back what was just done. The signed words were made by this session; permissions are asked again."""
    form = await staff.form()
    to = local_path(str(form.get("next", "")), "/")
    told = await read_undo(staff, str(form.get("undo", "")))
    if told is None:
        return staff.done(to, N_("Too late to undo."))
    try:
        await _undo(staff, told)
    except ValueError:
        return staff.done(to, N_("Too late to undo."))
    staff.record(after={key: told[key] for key in ("do", "id") if key in told} | _tags(told))
    return staff.done(to, N_("Undone."))


def _tags(told: dict[str, Any]) -> dict[str, Any]:
    """For the trail: which tags were given or taken back, and of how many."""
    if told["do"] not in ("tag", "untag"):
        return {}
    return {"tags": [name for name, _ in told["items"]], "count": sum(len(numbers) for _, numbers in told["items"])}


async def _undo(staff: Staff, told: dict[str, Any]) -> None:
    audience = staff.app.audience
    if told["do"] == "contact.edit":
        await _may_edit(staff, told["id"])
        await audience.edit(told["id"], told["values"], staff.now)
    elif told["do"] in ("tag", "untag"):
        staff.need(Permission.CONTACTS_EDIT)
        for name, numbers in told["items"]:
            await getattr(audience, told["do"])(numbers, [name])
    elif told["do"] in ("assign", "company.assign"):
        staff.need(Permission.CONTACTS_ASSIGN)
        give = audience.assign if told["do"] == "assign" else audience.assign_companies
        for was, numbers in told["owners"]:
            await give(numbers, was, staff.now)
        for was, numbers in told.get("people", []):
            await audience.assign(numbers, was, staff.now)
    elif told["do"] == "inbound.reopen":
        staff.need(Permission.INBOX_ANSWER)
        await answers.reopen(staff.app, told["id"], staff.actor, staff.now)
    elif told["do"] == "task.reopen":
        staff.need(Permission.TASKS_EDIT, Held(told["owner"]))
        await staff.app.crm.reopen(told["id"])
    elif told["do"] in UNDOS:
        await UNDOS[told["do"]](staff, told)


async def _may_edit(staff: Staff, contact_id: int) -> None:
    from sqlalchemy import select

    async with staff.app.db.read() as conn:
        owner = (await conn.execute(select(CONTACT.c.owner_id).where(CONTACT.c.id == contact_id))).scalar_one_or_none()
    staff.need(Permission.CONTACTS_EDIT, await held(staff, owner))
