"""Questions, complaints and wishes: the list by deadline, a case with its steps, the answer to the customer."""

from __future__ import annotations

from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response
from sqlalchemy import func, or_, select

from outreach.access.roles import Held, Permission
from outreach.app import customers
from outreach.crm.service.rules import DEPARTMENTS, kind_of
from outreach.crm.service.state import IllegalStep, actions
from outreach.crm.service.store import CaseError, NewCase
from outreach.model.enums import TicketKind
from outreach.web.assignee import assignee
from outreach.web.data import contacts as data
from outreach.web.data import inbox as inbox_data
from outreach.web.data.people import full_name, user_names
from outreach.web.data.scope import held, owned
from outreach.web.data.tables import ACTIVITY, COMPANY, CONTACT, SURVEY, TICKET, USER
from outreach.web.i18n import N_
from outreach.web.ids import id_of
from outreach.web.reasons import not_sent
from outreach.web.routing import Pages, Staff
from outreach.web.words import word

router = Pages()
PAGE = 200
VIEWS = {
    "waiting": ("new", "open", "asked"),
    "answered": ("answered",),
    "closed": ("closed",),
}
VIEW_WORDS = {"waiting": N_("Waiting"), "answered": N_("Answered"), "closed": N_("Settled")}
STEPS = {
    "take_back": N_("The question is taken back."),
    "helped": N_("Closed: it helped."),
    "not_helped": N_("Open again."),
    "reopen": N_("Open again."),
    "drop": N_("Closed without an answer."),
}


def visible(staff: Staff) -> Any:
    """Cases that may be seen: by their owner, and by who is asked about one."""
    mine = owned(staff, Permission.SERVICE_VIEW, TICKET.c.owner_id)
    return or_(mine, TICKET.c.handed_to == staff.actor.id)


@router.page("/follow-ups/service", Permission.SERVICE_VIEW)
async def listing(staff: Staff) -> Response:
    """Cases by deadline, and how content customers are."""
    params = staff.request.query_params
    view = params.get("show", "waiting")
    view = view if view in VIEWS else "waiting"
    kind = params.get("kind", "")
    joined = TICKET.outerjoin(COMPANY, COMPANY.c.id == TICKET.c.company_id).outerjoin(
        CONTACT, CONTACT.c.id == TICKET.c.contact_id
    )
    columns = (TICKET, COMPANY.c.name.label("company"), CONTACT.c.first_name, CONTACT.c.last_name, COMPANY.c.country)
    query = select(*columns).select_from(joined).where(TICKET.c.state.in_(VIEWS[view]), visible(staff))
    if kind in set(TicketKind):
        query = query.where(TICKET.c.kind == kind)
    query = query.order_by(TICKET.c.deadline if view == "waiting" else TICKET.c.id.desc()).limit(PAGE)
    counted = select(TICKET.c.state, func.count()).where(visible(staff)).group_by(TICKET.c.state)
    async with staff.app.db.read() as conn:
        rows = (await conn.execute(query)).all()
        states = {row[0]: row[1] for row in await conn.execute(counted)}
        names = await user_names(conn)
        content = await _content(conn, staff)
    counts = {name: sum(states.get(state, 0) for state in VIEWS[name]) for name in VIEWS}
    return await staff.render(
        "service.html", rows=rows, view=view, views=VIEW_WORDS, counts=counts, kind=kind, kinds=list(TicketKind), names=names,
        full_name=full_name, content=content,
    )  # fmt: skip


async def _content(conn: Any, staff: Staff) -> dict[str, Any]:
    """How content customers were in the last 90 days: asked, answered, how many of each score."""
    from datetime import timedelta

    since = staff.now - timedelta(days=90)
    asked = select(func.count(), func.count(SURVEY.c.answered_at), func.avg(SURVEY.c.score))
    row = (await conn.execute(asked.where(SURVEY.c.asked_at >= since))).one()
    by_score = select(SURVEY.c.score, func.count()).where(SURVEY.c.asked_at >= since, SURVEY.c.score.is_not(None))
    scores = {row[0]: row[1] for row in await conn.execute(by_score.group_by(SURVEY.c.score))}
    mean = float(row[2]) if row[2] is not None else None
    return {
        "asked": row[0],
        "answered": row[1],
        "mean": mean,
        "scores": scores,
        "most": max(scores.values(), default=1),
    }


