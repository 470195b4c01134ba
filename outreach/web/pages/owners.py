"""Owners and grades: the assignment rules, customers that may be one, the quarterly revision, a leaver's hand-over."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import func, select

from outreach.access.roles import Permission
from outreach.access.store import UserError
from outreach.app import handing
from outreach.crm.grades.rules import quarter_of
from outreach.crm.owners.rules import Rule
from outreach.model.enums import Region
from outreach.web.assignee import assignee
from outreach.web.data import contacts as data
from outreach.web.data.customer import visible_company
from outreach.web.data.people import user_names
from outreach.web.data.tables import COMPANY, USER
from outreach.web.i18n import N_, in_words
from outreach.web.ids import id_of
from outreach.web.routing import Pages, Staff
from outreach.web.undos import undoes

router = Pages()
#: Pairs and proposals on a page.
PAGE = 60


# ---- rules


@router.page("/customers/rules", Permission.CONTACTS_ASSIGN)
async def rules(staff: Staff) -> Response:
    """The assignment rules in their order, and how many customers have nobody."""
    rows = await staff.app.owners.rules()
    async with staff.app.db.read() as conn:
        nobody = select(func.count()).select_from(COMPANY)
        nobody = nobody.where(COMPANY.c.owner_id.is_(None), COMPANY.c.merged_into.is_(None))
        count = (await conn.execute(nobody)).scalar_one()
        assignees = await data.assignees(conn)
        names = await user_names(conn)
    return await staff.render(
        "rules.html", rows=rows, nobody=count, assignees=assignees, names=names, regions=list(Region),
        automatic=staff.app.settings.crm.assign_new,
    )  # fmt: skip


@router.action("/customers/rules", Permission.CONTACTS_ASSIGN)
async def add_rule(staff: Staff) -> Response:
    """Add a rule at the end."""
    form = await staff.form()
    owners = [await assignee(staff, str(value)) for value in form.getlist("owner") if value]
    region = str(form.get("region", ""))
    if not owners or (region and region not in set(Region)):
        return staff.done("/customers/rules", N_("Choose who gets these customers."))
    rule = Rule(
        0, owners, region or None, str(form.get("industry", "")).strip()[:80] or None,
        str(form.get("source", "")).strip()[:120] or None,
    )  # fmt: skip
    await staff.app.owners.add_rule(rule, staff.actor, staff.now)
    return staff.done("/customers/rules", N_("The rule holds from now on."))


@router.action("/customers/rules/{rule_id:int}/remove", Permission.CONTACTS_ASSIGN)
async def remove_rule(staff: Staff, rule_id: int) -> Response:
    """Delete a rule."""
    kept = await staff.app.owners.remove_rule(rule_id, staff.actor, staff.now)
    if kept is None:
        raise HTTPException(404)
    return staff.done("/customers/rules", N_("Removed."), undo={"do": "rule", "rule": kept})


@undoes("rule")
async def undo_rule(staff: Staff, told: dict[str, Any]) -> None:
    """Restore a rule."""
    staff.need(Permission.CONTACTS_ASSIGN)
    await staff.app.owners.restore_rule(told["rule"], staff.actor, staff.now)


@router.action("/customers/rules/{rule_id:int}/move", Permission.CONTACTS_ASSIGN)
async def move_rule(staff: Staff, rule_id: int) -> Response:
    """Move a rule up or down: the first that fits decides."""
    up = (await staff.form()).get("up") == "1"
    await staff.app.owners.move_rule(rule_id, up, staff.actor, staff.now)
    return staff.done("/customers/rules")


@router.action("/customers/rules/apply", Permission.CONTACTS_ASSIGN)
async def apply_rules(staff: Staff) -> Response:
    """Give customers without an owner one, now."""
    total = 0
    while placed := await staff.app.owners.place_unowned(staff.now):
        total += placed
    staff.record(after={"assigned": total})
    return staff.done("/customers/rules", N_("%(count)s customers have an owner now."), count=total)


# ---- duplicates


@router.page("/customers/duplicates", Permission.CONTACTS_EDIT)
async def duplicates(staff: Staff) -> Response:
    """Pairs of customers that may be one."""
    told = await staff.app.pairs.pairs(staff.now)
    pairs = told.found
    ids = {number for pair in pairs for number in (pair.left, pair.right)}
    columns = (COMPANY, USER.c.display_name.label("owner"))
    query = select(*columns).select_from(COMPANY.outerjoin(USER, USER.c.id == COMPANY.c.owner_id))
    async with staff.app.db.read() as conn:
        rows = {row.id: row for row in await conn.execute(query.where(COMPANY.c.id.in_(ids), visible_company(staff)))}
    shown = [(pair, rows[pair.left], rows[pair.right]) for pair in pairs if {pair.left, pair.right} <= rows.keys()]
    return await staff.render("duplicates.html", pairs=shown[:PAGE], told=told)


# ---- grades


@router.page("/customers/grades", Permission.CONTACTS_EDIT)
async def grades(staff: Staff) -> Response:
    """What the revision would change, and why."""
    rows, total = await staff.app.grades.page(staff.now, visible_company(staff), PAGE)
    async with staff.app.db.read() as conn:
        names = await user_names(conn)
    limits = staff.app.grades.limits
    return await staff.render(
        "grades.html", rows=rows, total=total, names=names, limits=limits, currency=staff.app.money.currency,
        quarter=quarter_of(staff.now.date()), last=await staff.app.grades.last_revision(),
    )  # fmt: skip


@router.action("/customers/grades", Permission.CONTACTS_EDIT)
async def accept_grades(staff: Staff) -> Response:
    """Give the ticked customers their proposed grade."""
    form = await staff.form()
    ids = [number for value in form.getlist("id") if (number := id_of(value)) is not None]
    async with staff.app.db.read() as conn:
        chosen = select(COMPANY.c.id).where(COMPANY.c.id.in_(ids), visible_company(staff))
        seen = set((await conn.execute(chosen)).scalars())
    undo = await staff.app.grades.accept(sorted(seen), staff.actor, staff.now)
    told = {"do": "grades", "items": undo}
    return staff.done("/customers/grades", N_("%(count)s grades revised."), undo=told, count=len(undo))


@undoes("grades")
async def undo_grades(staff: Staff, told: dict[str, Any]) -> None:
    """Put grades back."""
    staff.need(Permission.CONTACTS_EDIT)
    await staff.app.grades.put_back(told["items"], staff.actor, staff.now)


# ---- a leaver


@router.page("/settings/users/{user_id:int}/hand-over", Permission.USERS_TRANSFER)
async def hand_over(staff: Staff, user_id: int) -> Response:
    """What would pass on, before anything is changed."""
    return await _hand_over(staff, user_id)


async def _hand_over(staff: Staff, user_id: int, error: str = "", status: int = 200) -> Response:
    row = await staff.app.access.user(user_id)
    if row is None:
        raise HTTPException(404)
    to = id_of(staff.request.query_params.get("to"))
    preview = await handing.preview(staff.app, user_id, to)
    async with staff.app.db.read() as conn:
        assignees = [user for user in await data.assignees(conn) if user.id != user_id]
    return await staff.render(
        "hand_over.html", status=status, row=row, preview=preview, assignees=assignees, to=to, error=error
    )


@router.action("/settings/users/{user_id:int}/hand-over", Permission.USERS_TRANSFER)
async def do_hand_over(staff: Staff, user_id: int) -> Response:
    """Pass everything on and close the account and the mailboxes, in one step."""
    form = await staff.form()
    to, how = id_of(form.get("to")), str(form.get("sequences", "continue"))
    if to is None or how not in ("continue", "stop"):
        return await _hand_over(staff, user_id, staff.say(N_("Choose who takes over.")), 422)
    try:
        done = await handing.transfer(staff.app, user_id, to, staff.actor, staff.now, sequences=how)
    except UserError as refused:
        words = {
            "self": N_("Choose somebody else."),
            "unknown": N_("This account is closed: choose somebody who works here."),
            "last_admin": N_("This is the last administrator: make somebody else administrator first."),
        }
        return await _hand_over(staff, user_id, staff.say(words.get(refused.code, words["unknown"])), 422)
    undo = {"do": "hand-over", "id": done["handover"]}
    text = N_("%(companies)s customers and %(tasks)s open tasks have passed on; the account is closed.")
    return staff.done(f"/settings/users/{user_id}", text, undo=undo, companies=done["companies"], tasks=done["tasks"])


@undoes("hand-over")
async def undo_hand_over(staff: Staff, told: dict[str, Any]) -> None:
    """Take a hand-over back."""
    staff.need(Permission.USERS_TRANSFER)
    try:
        await handing.take_back(staff.app, told["id"], staff.actor, staff.now)
    except UserError as error:
        raise HTTPException(409, in_words(error, staff.lang)) from error
