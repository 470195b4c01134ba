"""H4: what was kept long enough goes, what must be provable stays; a dry run changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from outreach.app.retention import run_retention, too_old
from outreach.db.session import Database
from outreach.model import ArchivedMail, AuditEntry, Contact, Event, LoginSession, Message
from outreach.model.base import table
from tests.web.conftest import seeded as seeded
from tests.web.house import House
from tests.web.test_matrix import fingerprint

ARCHIVE, EVENTS, CONTACTS, SESSIONS = table(ArchivedMail), table(Event), table(Contact), table(LoginSession)
AUDIT = table(AuditEntry)


@pytest.fixture
async def house(seeded: Path, tmp_path: Path) -> AsyncIterator[House]:
    path = tmp_path / "house.db"
    shutil.copy(seeded, path)
    built = House(Database(f"sqlite:///{path}"))
    yield built
    await built.db.close()


def keep(house: House, **days: int) -> None:
    kept = house.outreach.settings.retention.model_copy(update=days)
    house.outreach.settings = house.outreach.settings.model_copy(update={"retention": kept})


async def count(house: House, source: Any, *where: Any) -> int:
    async with house.db.read() as conn:
        return int(await conn.scalar(select(func.count()).select_from(source).where(*where)) or 0)


async def test_old_mails_events_and_sessions_go_and_the_ledger_stays(house: House) -> None:
    old = house.now - timedelta(days=1200)
    base = {"recorded_at": old, "at": old, "effects": [], "machine": False}
    async with house.db.write() as conn:
        await conn.execute(insert(EVENTS).values(kind="open", key="o:1", data={}, **base))
        await conn.execute(
            insert(EVENTS).values(kind="bounce", key="b:1", data={"text": "Canary"}, why="Canary", **base)
        )
        await conn.execute(insert(ARCHIVE).values(sha256="x" * 64, direction="in", raw=b"Canary", at=old))
        row = {"token_hash": "t", "user_id": 1, "created_at": old, "seen_at": old, "expires_at": old}
        await conn.execute(insert(SESSIONS).values(**row))
    ledger = await count(house, table(Message))
    before = await fingerprint(house)
    assert (await too_old(house.outreach, house.now)).as_dict() == {
        "raw_mails": 1,
        "events": 2,
        "contacts": 0,
        "sessions": 1,
    }
    assert await fingerprint(house) == before, "counting changes nothing"

    done = await run_retention(house.outreach, house.now)
    assert (done.raw_mails, done.events, done.sessions) == (1, 2, 1)
    assert await count(house, EVENTS, EVENTS.c.key == "o:1") == 0
    async with house.db.read() as conn:
        bounce = (await conn.execute(select(EVENTS).where(EVENTS.c.key == "b:1"))).one()
        entry = (await conn.execute(select(AUDIT).order_by(AUDIT.c.id.desc()).limit(1))).one()
    assert (bounce.data, bounce.why) == ({}, None), "that it bounced is kept, its words are not"
    assert (entry.action, entry.after["events"]) == ("retention.run", 2)
    assert await count(house, table(Message)) == ledger
    again = await run_retention(house.outreach, house.now)
    assert again.as_dict() == {"raw_mails": 0, "events": 0, "contacts": 0, "sessions": 0}


async def test_who_was_silent_for_long_is_forgotten_and_may_come_back(house: House) -> None:
    keep(house, inactive_contact_days=730)
    long_ago = house.now - timedelta(days=800)
    quiet = dict.fromkeys(("created_at", "last_contacted", "last_opened", "last_clicked", "last_replied"), long_ago)
    async with house.db.write() as conn:
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id.in_((1, 2))).values(last_order=None, **quiet))
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == 2).values(last_order=house.now.date()))
    assert (await run_retention(house.outreach, house.now)).contacts == 1
    async with house.db.read() as conn:
        gone = (await conn.execute(select(CONTACTS).where(CONTACTS.c.id == 1))).one()
        customer = (await conn.execute(select(CONTACTS).where(CONTACTS.c.id == 2))).one()
    assert (gone.erased_at, gone.first_name) == (house.now, None)
    assert customer.erased_at is None


async def test_zero_keeps_contacts_for_ever(house: House) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(CONTACTS).values(created_at=house.now - timedelta(days=9000)))
    assert (await too_old(house.outreach, house.now)).contacts == 0
