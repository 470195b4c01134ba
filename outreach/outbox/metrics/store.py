"""The outbox and its mailboxes in Prometheus' text format."""

from __future__ import annotations

from datetime import datetime, timedelta

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.model.enums import MailboxState, MessageState
from outreach.outbox.ledger.store import next_due
from outreach.outbox.tables import mailbox, message

#: The windows in which providers count.
WINDOWS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}


async def metrics(conn: AsyncConnection, now: datetime) -> bytes:
    """Return the page of `/metrics`: messages by state; of each mailbox whether it sends, its pace and its backlog."""
    registry = CollectorRegistry()
    await _messages(conn, registry)
    await _mailboxes(conn, registry, now)
    return generate_latest(registry)


async def _messages(conn: AsyncConnection, registry: CollectorRegistry) -> None:
    gauge = Gauge(
        "outreach_messages", "Messages by state; in_doubt waits for evidence or a person.", ["state"], registry=registry
    )
    query = select(message.c.state, func.count()).group_by(message.c.state)
    counted = {row[0]: row[1] for row in await conn.execute(query)}
    for state in MessageState:
        gauge.labels(state.value).set(counted.get(state.value, 0))


async def _mailboxes(conn: AsyncConnection, registry: CollectorRegistry, now: datetime) -> None:
    def gauge(name: str, what: str, *labels: str) -> Gauge:
        return Gauge(f"outreach_mailbox_{name}", what, ["mailbox", *labels], registry=registry)

    active = gauge("active", "1: may send, 0: paused or resting.")
    handed = gauge("handed_over", "Messages handed over in the last window.", "window")
    overdue = gauge("overdue_seconds", "How long the next message has been due; 0: none is.")
    columns = (mailbox.c.id, mailbox.c.name, mailbox.c.state, mailbox.c.paused_until)
    for row in (await conn.execute(select(*columns).order_by(mailbox.c.id))).all():
        resting = row.paused_until is not None and row.paused_until > now
        active.labels(row.name).set(row.state == MailboxState.ACTIVE and not resting)
        due = await next_due(conn, mailbox_id=row.id)
        overdue.labels(row.name).set(max((now - due).total_seconds(), 0) if due else 0)
        for window, length in WINDOWS.items():
            since = (message.c.mailbox_id == row.id) & (message.c.handed_at > now - length)
            handed.labels(row.name, window).set(await conn.scalar(select(func.count()).where(since)) or 0)
