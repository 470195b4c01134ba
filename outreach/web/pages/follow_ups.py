"""Follow-ups: everything that is to be done, by the customer's clock."""

from __future__ import annotations

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import func, or_, select

from outreach.access.roles import Permission, Scope
from outreach.app import corrections
from outreach.crm.proposals import proposal_of
from outreach.crm.store import TaskError
from outreach.web.data import today
from outreach.web.data.people import PERSON, user_names
from outreach.web.data.scope import held, owned
from outreach.web.data.tables import COMPANY, CONTACT, TASK
from outreach.web.i18n import N_, in_words
from outreach.web.routing import Pages, Staff
from outreach.web.security import local_path

router = Pages()
PAGE = 100


@router.page("/follow-ups", Permission.TASKS_VIEW)
async def listing(staff: Staff) -> Response:
    """Open tasks: late ones, today's, later ones; or those that are done."""
    params = staff.request.query_params
    wide = staff.reach(Permission.TASKS_VIEW) > Scope.OWN
    mine = not (wide and params.get("scope") == "all")
    done = params.get("show") == "done"
    base = TASK.outerjoin(CONTACT, CONTACT.c.id == TASK.c.contact_id).outerjoin(
        COMPANY, COMPANY.c.id == func.coalesce(TASK.c.company_id, CONTACT.c.company_id)
    )
    query = select(TASK, *PERSON).select_from(base).where(owned(staff, Permission.TASKS_VIEW, TASK.c.owner_id))
    if mine:
        query = query.where(or_(TASK.c.owner_id == staff.actor.id, TASK.c.owner_id.is_(None)))
    query = query.where(TASK.c.state != "open" if done else TASK.c.state == "open")
    query = query.order_by(TASK.c.done_at.desc() if done else TASK.c.due_at).limit(PAGE)
    async with staff.app.db.read() as conn:
        rows = (await conn.execute(query)).all()
        names = await user_names(conn)
    lines = [(today.task_of(row, staff.now), row) for row in rows]
    return await staff.render("follow_ups.html", lines=lines, names=names, wide=wide, mine=mine, done=done)


@router.action("/follow-ups/{task_id:int}/done", Permission.TASKS_EDIT)
async def finish(staff: Staff, task_id: int) -> Response:
    """Say that it is done (or dropped)."""
    async with staff.app.db.read() as conn:
        row = (await conn.execute(select(TASK).where(TASK.c.id == task_id))).one_or_none()
    if row is None:
        raise HTTPException(404)
    staff.need(Permission.TASKS_EDIT, await held(staff, row.owner_id))
    form = await staff.form()
    outcome = str(form.get("outcome", "")).strip()[:2000]
    try:
        await staff.app.crm.finish(task_id, staff.now, outcome=outcome, dropped=form.get("drop") == "1")
    except TaskError as error:
        raise HTTPException(409, in_words(error, staff.lang)) from error
    staff.record(before={"state": row.state}, after={"state": "dropped" if form.get("drop") == "1" else "done"})
    to = local_path(str(form.get("next", "")), "/follow-ups")
    return staff.done(to, N_("Done."), undo={"do": "task.reopen", "id": task_id, "owner": row.owner_id})


@router.action("/follow-ups/{task_id:int}/accept", Permission.CONTACTS_EDIT)
async def accept(staff: Staff, task_id: int) -> Response:
    """Take over the correction of the address book that a received mail proposed."""
    async with staff.app.db.read() as conn:
        row = (await conn.execute(select(TASK).where(TASK.c.id == task_id))).one_or_none()
    if row is None or proposal_of(row.kind, row.data) is None:
        raise HTTPException(404)
    staff.need(Permission.CONTACTS_EDIT, await held(staff, row.owner_id))
    try:
        await corrections.accept(staff.app, task_id, staff.actor, staff.now)
    except corrections.CorrectionError as error:
        raise HTTPException(409, in_words(error, staff.lang)) from error
    to = local_path(str((await staff.form()).get("next", "")), "/follow-ups")
    return staff.done(to, N_("The address book is corrected."))
