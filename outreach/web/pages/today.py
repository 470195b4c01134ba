"""Today: what to do next."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response

from outreach.access.roles import Permission, Scope
from outreach.web.data import first_run, today, warned
from outreach.web.routing import Pages, Staff

router = Pages()


@router.page("/", Permission.ACCOUNT)
async def show(staff: Staff) -> Response:
    """The first page of the day."""
    wide = staff.reach(Permission.INBOX_VIEW) > Scope.OWN or staff.reach(Permission.TASKS_VIEW) > Scope.OWN
    scope = staff.request.query_params.get("scope", "mine")
    mine = not (wide and scope == "all")
    async with staff.app.db.read() as conn:
        context: dict[str, Any] = {
            "replies": await today.replies(conn, staff, mine) if staff.may(Permission.INBOX_VIEW) else [],
            "tasks": await today.tasks(conn, staff, mine) if staff.may(Permission.TASKS_VIEW) else [],
            "campaigns": await today.campaigns(conn, staff) if staff.may(Permission.CAMPAIGNS_VIEW) else [],
            "mailboxes": await today.mailboxes(conn, staff) if staff.may(Permission.MAILBOXES_VIEW) else [],
            "doubtful": await today.in_doubt(conn, staff) if staff.may(Permission.CAMPAIGNS_VIEW) else [],
        }
        context["warned"] = await warned.warnings(conn, staff, context["mailboxes"])
    steps = await first_run.steps(staff)
    guide = any(not step.done for step in steps if step.key in first_run.NEEDED)
    return await staff.render(
        "today.html", **context, wide=wide, mine=mine, limits=(today.REPLIES, today.TASKS), steps=steps, guide=guide
    )


@router.page("/live/campaigns", Permission.CAMPAIGNS_VIEW)
async def live(staff: Staff) -> Response:
    """The campaigns' card alone: it loads itself again while something is being sent."""
    async with staff.app.db.read() as conn:
        lines = await today.campaigns(conn, staff)
    return await staff.render("part_campaigns.html", campaigns=lines)