@router.page("/follow-ups/service/new", Permission.SERVICE_EDIT)
async def new(staff: Staff) -> Response:
    """A case by hand, or from a received mail."""
    params = staff.request.query_params
    given: dict[str, Any] = {
        "kind": "question",
        "subject": "",
        "text": "",
        "company": None,
        "contact": None,
        "mail": None,
    }
    mail, firm = id_of(params.get("mail")), id_of(params.get("company"))
    if mail is not None:
        async with staff.app.db.read() as conn:
            known = await conn.scalar(select(TICKET.c.id).where(TICKET.c.inbound_id == mail))
        if known is not None:
            return staff.done(f"/follow-ups/service/{known}")
        given |= await _from_mail(staff, mail)
    elif firm is not None:
        async with staff.app.db.read() as conn:
            given["company"] = await data.company(conn, firm)
    return await _new(staff, given)


async def _new(staff: Staff, given: dict[str, Any], error: str = "", status: int = 200) -> Response:
    people: Any = []
    company = given["company"]
    if company is not None:
        staff.need(Permission.CONTACTS_VIEW, await held(staff, company.owner_id))
        async with staff.app.db.read() as conn:
            people = await data.people_of(conn, company.id)
    return await staff.render(
        "case_new.html",
        status=status,
        given=given,
        people=people,
        full_name=full_name,
        kinds=list(TicketKind),
        error=error,
    )


async def _from_mail(staff: Staff, inbound_id: int) -> dict[str, Any]:
    async with staff.app.db.read() as conn:
        mail = await inbox_data.one(conn, inbound_id)
        if mail is None:
            raise HTTPException(404)
        staff.need(Permission.INBOX_VIEW, Held(mail.held_by, mail.held_team))
        company = await data.company(conn, mail.firm_id) if mail.firm_id else None
    told = {"subject": mail.subject or "", "text": mail.reply_text or "", "kind": str(kind_of(mail.intent))}
    return told | {"company": company, "contact": mail.person_id, "mail": inbound_id}


@router.action("/follow-ups/service", Permission.SERVICE_EDIT)
async def add(staff: Staff) -> Response:
    """Open the case."""
    form = await staff.form()
    given_ids = ((name, id_of(form.get(name))) for name in ("company", "contact", "mail"))
    numbers = {name: number for name, number in given_ids if number is not None}
    kind, subject = str(form.get("kind", "")), str(form.get("subject", "")).strip()
    if "mail" in numbers:
        await _from_mail(staff, numbers["mail"])
    async with staff.app.db.read() as conn:
        company = await data.company(conn, numbers["company"]) if "company" in numbers else None
        person = await data.contact(conn, numbers["contact"]) if "contact" in numbers else None
    for name, asked in (("company", company), ("contact", person)):
        if name in numbers and asked is None:
            raise HTTPException(404)
    for asked in (company, person):
        if asked is not None:
            staff.need(Permission.CONTACTS_VIEW, await held(staff, asked.owner_id))
    if kind not in set(TicketKind) or not subject:
        given = {"kind": kind, "subject": subject, "text": str(form.get("text", "")), "company": company}
        given |= {"contact": numbers.get("contact"), "mail": numbers.get("mail")}
        return await _new(staff, given, staff.say(N_("Say in one line what it is about.")), 422)
    case = NewCase(
        TicketKind(kind), subject, str(form.get("text", "")).strip(), contact_id=numbers.get("contact"),
        company_id=numbers.get("company"), inbound_id=numbers.get("mail"),
        owner_id=staff.actor.id if "customer_service" in {str(role) for role in staff.actor.roles} else None,
    )  # fmt: skip
    number = await staff.app.service.open(case, staff.actor, staff.now)
    row = await staff.app.service.one(number)
    if row is not None and not await _may(staff, row, Permission.SERVICE_VIEW):
        return staff.done("/follow-ups/service", N_("%(number)s is with customer service."), number=row.number)
    return staff.done(f"/follow-ups/service/{number}", N_("The case is open; its deadline runs."))


