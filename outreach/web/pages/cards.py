"""Name cards, one after another by the keyboard: the fair stays, each card is assigned to who met the person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from fastapi.responses import Response
from sqlalchemy import func, select

from outreach.access.roles import Permission
from outreach.app import newcomers
from outreach.audience.reasons import reason
from outreach.audience.row import RowRefused
from outreach.audience.values import ValueRefused, parse_date
from outreach.web.assignee import NotAssignable, assignee
from outreach.web.data import contacts as data
from outreach.web.data.scope import held
from outreach.web.data.tables import CONTACT, USER
from outreach.web.i18n import N_
from outreach.web.routing import Pages, Staff

router = Pages()

#: Fields of a card in the order of the keys; the import's names.
FIELDS = (
    "email",
    "first_name",
    "last_name",
    "company",
    "country",
    "phone",
    "city",
    "tags",
    "note",
    "interests",
    "birthday",
)
#: What stays from card to card.
KEPT = ("source", "met", "country")
#: From so much on a likeness is asked about before a second company is made.
SURE = 88.0


@router.page("/customers/cards", Permission.CONTACTS_EDIT)
async def form(staff: Staff) -> Response:
    """An empty card."""
    params = staff.request.query_params
    given = {name: params.get(name, "")[:200] for name in (*FIELDS, "source", "met")}
    return await _form(staff, given)


async def _form(staff: Staff, given: Mapping[str, str], status: int = 200, **context: Any) -> Response:
    async with staff.app.db.read() as conn:
        today = select(func.count()).select_from(CONTACT).where(CONTACT.c.source == (given.get("source") or ""))
        count = (await conn.execute(today)).scalar_one()
        assignees = await data.assignees(conn)
    values = {"error": "", "alike": [], "last": staff.request.query_params.get("last", "")[:120]} | context
    return await staff.render("cards.html", status=status, given=given, assignees=assignees, count=count, **values)


@router.action("/customers/cards", Permission.CONTACTS_EDIT)
async def add(staff: Staff) -> Response:
    """Store the card and show the next one. A company that may be there already is asked about first."""
    form = await staff.form()
    given = {name: str(form.get(name, "")).strip()[:500] for name in (*FIELDS, "source", "met")}
    try:
        met = await assignee(staff, given["met"]) if given["met"] else staff.actor.id
    except NotAssignable:
        return await _form(staff, given, 422, error=staff.say(N_("Nobody of this name works here any more.")))
    if not given["source"]:
        return await _form(staff, given, 422, error=staff.say(N_("Say where the card is from, such as a fair.")))
    for number, owner in await staff.app.audience.holders(given["email"]):
        if owner is not None and not staff.may(Permission.CONTACTS_EDIT, await held(staff, owner)):
            return await _met_only(staff, given, number, owner, met)
    try:
        if given["birthday"]:
            parse_date(given["birthday"])
    except ValueRefused as refused:  # of a list it would be left out; who types it can mend it
        told = f"{staff.word('field', 'birthday')}: {reason(refused.code, staff.lang)}"
        return await _form(staff, given, 422, error=told)
    choice = str(form.get("same", ""))
    if not choice:
        alike = await _alike(staff, given)
        if alike:
            return await _form(staff, given, 409, alike=alike)
    values = {name: given[name] for name in FIELDS if given[name]}
    chosen = int(choice) if choice.isdecimal() and len(choice) < 10 else None
    try:
        entered = await newcomers.enter(
            staff.app, values, source=given["source"], basis="inquiry", now=staff.now, owner_id=met, company_id=chosen,
            evidence=f"card: {given['source']}",
        )  # fmt: skip
    except RowRefused as refused:
        return await _form(staff, given, 422, error=refused.message(staff.lang))
    except LookupError:  # merged with another since it was shown
        return await _form(staff, given, 409, alike=await _alike(staff, given))
    company = await _met(staff, entered, given["source"], met)
    name = _name(given)
    to = _next(given, name)
    if company is not None and company.owner and company.owner_id != met:
        text = N_("%(name)s is stored and joins %(company)s, a customer of %(owner)s: talk to them before you write.")
        return staff.done(to, text, name=name, company=company.name, owner=company.owner)
    return staff.done(to, N_("%(name)s is stored."), name=name)


def _name(given: Mapping[str, str]) -> str:
    return " ".join(filter(None, (given["first_name"], given["last_name"]))) or given["email"]


def _next(given: Mapping[str, str], name: str) -> str:
    """The address of the next empty card."""
    kept = {field: given[field] for field in KEPT if given[field]}
    return "/customers/cards?" + urlencode(kept | {"last": name})


async def _met_only(staff: Staff, given: Mapping[str, str], contact_id: int, owner: int, met: int | None) -> Response:
    """A colleague's customer: that they were met, and the card's note, stand in the timeline; nothing else changes."""
    from outreach.crm.store import note

    staff.record(after={"contact": contact_id, "met": met})
    async with staff.app.db.write() as conn:
        for kind, text in (("meeting", given["source"]), ("note", given["note"])):
            if text:
                await note(conn, kind, text, staff.now, contact_id=contact_id, user_id=met)
        row = (await conn.execute(select(USER.c.display_name, USER.c.name).where(USER.c.id == owner))).one()
    text = N_("%(name)s is a customer of %(owner)s: the meeting and the note stand there, nothing else was changed.")
    name = _name(given)
    return staff.done(_next(given, name), text, name=name, owner=row.display_name or row.name)


async def _alike(staff: Staff, given: Mapping[str, str]) -> list[Any]:
    """Companies that this one may be and that its address does not lead to by itself."""
    found = await newcomers.alike(staff.app, given)
    if any(one.by == "domain" for one, _ in found):
        return []
    return [(one, row) for one, row in found if one.score >= SURE]


async def _met(staff: Staff, entered: Any, source: str, met: int | None) -> Any | None:
    """Note the meeting; a customer of nobody's is now of who met them. Return the company."""
    from outreach.crm.store import note

    company = entered.company
    number = company.id if company is not None else None
    if company is not None and company.owner_id is None and met is not None:
        await staff.app.owners.assign([company.id], met, staff.actor, staff.now, reason="card")
    staff.record(after={"contact": entered.contact_id, "company": number, "met": met})
    async with staff.app.db.write() as conn:
        await note(conn, "meeting", source, staff.now, contact_id=entered.contact_id, company_id=number, user_id=met)
    return company
