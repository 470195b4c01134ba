"""The default appliers: each writes one kind of change. Those of the crm are injected by app.py (it stands above)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Insert, Table, Update, and_, case, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.events import kinds as k
from outreach.model import (
    Campaign,
    CampaignState,
    Contact,
    Conversion,
    EmailAddress,
    Message,
    MessageState,
    Preference,
    Suppression,
)
from outreach.outbox.store import stop_for
from outreach.suppression.store import suppress as list_address

Applier = Callable[[AsyncConnection, Any, int, datetime], Awaitable[None]]

message: Table = Message.__table__  # type: ignore[attr-defined]
contact: Table = Contact.__table__  # type: ignore[attr-defined]
address: Table = EmailAddress.__table__  # type: ignore[attr-defined]
suppression: Table = Suppression.__table__  # type: ignore[attr-defined]
campaign: Table = Campaign.__table__  # type: ignore[attr-defined]

#: Columns that an event may mark; anything else is a mistake of ours, never input.
MARKS = frozenset(
    {
        *("first_open_at", "first_click_at", "machine_open_at", "machine_click_at", "bounced_at", "replied_at"),
        *("autoreplied_at", "unsubscribed_at", "complained_at"),
    }
)
TOUCHES = frozenset({"last_contacted", "last_opened", "last_clicked", "last_replied"})
#: A contact's date that may be taken back → the messages' marks that are left to tell it.
TOLD_BY = {"last_opened": "first_open_at", "last_clicked": "first_click_at"}

#: What must not be crossed by a hand-over that is being committed (db/stops.py).
STOPS = (k.Suppress, k.StopMessages, k.PauseContact, k.PauseCampaign)


def upsert(conn: AsyncConnection | Connection, table: Any) -> Any:
    """Return the dialect's INSERT, which knows ON CONFLICT."""
    return postgresql.insert(table) if conn.dialect.name == "postgresql" else sqlite.insert(table)


async def mark_message(conn: AsyncConnection, change: k.MarkMessage, event_id: int, now: datetime) -> None:
    """Set the column where it is empty; a hard bounce also replaces a soft one."""
    column = message.c[checked(change.field, MARKS)]
    values: dict[str, Any] = {change.field: change.at}
    free: ColumnElement[bool] = column.is_(None)
    if change.field == "bounced_at":
        values["bounce_hard"] = bool(change.hard)
        free = or_(free, message.c.bounce_hard.is_(False)) if change.hard else free
    await conn.execute(update(message).where(message.c.id == change.message_id, free).values(values))


async def unmark_message(conn: AsyncConnection, change: k.UnmarkMessage, event_id: int, now: datetime) -> None:
    """Empty the column if it still holds that moment."""
    await conn.execute(unmark_statement(change))


def unmark_statement(change: k.UnmarkMessage) -> Update:
    """The statement of an UnmarkMessage."""
    column = message.c[checked(change.field, MARKS)]
    which = and_(message.c.id == change.message_id, column == change.at)
    return update(message).where(which).values({change.field: None})


async def settle_in_doubt(conn: AsyncConnection, change: k.SettleInDoubt, event_id: int, now: datetime) -> None:
    """in_doubt → sent, dated when its body was handed over."""
    await conn.execute(settle_statement(change, now))


def settle_statement(change: k.SettleInDoubt, now: datetime) -> Update:
    """The statement of a SettleInDoubt."""
    which = and_(message.c.id == change.message_id, message.c.state == MessageState.IN_DOUBT)
    sent_at = case((message.c.handed_at.is_(None), change.at), else_=message.c.handed_at)
    return update(message).where(which).values(state=MessageState.SENT, sent_at=sent_at, settled_at=now, reason=None)


async def touch_contact(conn: AsyncConnection, change: k.TouchContact, event_id: int, now: datetime) -> None:
    """Move the date forward, never back."""
    column = contact.c[checked(change.field, TOUCHES)]
    newer = or_(column.is_(None), column < change.at)
    await conn.execute(
        update(contact).where(contact.c.id == change.contact_id, newer).values({change.field: change.at})
    )


async def untouch_contact(conn: AsyncConnection, change: k.UntouchContact, event_id: int, now: datetime) -> None:
    """Take the date back to the newest mark of the contact's messages."""
    await conn.execute(untouch_statement(change))


def untouch_statement(change: k.UntouchContact) -> Update:
    """The statement of an UntouchContact; it goes after the batch's marks and touches."""
    column, mark = contact.c[checked(change.field, frozenset(TOLD_BY))], message.c[TOLD_BY[change.field]]
    left = select(func.max(mark)).where(message.c.contact_id == change.contact_id).scalar_subquery()
    which = and_(contact.c.id == change.contact_id, column.in_(change.moments))
    return update(contact).where(which).values({change.field: left})


async def suppress(conn: AsyncConnection, change: k.Suppress, event_id: int, now: datetime) -> None:
    """List the address; where it is listed already, keep the stronger reason."""
    await list_address(conn, change.key, change.reason, source=change.source, now=now, address=change.address)


async def unsuppress(conn: AsyncConnection, change: k.Unsuppress, event_id: int, now: datetime) -> None:
    """Take the address off the list if `reason` is still why it is there."""
    which = and_(suppression.c.key == change.key, suppression.c.reason == change.reason)
    await conn.execute(suppression.delete().where(which))


async def stop_messages(conn: AsyncConnection, change: k.StopMessages, event_id: int, now: datetime) -> None:
    """Cancel rows that have not left."""
    await stop_for(
        conn,
        () if change.contact_id is None else (change.contact_id,),
        change.company_id,
        campaign_id=change.campaign_id,
        follow_ups_only=change.follow_ups_only,
        reason=change.why,
        now=now,
    )


