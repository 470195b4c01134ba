"""Mails in doubt, of all campaigns: what is known of each, and the buttons that settle them, one or many."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import and_, select

from outreach.access.roles import Permission, Scope
from outreach.app.doubt import PAGE, doubts, settle_many
from outreach.web.data.scope import owned
from outreach.web.data.tables import CAMPAIGN, MESSAGE
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff

router = Pages()
ANSWERS = ("sent", "retry", "failed")


@router.page("/doubt", Permission.CAMPAIGNS_VIEW)
async def show(staff: Staff) -> Response:
    """Every mail in doubt of the campaigns that the visitor may see, newest first."""
    params = staff.request.query_params
    campaign, offset = _number(params.get("campaign", "")), _number(params.get("offset", "")) or 0
    where = owned(staff, Permission.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id)
    if campaign:
        where = and_(where, MESSAGE.c.campaign_id == campaign)
    lines, total = await doubts(staff.app, where=where, offset=offset)
    return await staff.render(
        "doubt.html",
        lines=lines,
        total=total,
        offset=offset,
        limit=PAGE,
        url=lambda to: _url(campaign, to),
        may_resolve=staff.reach(Permission.MESSAGES_RESOLVE) is not Scope.NONE,
        may_send=staff.reach(Permission.CAMPAIGNS_SEND) is not Scope.NONE,
    )


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def _url(campaign: int | None, offset: int) -> str:
    given = {name: value for name, value in (("campaign", campaign), ("offset", offset)) if value}
    return f"/doubt?{urlencode(given)}" if given else "/doubt"


@router.action("/doubt", Permission.MESSAGES_RESOLVE)
async def settle(staff: Staff) -> Response:
    """Settle what was ticked."""
    form = await staff.form()
    answer = str(form.get("answer", ""))
    if answer not in ANSWERS:
        raise HTTPException(404)
    ids = [number for text in form.getlist("id") if (number := _number(str(text)))]
    allowed = select(MESSAGE.c.id).join(CAMPAIGN, CAMPAIGN.c.id == MESSAGE.c.campaign_id)
    allowed = allowed.where(MESSAGE.c.id.in_(ids), owned(staff, Permission.MESSAGES_RESOLVE, CAMPAIGN.c.owner_id))
    if answer == "retry":  # that is sending
        allowed = allowed.where(owned(staff, Permission.CAMPAIGNS_SEND, CAMPAIGN.c.owner_id))
    async with staff.app.db.read() as conn:
        own = list(await conn.scalars(allowed))
    settled = await settle_many(staff.app, own, answer, staff.actor, staff.now)
    said = N_("Settled.") if settled else N_("Nothing was settled: it had been already, or nothing was chosen.")
    return staff.done("/doubt", said)
