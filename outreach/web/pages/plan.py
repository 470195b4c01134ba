"""The work plan: today and the week of one person, the team side by side, and the plan as a calendar feed."""

from __future__ import annotations

from typing import Any

from fastapi.responses import Response
from sqlalchemy import func, select

from outreach.access.roles import Permission, Scope
from outreach.crm.agenda.plan import Plan, plan
from outreach.web.data import today
from outreach.web.data.people import PERSON
from outreach.web.data.scope import owned
from outreach.web.data.tables import COMPANY, CONTACT, TASK, USER
from outreach.web.i18n import N_
from outreach.web.ids import id_of
from outreach.web.routing import Pages, Staff

router = Pages()
MOST = 1000


@router.page("/follow-ups/plan", Permission.TASKS_VIEW)
async def week(staff: Staff) -> Response:
    """What is late, today, each day of this week; of oneself or of a colleague that may be seen."""
    wide = staff.reach(Permission.TASKS_VIEW) > Scope.OWN
    given = id_of(staff.request.query_params.get("of")) if wide else None
    who = given if given is not None else staff.actor.id
    rows, people = await _tasks(staff, TASK.c.owner_id == who)
    made: Plan[Any] = plan(rows, lambda row: row.due_at, staff.now, staff.tz)
    feed = await staff.app.agenda.feed(staff.actor.id) if staff.actor.id else None
    return await staff.render(
        "plan.html", plan=made, who=who, people=people, wide=wide, line=lambda row: today.task_of(row, staff.now),
        feed=feed, address="",
    )  # fmt: skip


@router.page("/follow-ups/team", Permission.TASKS_VIEW)
async def team(staff: Staff) -> Response:
    """Everybody's load: late, today, this week, later, escalated."""
    rows, people = await _tasks(staff, TASK.c.owner_id.is_not(None))
    by_owner: dict[int, list[Any]] = {}
    for row in rows:
        by_owner.setdefault(row.owner_id, []).append(row)
    lines = []
    for user in people:
        mine = by_owner.get(user.id, [])
        made: Plan[Any] = plan(mine, lambda row: row.due_at, staff.now, user.timezone)
        escalated = sum(row.escalated_at is not None for row in mine)
        week_rest = sum(len(tasks) for tasks in made.days.values())
        lines.append((user, len(made.late), len(made.now), week_rest, len(made.later), escalated))
    lines.sort(key=lambda line: (-line[1], -line[2], line[0].display_name))
    return await staff.render("team.html", lines=lines, most=max((sum(line[1:5]) for line in lines), default=0) or 1)


async def _tasks(staff: Staff, where: Any) -> tuple[Any, Any]:
    joined = TASK.outerjoin(CONTACT, CONTACT.c.id == TASK.c.contact_id).outerjoin(
        COMPANY, COMPANY.c.id == func.coalesce(TASK.c.company_id, CONTACT.c.company_id)
    )
    query = select(TASK, *PERSON).select_from(joined).where(TASK.c.state == "open", where)
    query = query.where(owned(staff, Permission.TASKS_VIEW, TASK.c.owner_id)).order_by(TASK.c.due_at).limit(MOST)
    seen = owned(staff, Permission.TASKS_VIEW, USER.c.id)
    colleagues = select(USER.c.id, USER.c.name, USER.c.display_name, USER.c.timezone).where(
        USER.c.disabled_at.is_(None)
    )
    async with staff.app.db.read() as conn:
        rows = (await conn.execute(query)).all()
        people = (await conn.execute(colleagues.where(seen).order_by(USER.c.display_name))).all()
    return rows, people


@router.action("/follow-ups/feed", Permission.TASKS_VIEW)
async def open_feed(staff: Staff) -> Response:
    """Make a secret address for a calendar program; it is shown once, the one before ends."""
    token = await staff.app.agenda.open(staff.actor, staff.now)
    settings = staff.app.settings
    base = (settings.web.base_url or settings.tracking.base_url).rstrip("/")
    return await staff.render("feed_once.html", address=f"{base}/calendar/{token}.ics")


@router.action("/follow-ups/feed/close", Permission.TASKS_VIEW)
async def close_feed(staff: Staff) -> Response:
    """End the address."""
    await staff.app.agenda.close(staff.actor, staff.now)
    return staff.done("/follow-ups/plan", N_("The address reads nothing any more."))
