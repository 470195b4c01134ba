"""What the clock does for customers, and the mails of the service: an answer with the question whether it helped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from outreach.access.roles import Actor
from outreach.app import handing
from outreach.app.build import App
from outreach.app.own_mailbox import any_open, box_to_answer, own_box
from outreach.app.post import Posted, identity_of, post
from outreach.content.plain import plain_message
from outreach.crm.service.store import CaseError
from outreach.crm.survey.page import language_known, words
from outreach.inbox.archive.store import archive_sent
from outreach.model import Contact, EmailAddress, InboundMail, Mailbox
from outreach.model.base import table
from outreach.model.suppressed import is_suppressed

ADDRESSES, CONTACTS, INBOUND = table(EmailAddress), table(Contact), table(InboundMail)
MAILBOXES = table(Mailbox)


async def keep(app: App, now: datetime) -> dict[str, int]:
    """Give owners to customers without one, see to handed-over mail, close cases whose customers are silent."""
    done = {"assigned": 0}
    if app.settings.crm.assign_new:
        done["assigned"] = await app.owners.place_unowned(now)
    done["redirected"] = await handing.follow_up(app, now)
    done["expired"] = await app.service.expire(now)
    return done


@dataclass(frozen=True)
class Way:
    """How a case's customer can be written to: None where they cannot, and `why`."""

    address: str | None
    why: str
    language: str
    mailbox: str | None
    name: str = ""
    reply_to: str | None = None
    subject: str = ""


async def way_to(app: App, case: Any, by: int | None = None) -> Way:
    """Find address, mailbox and thread for a case. No word goes to who does not want it or whose address is dead.

    `by`: the user who answers; they write from their own mailbox where the one that was written to is closed.
    """
    return await way_of(app, case.contact_id, case.owner_id, case.inbound_id, by)


async def way_of(
    app: App, contact_id: int | None, owner_id: int | None, inbound_id: int | None = None, by: int | None = None
) -> Way:
    """The same for a person, from the mailbox of `owner_id` (a user), in the thread of a mail of theirs."""
    names = [settings.name for settings in app.settings.mailbox]
    async with app.db.read() as conn:
        person = (await conn.execute(select(CONTACTS).where(CONTACTS.c.id == contact_id))).one_or_none()
        mail = (await conn.execute(select(INBOUND).where(INBOUND.c.id == inbound_id))).one_or_none()
        stopped = is_suppressed(ADDRESSES.c.key, ADDRESSES.c.domain).label("stopped")
        query = select(ADDRESSES.c.address, ADDRESSES.c.normal, ADDRESSES.c.bounced_at, stopped)
        known = (await conn.execute(query.where(ADDRESSES.c.contact_id == contact_id))).all()
        came_to = await conn.scalar(select(MAILBOXES.c.name).where(MAILBOXES.c.id == mail.mailbox_id)) if mail else None
        if came_to is not None:
            box = await box_to_answer(conn, came_to, (by, owner_id), names)
        else:
            box = await own_box(conn, (owner_id,), names) or await any_open(conn, names)
    lang = language_known(person.language if person else None)
    if any(row.stopped for row in known):
        return Way(None, "suppressed", lang, box)
    alive = [row.address for row in known if row.bounced_at is None]
    from_mail = mail.from_address if mail is not None else None
    same = [address for address in alive if from_mail and address.lower() == from_mail.lower()]
    address = next(iter([*same, *alive]), None)
    if address is None or box is None:
        closed = "mailbox_closed" if came_to is not None else "no_mailbox"
        return Way(None, "no_address" if address is None else closed, lang, box)
    name = " ".join(part for part in (person.first_name, person.last_name) if part) if person else ""
    return Way(address, "", lang, box, name, mail.rfc_message_id if mail else None, mail.subject or "" if mail else "")


async def answer_case(app: App, case_id: int, text: str, actor: Actor, now: datetime, *, sender: str = "") -> Posted:
    """Write the answer to the customer with the question whether it helped; the case waits for their word.

    The case is marked first, so that two presses never answer twice; a refused mail opens it again. Raises CaseError.
    """
    case = await app.service.one(case_id)
    if case is None:
        raise LookupError(f"there is no case {case_id}")
    way = await way_to(app, case, actor.id)
    if way.address is None or way.mailbox is None:
        raise CaseError(way.why, "the customer cannot be written to: call them, then note the answer without a mail")
    answered = await app.service.answer(case_id, text, actor, now)
    _, link = await app.surveys.ask(case.contact_id, now, ticket_id=case_id, language=way.language)
    box = app.settings.mailbox_named(way.mailbox)
    data = _letter(app, box, way, answered, f"{text.strip()}\n\n{words()[way.language]['mail']}\n{link}\n", now, sender)
    posted = await post(app, box, [way.address], data, now)
    if posted.outcome == "refused":
        await app.service.unanswer(case_id, now)
        return posted
    async with app.db.write() as conn:
        subject = way.subject or case.subject
        people = f"{box.address} {way.name} {way.address}"
        await archive_sent(conn, data, now, subject=subject, body=text, people=people, inbound_id=case.inbound_id)
    return posted


def _letter(app: App, box: Any, way: Way, case: Any, text: str, now: datetime, sender: str) -> bytes:
    subject = way.subject or case.subject
    if way.reply_to and not subject.lower().startswith(("re:", "aw:", "回复", "答复")):
        subject = f"Re: {subject}"
    thread = (way.reply_to,) if way.reply_to else ()
    name = sender or box.from_name or app.settings.sender.company
    identity = identity_of(box, way.name, way.address or "", now, name, answers=way.reply_to, references=thread)
    return plain_message(identity, f"{subject} [{case.number}]", text)
