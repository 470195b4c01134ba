"""The inbox: replies by person with their clock, the thread, the customer's card; answer, close, hand over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import HTTPException
from fastapi.responses import Response

from outreach.access.roles import Held, Permission
from outreach.app import answers
from outreach.audience.dedupe import company_domain
from outreach.crm.owners.collide import Known
from outreach.inbox.archive.letters.store import letter_of
from outreach.web import mail as mails
from outreach.web.assignee import assignee
from outreach.web.data import archive as archive_data
from outreach.web.data import contacts as contact_data
from outreach.web.data import inbox as data
from outreach.web.data import quarantine as quarantine_data
from outreach.web.data.people import full_name, user_names, zone_of
from outreach.web.data.scope import held
from outreach.web.i18n import N_, in_words
from outreach.web.reasons import not_sent
from outreach.web.received import page as received_page
from outreach.web.routing import Pages, Staff
from outreach.web.today_rules import ANSWER_WITHIN

router = Pages()

VIEWS = {
    "waiting": N_("Waiting"),
    "mine": N_("Mine"),
    "done": N_("Done"),
    "auto": N_("Auto-replies"),
    "bounces": N_("Bounces"),
    "leaving": N_("Unsubscribes"),
    "other": N_("Other"),
}


@router.page("/inbox", Permission.INBOX_VIEW)
async def listing(staff: Staff) -> Response:
    """The list with the most urgent mail opened."""
    return await _page(staff, None)


@router.page("/inbox/{inbound_id:int}", Permission.INBOX_VIEW)
async def show(staff: Staff, inbound_id: int) -> Response:
    """The list with one mail opened."""
    return await _page(staff, inbound_id)


async def _page(staff: Staff, inbound_id: int | None, error: str = "", text: str = "", status: int = 200) -> Response:
    params = staff.request.query_params
    view = params.get("show", "waiting")
    view = view if view in data.VIEWS else "waiting"
    intent, search = params.get("intent", "")[:40], params.get("q", "").strip()[:200]
    async with staff.app.db.read() as conn:
        rows = await data.mails(conn, staff, view, intent, search)
        counts = await data.view_counts(conn, staff)
        if staff.may(Permission.INBOX_QUARANTINE):
            counts["unreadable"] = await quarantine_data.count(conn)
        chosen = inbound_id if inbound_id is not None else rows[0].id if rows else None
        row = await data.one(conn, chosen) if chosen is not None else None
    if inbound_id is not None and row is None:
        raise HTTPException(404)
    context: dict[str, Any] = {"row": row}
    if row is not None:
        staff.need(Permission.INBOX_VIEW, Held(row.held_by, row.held_team))
        context |= await _opened(staff, row)
    return await staff.render(
        "inbox.html", status=status, rows=rows, counts=counts, view=view, views=VIEWS, intent=intent, search=search,
        full_name=full_name, error=error, text=text, answer_within=ANSWER_WITHIN, opened=inbound_id is not None, **context,
    )  # fmt: skip


async def _opened(staff: Staff, row: Any) -> dict[str, Any]:
    """Thread and card of the opened mail."""
    async with staff.app.db.read() as conn:
        thread = await data.thread(conn, row)
        kept = await archive_data.ids_of(conn, [item["mail"].id for item in thread if item["kind"] == "in"])
        letter = await letter_of(conn, row.id)
        contact = await contact_data.contact(conn, row.person_id) if row.person_id else None
        timeline = await contact_data.timeline(conn, contact_id=row.person_id) if row.person_id else []
        days = staff.app.settings.limits.per_contact
        lately = 0
        if row.person_id:
            lately = await data.sent_lately(conn, row.person_id, staff.now - timedelta(days=days.days))
        assignees = await contact_data.assignees(conn)
        names = await user_names(conn)
        firm = await contact_data.company(conn, row.firm_id) if row.firm_id else None
    alike = await staff.app.owners.find_collisions(_known(firm, contact, row.from_address or ""))
    others = await staff.app.owners.at_work(row.firm_id, staff.actor.id, staff.now) if row.firm_id else []
    mine = Held(row.held_by, row.held_team)
    return {
        "thread": thread,
        "kept": kept,
        "letter": letter,
        "contact": contact,
        "timeline": timeline[:12],
        "lately": lately,
        "cap": days,
        "alike": alike,
        "merge_into": firm.id
        if firm and staff.may(Permission.CONTACTS_EDIT, await held(staff, firm.owner_id))
        else None,
        "assignees": assignees,
        "names": names,
        "at_work": [one for one in others if one.user_id != row.held_by],
        "tz_there": zone_of(row.country, row.city),
        "name": full_name(row.first_name, row.last_name, row.from_name or row.from_address or "?"),
        "may_answer": staff.may(Permission.INBOX_ANSWER, mine),
        "unauthorised": not staff.actor.authorised,
    }


def _known(firm: Any, contact: Any, address: str) -> Known:
    """The writer's customer as the search for collisions takes it; a stranger is known by the address alone."""
    numbers = tuple(one.phone for one in (firm, contact) if one is not None and one.phone)
    country = (firm and firm.country) or (contact and contact.country) or None
    if firm is not None:
        return Known(firm.id, firm.name, firm.domain, country, numbers)
    return Known(0, "", company_domain(address.rpartition("@")[2]), country, numbers)


