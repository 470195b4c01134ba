"""Who got what, when, with which answer; and the counts that a campaign's status shows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from itertools import product
from typing import Any

from sqlalchemy import ColumnElement, Select, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.model.enums import MessageState
from outreach.model.message import BACK_COLUMNS, READ_COLUMNS
from outreach.outbox.claims.store import MAY_SEND
from outreach.outbox.message import Harm
from outreach.outbox.state import OPEN
from outreach.outbox.tables import campaign, mailbox, message

#: Rows fetched at a time: the ledger of a million messages is streamed, not held.
SLICE = 1_000

HAPPENED = {
    "bounced": message.c.bounced_at,
    "replied": message.c.replied_at,
    "unsubscribed": message.c.unsubscribed_at,
    "complained": message.c.complained_at,
}

#: Written as the index of these rows is (model/message.py), so that both databases see that it holds them all.
CAME_BACK: ColumnElement[bool] = or_(*(message.c[name].is_not(None) for name in BACK_COLUMNS))
WAS_READ: ColumnElement[bool] = or_(*(message.c[name].is_not(None) for name in READ_COLUMNS))

#: What has not left yet and is not in hand.
WAITING = (MessageState.QUEUED, MessageState.PLANNED, MessageState.DEFERRED)

LEDGER_COLUMNS = (
    message.c.id,
    message.c.uid.label("x_outreach_message"),
    message.c.message_id,
    message.c.campaign_id,
    message.c.step,
    message.c.contact_id,
    message.c.address,
    message.c.state,
    message.c.reason,
    mailbox.c.name.label("mailbox"),
    message.c.due_at,
    message.c.handed_at,
    message.c.sent_at,
    message.c.reply_code,
    message.c.reply_text,
    message.c.attempts,
    message.c.first_open_at.label("opened_at"),
    message.c.first_click_at.label("clicked_at"),
    message.c.bounced_at,
    message.c.replied_at,
    message.c.unsubscribed_at,
    message.c.complained_at,
)


async def ledger(
    conn: AsyncConnection,
    *,
    campaign_id: int | None = None,
    state: str | None = None,
    contact_id: int | None = None,
    message_id: int | None = None,
) -> AsyncIterator[dict[str, Any]]:
    """Yield the rows of `messages list`, oldest first: dicts with the names of LEDGER_COLUMNS."""
    wanted = {
        message.c.campaign_id: campaign_id,
        message.c.state: state,
        message.c.contact_id: contact_id,
        message.c.id: message_id,
    }
    query = select(*LEDGER_COLUMNS).join_from(message, mailbox, mailbox.c.id == message.c.mailbox_id, isouter=True)
    for column, value in wanted.items():
        query = query.where(column == value) if value is not None else query
    last = 0
    while rows := (await conn.execute(_slice(query, last))).mappings().all():
        for row in rows:
            yield dict(row)
        last = rows[-1]["id"]


def _slice(query: Select[Any], last: int) -> Select[Any]:
    return query.where(message.c.id > last).order_by(message.c.id).limit(SLICE)


async def counts(conn: AsyncConnection, campaign_id: int) -> dict[str, Any]:
    """Return a campaign's numbers: `planned` is all its rows, then one number a state, reasons, and what came back.

    next_due: when the next open message may leave, None if none waits.
    """
    by_state, skipped, failed = await _states(conn, campaign_id)
    result: dict[str, Any] = {"planned": sum(by_state.values()), "skipped": skipped}
    for state in MessageState:
        if state not in (MessageState.PLANNED, MessageState.SKIPPED):
            result[state.value] = by_state.get(state, 0)
    result["waiting"] = by_state.get(MessageState.PLANNED, 0)
    result["failed_by_reason"] = failed
    result |= await _happened(conn, campaign_id)
    result["next_due"] = await next_due(conn, campaign_id=campaign_id)
    return result


async def states(conn: AsyncConnection, campaign_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """Return how many messages of each campaign are in each state; out of the index, no row is looked at."""
    if not campaign_ids:
        return {}
    of = message.c.campaign_id
    query = select(of, message.c.state, func.count()).where(of.in_(campaign_ids)).group_by(of, message.c.state)
    found: dict[int, dict[str, int]] = {number: {} for number in campaign_ids}
    for number, state, count in await conn.execute(query):
        found[number][state] = count
    return found


async def _states(conn: AsyncConnection, campaign_id: int) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    by_state = (await states(conn, [campaign_id]))[campaign_id]
    # the reason of a row that may still be sent says nothing about its end
    ended = message.c.state.in_((MessageState.SKIPPED, MessageState.FAILED))
    query = select(message.c.state, message.c.reason, func.count()).where(message.c.campaign_id == campaign_id, ended)
    reasons: dict[str, dict[str, int]] = {MessageState.SKIPPED: {}, MessageState.FAILED: {}}
    for state, why, number in await conn.execute(query.group_by(message.c.state, message.c.reason)):
        reasons[state][why or "unknown"] = number
    return by_state, reasons[MessageState.SKIPPED], reasons[MessageState.FAILED]


async def _happened(conn: AsyncConnection, campaign_id: int) -> dict[str, int]:
    columns = [func.count(column).label(name) for name, column in HAPPENED.items()]
    row = (await conn.execute(select(*columns).where(message.c.campaign_id == campaign_id, CAME_BACK))).one()
    return {name: int(getattr(row, name)) for name in HAPPENED}


async def last_due(conn: AsyncConnection, campaign_ids: Sequence[int]) -> tuple[datetime | None, str | None]:
    """Return when the last waiting message of these campaigns is planned, and in which time zone its recipient is.

    The last of each campaign and state is one look into the index, however many wait.
    """
    if not campaign_ids:
        return None, None
    lasts = [_last_in(state).label(state) for state in WAITING]
    rows = (await conn.execute(select(campaign.c.id, *lasts).where(campaign.c.id.in_(campaign_ids)))).all()
    found = [(due, row.id, state) for row in rows for due, state in zip(row[1:], WAITING, strict=True) if due]
    if not found:
        return None, None
    due, number, state = max(found)
    which = (message.c.campaign_id == number, message.c.state == state, message.c.due_at == due)
    return due, await conn.scalar(select(message.c.tz).where(*which).order_by(message.c.id).limit(1))


def _last_in(state: str) -> Any:
    mine = select(message.c.due_at).where(message.c.campaign_id == campaign.c.id, message.c.state == state)
    return mine.order_by(message.c.due_at.desc()).limit(1).correlate(campaign).scalar_subquery()


async def next_due(
    conn: AsyncConnection, *, campaign_id: int | None = None, mailbox_id: int | None = None
) -> datetime | None:
    """Return when the next queued or deferred message of a campaign, or of a mailbox, may leave.

    Of a mailbox only campaigns that may send count.
    """
    if mailbox_id is not None:
        return await _next_of_mailbox(conn, mailbox_id)
    mine = message.c.campaign_id == campaign_id
    firsts = [
        select(func.min(message.c.due_at)).where(mine, message.c.state == state).scalar_subquery()
        for state in (MessageState.QUEUED, MessageState.DEFERRED)
    ]
    found = (await conn.execute(select(*firsts))).one()
    return min((due for due in found if due is not None), default=None)


async def _next_of_mailbox(conn: AsyncConnection, mailbox_id: int) -> datetime | None:
    """Ask for the first row of each campaign and state: a look into the index each, however many wait."""
    found: list[datetime] = []
    for state, sample in product((MessageState.QUEUED, MessageState.DEFERRED), MAY_SEND):
        first = (
            select(message.c.due_at)
            .where(message.c.mailbox_id == mailbox_id, message.c.state == state)
            .where(message.c.campaign_id == campaign.c.id, message.c.is_pilot == sample)
            .order_by(message.c.due_at)
            .limit(1)
            .correlate(campaign)
            .scalar_subquery()
        )
        found += [due for due in await conn.scalars(select(first).where(MAY_SEND[sample])) if due is not None]
    return min(found, default=None)


async def is_settled(conn: AsyncConnection, campaign_id: int) -> bool:
    """Whether every row is terminal: a campaign is finished only then, and in doubt is not terminal."""
    still_open = select(message.c.id).where(message.c.campaign_id == campaign_id, message.c.state.in_(OPEN)).limit(1)
    return (await conn.execute(still_open)).first() is None


#: Reasons of a failure at the hand-over that say that the address does not exist.
DEAD_REASONS = ("userunknown", "hostunknown", "hasmoved")


async def harm(conn: AsyncConnection, campaign_id: int) -> Harm:
    """Return what the circuit breaker of a campaign judges."""
    own = message.c.campaign_id == campaign_id
    hard = case(
        (message.c.bounce_hard.is_(True), 1),
        ((message.c.state == MessageState.FAILED) & message.c.reason.in_(DEAD_REASONS), 1),
        else_=0,
    )
    last = select(hard.label("hard")).where(
        own, message.c.settled_at.is_not(None), message.c.state.in_((MessageState.SENT, MessageState.FAILED))
    )
    recent = last.order_by(message.c.settled_at.desc(), message.c.id.desc()).limit(100).subquery()
    row = (
        await conn.execute(select(func.count(), func.coalesce(func.sum(recent.c.hard), 0)).select_from(recent))
    ).one()
    sent = await conn.scalar(select(func.count()).where(own, message.c.state == MessageState.SENT))
    complaints = await conn.scalar(select(func.count()).where(own, CAME_BACK, message.c.complained_at.is_not(None)))
    return Harm(int(row[0]), int(row[1]), int(sent or 0), int(complaints or 0))


async def find(conn: AsyncConnection, name: str) -> int | None:
    """Return the id of the message with this id or X-Outreach-Message, None if there is none."""
    found = await conn.scalar(select(message.c.id).where(message.c.uid == name))
    if found is None and name.isdecimal():
        found = await conn.scalar(select(message.c.id).where(message.c.id == int(name)))
    return None if found is None else int(found)
