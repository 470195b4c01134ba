"""Received mail by person: the list, the thread, the customer's card."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.inbox.archive.store import raw_of
from outreach.web.data.matching import says
from outreach.web.data.people import PERSON
from outreach.web.data.scope import owned
from outreach.web.data.tables import (
    ARCHIVE,
    CAMPAIGN,
    COMPANY,
    CONTACT,
    INBOUND,
    MAILBOX,
    MESSAGE,
    TASK,
    USER,
)

if TYPE_CHECKING:
    from outreach.web.routing import Staff

PAGE = 60
#: Who is responsible for a mail: whom it was handed to, else the customer's owner.
OWNER: Any = func.coalesce(INBOUND.c.owner_id, CONTACT.c.owner_id, COMPANY.c.owner_id)
JOINED = INBOUND.outerjoin(CONTACT, CONTACT.c.id == INBOUND.c.contact_id).outerjoin(
    COMPANY, COMPANY.c.id == func.coalesce(INBOUND.c.company_id, CONTACT.c.company_id)
)
WAITING: ColumnElement[bool] = and_(
    INBOUND.c.kind == "reply", INBOUND.c.answered_at.is_(None), INBOUND.c.state == "new"
)
#: The views of the list: which mails.
VIEWS: dict[str, ColumnElement[bool]] = {
    "waiting": WAITING,
    "mine": WAITING,
    "done": and_(INBOUND.c.kind == "reply", or_(INBOUND.c.answered_at.is_not(None), INBOUND.c.state == "closed")),
    "auto": INBOUND.c.kind.in_(("autoreply", "challenge")),
    "bounces": INBOUND.c.kind.in_(("bounce", "complaint")),
    "leaving": INBOUND.c.kind == "unsubscribe",
    "other": and_(INBOUND.c.kind == "other", INBOUND.c.state.not_in(("own", "quarantined"))),
}


async def to_answer(conn: AsyncConnection, staff: Staff, theirs: ColumnElement[bool]) -> Any:
    """The newest of these mails that waits for an answer which this person may give."""
    query = select(INBOUND.c.id).select_from(JOINED).where(theirs, WAITING, owned(staff, P.INBOX_ANSWER, OWNER))
    return (await conn.execute(query.order_by(INBOUND.c.received_at.desc()).limit(1))).one_or_none()


async def mails(conn: AsyncConnection, staff: Staff, view: str, intent: str, search: str) -> Sequence[Any]:
    """The mails of a view; what waits is ordered by when it is due, the rest newest first."""
    open_tasks = select(TASK.c.inbound_id, func.min(TASK.c.due_at).label("due_at")).where(TASK.c.state == "open")
    due = open_tasks.group_by(TASK.c.inbound_id).subquery()
    parts = [VIEWS[view], owned(staff, P.INBOX_VIEW, OWNER)]
    if view == "mine":
        parts.append(or_(staff.actor.id == OWNER, OWNER.is_(None)))
    if intent:
        parts.append(INBOUND.c.intent == intent)
    if search:
        parts.append(says(search, INBOUND.c.subject, INBOUND.c.reply_text, INBOUND.c.from_address, COMPANY.c.name))
    query = (
        select(
            INBOUND.c.id, INBOUND.c.from_name, INBOUND.c.from_address, INBOUND.c.subject, INBOUND.c.reply_text, INBOUND.c.intent,
            INBOUND.c.kind, INBOUND.c.received_at, INBOUND.c.answered_at, INBOUND.c.state, INBOUND.c.reason, INBOUND.c.hard,
            INBOUND.c.return_date, INBOUND.c.recipients, due.c.due_at, *PERSON,
        )
        .select_from(JOINED.outerjoin(due, due.c.inbound_id == INBOUND.c.id))
        .where(*parts)
    )  # fmt: skip
    if view in ("waiting", "mine"):
        query = query.order_by(due.c.due_at.asc().nulls_last(), INBOUND.c.received_at)
    else:
        query = query.order_by(INBOUND.c.received_at.desc())
    return (await conn.execute(query.limit(PAGE))).all()


async def view_counts(conn: AsyncConnection, staff: Staff) -> dict[str, int]:
    """How many wait, and how many of them are this person's."""
    columns = (
        func.count().label("waiting"),
        func.count().filter(or_(staff.actor.id == OWNER, OWNER.is_(None))).label("mine"),
    )
    query = select(*columns).select_from(JOINED).where(WAITING, owned(staff, P.INBOX_VIEW, OWNER))
    return dict((await conn.execute(query)).one()._mapping)


