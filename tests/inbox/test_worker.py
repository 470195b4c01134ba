"""A pass over a real IMAP server: once each, whatever the UIDs do, and nothing in the mailbox changes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from outreach.db.migrate import migrate
from outreach.db.session import Database
from outreach.events.kinds import AddActivity, CreateTask
from outreach.events.store import EventStore
from outreach.inbox import folder_name
from outreach.inbox.client import ImapClient, ImapServer, ImapTrouble
from outreach.inbox.sandbox import Sandbox
from outreach.inbox.store import InboxStore
from outreach.inbox.worker import InboxPass, InboxSetup
from outreach.model import ArchivedMail, InboundMail, Mailbox
from outreach.model.base import table

NOW = datetime.now(UTC)
ANSWER = b"""From: Ann <ann@buyer.example>\r\nTo: sales@us.example\r\nSubject: Re: Lamps %d\r\nDate: Tue, 24 Nov 2026 10:00:00 +0000\r
Message-ID: <%d@buyer.example>\r\nIn-Reply-To: <x@us.example>\r\n\r\nPlease send a quotation.\r\n"""


async def ignore(conn: Any, change: Any, event_id: int, now: datetime) -> None:
    """The crm is not part of these tests."""


def server(dovecot: Any, **changed: Any) -> ImapServer:
    values = {"host": dovecot.host, "port": dovecot.port, "tls": "none", "user": dovecot.user}
    return ImapServer(**{**values, "password": dovecot.password, **changed})


class Reader:
    """A database, a store and passes over one mailbox."""

    def __init__(self, db: Database, dovecot: Any) -> None:
        self.db, self.dovecot = db, dovecot
        events = EventStore(b"k" * 32, {CreateTask: ignore, AddActivity: ignore})
        self.store = InboxStore(db, events, own_addresses=["sales@us.example"], read_token=lambda token: None)
        self.sandbox = Sandbox()

    async def run(self, **setup: Any) -> Any:
        what = InboxSetup(1, "sales", setup.pop("folders", ["INBOX"]), **setup)
        return await InboxPass(self.store, what, server(self.dovecot), self.sandbox, clock=lambda: NOW).run()

    async def count(self, model: Any = InboundMail) -> int:
        async with self.db.read() as conn:
            return int(await conn.scalar(select(func.count()).select_from(table(model))) or 0)


@pytest.fixture
async def reader(database_url: str, dovecot: Any) -> Any:
    db = Database(database_url)
    await migrate(db)
    async with db.write() as conn:
        values = {"name": "sales", "address": "sales@us.example", "domain": "us.example", "created_at": NOW}
        await conn.execute(insert(table(Mailbox)).values(**values))
    found = Reader(db, dovecot)
    yield found
    await found.sandbox.close()
    await db.close()


async def test_each_mail_is_filed_once_and_the_mailbox_stays_as_it_was(reader: Reader, dovecot: Any) -> None:
    for n in range(3):
        dovecot.append(ANSWER % (n, n))
    before = dovecot.messages()
    first = await reader.run()
    again = await reader.run()
    assert (first.fetched, first.replies, again.fetched) == (3, 3, 0)
    assert await reader.count() == await reader.count(ArchivedMail) == 3
    assert dovecot.messages() == before, "nothing is marked, moved or deleted"


async def test_new_uids_bring_no_mail_twice(reader: Reader, dovecot: Any) -> None:
    """UIDVALIDITY changed: everything is fetched again, nothing counts again."""
    for n in range(3):
        dovecot.append(ANSWER % (n, n))
    await reader.run()
    dovecot.change_uidvalidity()
    dovecot.append(ANSWER % (9, 9))
    again = await reader.run()
    assert (again.fetched, again.known, again.replies) == (4, 3, 1)
    assert await reader.count() == 4


async def test_a_mail_that_is_too_large_is_set_aside(reader: Reader, dovecot: Any) -> None:
    dovecot.append(ANSWER % (1, 1) + b"x" * 20_000)
    dovecot.append(ANSWER % (2, 2))
    result = await reader.run(max_bytes=10_000)
    assert (result.quarantined, result.replies) == (1, 1)
    assert (await reader.run()).fetched == 0


async def test_folders_with_names_of_any_language(reader: Reader, dovecot: Any) -> None:
    dovecot.append(ANSWER % (1, 1))
    dovecot.append(ANSWER % (2, 2), folder="&V4NXPpCuTvY-")
    assert folder_name.decode("&V4NXPpCuTvY-") == "垃圾邮件"
    assert (await reader.run(folders=["INBOX", "垃圾邮件"])).replies == 2


async def test_a_wrong_password_is_told_as_such(dovecot: Any) -> None:
    with pytest.raises(ImapTrouble) as caught:
        await ImapClient.connect(server(dovecot, password="wrong"))
    assert caught.value.auth


async def test_a_token_opens_the_mailbox_and_a_stale_one_is_refreshed(dovecot: Any) -> None:
    """XOAUTH2: the server asks on after a bad token; a fresh one is fetched once."""
    asked: list[bool] = []

    async def token(fresh: bool) -> str:
        asked.append(fresh)
        return str(dovecot.token(expires_in=3600 if fresh else -1))

    client = await ImapClient.connect(server(dovecot, password=None, token=token))
    assert (await client.examine("INBOX")).name == "INBOX"
    await client.close()
    assert asked == [False, True]


async def test_a_server_that_is_away_is_told_as_such(dovecot: Any) -> None:
    dovecot.stop()
    with pytest.raises(ImapTrouble, match="does not answer"):
        await ImapClient.connect(server(dovecot))
