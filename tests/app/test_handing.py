"""A leaver's sequences go on from the successor's mailbox or stop, and nothing is left behind in a closed mailbox."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select, update

from outreach.access.roles import OPERATOR
from outreach.access.store import UserError
from outreach.app import customers, handing
from outreach.db.session import Database
from outreach.model import Company, Enrolment, Handover, Mailbox, Message, OwnerChange, User
from outreach.model.base import table
from tests.web.house import House, open_house

BOXES, MESSAGES, ENROLMENTS = table(Mailbox), table(Message), table(Enrolment)
LEAVER, SUCCESSOR, THEIRS, HERS = 5, 6, 4, 3


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded database, made once."""
    import asyncio

    path = tmp_path_factory.mktemp("handing") / "house.db"

    async def make() -> None:
        house = await open_house(f"sqlite:///{path}", contacts=40)
        async with house.db.engine.connect() as conn:
            await conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await house.db.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def house(seeded: Path, tmp_path: Path) -> AsyncIterator[House]:
    """zhou.yang's mailbox holds queued mails and a running sequence; sun.qian has a mailbox of her own."""
    path = tmp_path / "house.db"
    shutil.copy(seeded, path)
    built = House(Database(f"sqlite:///{path}"))
    async with built.db.write() as conn:
        await conn.execute(update(BOXES).where(BOXES.c.id == THEIRS).values(state="active"))
        await conn.execute(update(BOXES).where(BOXES.c.id == HERS).values(owner_id=SUCCESSOR))
        waiting = (MESSAGES.c.campaign_id == 1) & (MESSAGES.c.state == "queued")
        await conn.execute(update(MESSAGES).where(waiting).values(mailbox_id=THEIRS))
        row = {
            "campaign_id": 2,
            "contact_id": 1,
            "company_id": 1,
            "mailbox_id": THEIRS,
            "state": "active",
            "via": "hand",
        }
        await conn.execute(insert(ENROLMENTS).values(step=1, enrolled_at=built.now, notes={}, **row))
    yield built
    await built.db.close()


async def count(house: House, source: Any, *where: Any) -> int:
    async with house.db.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(source).where(*where))).scalar_one())


async def value(house: House, query: Any) -> Any:
    async with house.db.read() as conn:
        return await conn.scalar(query)


async def test_nothing_changes_by_looking(house: House) -> None:
    app = house.outreach
    looked = await handing.preview(app, LEAVER, SUCCESSOR)
    assert looked.unsent == await count(house, MESSAGES, MESSAGES.c.mailbox_id == THEIRS) > 0
    assert (looked.sequences, looked.mailbox) == (1, "export@minxu-lighting.example")
    assert looked.counts["companies"] == await count(house, table(Company), table(Company).c.owner_id == LEAVER) > 0


async def test_sequences_go_on_from_the_successors_mailbox_and_come_back(house: House) -> None:
    app = house.outreach
    waiting = await count(house, MESSAGES, MESSAGES.c.mailbox_id == THEIRS)
    mine = await value(house, select(ENROLMENTS.c.id).where(ENROLMENTS.c.mailbox_id == THEIRS))
    box_of = select(ENROLMENTS.c.mailbox_id).where(ENROLMENTS.c.id == mine)
    done = await handing.transfer(app, LEAVER, SUCCESSOR, OPERATOR, house.now)
    assert (done["continued"], done["stopped"], done["enrolled"]) == (waiting, 0, 1)
    assert await count(house, MESSAGES, MESSAGES.c.mailbox_id == THEIRS) == 0
    assert await value(house, box_of) == HERS
    closed = select(BOXES.c.paused_reason).where(BOXES.c.id == THEIRS, BOXES.c.state == "disabled")
    assert await value(house, closed) == handing.HANDED_OVER
    assert await value(house, select(table(User).c.disabled_at).where(table(User).c.id == LEAVER)) == house.now
    assert await count(house, table(OwnerChange), table(OwnerChange).c.reason == "handed over") == done["companies"]
    with pytest.raises(UserError, match="closed"):
        await handing.transfer(app, SUCCESSOR, LEAVER, OPERATOR, house.now)
    await handing.take_back(app, done["handover"], OPERATOR, house.now)
    assert await count(house, MESSAGES, MESSAGES.c.mailbox_id == THEIRS) == waiting
    assert await value(house, box_of) == THEIRS
    assert await value(house, select(BOXES.c.state).where(BOXES.c.id == THEIRS)) == "active"
    with pytest.raises(UserError, match="taken back already"):
        await handing.take_back(app, done["handover"], OPERATOR, house.now)


async def test_what_is_planned_later_for_the_closed_mailbox_follows(house: House) -> None:
    app = house.outreach
    await handing.transfer(app, LEAVER, SUCCESSOR, OPERATOR, house.now)
    async with house.db.write() as conn:
        late = select(MESSAGES.c.id).where(MESSAGES.c.state == "queued").limit(2)
        await conn.execute(update(MESSAGES).where(MESSAGES.c.id.in_(late)).values(mailbox_id=THEIRS))
    assert (await customers.keep(app, house.now))["redirected"] == 2
    assert await count(house, MESSAGES, MESSAGES.c.mailbox_id == THEIRS) == 0
    assert (await customers.keep(app, house.now))["redirected"] == 0


async def test_they_stop_where_it_is_wished_or_no_mailbox_is_there(house: House) -> None:
    app = house.outreach
    async with house.db.write() as conn:
        await conn.execute(update(BOXES).where(BOXES.c.id == HERS).values(owner_id=None))
    done = await handing.transfer(app, LEAVER, SUCCESSOR, OPERATOR, house.now)
    assert done["continued"] == 0
    assert done["stopped"] > 0
    reasons = (
        select(MESSAGES.c.reason).where(MESSAGES.c.mailbox_id == THEIRS, MESSAGES.c.state == "cancelled").distinct()
    )
    async with house.db.read() as conn:
        assert (await conn.execute(reasons)).scalars().all() == ["owner_left"]
    assert await value(house, select(ENROLMENTS.c.state)) == "stopped"
    assert await count(house, table(Handover)) == 1