async def one(conn: AsyncConnection, inbound_id: int) -> Any | None:
    """A mail with person, owner, mailbox and the campaign that it answers."""
    due = select(func.min(TASK.c.due_at)).where(TASK.c.inbound_id == INBOUND.c.id, TASK.c.state == "open")
    base = (
        JOINED.outerjoin(USER, USER.c.id == OWNER)
        .outerjoin(MAILBOX, MAILBOX.c.id == INBOUND.c.mailbox_id)
        .outerjoin(MESSAGE, MESSAGE.c.id == INBOUND.c.message_id)
        .outerjoin(CAMPAIGN, CAMPAIGN.c.id == MESSAGE.c.campaign_id)
    )
    query = (
        select(
            INBOUND, OWNER.label("held_by"), USER.c.team.label("held_team"), USER.c.display_name.label("owner"),
            MAILBOX.c.address.label("mailbox"), MAILBOX.c.name.label("mailbox_name"),
            CAMPAIGN.c.id.label("campaign_id"), CAMPAIGN.c.name.label("campaign"), due.scalar_subquery().label("due_at"), *PERSON,
        )
        .select_from(base)
        .where(INBOUND.c.id == inbound_id)
    )  # fmt: skip
    return (await conn.execute(query)).one_or_none()


async def thread(conn: AsyncConnection, row: Any) -> list[dict[str, Any]]:
    """What went to and fro with this person lately, oldest first: campaign mails, their replies, our answers."""
    items: list[dict[str, Any]] = []
    whom = INBOUND.c.contact_id == row.person_id if row.person_id else INBOUND.c.id == row.id
    received = select(
        INBOUND.c.id, INBOUND.c.received_at, INBOUND.c.from_name, INBOUND.c.from_address, INBOUND.c.subject, INBOUND.c.reply_text,
        INBOUND.c.kind, INBOUND.c.intent,
    ).where(whom, INBOUND.c.state != "own")  # fmt: skip
    for mail in await conn.execute(received.order_by(INBOUND.c.received_at.desc()).limit(12)):
        items.append({"kind": "in", "at": mail.received_at, "mail": mail})
    ids = [item["mail"].id for item in items]
    answered = select(ARCHIVE.c.id, ARCHIVE.c.at, ARCHIVE.c.text, ARCHIVE.c.subject, ARCHIVE.c.inbound_id).where(
        ARCHIVE.c.inbound_id.in_(ids), ARCHIVE.c.direction == "out"
    )
    for reply in await conn.execute(answered):
        items.append({"kind": "out", "at": reply.at, "mail": reply})
    if row.person_id:
        by_hand = select(
            ARCHIVE.c.id, ARCHIVE.c.at, ARCHIVE.c.text, ARCHIVE.c.subject, ARCHIVE.c.inbound_id, INBOUND.c.sent_at
        )
        by_hand = by_hand.join(INBOUND, INBOUND.c.id == ARCHIVE.c.inbound_id).where(
            INBOUND.c.contact_id == row.person_id, INBOUND.c.state == "own", ARCHIVE.c.direction == "out"
        )
        for own in await conn.execute(by_hand.order_by(ARCHIVE.c.at.desc()).limit(12)):
            items.append({"kind": "out", "at": own.sent_at or own.at, "mail": own})
        sent = (
            select(
                MESSAGE.c.sent_at,
                MESSAGE.c.tz,
                MESSAGE.c.first_open_at,
                MESSAGE.c.first_click_at,
                CAMPAIGN.c.name,
                CAMPAIGN.c.id,
            )
            .join(CAMPAIGN, CAMPAIGN.c.id == MESSAGE.c.campaign_id)
            .where(MESSAGE.c.contact_id == row.person_id, MESSAGE.c.sent_at.is_not(None))
        )
        for letter in await conn.execute(sent.order_by(MESSAGE.c.sent_at.desc()).limit(4)):
            items.append({"kind": "campaign", "at": letter.sent_at, "mail": letter})
    return sorted(items, key=lambda item: item["at"])


async def raw(conn: AsyncConnection, inbound_id: int) -> bytes | None:
    """The bytes of a received mail, attachments included."""
    return await raw_of(conn, inbound_id)


async def sent_lately(conn: AsyncConnection, contact_id: int, since: Any) -> int:
    """How many mails a contact got since a moment."""
    query = select(func.count()).where(MESSAGE.c.contact_id == contact_id, MESSAGE.c.sent_at > since)
    return int((await conn.execute(query)).scalar_one())
