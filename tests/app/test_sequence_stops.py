"""What ends a sequence ends it at once: a mail that waits in the outbox does not leave after the meeting."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from outreach.access.roles import Actor, Role
from outreach.app.build import App
from outreach.app.tick import tick
from outreach.crm.calls.store import Call
from outreach.crm.deals.store import Terms
from outreach.crm.store import note
from outreach.events.kinds import EventKind, NewEvent
from outreach.model import Company, Contact, Mailbox, Message, User
from outreach.model.base import table
from tests.app.sequence_house import THREE_STEPS, enrolled, running, standing, write_templates
from tests.flow.house import Clock, add_people, installed, rows

CONTACTS, COMPANIES, MAILBOXES, USERS = table(Contact), table(Company), table(Mailbox), table(User)
MESSAGES = table(Message)


@pytest.fixture
def clock() -> Clock:
    made = Clock()
    made.now = made.now.replace(hour=10)
    return made


@pytest.fixture
async def house(tmp_path: Path, database_url: str, clock: Clock) -> AsyncIterator[App]:
    """Three people, the mailbox zhou's own; nothing is sent: what matters waits in the outbox."""
    write_templates(tmp_path)
    async with installed(tmp_path, 9, database=database_url) as app:
        await add_people(app, tmp_path, 3)
        async with app.db.write() as conn:
            zhou = await conn.scalar(select(USERS.c.id).where(USERS.c.name == "zhou"))
            await conn.execute(update(MAILBOXES).values(owner_id=zhou))
        yield app


async def waiting(app: App, clock: Clock, text: str = THREE_STEPS) -> int:
    """A sequence whose first mails wait in the outbox."""
    sequence = await running(app, clock, text)
    await enrolled(app, sequence, clock)
    await tick(app, clock())
    assert [row.state for row in await rows(app, sequence)] == ["queued"] * 3  # type: ignore[attr-defined]
    clock.now += timedelta(minutes=5)
    return sequence


async def somebody(app: App, name: str) -> Actor:
    async with app.db.read() as conn:
        number = await conn.scalar(select(USERS.c.id).where(USERS.c.name == name))
    return Actor(number, name, frozenset({Role.SALESPERSON}), authorised=True)


async def happen(app: App, what: str, clock: Clock) -> None:
    """Something happens with the first person, or their company."""
    zhou, anna = await somebody(app, "zhou"), await somebody(app, "anna")
    async with app.db.read() as conn:
        person = (await conn.execute(select(CONTACTS).order_by(CONTACTS.c.id).limit(1))).one()
    if what == "deal":
        deal = await app.deals.add(person.company_id, "Lamps", Terms(100), anna, clock())
        await app.deals.step(deal, "order", anna, clock())
    elif what in ("call of ours", "call of a colleague"):
        await app.calls.log(Call(person.id, "reached"), zhou if what == "call of ours" else anna, clock())
    elif what.startswith("letter"):
        writer = {"letter of ours": zhou.id, "letter of a colleague": anna.id, "letter from a shared mailbox": None}[
            what
        ]
        data = {"by_hand": True, "text": "Dear Pat", "user_id": writer}
        sent = NewEvent(EventKind.SENT, "sent:1", clock(), contact_id=person.id, data=data)
        async with app.db.write() as conn:
            await app.events.record(conn, sent, clock())
    else:
        async with app.db.write() as conn:
            await note(conn, what, "At the fair", clock(), company_id=person.company_id, user_id=zhou.id)


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("meeting", "meeting"),
        ("deal", "deal"),
        ("call of a colleague", "colleague_contact"),
        ("call of ours", None),
        ("letter of a colleague", "colleague_contact"),
        ("letter of ours", None),
        ("letter from a shared mailbox", None),
        ("note", None),
    ],
)
async def test_a_waiting_mail_is_stopped_with_what_stops_the_sequence(
    house: App, clock: Clock, what: str, reason: str | None
) -> None:
    sequence = await waiting(house, clock)
    await happen(house, what, clock)
    people = await standing(house, sequence)
    mails: list[Any] = await rows(house, sequence)
    if reason is None:
        assert {one.state for one in people} == {"active"}
        assert {mail.state for mail in mails} == {"queued"}
        return
    assert [(one.state, one.reason) for one in people] == [("stopped", reason), ("active", None), ("active", None)]
    assert [(mail.state, mail.reason) for mail in mails] == [("cancelled", reason), ("queued", None), ("queued", None)]


async def test_who_wrote_from_a_mail_program_is_at_work_with_the_customer(house: App, clock: Clock) -> None:
    anna, zhou = await somebody(house, "anna"), await somebody(house, "zhou")
    await happen(house, "letter of a colleague", clock)
    async with house.db.read() as conn:
        firm = await conn.scalar(select(CONTACTS.c.company_id).order_by(CONTACTS.c.id).limit(1))
    assert firm is not None
    assert [(one.user_id, one.what) for one in await house.owners.at_work(firm, zhou.id, clock())] == [
        (anna.id, "contact")
    ]


async def test_what_is_already_claimed_is_stopped_too(house: App, clock: Clock) -> None:
    sequence = await waiting(house, clock)
    box = house.mailbox_ids["sales"]
    fence = await house.outbox.lease(box, "w", clock(), 60)
    assert fence is not None
    claimed = await house.outbox.claim(box, fence, clock(), 10)
    assert len(claimed) == 3
    await happen(house, "meeting", clock)
    assert [row.state for row in await rows(house, sequence)] == ["cancelled", "claimed", "claimed"]  # type: ignore[attr-defined]


async def test_a_sequence_that_says_so_goes_on_after_a_meeting(house: App, clock: Clock) -> None:
    text = THREE_STEPS.replace("[[step]]", "[stop]\nmeeting = false\ndeal_stages = []\n[[step]]", 1)
    sequence = await waiting(house, clock, text)
    await happen(house, "meeting", clock)
    await happen(house, "deal", clock)
    assert {one.state for one in await standing(house, sequence)} == {"active"}


async def test_a_meeting_ends_it_for_everybody_of_the_customer(house: App, clock: Clock) -> None:
    async with house.db.write() as conn:
        firm = await conn.scalar(select(CONTACTS.c.company_id).order_by(CONTACTS.c.id).limit(1))
        await conn.execute(update(CONTACTS).values(company_id=firm))
    sequence = await waiting(house, clock)
    await happen(house, "meeting", clock)
    assert {one.reason for one in await standing(house, sequence)} == {"meeting"}
