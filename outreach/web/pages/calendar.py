"""The calendar that all departments see (A1): what goes out when, whose, to whom, and who gets several."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Held, Permission
from outreach.audience.segment import SegmentError
from outreach.web.data import calendar as drawn
from outreach.web.format import zone
from outreach.web.i18n import N_
from outreach.web.pages.campaign_content import Reader
from outreach.web.pages.wizard import raw_of
from outreach.web.routing import Pages, Staff

if TYPE_CHECKING:
    from outreach.app.plan_calendar import PlanCalendar

router = Pages()
VIEWS = {"month": N_("By month"), "week": N_("By week")}
#: Colour says who must act: teal under way, ochre waits for somebody, grey all else.
LOOK = {"running": "is-run", "pilot": "is-run", "scheduled": "is-run", "review": "is-wait", "approved": "is-wait", "paused": "is-wait"}  # fmt: skip
#: What the schedule step shows around the campaign that is being written, and at most.
AROUND, LONGEST = timedelta(days=7), 8


def plan(staff: Staff) -> PlanCalendar:
    """The calendar of this process."""
    found: PlanCalendar = staff.request.app.state.plan_calendar
    return found


def _span(staff: Staff, first: date, weeks: int) -> tuple[datetime, datetime]:
    begin = datetime.combine(first, time(), tzinfo=zone(staff.tz))
    return begin.astimezone(UTC), (begin + timedelta(weeks=weeks)).astimezone(UTC)


def _asked(staff: Staff) -> tuple[str, date, date, int]:
    """View, the day that was asked for, the first Monday, how many weeks. Raises 404 for what is no day."""
    params = staff.request.query_params
    view = params.get("view", "month")
    try:
        on = date.fromisoformat(params["on"]) if params.get("on") else staff.now.astimezone(zone(staff.tz)).date()
    except ValueError as error:
        raise HTTPException(404) from error
    if view not in VIEWS or not 2000 <= on.year <= 2100:
        raise HTTPException(404)
    first, weeks = drawn.month_of(on) if view == "month" else (drawn.monday(on), 1)
    return view, on, first, weeks


def _drawing(staff: Staff) -> dict[str, Any]:
    return {
        "look": LOOK,
        "today": staff.now.astimezone(zone(staff.tz)).date(),
        "opens": lambda entry: staff.may(Permission.CAMPAIGNS_VIEW, Held(entry.owner_id, entry.team)),
    }


@router.page("/campaigns/calendar", Permission.CALENDAR_VIEW)
async def calendar(staff: Staff) -> Response:
    """A month or a week of everybody's campaigns."""
    view, on, first, weeks = _asked(staff)
    begin, end = _span(staff, first, weeks)
    entries = await plan(staff).entries(begin, end, staff.now)
    dated = [entry for entry in entries if entry.begins]
    back, ahead = (drawn.other_month(on, -1), drawn.other_month(on, 1)) if view == "month" else (on - drawn.WEEK, on + drawn.WEEK)  # fmt: skip
    return await staff.render(
        "calendar.html", view=view, views=VIEWS, on=on, weeks=drawn.weeks(dated, first, weeks, staff.tz), dated=dated,
        undated=[entry for entry in entries if not entry.begins], back=back, ahead=ahead, **_drawing(staff),
    )  # fmt: skip


@router.page("/campaigns/calendar/overlaps", Permission.CALENDAR_VIEW)
async def overlaps(staff: Staff) -> Response:
    """Which campaigns of these weeks have people in common; it may take a second, so it loads by itself."""
    _, _, first, weeks = _asked(staff)
    begin, end = _span(staff, first, weeks)
    entries = await plan(staff).entries(begin, end, staff.now)
    found = await plan(staff).overlaps(entries, staff.now)
    return await staff.render("part_overlaps.html", overlaps=found, cap=staff.app.settings.limits.per_contact, own=None)


@router.action("/campaigns/calendar/near", Permission.CAMPAIGNS_EDIT, changes=False)
async def near(staff: Staff) -> Response:
    """The weeks around a campaign that is being written: when it would end, who else writes to these people then."""
    form = await staff.form()
    given = str(form.get("itself", ""))
    try:
        own = await plan(staff).draft(raw_of(staff, Reader(staff, form), None), staff.now)
    except SegmentError:
        return await staff.render("part_calendar_near.html", own=None)
    assert own.begins
    assert own.ends
    first = drawn.monday((own.begins - AROUND).astimezone(zone(staff.tz)).date())
    last = drawn.monday((own.ends + AROUND).astimezone(zone(staff.tz)).date())
    weeks = min((last - first).days // 7 + 1, LONGEST)
    found = await plan(staff).entries(*_span(staff, first, weeks), staff.now)
    others = [entry for entry in found if entry.begins and str(entry.id) != given]
    common = await plan(staff).overlaps(others, staff.now, own)
    return await staff.render(
        "part_calendar_near.html", own=own, weeks=drawn.weeks([own, *others], first, weeks, staff.tz), overlaps=common,
        cap=staff.app.settings.limits.per_contact, **_drawing(staff),
    )  # fmt: skip