async def _found(staff: Staff, inbound_id: int, permission: Permission) -> Any:
    async with staff.app.db.read() as conn:
        row = await data.one(conn, inbound_id)
    if row is None:
        raise HTTPException(404)
    staff.need(permission, Held(row.held_by, row.held_team))
    return row


@router.page("/inbox/{inbound_id:int}/original", Permission.INBOX_VIEW)
async def original(staff: Staff, inbound_id: int) -> Response:
    """The mail itself, cleaned, for a frame that can do nothing; images stay off."""
    row = await _found(staff, inbound_id, Permission.INBOX_VIEW)
    async with staff.app.db.read() as conn:
        raw = await data.raw(conn, inbound_id)
    if raw is None or row.state == "quarantined":  # what the parser's child could not read is not parsed here
        return mails.framed_text(staff.say(N_("The original is not kept any more.")), staff.lang)
    return mails.framed(received_page(*await mails.texts_of(raw)))


@router.action("/inbox/{inbound_id:int}/answer", Permission.INBOX_ANSWER)
async def answer(staff: Staff, inbound_id: int) -> Response:
    """Send an answer from the mailbox that the mail came to (closed: from the own one), in its thread."""
    await _found(staff, inbound_id, Permission.INBOX_ANSWER)
    text = str((await staff.form()).get("text", "")).strip()[:100_000]
    if not text:
        return await _page(staff, inbound_id, staff.say(N_("Write something first.")), status=422)
    try:
        posted = await answers.answer(
            staff.app, inbound_id, text, staff.actor, staff.now, sender_name=staff.visit.user.display_name
        )
    except (answers.AnswerError, ValueError, LookupError) as error:
        return await _page(staff, inbound_id, in_words(error, staff.lang), text, 409)
    if posted.outcome == "refused":
        return await _page(staff, inbound_id, not_sent(staff, posted, kept=True), text, 502)
    if posted.outcome == "in_doubt":
        return staff.done("/inbox", N_("The server hung up: nobody knows whether the answer arrived. Look into Sent."))
    return staff.done("/inbox", N_("Answer sent."))


@router.action("/inbox/{inbound_id:int}/close", Permission.INBOX_ANSWER)
async def close(staff: Staff, inbound_id: int) -> Response:
    """Nothing more is to be done."""
    await _found(staff, inbound_id, Permission.INBOX_ANSWER)
    await answers.close(staff.app, inbound_id, staff.actor, staff.now)
    return staff.done("/inbox", N_("Done, and out of the inbox."), undo={"do": "inbound.reopen", "id": inbound_id})


@router.action("/inbox/{inbound_id:int}/reopen", Permission.INBOX_ANSWER)
async def reopen(staff: Staff, inbound_id: int) -> Response:
    """It waits again."""
    await _found(staff, inbound_id, Permission.INBOX_ANSWER)
    await answers.reopen(staff.app, inbound_id, staff.actor, staff.now)
    return staff.done(f"/inbox/{inbound_id}", N_("It waits again."))


@router.action("/inbox/{inbound_id:int}/hand-over", Permission.INBOX_ANSWER)
async def hand_over(staff: Staff, inbound_id: int) -> Response:
    """Give it to a colleague."""
    await _found(staff, inbound_id, Permission.INBOX_ANSWER)
    form = await staff.form()
    owner = await assignee(staff, str(form.get("owner", "")))
    note = str(form.get("note", "")).strip()
    await answers.hand_over(staff.app, inbound_id, owner, staff.actor, staff.now, note)
    return staff.done("/inbox", N_("Handed over."))


@router.action("/inbox/{inbound_id:int}/unsubscribe", Permission.SUPPRESSION_ADD)
async def unsubscribe(staff: Staff, inbound_id: int) -> Response:
    """The sender wants no more mail."""
    await _found(staff, inbound_id, Permission.INBOX_VIEW)
    await answers.unsubscribe(staff.app, inbound_id, staff.actor, staff.now)
    return staff.done("/inbox", N_("Unsubscribed: no campaign writes to this person any more."))