async def _may(staff: Staff, row: Any, permission: Permission) -> bool:
    asked = row.handed_to is not None and row.handed_to == staff.actor.id
    return staff.may(permission, Held(staff.actor.id) if asked else await held(staff, row.owner_id))


async def _found(staff: Staff, case_id: int, permission: Permission, *, owner_only: bool = False) -> Any:
    row = await staff.app.service.one(case_id)
    if row is None:
        raise HTTPException(404)
    asked = not owner_only and row.handed_to is not None and row.handed_to == staff.actor.id
    staff.need(permission, Held(staff.actor.id) if asked else await held(staff, row.owner_id))
    return row


@router.page("/follow-ups/service/{case_id:int}", Permission.SERVICE_VIEW)
async def show(staff: Staff, case_id: int) -> Response:
    """A case: what they wrote, what was done, what comes next."""
    return await _show(staff, await _found(staff, case_id, Permission.SERVICE_VIEW))


async def _show(staff: Staff, row: Any, error: str = "", status: int = 200, **typed: str) -> Response:
    """The case; `typed`: what was written into the fields `text`, `question`, `answer`, `reason`, each to stand there again."""
    told = ACTIVITY.c.data["ticket_id"].as_integer() == row.id
    which = (ACTIVITY.c.contact_id == row.contact_id) if row.contact_id else (ACTIVITY.c.company_id == row.company_id)
    lines = select(ACTIVITY).where(which, told).order_by(ACTIVITY.c.at.desc(), ACTIVITY.c.id.desc()).limit(60)
    async with staff.app.db.read() as conn:
        company = await data.company(conn, row.company_id) if row.company_id else None
        contact = await data.contact(conn, row.contact_id) if row.contact_id else None
        history = (await conn.execute(lines)).all()
        names = await user_names(conn)
        people = await _colleagues(conn)
        survey = (await conn.execute(select(SURVEY).where(SURVEY.c.ticket_id == row.id))).first()
    way = await customers.way_to(staff.app, row, staff.actor.id)
    asked = row.state == "asked" and row.handed_to == staff.actor.id
    mine = staff.may(Permission.SERVICE_EDIT, await held(staff, row.owner_id))
    return await staff.render(
        "case.html", status=status, row=row, firm=company, contact=contact, history=history, names=names, people=people,
        actions=actions(row.state) if mine else [], asked=asked, mine=mine, way=way, error=error, survey=survey,
        typed={"text": "", "question": "", "answer": "", "reason": "", "department": "", "user": ""} | typed,
        departments=DEPARTMENTS, full_name=full_name, may_mail=staff.may(Permission.INBOX_ANSWER),
    )  # fmt: skip


async def _colleagues(conn: Any) -> Any:
    """Who can be asked: those whose role lets them answer a case."""
    query = select(USER.c.id, USER.c.name, USER.c.display_name, USER.c.roles).where(USER.c.disabled_at.is_(None))
    able = {"marketer", "salesperson", "business_lead", "customer_service", "manager", "admin"}
    return [row for row in (await conn.execute(query.order_by(USER.c.name))).all() if able & set(row.roles)]


@router.action("/follow-ups/service/{case_id:int}/take", Permission.SERVICE_EDIT)
async def take(staff: Staff, case_id: int) -> Response:
    """Give the case an owner."""
    await _found(staff, case_id, Permission.SERVICE_EDIT, owner_only=True)
    owner = str((await staff.form()).get("owner", "")) or str(staff.actor.id)
    await staff.app.service.take(case_id, await assignee(staff, owner), staff.actor, staff.now)
    return staff.done(f"/follow-ups/service/{case_id}", N_("Assigned."))


