"""What people do with received mail: answer it in its thread, close it, hand it over, take a wish to leave."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Table, func, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.own_mailbox import box_to_answer
from outreach.app.post import Posted, identity_of, post
from outreach.content.envelope import Identity
from outreach.content.plain import plain_message
from outreach.crm.store import note
from outreach.events.kinds import EventKind, NewEvent
from outreach.inbox.archive.store import archive_sent
from outreach.model import Company, Contact, InboundMail, Mailbox, Message, Task, User
from outreach.model.base import table
from outreach.model.refusal import InTwo

INBOUND: Table = table(InboundMail)
TASKS: Table = table(Task)
MAILBOXES: Table = table(Mailbox)
MESSAGES: Table = table(Message)
CONTACTS: Table = table(Contact)
COMPANIES: Table = table(Company)
USERS: Table = table(User)


class AnswerError(InTwo):
    """It cannot be done now; the text says why and what to do."""


async def load(conn: AsyncConnection, inbound_id: int) -> Row[Any]:
    """Return the mail with its owner and mailbox. Raises LookupError."""
    owner = func.coalesce(INBOUND.c.owner_id, CONTACTS.c.owner_id, COMPANIES.c.owner_id).label("held_by")
    query = (
        select(INBOUND, owner, USERS.c.team, MAILBOXES.c.name.label("mailbox"), MESSAGES.c.message_id.label("answers"))
        .outerjoin(MESSAGES, MESSAGES.c.id == INBOUND.c.message_id)
        .outerjoin(CONTACTS, CONTACTS.c.id == INBOUND.c.contact_id)
        .outerjoin(COMPANIES, COMPANIES.c.id == func.coalesce(INBOUND.c.company_id, CONTACTS.c.company_id))
        .outerjoin(USERS, USERS.c.id == owner)
        .outerjoin(MAILBOXES, MAILBOXES.c.id == INBOUND.c.mailbox_id)
        .where(INBOUND.c.id == inbound_id)
    )
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise LookupError(f"there is no mail {inbound_id}")
    return row


async def answer(app: App, inbound_id: int, text: str, actor: Actor, now: datetime, *, sender_name: str = "") -> Posted:
    """Answer a mail from the mailbox that it came to, in its thread; where that is closed, from the answerer's own.

    Claimed first, so that two people (or two presses) never answer twice; archived before it leaves. Refused: the
    mail waits again. In doubt: it stays closed and the timeline says so. Raises AnswerError.
    """
    async with app.db.read() as conn:
        row = await load(conn, inbound_id)
        known = [settings.name for settings in app.settings.mailbox]
        name = await box_to_answer(conn, row.mailbox, (actor.id, row.held_by), known)
    if not row.from_address:
        raise AnswerError(
            "the mail names no sender: answer it from the mailbox itself", "这封邮件没有发件人：请直接在邮箱里回复"
        )
    if name is None:
        raise AnswerError(
            "the mailbox that it came to is closed, and neither you nor the customer's owner has one to answer from: "
            "hand it over to somebody who has, or have the mailbox opened again",
            "收到此邮件的邮箱已停用，您和客户负责人都没有可用于回复的邮箱：请转交给有邮箱的同事，或请管理员重新启用该邮箱",
        )
    box = app.settings.mailbox_named(name)
    letter = _identity(app, row, box, now, sender_name)
    data = plain_message(letter, _subject(row), text)
    async with app.db.write() as conn:
        await _claim(conn, inbound_id, now)
    posted = await post(app, box, [row.from_address], data, now)
    async with app.db.write() as conn:
        if posted.outcome == "refused":
            await _set(conn, inbound_id, state="new", answered_at=None)
        else:
            await _archive(conn, row, letter, data, text, now)
            await _record(conn, row, text, posted, actor, now)
    return posted


def _subject(row: Row[Any]) -> str:
    subject = row.subject or ""
    if not subject.lower().startswith(("re:", "aw:", "回复", "答复")):
        subject = f"Re: {subject}".strip()
    return subject


def _identity(app: App, row: Row[Any], box: Any, now: datetime, sender_name: str) -> Identity:
    sender = sender_name or box.from_name or app.settings.sender.company
    thread = tuple(value for value in (row.answers, row.rfc_message_id) if value)
    name, last = row.from_name or "", row.rfc_message_id
    return identity_of(box, name, row.from_address, now, sender, answers=last, references=thread)


async def _archive(
    conn: AsyncConnection, row: Row[Any], letter: Identity, data: bytes, text: str, now: datetime
) -> None:
    people = " ".join((letter.from_name, letter.from_address, letter.to_name, letter.to_address))
    await archive_sent(
        conn,
        data,
        now,
        subject=_subject(row),
        body=text,
        people=people,
        inbound_id=row.id,
        rfc_message_id=letter.message_id,
    )


async def _claim(conn: AsyncConnection, inbound_id: int, now: datetime) -> None:
    open_one = (INBOUND.c.id == inbound_id) & INBOUND.c.answered_at.is_(None)
    result = await conn.execute(update(INBOUND).where(open_one).values(answered_at=now))
    if result.rowcount != 1:
        raise AnswerError(
            "somebody has answered this mail already: look at the thread", "已经有人回复了这封邮件：请查看往来邮件"
        )


async def _record(conn: AsyncConnection, row: Row[Any], text: str, posted: Posted, actor: Actor, now: datetime) -> None:
    await _set(conn, row.id, state="closed", owner_id=row.held_by or actor.id)
    doubt = " (in doubt)" if posted.outcome == "in_doubt" else ""
    await _activity(conn, row, "answer", text[:300] + doubt, actor, now)
    await _finish_tasks(conn, row.id, now, "answered")
    after = {"outcome": posted.outcome}  # what the server said may hold an address: it is no matter of the trail
    await append_audit(conn, actor, "inbound.answered", "inbound_mail", row.id, now=now, after=after)


async def _activity(conn: AsyncConnection, row: Row[Any], kind: str, text: str, actor: Actor, now: datetime) -> None:
    data = {"inbound_id": row.id}
    await note(conn, kind, text, now, contact_id=row.contact_id, company_id=row.company_id, user_id=actor.id, data=data)


async def _finish_tasks(conn: AsyncConnection, inbound_id: int, now: datetime, outcome: str) -> None:
    ours = (TASKS.c.inbound_id == inbound_id) & (TASKS.c.state == "open")
    await conn.execute(update(TASKS).where(ours).values(state="done", done_at=now, outcome=outcome))


async def _set(conn: AsyncConnection, inbound_id: int, **values: Any) -> None:
    await conn.execute(update(INBOUND).where(INBOUND.c.id == inbound_id).values(**values))


async def _state(conn: AsyncConnection, inbound_id: int) -> str | None:
    state: str | None = await conn.scalar(select(INBOUND.c.state).where(INBOUND.c.id == inbound_id))
    return state


async def close(app: App, inbound_id: int, actor: Actor, now: datetime) -> None:
    """Say that nothing more is to be done with a mail; its tasks are done."""
    async with app.db.write() as conn:
        before = {"state": await _state(conn, inbound_id)}
        await _set(conn, inbound_id, state="closed")
        await _finish_tasks(conn, inbound_id, now, "closed")
        await append_audit(
            conn, actor, "inbound.closed", "inbound_mail", inbound_id, now=now, before=before, after={"state": "closed"}
        )


async def reopen(app: App, inbound_id: int, actor: Actor, now: datetime) -> None:
    """Undo the closing."""
    async with app.db.write() as conn:
        await _set(conn, inbound_id, state="new")
        ours = (TASKS.c.inbound_id == inbound_id) & (TASKS.c.outcome == "closed")
        await conn.execute(update(TASKS).where(ours).values(state="open", done_at=None, outcome=None))
        await append_audit(conn, actor, "inbound.reopened", "inbound_mail", inbound_id, now=now)


async def hand_over(app: App, inbound_id: int, owner_id: int, actor: Actor, now: datetime, note: str = "") -> None:
    """Give a mail and its tasks to a colleague."""
    async with app.db.write() as conn:
        row = await load(conn, inbound_id)
        await _set(conn, inbound_id, owner_id=owner_id)
        ours = (TASKS.c.inbound_id == inbound_id) & (TASKS.c.state == "open")
        await conn.execute(update(TASKS).where(ours).values(owner_id=owner_id))
        if note:
            await _activity(conn, row, "note", note[:2000], actor, now)
        change = {"before": {"owner_id": row.owner_id}, "after": {"owner_id": owner_id}}
        await append_audit(conn, actor, "inbound.handed_over", "inbound_mail", inbound_id, now=now, **change)


async def unsubscribe(app: App, inbound_id: int, actor: Actor, now: datetime) -> None:
    """Take the sender's wish to get no more mail: it holds at once and for every list (F3)."""
    async with app.db.write() as conn:
        row = await load(conn, inbound_id)
        event = NewEvent(
            EventKind.UNSUBSCRIBE,
            key=f"unsubscribe:staff:{inbound_id}",
            at=now,
            message_id=row.message_id,
            contact_id=row.contact_id,
            inbound_id=inbound_id,
            data={"address": row.from_address, "via": "staff"},
        )
        await app.events.record(conn, event, now)
        await _set(conn, inbound_id, state="closed")
        await _finish_tasks(conn, inbound_id, now, "unsubscribed")
        await append_audit(conn, actor, "inbound.unsubscribed", "inbound_mail", inbound_id, now=now)
