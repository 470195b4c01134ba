"""Forgets what was kept long enough (config.toml: [retention]): a job a day, and `outreach retention`.

The ledger, the sums of reports and the audit trail stay; of old events the words go and, of opens and clicks, the rows.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.audience.privacy.retention import Limits, Periods, limits
from outreach.audience.privacy.store import forget
from outreach.inbox.archive.store import drop_orphans
from outreach.model import (
    Activity,
    ArchivedMail,
    Contact,
    Event,
    InboundMail,
    KeptUndo,
    LoginSession,
    Task,
    WebhookDelivery,
)
from outreach.model.base import table

ARCHIVE, EVENTS, CONTACTS, SESSIONS = table(ArchivedMail), table(Event), table(Contact), table(LoginSession)
INBOUND = table(InboundMail)
#: Rows forgotten in one transaction: the writer is free again within a second.
CHUNK = 500
#: Passes of one run: a first run after years goes on the next day.
MOST_CHUNKS = 200
COUNTED_ONLY = ("open", "click")


@dataclass
class Forgotten:
    """How many of each were too old."""

    raw_mails: int = 0
    events: int = 0
    contacts: int = 0
    sessions: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts for JSON."""
        return asdict(self)


def _limits(app: App, now: datetime) -> Limits:
    kept = app.settings.retention
    return limits(Periods(kept.raw_mail_days, kept.event_days, kept.inactive_contact_days, kept.session_days), now)


async def too_old(app: App, now: datetime) -> Forgotten:
    """Count what a run would forget; nothing is changed."""
    old, found = _limits(app, now), Forgotten()
    async with app.db.read() as conn:
        for name, source, condition in _conditions(old):
            setattr(found, name, int(await conn.scalar(select(func.count()).select_from(source).where(condition)) or 0))
    return found


def _conditions(old: Limits) -> list[tuple[str, Any, ColumnElement[bool]]]:
    """Table and condition of all that is too old."""
    found: list[tuple[str, Any, ColumnElement[bool]]] = []
    if old.raw_mail:
        found.append(("raw_mails", ARCHIVE, ARCHIVE.c.at < old.raw_mail))
    if old.events:
        found.append(("events", EVENTS, and_(EVENTS.c.at < old.events, _has_words())))
    if old.inactive_contacts:
        found.append(("contacts", CONTACTS, _inactive(old.inactive_contacts)))
    if old.sessions:
        found.append(("sessions", SESSIONS, SESSIONS.c.expires_at < old.sessions))
    return found


def _has_words() -> ColumnElement[bool]:
    """An event that can still be made smaller: opens and clicks go whole, of the others the words go."""
    return or_(EVENTS.c.kind.in_(COUNTED_ONLY), EVENTS.c.why.is_not(None), func.length(_text(EVENTS.c.data)) > 2)


def _text(column: Any) -> Any:
    from sqlalchemy import String, cast

    return cast(column, String)


def _inactive(before: datetime) -> ColumnElement[bool]:
    """Nothing came from the person and nothing was sold since; who is a customer by order is judged by the order."""
    moments = ("created_at", "last_contacted", "last_opened", "last_clicked", "last_replied")
    quiet = [or_(CONTACTS.c[name].is_(None), CONTACTS.c[name] < before) for name in moments]
    no_order = or_(CONTACTS.c.last_order.is_(None), CONTACTS.c.last_order < before.date())
    return and_(CONTACTS.c.erased_at.is_(None), no_order, *quiet)


async def run_retention(app: App, now: datetime, actor: Actor | None = None) -> Forgotten:
    """Forget what is too old, in small transactions, and put the counts on record."""
    old, done = _limits(app, now), Forgotten()
    for name, source, condition in _conditions(old):
        for _ in range(MOST_CHUNKS):
            async with app.db.write() as conn:
                count = await _forget_some(conn, name, source, condition, now)
            setattr(done, name, getattr(done, name) + count)
            if count < CHUNK:
                break
    async with app.db.write() as conn:
        await conn.execute(delete(table(KeptUndo)).where(table(KeptUndo).c.at < now - timedelta(days=1)))
    if any(asdict(done).values()):
        async with app.db.write() as conn:
            await append_audit(conn, actor, "retention.run", "data", "-", now=now, after=done.as_dict())
    return done


async def _forget_some(
    conn: AsyncConnection, name: str, source: Any, condition: ColumnElement[bool], now: datetime
) -> int:
    ids = list((await conn.execute(select(source.c.id).where(condition).limit(CHUNK))).scalars())
    if not ids:
        return 0
    if name == "contacts":
        for number in ids:
            await forget(conn, number, now)
    elif name == "events":
        await _shrink_events(conn, ids)
    else:
        await conn.execute(delete(source).where(source.c.id.in_(ids)))
    if name == "raw_mails":
        await drop_orphans(conn)
    return len(ids)


async def _shrink_events(conn: AsyncConnection, ids: list[int]) -> None:
    these = EVENTS.c.id.in_(ids)
    counted = and_(these, EVENTS.c.kind.in_(COUNTED_ONLY))
    for source in (table(Activity), table(Task), table(WebhookDelivery)):
        used = select(EVENTS.c.id).where(counted)
        if source.name == "webhook_delivery":
            await conn.execute(delete(source).where(source.c.event_id.in_(used)))
        else:
            await conn.execute(update(source).where(source.c.event_id.in_(used)).values(event_id=None))
    await conn.execute(delete(EVENTS).where(counted))
    await conn.execute(update(EVENTS).where(these).values(data={}, why=None))
