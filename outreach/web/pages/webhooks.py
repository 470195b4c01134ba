"""Webhooks: which of the company's programs are told what, how that goes, and their secrets, shown once."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Permission
from outreach.web.i18n import N_
from outreach.web.pages.settings import tabs
from outreach.web.routing import Pages, Staff
from outreach.webhooks.client import AddressRefused, Answer, checked
from outreach.webhooks.store import KINDS, WebhookError

router = Pages()

#: Why an address is refused, and what to do.
REFUSED = {
    "scheme": N_("The address must begin with https://."),
    "user": N_("Leave name and password out of the address: each delivery is signed instead."),
    "port": N_("Use port 443 or 8443."),
    "name": N_("This is no address. It looks like https://erp.example.com/outreach."),
}


@router.page("/settings/webhooks", Permission.WEBHOOKS_EDIT)
async def show(staff: Staff) -> Response:
    """Every webhook with how it fares."""
    return await _list(staff)


async def _list(staff: Staff, error: str = "", status: int = 200, **more: Any) -> Response:
    given = {"name": "", "url": "", "chosen": []} | more
    return await staff.render(
        "webhooks.html", status=status, tabs=tabs(staff), rows=await staff.app.webhooks.all(), kinds=KINDS, error=error,
        **given,
    )  # fmt: skip


@router.action("/settings/webhooks", Permission.WEBHOOKS_EDIT)
async def add(staff: Staff) -> Response:
    """Add one; its secret is shown once."""
    form = await staff.form()
    name, url = str(form.get("name", "")).strip()[:80], str(form.get("url", "")).strip()[:500]
    kinds = [str(kind) for kind in form.getlist("kind") if str(kind) in KINDS]
    given = {"name": name, "url": url, "chosen": kinds}
    if not name:
        return await _list(staff, staff.say(N_("Give it a name, such as ERP.")), 422, **given)
    try:
        checked(url, staff.app.settings.webhooks.own_hosts)
    except AddressRefused as refused:
        text = REFUSED[refused.code]
        return await _list(staff, staff.say(text), 422, **given)
    number, secret = await staff.app.webhooks.add(name, url, kinds, actor=staff.actor, now=staff.now)
    return await staff.render("webhook_secret.html", number=number, secret=secret)


@router.page("/settings/webhooks/{number:int}", Permission.WEBHOOKS_EDIT)
async def one(staff: Staff, number: int) -> Response:
    """One webhook with its latest deliveries."""
    return await _one(staff, number)


async def _one(staff: Staff, number: int, **more: Any) -> Response:
    row = next((row for row in await staff.app.webhooks.all() if row.id == number), None)
    if row is None:
        raise HTTPException(404)
    deliveries = await staff.app.webhooks.deliveries(number)
    given = {"answer": None} | more
    return await staff.render("webhook.html", row=row, deliveries=deliveries, **given)


async def _test(staff: Staff, number: int) -> Response:
    try:
        answer = await staff.app.webhook_worker().test(number, staff.now)
    except WebhookError as error:
        answer = Answer(0, str(error))
    return await _one(staff, number, answer=answer)


@router.action("/settings/webhooks/{number:int}/{action}", Permission.WEBHOOKS_EDIT)
async def change(staff: Staff, number: int, action: str) -> Response:
    """Test, pause, resume, a new secret, remove."""
    store, to = staff.app.webhooks, f"/settings/webhooks/{number}"
    try:
        if action == "test":
            return await _test(staff, number)
        if action == "rotate":
            secret = await store.rotate(number, actor=staff.actor, now=staff.now)
            return await staff.render("webhook_secret.html", number=number, secret=secret)
        if action == "remove":
            await store.remove(number, actor=staff.actor, now=staff.now)
            return staff.done("/settings/webhooks", N_("Removed."))
        if action in ("pause", "resume"):
            state = "paused" if action == "pause" else "active"
            await store.set_state(number, state, actor=staff.actor, now=staff.now, why="by hand")
            said = N_("Paused: what happens meanwhile is told later.") if action == "pause" else N_("It is told again.")
            return staff.done(to, said)
    except WebhookError as error:
        raise HTTPException(404) from error
    raise HTTPException(404)