@router.action("/follow-ups/service/{case_id:int}/ask", Permission.SERVICE_EDIT)
async def ask(staff: Staff, case_id: int) -> Response:
    """Ask somebody of a department."""
    row = await _found(staff, case_id, Permission.SERVICE_EDIT, owner_only=True)
    form = await staff.form()
    department, user, question = (str(form.get(name, "")) for name in ("department", "user", "question"))
    typed = {"department": department, "user": user, "question": question}
    if department not in DEPARTMENTS or not user.isdecimal():
        return await _show(staff, row, staff.say(N_("Choose whom to ask.")), 422, **typed)
    asked = await assignee(staff, user)
    return await _try(
        staff, row, staff.app.service.ask(case_id, department, asked, question, staff.actor, staff.now),
        N_("Asked; the answer comes back to you."), **typed,
    )  # fmt: skip


@router.action("/follow-ups/service/{case_id:int}/told", Permission.SERVICE_EDIT)
async def told(staff: Staff, case_id: int) -> Response:
    """The department's answer, by who was asked."""
    row = await _found(staff, case_id, Permission.SERVICE_EDIT)
    if row.handed_to != staff.actor.id:
        staff.need(Permission.SERVICE_EDIT, await held(staff, row.owner_id))
    text = str((await staff.form()).get("answer", ""))
    return await _try(
        staff,
        row,
        staff.app.service.told(case_id, text, staff.actor, staff.now),
        N_("Thank you: the owner has it."),
        answer=text,
    )


@router.action("/follow-ups/service/{case_id:int}/answer", Permission.SERVICE_EDIT)
async def answer(staff: Staff, case_id: int) -> Response:
    """Answer the customer by mail, with the question whether it helped; or note what was said on the telephone."""
    row = await _found(staff, case_id, Permission.SERVICE_EDIT, owner_only=True)
    form = await staff.form()
    text = str(form.get("text", ""))
    if form.get("how") == "note":
        done = staff.app.service.answer(case_id, text, staff.actor, staff.now)
        return await _try(staff, row, done, N_("Noted as answered."), text=text)
    staff.need(Permission.INBOX_ANSWER)
    try:
        shown = staff.visit.user.display_name
        posted = await customers.answer_case(staff.app, case_id, text, staff.actor, staff.now, sender=shown)
    except CaseError as refused:
        return await _show(staff, row, staff.say(word("case_error", refused.code)[0]), 422, text=text)
    except IllegalStep:
        return await _show(staff, row, staff.say(N_("This case has been answered already.")), 409, text=text)
    if posted.outcome == "refused":
        return await _show(staff, row, not_sent(staff, posted, kept=True), 502, text=text)
    if posted.outcome == "in_doubt":
        told = N_("The server hung up: nobody knows whether the answer arrived. Look into Sent.")
        return staff.done(f"/follow-ups/service/{case_id}", told)
    return staff.done(f"/follow-ups/service/{case_id}", N_("Answered; the customer is asked whether it helped."))


@router.action("/follow-ups/service/{case_id:int}/step/{action}", Permission.SERVICE_EDIT)
async def step(staff: Staff, case_id: int, action: str) -> Response:
    """The other steps: the customer's word by telephone, open again, close without an answer."""
    row = await _found(staff, case_id, Permission.SERVICE_EDIT, owner_only=True)
    if action not in STEPS:
        raise HTTPException(404)
    reason = str((await staff.form()).get("reason", ""))
    return await _try(
        staff,
        row,
        staff.app.service.step(case_id, action, staff.actor, staff.now, reason),
        STEPS[action],
        reason=reason,
    )


async def _try(staff: Staff, row: Any, doing: Any, said: str, **typed: str) -> Response:
    try:
        await doing
    except CaseError as refused:
        return await _show(staff, row, staff.say(word("case_error", refused.code)[0]), 422, **typed)
    except IllegalStep:
        told = staff.say(N_("Somebody has changed the case since: look at it again."))
        return await _show(staff, row, told, 409, **typed)
    return staff.done(f"/follow-ups/service/{row.id}", said)
