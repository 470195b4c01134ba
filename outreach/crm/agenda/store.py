"""The secret address under which a calendar program reads somebody's tasks."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Row

from outreach.access.roles import Actor
from outreach.access.secrets import token_hash
from outreach.access.store import append_audit
from outreach.crm.agenda.ical import Entry, calendar
from outreach.db.session import Database
from outreach.model import CalendarFeed, Company, Contact, Task, User
from outreach.model.base import table
from outreach.model.task_titles import shown

FEEDS, TASKS, USERS = table(CalendarFeed), table(Task), table(User)
COMPANIES, CONTACTS = table(Company), table(Contact)
MOST = 500
#: A calendar asks every few minutes; the time of its last visit is written once an hour.
SEEN_EVERY = timedelta(hours=1)


class AgendaStore:
    """Calendar feeds. A new address makes the old one useless at once."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def feed(self, user_id: int) -> Row[Any] | None:
        """Return the address that somebody has, without the secret."""
        query = select(FEEDS).where(FEEDS.c.user_id == user_id, FEEDS.c.revoked_at.is_(None))
        async with self.db.read() as conn:
            return (await conn.execute(query.order_by(FEEDS.c.id.desc()).limit(1))).one_or_none()

    async def open(self, actor: Actor, now: datetime) -> str:
        """Make a new address and return its token, which is shown once; the one before ends."""
        assert actor.id is not None
        token = secrets.token_urlsafe(24)
        async with self.db.write() as conn:
            await self._end(conn, actor.id, now)
            values = {"user_id": actor.id, "token_hash": token_hash(token), "created_at": now}
            await conn.execute(insert(FEEDS).values(**values))
            await append_audit(conn, actor, "calendar.opened", "user", actor.id, now=now)
        return token

    async def close(self, actor: Actor, now: datetime) -> None:
        """End the address."""
        assert actor.id is not None
        async with self.db.write() as conn:
            await self._end(conn, actor.id, now)
            await append_audit(conn, actor, "calendar.closed", "user", actor.id, now=now)

    async def read(self, token: str, base_url: str, now: datetime) -> bytes | None:
        """Return the feed of an address; None where there is none, it was ended, or its owner has left."""
        found = (
            select(FEEDS.c.id, FEEDS.c.user_id, FEEDS.c.used_at, USERS.c.display_name, USERS.c.name, USERS.c.language)
            .join(USERS, USERS.c.id == FEEDS.c.user_id)
            .where(FEEDS.c.token_hash == token_hash(token), FEEDS.c.revoked_at.is_(None), USERS.c.disabled_at.is_(None))
        )
        async with self.db.read() as conn:
            feed = (await conn.execute(found)).one_or_none()
            if feed is None:
                return None
            rows = (await conn.execute(_tasks(feed.user_id, now))).all()
        if feed.used_at is None or now - feed.used_at > SEEN_EVERY:
            async with self.db.write() as conn:
                await conn.execute(update(FEEDS).where(FEEDS.c.id == feed.id).values(used_at=now))
        entries = [_entry(row, base_url, feed.language) for row in rows]
        return calendar(f"outreach · {feed.display_name or feed.name}", entries, now)

    async def _end(self, conn: Any, user_id: int, now: datetime) -> None:
        mine = (FEEDS.c.user_id == user_id) & FEEDS.c.revoked_at.is_(None)
        await conn.execute(update(FEEDS).where(mine).values(revoked_at=now))


def _tasks(user_id: int, now: datetime) -> Any:
    joined = TASKS.outerjoin(CONTACTS, CONTACTS.c.id == TASKS.c.contact_id).outerjoin(
        COMPANIES, COMPANIES.c.id == TASKS.c.company_id
    )
    columns = (TASKS.c.id, TASKS.c.title, TASKS.c.due_at, TASKS.c.created_at, TASKS.c.contact_id, TASKS.c.inbound_id)
    wanted = (TASKS.c.owner_id == user_id, TASKS.c.state == "open")
    near = TASKS.c.due_at < now + timedelta(days=180)
    query = select(*columns, COMPANIES.c.name.label("company")).select_from(joined).where(*wanted, near)
    return query.order_by(TASKS.c.due_at).limit(MOST)


def _entry(row: Row[Any], base_url: str, language: str) -> Entry:
    path = f"/inbox/{row.inbound_id}" if row.inbound_id else f"/contacts/{row.contact_id}" if row.contact_id else ""
    link = f"{base_url}{path or '/follow-ups'}"
    title = shown(row.title, language)
    title = f"{title} · {row.company}" if row.company and row.company not in title else title
    return Entry(f"task-{row.id}@outreach", title, row.due_at, row.created_at, "", link)
