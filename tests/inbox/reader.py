"""A database, a store and passes over one mailbox, for tests of the reading of mail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import func, insert, select

from outreach.db.session import Database
from outreach.events.kinds import AddActivity, CreateTask
from outreach.events.store import EventStore
from outreach.inbox.client import ImapServer, fetch_one
from outreach.inbox.sandbox import Sandbox
from outreach.inbox.store import InboxStore
from outreach.inbox.worker import InboxPass, InboxSetup, PassResult, reprocess
from outreach.model import InboundMail, Mailbox, MailFolder
from outreach.model.base import table
from tests.fakes.schema import make_tables

NOW = datetime.now(UTC)
LETTER = b"""From: Ann <ann@buyer.example>\r\nTo: sales@us.example\r\nSubject: Re: Lamps %d\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r
Message-ID: <%d@buyer.example>\r\nIn-Reply-To: <x@us.example>\r\n\r\nPlease send a quotation.\r\n"""


def letter(number: int) -> bytes:
    """An answer, each another one."""
    return LETTER % (number, number)


def enter(server: Any, **changed: Any) -> ImapServer:
    """How to enter a server of the tests (Dovecot or the scripted one)."""
    values = {"host": "127.0.0.1", "port": server.port, "tls": "none", "user": "sales", "password": "letter-box"}
    return ImapServer(**{**values, **changed})


async def ignore(conn: Any, change: Any, event_id: int, now: datetime) -> None:
    """The crm is not part of these tests."""


class Reader:
    """Passes over the mailbox `sales` (id 1) of a server."""

    def __init__(self, db: Database) -> None:
        self.db = db
        events = EventStore(b"k" * 32, {CreateTask: ignore, AddActivity: ignore})
        self.store = InboxStore(db, events, own_addresses=["sales@us.example"], read_token=lambda token: None)
        self.sandbox = Sandbox()
        self.rests: list[float] = []

    async def rest(self, seconds: float) -> None:
        self.rests.append(seconds)

    async def run(self, server: Any, *, enter_by: dict[str, Any] | None = None, **setup: Any) -> PassResult:
        what = InboxSetup(1, "sales", setup.pop("folders", ["INBOX"]), **setup)
        how = enter(server, **(enter_by or {}))
        return await InboxPass(self.store, what, how, self.sandbox, clock=lambda: NOW, rest=self.rest).run()

    async def again(self, server: Any) -> tuple[int, int]:
        """Try quarantine again."""

        async def refetch(row: Any) -> bytes:
            mark = await self.store.mark_of(1, row.folder)
            return await fetch_one(enter(server), row.folder, mark.uidvalidity, row.uid)

        return await reprocess(self.store, self.sandbox, NOW, refetch)

    async def count(self, model: Any = InboundMail) -> int:
        async with self.db.read() as conn:
            return int(await conn.scalar(select(func.count()).select_from(table(model))) or 0)

    async def mails(self, **columns: Any) -> list[Any]:
        """Received mails, oldest UID first."""
        mails = table(InboundMail)
        query = select(mails).order_by(mails.c.uid)
        for name, value in columns.items():
            query = query.where(mails.c[name] == value)
        async with self.db.read() as conn:
            return list((await conn.execute(query)).all())

    async def mark(self, folder: str = "INBOX") -> int:
        folders = table(MailFolder)
        async with self.db.read() as conn:
            return int(await conn.scalar(select(folders.c.last_uid).where(folders.c.name == folder)) or 0)


@asynccontextmanager
async def new_reader(url: str) -> AsyncIterator[Reader]:
    """A reader over an empty database."""
    db = Database(url)
    await make_tables(db)
    async with db.write() as conn:
        values = {"name": "sales", "address": "sales@us.example", "domain": "us.example", "created_at": NOW}
        await conn.execute(insert(table(Mailbox)).values(**values))
    reader = Reader(db)
    try:
        yield reader
    finally:
        await reader.sandbox.close()
        await db.close()
