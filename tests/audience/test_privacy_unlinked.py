"""H4 for mail that was filed with nobody, or with somebody else: it is the person's who wrote it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from outreach.audience.store import AudienceStore
from outreach.db.session import Database
from outreach.model import ArchivedMail, Contact, EmailAddress, Event, InboundMail, Mailbox
from outreach.model.base import table
from outreach.model.keys import address_key
from outreach.suppression.store import is_suppressed, suppress
from tests.audience.test_privacy_everywhere import Maker, everything
from tests.fakes.schema import make_tables

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
SECRET = b"s" * 32
THEIRS, OTHER = "k.canary@buyer.example", "otto@other.example"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await make_tables(database)
    yield database
    await database.close()


@pytest.fixture
def store(db: Database) -> AudienceStore:
    return AudienceStore(db, SECRET, suppress=suppress)


async def _contact(maker: Maker, address: str) -> int:
    number = await maker.make(table(Contact), erased_at=None, left_at=None)
    own = {"contact_id": number, "address": address, "normal": address, "key": address_key(address, SECRET)}
    await maker.make(table(EmailAddress), **own)
    return number


async def _mail(maker: Maker, number: int, sender: str, contact_id: int | None) -> None:
    """A mail as the reader files it: the row, what happened, the bytes."""
    say = f"says {sender} {number}"
    told = {"from_name": say, "subject": say, "reply_text": say, "message_id": None, "contact_id": contact_id}
    inbound_id = await maker.make(table(InboundMail), from_address=sender, **told)
    data = {"address": sender, "text": say}
    await maker.make(table(Event), inbound_id=inbound_id, contact_id=contact_id, message_id=None, data=data)
    await _archive(maker, say, inbound_id)


async def _archive(maker: Maker, subject: str, inbound_id: int | None) -> None:
    words = " ".join(subject.replace("@", " ").replace(".", " ").split())
    told = {"subject": subject, "text": subject, "words": words, "raw": subject.encode()}
    await maker.make(table(ArchivedMail), inbound_id=inbound_id, message_id=None, **told)


async def _filled(db: Database, *, known: bool) -> int | None:
    async with db.write() as conn:
        maker = Maker(conn)
        await maker.make(table(Mailbox), name="info", address="info@minxu.example")
        other = await _contact(maker, OTHER)
        person = await _contact(maker, THEIRS) if known else None
        await _mail(maker, 1, THEIRS, None)
        await _mail(maker, 2, THEIRS, other)
        await _mail(maker, 3, OTHER, None)
        await _archive(maker, f"to {THEIRS} by hand", None)
        await _archive(maker, f"to x{THEIRS} by hand", None)
    return person


@pytest.mark.parametrize("known", [True, False])
async def test_mail_filed_with_nobody_is_told_and_erased(db: Database, store: AudienceStore, known: bool) -> None:
    person = await _filled(db, known=known)
    told = await store.export_person(THEIRS.upper())
    assert told is not None
    assert {row["subject"] for row in told["received"]} == {f"says {THEIRS} 1", f"says {THEIRS} 2"}
    assert len(told["events"]) == 2
    assert len(told["archive"]) == 3
    assert OTHER not in json.dumps(told, default=str)

    done = await store.erase(THEIRS, now=NOW)
    assert done.found
    assert done.contact_id == person
    assert (done.erased["inbound_mail"], done.erased["event"], done.erased["archived_mail"]) == (2, 2, 3)
    left = {name: rows for name, rows in (await everything(db)).items() if THEIRS in rows.replace(f"x{THEIRS}", "")}
    assert left == {}
    async with db.read() as conn:
        subjects = set((await conn.execute(select(table(ArchivedMail).c.subject))).scalars())
        assert await is_suppressed(conn, [address_key(THEIRS, SECRET)])
    assert subjects == {f"says {OTHER} 3", f"to x{THEIRS} by hand"}, "what others wrote stays"
    again = await store.erase(THEIRS, now=NOW)
    assert not again.erased.get("inbound_mail")


async def test_nothing_on_nobody(db: Database, store: AudienceStore) -> None:
    await _filled(db, known=False)
    assert await store.export_person("nobody@buyer.example") is None
    assert not (await store.erase("nobody@buyer.example", now=NOW)).found
    assert (await store.export_person(THEIRS)) is not None
