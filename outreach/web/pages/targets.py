"""Targets of a quarter and everybody's standing (G2): managers set them, each sees the own, leads see their people's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import or_, select
from starlette.datastructures import FormData

from outreach.access.roles import Permission, Scope
from outreach.audience.values import ValueRefused, parse_number
from outreach.crm.grades.rules import quarter_days, quarter_of
from outreach.crm.targets.standing import (
    KINDS,
    RATES,
    Reached,
    TargetRefused,
    elapsed,
    months,
    neighbours,
    standings,
    team_target,
)
from outreach.web.data.scope import owned
from outreach.web.data.tables import USER
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes
from outreach.web.words import word

router = Pages()
#: Who works towards targets; others stand on the page once they have one.
WORKERS = frozenset({"salesperson", "manager", "customer_service", "business_lead"})
EMPTY = (Reached(), Reached(), Reached())


def _quarter(staff: Staff, given: str) -> str:
    """The quarter that is asked for, else the running one by the office's clock. Raises 404."""
    try:
        return quarter_of(quarter_days(given or quarter_of(_today(staff)))[0])
    except ValueError as error:
        raise HTTPException(404) from error


def _today(staff: Staff) -> Any:
    office: datetime = staff.now.astimezone(ZoneInfo(staff.app.settings.sender.timezone))
    return office.date()


@router.page("/follow-ups/targets", Permission.TASKS_VIEW)
async def show(staff: Staff) -> Response:
    """Everybody whose standing this person may see, by team."""
    return await _show(staff, _quarter(staff, staff.request.query_params.get("quarter", "")))


async def _show(staff: Staff, quarter: str, error: str = "", status: int = 200) -> Response:
    targets = await staff.app.targets.targets(quarter)
    reached = await staff.app.targets.reached(quarter, staff.now)
    people = await _people(staff, targets, reached)
    expected = elapsed(quarter, _today(staff))
    before, after = neighbours(quarter)
    chosen = staff.request.query_params.get("of", "")
    who = [user for user in people if str(user.id) == chosen] or people
    return await staff.render(
        "targets.html", status=status, quarter=quarter, before=before, after=after, expected=expected, error=error,
        teams=_teams(people, targets, reached, expected), kinds=KINDS, rates=RATES, targets=targets, months=_months(quarter, who, reached),
        chosen=who[0] if len(who) == 1 else None, wide=staff.reach(Permission.TASKS_VIEW) > Scope.OWN,
        editable=staff.may(Permission.TARGETS_EDIT), currency=staff.app.money.currency, today=quarter_of(_today(staff)),
        lacking=sum(month.without_rate for user in people for month in reached.get(user.id, EMPTY)),
    )  # fmt: skip


def _months(quarter: str, who: Any, reached: Mapping[int, Any]) -> list[tuple[Any, Reached]]:
    """Each month of the quarter with what these people reached in it."""
    sums = [sum((reached.get(user.id, EMPTY)[n] for user in who), Reached()) for n in range(3)]
    return list(zip(months(quarter), sums, strict=True))


def _teams(people: Any, targets: Mapping[int, Any], reached: Mapping[int, Any], expected: float) -> list[Any]:
    """Teams with their people: (name, the team's standing where there are several people, [(user, standing)])."""
    teams: dict[str, list[Any]] = {}
    for user in people:
        teams.setdefault(user.team or "", []).append(user)
    made = []
    for name, members in sorted(teams.items()):
        got = {user.id: sum(reached.get(user.id, EMPTY), Reached()) for user in members}
        lines = [(user, standings(targets.get(user.id, {}), got[user.id], expected)) for user in members]
        together = team_target(targets[user.id] for user in members if user.id in targets)
        whole = standings(together, sum(got.values(), Reached()), expected) if len(members) > 1 else None
        made.append((name, whole, lines))
    return made


