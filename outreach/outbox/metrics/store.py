"""The outbox and its mailboxes in Prometheus' text format."""

from __future__ import annotations

from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.model.enums import CampaignState, MailboxState, MessageState
from outreach.outbox.ledger.store import next_due
from outreach.outbox.tables import campaign, instance, mailbox, message

#: The windows in which providers count.
WINDOWS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


async def metrics(conn: AsyncConnection, now: datetime) -> bytes:
    """Return the page of `/metrics`: messages and campaigns by state; of each mailbox whether it sends, its pace, its
    backlog; whether the installation is on hold.
    """
    registry = CollectorRegistry()
    await _messages(conn, registry)
    await _campaigns(conn, registry)
    await _mailboxes(conn, registry, now)
    held = Gauge("outreach_on_hold", "1: nothing is sent until somebody confirms.", registry=registry)
    held.set(bool(await conn.scalar(select(func.count()).where(instance.c.hold_reason.is_not(None)))))
    return generate_latest(registry)


async def _messages(conn: AsyncConnection, registry: CollectorRegistry) -> None:
    gauge = Gauge(
        "outreach_messages", "Messages by state; in_doubt waits for evidence or a person.", ["state"], registry=registry
    )
    query = select(message.c.state, func.count()).group_by(message.c.state)
    counted = {row[0]: row[1] for row in await conn.execute(query)}
    for state in MessageState:
        gauge.labels(state.value).set(counted.get(state.value, 0))
    failed = Gauge("outreach_messages_failed", "Failed hand-overs by reason.", ["reason"], registry=registry)
    why = select(message.c.reason, func.count()).where(message.c.state == MessageState.FAILED)
    for reason, number in await conn.execute(why.group_by(message.c.reason)):
        failed.labels(reason or "unknown").set(number)


async def _campaigns(conn: AsyncConnection, registry: CollectorRegistry) -> None:
    gauge = Gauge("outreach_campaigns", "Campaigns by state.", ["state"], registry=registry)
    query = select(campaign.c.state, func.count()).where(campaign.c.archived.is_(False)).group_by(campaign.c.state)
    counted = {row[0]: row[1] for row in await conn.execute(query)}
    for state in CampaignState:
        gauge.labels(state.value).set(counted.get(state.value, 0))


async def _mailboxes(conn: AsyncConnection, registry: CollectorRegistry, now: datetime) -> None:
    def gauge(name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"outreach_mailbox_{name}", what, ["mailbox", *labels], registry=registry)

    active = gauge("active", "1: may send, 0: paused or resting.")
    handed = gauge("handed_over", "Messages handed over in the last window.", "window")
    overdue = gauge("overdue_seconds", "How long the next message has been due; 0: none is.")
    doubt = gauge("in_doubt", "Messages in doubt.")
    doubts = await _in_doubt(conn)
    columns = (mailbox.c.id, mailbox.c.name, mailbox.c.state, mailbox.c.paused_until)
    for row in (await conn.execute(select(*columns).order_by(mailbox.c.id))).all():
        resting = row.paused_until is not None and row.paused_until > now
        active.labels(row.name).set(row.state == MailboxState.ACTIVE and not resting)
        doubt.labels(row.name).set(doubts.get(row.id, 0))
        due = await next_due(conn, mailbox_id=row.id)
        overdue.labels(row.name).set(max((now - due).total_seconds(), 0) if due else 0)
        for window, number in (await handed_lately(conn, row.id, now)).items():
            handed.labels(row.name, window).set(number)


async def _in_doubt(conn: AsyncConnection) -> dict[int, int]:
    query = select(message.c.mailbox_id, func.count()).where(message.c.state == MessageState.IN_DOUBT)
    return {row[0]: row[1] for row in await conn.execute(query.group_by(message.c.mailbox_id))}


async def handed_lately(conn: AsyncConnection, mailbox_id: int, now: datetime) -> dict[str, int]:
    """Return how many messages a mailbox handed over in the last minute, hour and day: one look at the day's rows."""
    columns = [
        func.count(case((message.c.handed_at > now - length, 1))).label(window) for window, length in WINDOWS.items()
    ]
    day = (message.c.mailbox_id == mailbox_id) & (message.c.handed_at > now - WINDOWS["day"])
    row = (await conn.execute(select(*columns).where(day))).one()
    return {window: int(getattr(row, window)) for window in WINDOWS}