async def pause_contact(conn: AsyncConnection, change: k.PauseContact, event_id: int, now: datetime) -> None:
    """Pause until then, or longer where a longer pause stands."""
    longer = or_(contact.c.paused_until.is_(None), contact.c.paused_until < change.until)
    await conn.execute(
        update(contact).where(contact.c.id == change.contact_id, longer).values(paused_until=change.until)
    )


async def end_pause(conn: AsyncConnection, change: k.EndPause, event_id: int, now: datetime) -> None:
    """End the pause. Mail that a hand-over put off to its end leaves at that hour of the day, within a day from now."""
    until = await conn.scalar(select(contact.c.paused_until).where(contact.c.id == change.contact_id))
    if until is None or until <= now:
        return
    soon = until - timedelta(days=(until - now) // timedelta(days=1))
    waiting = and_(message.c.contact_id == change.contact_id, message.c.state == "queued", message.c.due_at == until)
    await conn.execute(update(message).where(waiting).values(due_at=soon))
    await conn.execute(update(contact).where(contact.c.id == change.contact_id).values(paused_until=None))


async def left_company(conn: AsyncConnection, change: k.LeftCompany, event_id: int, now: datetime) -> None:
    """Note since when the contact is gone."""
    which = and_(contact.c.id == change.contact_id, contact.c.left_at.is_(None))
    await conn.execute(update(contact).where(which).values(left_at=change.at))


async def count_soft_bounce(conn: AsyncConnection, change: k.CountSoftBounce, event_id: int, now: datetime) -> None:
    """One more, and since when."""
    first = case((address.c.first_soft_bounce_at.is_(None), change.at), else_=address.c.first_soft_bounce_at)
    await conn.execute(
        update(address)
        .where(address.c.normal == change.address)
        .values(soft_bounces=address.c.soft_bounces + 1, soft_bounced_at=change.at, first_soft_bounce_at=first)
    )


async def address_alive(conn: AsyncConnection, change: k.AddressAlive, event_id: int, now: datetime) -> None:
    """Forget soft bounces."""
    which = and_(address.c.normal == change.address, address.c.soft_bounces > 0)
    await conn.execute(
        update(address).where(which).values(soft_bounces=0, soft_bounced_at=None, first_soft_bounce_at=None)
    )


async def mark_address(conn: AsyncConnection, change: k.MarkAddressBounced, event_id: int, now: datetime) -> None:
    """Note that the address is dead."""
    which = and_(address.c.normal == change.address, address.c.bounced_at.is_(None))
    await conn.execute(update(address).where(which).values(bounced_at=change.at))


async def set_preference(conn: AsyncConnection, change: k.SetPreference, event_id: int, now: datetime) -> None:
    """Replace what the contact chose before."""
    values = {
        "topics_off": dict.fromkeys(change.topics_off, True),
        "mails_per_month": change.mails_per_month,
        "at": change.at,
    }
    statement = upsert(conn, Preference).values(contact_id=change.contact_id, **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["contact_id"], set_=values))


async def set_tracking(conn: AsyncConnection, change: k.SetTracking, event_id: int, now: datetime) -> None:
    """Count this person's opens and clicks, or do not."""
    await conn.execute(update(contact).where(contact.c.id == change.contact_id).values(tracking=change.counted))


async def add_conversion(conn: AsyncConnection, change: k.AddConversion, event_id: int, now: datetime) -> None:
    """Count it once, by the website's own number where it gives one."""
    fields = ("kind", "at", "campaign_id", "message_id", "contact_id", "amount", "currency", "external_id")
    statement: Insert = upsert(conn, Conversion).values({name: getattr(change, name) for name in fields})
    await conn.execute(statement.on_conflict_do_nothing())  # type: ignore[attr-defined]


async def drop_conversion(conn: AsyncConnection, external_id: str) -> None:
    """Take back what was counted by mistake: the step of a deal that is undone."""
    conversions: Table = Conversion.__table__  # type: ignore[attr-defined]
    await conn.execute(conversions.delete().where(conversions.c.external_id == external_id))


async def pause_campaign(conn: AsyncConnection, change: k.PauseCampaign, event_id: int, now: datetime) -> None:
    """running or pilot → paused; it goes on from where it was."""
    which = and_(
        campaign.c.id == change.campaign_id, campaign.c.state.in_([CampaignState.RUNNING, CampaignState.PILOT])
    )
    await conn.execute(
        update(campaign)
        .where(which)
        .values(paused_from=campaign.c.state, paused_reason=change.reason, state=CampaignState.PAUSED)
    )


def checked(name: str, allowed: frozenset[str]) -> str:
    """Return the column's name. Raises ValueError if an event may not write it."""
    if name not in allowed:
        raise ValueError(f"{name!r} is not a column that an event may set")
    return name


DEFAULT_APPLIERS: Mapping[type[k.Change], Applier] = {
    k.MarkMessage: mark_message,
    k.UnmarkMessage: unmark_message,
    k.SettleInDoubt: settle_in_doubt,
    k.TouchContact: touch_contact,
    k.UntouchContact: untouch_contact,
    k.Suppress: suppress,
    k.Unsuppress: unsuppress,
    k.StopMessages: stop_messages,
    k.PauseContact: pause_contact,
    k.EndPause: end_pause,
    k.LeftCompany: left_company,
    k.CountSoftBounce: count_soft_bounce,
    k.AddressAlive: address_alive,
    k.MarkAddressBounced: mark_address,
    k.SetPreference: set_preference,
    k.SetTracking: set_tracking,
    k.AddConversion: add_conversion,
    k.PauseCampaign: pause_campaign,
}