async def _people(staff: Staff, targets: Mapping[int, Any], reached: Mapping[int, Any]) -> list[Any]:
    """Who stands on the page: people who work towards targets, and whoever has one or reached something."""
    columns = (USER.c.id, USER.c.name, USER.c.display_name, USER.c.team, USER.c.roles, USER.c.disabled_at)
    here = or_(USER.c.disabled_at.is_(None), USER.c.id.in_([*targets, *reached]))
    query = select(*columns).where(owned(staff, Permission.TASKS_VIEW, USER.c.id), here)
    async with staff.app.db.read() as conn:
        rows = (await conn.execute(query.order_by(USER.c.display_name, USER.c.name))).all()
    return [
        row for row in rows
        if row.id in targets or row.id in reached or row.id == staff.actor.id or WORKERS & set(row.roles or ())
    ]  # fmt: skip


@router.page("/follow-ups/targets/{figure}", Permission.TASKS_VIEW)
async def behind(staff: Staff, figure: str) -> Response:
    """The orders, deals or replies that a figure was counted from; one's own unless somebody is named."""
    given = staff.request.query_params.get("of", str(staff.actor.id))
    if figure not in KINDS or not given.isdecimal() or len(given) > 9:
        raise HTTPException(404)
    quarter = _quarter(staff, staff.request.query_params.get("quarter", ""))
    query = select(USER).where(USER.c.id == int(given), owned(staff, Permission.TASKS_VIEW, USER.c.id))
    async with staff.app.db.read() as conn:
        user = (await conn.execute(query)).one_or_none()
    if user is None:
        raise HTTPException(404)
    rows = await staff.app.targets.behind(figure, quarter, user.id, staff.now)
    return await staff.render("targets_behind.html", kind=figure, quarter=quarter, user=user, rows=rows)


@router.action("/follow-ups/targets", Permission.TARGETS_EDIT)
async def edit(staff: Staff) -> Response:
    """Set somebody's targets of a quarter; an empty field takes one away."""
    form = await staff.form()
    quarter, given = _quarter(staff, str(form.get("quarter", ""))), str(form.get("user", ""))
    user = await staff.app.access.user(int(given)) if given.isdecimal() and len(given) < 10 else None
    if user is None:
        raise HTTPException(404)
    try:
        before = await staff.app.targets.set(quarter, user.id, _values(form), staff.actor, staff.now)
    except TargetRefused as refused:
        return await _show(staff, quarter, staff.say(word("target_error", refused.code)[0]), 422)
    undo = {"do": "targets", "quarter": quarter, "user": user.id, "values": before}
    text = N_("%(name)s's targets are set.")
    name = user.display_name or user.name
    return staff.done(f"/follow-ups/targets?quarter={quarter}", text, undo=undo, name=name)


def _values(form: FormData) -> dict[str, float | None]:
    """The targets of a form. Raises TargetRefused."""
    found: dict[str, float | None] = {}
    for kind in KINDS:
        if kind in form:
            text = str(form.get(kind, "")).strip()
            try:
                found[kind] = parse_number(text) if text else None
            except ValueRefused as error:
                raise TargetRefused("value", f"{text!r} is no number") from error
    return found


@undoes("targets")
async def undo_targets(staff: Staff, told: dict[str, Any]) -> None:
    """Put somebody's targets back."""
    staff.need(Permission.TARGETS_EDIT)
    await staff.app.targets.set(told["quarter"], told["user"], told["values"], staff.actor, staff.now)


@router.action("/follow-ups/targets/copy", Permission.TARGETS_EDIT)
async def copy(staff: Staff) -> Response:
    """Take over the targets of the quarter before where none is set."""
    quarter = _quarter(staff, str((await staff.form()).get("quarter", "")))
    made = await staff.app.targets.copy(neighbours(quarter)[0], quarter, staff.actor, staff.now)
    to = f"/follow-ups/targets?quarter={quarter}"
    if not made:
        return staff.done(to, N_("The quarter before has no targets that are not set here already."))
    undo = {"do": "targets.copy", "quarter": quarter, "made": [list(one) for one in made]}
    return staff.done(to, N_("%(count)s targets taken over."), undo=undo, count=len(made))


@undoes("targets.copy")
async def undo_copy(staff: Staff, told: dict[str, Any]) -> None:
    """Take the copied targets away again."""
    staff.need(Permission.TARGETS_EDIT)
    await staff.app.targets.forget(told["quarter"], told["made"], staff.actor, staff.now)
