"""An event counts once, and what follows from it stands in the same transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from outreach.audience.privacy.store import forget
from outreach.db.session import Database
from outreach.events.effects.autoreply import on_autoreply
from outreach.events.facts import Facts
from outreach.events.kinds import EventKind, NewEvent, PauseContact
from outreach.events.store import EventStore, bump
from outreach.model import Campaign, Contact, Conversion, EmailAddress, Event, Message, Preference, Rollup, Suppression
from tests.events.seeds import (
    Taken,
    add_address,
    add_campaign,
    add_message,
    add_person,
    add_user,
    count,
    event_store,
)

NOW = datetime(2026, 11, 18, 9, 30, tzinfo=UTC)


@dataclass
class World:
    db: Database
    events: EventStore
    taken: Taken
    campaign: int
    contact: int
    company: int
    owner: int
    message: int

    async def record(self, kind: EventKind, key: str, at: datetime = NOW, **values: object) -> int | None:
        values.setdefault("message_id", self.message)
        async with self.db.write() as conn:
            return await self.events.record(conn, NewEvent(kind, key, at, **values), NOW)  # type: ignore[arg-type]

    async def row(self, model: type, *where: object) -> object:
        async with self.db.read() as conn:
            return (await conn.execute(select(model.__table__).where(*where))).one()  # type: ignore[arg-type]


@pytest.fixture
async def world(db: Database) -> World:
    events, taken = event_store()
    async with db.write() as conn:
        owner = await add_user(conn, NOW)
        campaign = await add_campaign(conn, NOW)
        contact, company = await add_person(conn, NOW, "Anna@buyer.example", owner_id=owner, first_name="Anna")
        message = await add_message(conn, NOW, campaign, contact, "Anna@buyer.example", company_id=company)
        await add_message(conn, NOW, campaign, contact, "Anna@buyer.example", step=1, state="queued", sent_at=None)
    return World(db, events, taken, campaign, contact, company, owner, message)


async def test_the_same_event_counts_once(world: World) -> None:
    first = await world.record(EventKind.REPLY, "reply:k", data={"text": "Please quote"})
    again = await world.record(EventKind.REPLY, "reply:k", data={"text": "Please quote"})
    assert first is not None
    assert again is None
    assert await count(world.db, Event) == 1
    assert len(world.taken.tasks) == 1
    assert (await world.row(Rollup)).count == 1  # type: ignore[attr-defined]


async def test_nothing_is_kept_of_a_failed_transaction(world: World) -> None:
    with pytest.raises(RuntimeError, match="power cut"):  # noqa: PT012
        async with world.db.write() as conn:
            await world.events.record(conn, NewEvent(EventKind.UNSUBSCRIBE, "u", NOW, world.message), NOW)
            raise RuntimeError("power cut")
    assert await count(world.db, Event) == await count(world.db, Suppression) == await count(world.db, Rollup) == 0


async def test_a_reply_stops_follow_ups_and_makes_a_task_for_the_owner(world: World) -> None:
    await world.record(EventKind.REPLY, "reply:k", data={"text": "Please quote 500 pcs", "intent": "price"})
    (task,) = world.taken.tasks
    assert (task.kind, task.owner_id, task.due) == ("reply", world.owner, "same_working_day")
    assert "Anna · buyer" in task.title
    follow_up = await world.row(Message, Message.step == 1)
    assert (follow_up.state, follow_up.reason) == ("cancelled", "replied")  # type: ignore[attr-defined]
    assert (await world.row(Contact)).last_replied == NOW  # type: ignore[attr-defined]
    assert (await world.row(Message, Message.step == 0)).replied_at == NOW  # type: ignore[attr-defined]


@pytest.mark.parametrize(("says_so", "left"), [(True, 0), (False, 1)])
async def test_colleagues_are_stopped_only_if_the_campaign_says_so(world: World, says_so: bool, left: int) -> None:
    async with world.db.write() as conn:
        await conn.execute(update(Campaign).values(definition={"stop_colleagues": says_so}))
        bo, company = await add_person(conn, NOW, "bo@buyer.example")
        await add_message(conn, NOW, world.campaign, bo, "bo@buyer.example", step=1, state="queued", company_id=company)
    await world.record(EventKind.REPLY, "reply:k")
    assert await count(world.db, Message, Message.state == "queued") == left


async def test_a_hard_bounce_suppresses_at_once(world: World) -> None:
    await world.record(EventKind.BOUNCE, "bounce:k", data={"hard": True, "status": "5.1.1", "reason": "userunknown"})
    listed = await world.row(Suppression)
    assert (listed.address, listed.reason) == ("anna@buyer.example", "hard_bounce")  # type: ignore[attr-defined]
    assert (await world.row(EmailAddress)).bounced_at == NOW  # type: ignore[attr-defined]
    message = await world.row(Message, Message.step == 0)
    assert (message.bounced_at, message.bounce_hard) == (NOW, True)  # type: ignore[attr-defined]
    assert await count(world.db, Message, Message.state == "queued") == 0


@pytest.mark.parametrize(
    ("days", "listed"), [((0, 3, 6), False), ((0, 3, 7), True), ((0, 7), False), ((0, 1, 2, 8), True)]
)
async def test_soft_bounces_suppress_after_three_over_seven_days(
    world: World, days: tuple[int, ...], listed: bool
) -> None:
    for day in days:
        at, full = NOW + timedelta(days=day), {"hard": False, "reason": "mailboxfull"}
        async with world.db.write() as conn:
            step = 10 + day
            sent = await add_message(conn, at, world.campaign, world.contact, "Anna@buyer.example", step=step)
        await world.record(EventKind.BOUNCE, f"b{day}", at, message_id=sent, data=full)
    assert await count(world.db, Suppression) == int(listed)


async def test_one_mail_that_comes_back_three_times_is_one_soft_bounce(world: World) -> None:
    """A relay's report and the server's own speak of one send."""
    for day in (0, 4, 9):
        at = NOW + timedelta(days=day)
        await world.record(EventKind.BOUNCE, f"b{day}", at, data={"hard": False, "reason": "mailboxfull"})
    assert (await world.row(EmailAddress)).soft_bounces == 1  # type: ignore[attr-defined]
    assert await count(world.db, Suppression) == 0


async def test_corrections_of_the_address_book_are_proposed_and_never_made(world: World) -> None:
    proposal = {"change": "another_address", "address": "anna@home.example", "name": "Anna"}
    await world.record(EventKind.REPLY, "reply:k", data={"text": "Hi", "proposal": proposal})
    book = [task for task in world.taken.tasks if task.kind == "address_book"]
    assert [(task.owner_id, task.data) for task in book] == [(world.owner, {"proposal": proposal})]
    assert await count(world.db, EmailAddress) == 1


async def test_a_letter_by_hand_is_part_of_the_timeline_and_answers(world: World) -> None:
    data = {"by_hand": True, "answers": [], "text": "Dear Anna", "subject": "Prices"}
    await world.record(EventKind.SENT, "sent:1:k", message_id=None, contact_id=world.contact, data=data)
    assert [(line.kind, line.text) for line in world.taken.activities] == [("sent", "Dear Anna")]
    assert (await world.row(Contact)).last_contacted == NOW  # type: ignore[attr-defined]


async def test_a_refusal_of_our_mail_never_counts_against_the_person(world: World) -> None:
    for day in (0, 4, 8, 12):
        at = NOW + timedelta(days=day)
        await world.record(EventKind.BOUNCE, f"b{day}", at, data={"hard": False, "reason": "policyviolation"})
    assert await count(world.db, Suppression) == 0
    assert (await world.row(EmailAddress)).soft_bounces == 0  # type: ignore[attr-defined]


async def test_a_reply_is_a_sign_of_life(world: World) -> None:
    for day in (0, 3):
        await world.record(EventKind.BOUNCE, f"b{day}", NOW + timedelta(days=day), data={"hard": False})
    await world.record(EventKind.REPLY, "r", NOW + timedelta(days=4))
    await world.record(EventKind.BOUNCE, "b9", NOW + timedelta(days=9), data={"hard": False})
    assert await count(world.db, Suppression) == 0


@pytest.mark.parametrize("is_back", [True, False])
async def test_an_old_mail_still_unsubscribes_who_was_forgotten_and_came_back(world: World, is_back: bool) -> None:
    async with world.db.write() as conn:
        key = await conn.scalar(select(Message.address_key).where(Message.id == world.message))
        await forget(conn, world.contact, NOW)
        if is_back:
            await add_person(conn, NOW, "anna@buyer.example")
    await world.record(EventKind.UNSUBSCRIBE, "u", data={"via": "one-click"})
    row = await world.row(Suppression)
    back = "anna@buyer.example" if is_back else None
    assert (row.key, row.address) == (key, back)  # type: ignore[attr-defined]


async def test_unsubscribing_holds_for_every_address_and_list(world: World) -> None:
    async with world.db.write() as conn:
        await add_address(conn, NOW, world.contact, "anna@home.example")
        other = await add_campaign(conn, NOW, "Another list")
        await add_message(conn, NOW, other, world.contact, "anna@home.example", state="queued", sent_at=None)
    await world.record(EventKind.UNSUBSCRIBE, f"unsubscribe:{world.message}", data={"via": "one-click"})
    assert await count(world.db, Suppression, Suppression.reason == "unsubscribed") == 2
    assert await count(world.db, Message, Message.state == "queued") == 0
    assert await world.row(Message, Message.step == 0, Message.sent_at.is_not(None), Message.unsubscribed_at == NOW)


async def test_an_address_without_a_contact_is_suppressed_too(world: World) -> None:
    event_id = await world.record(
        EventKind.UNSUBSCRIBE, "phone:1", message_id=None, data={"address": "Who@else.example", "via": "phone"}
    )
    assert event_id is not None
    assert (await world.row(Suppression)).address == "who@else.example"  # type: ignore[attr-defined]


async def test_the_person_may_take_an_unsubscription_back_but_not_a_bounce(world: World) -> None:
    await world.record(EventKind.UNSUBSCRIBE, "u")
    await world.record(EventKind.PREFERENCE, "p", data={"resubscribed": True})
    assert await count(world.db, Suppression) == 0
    await world.record(EventKind.BOUNCE, "b", data={"hard": True})
    await world.record(EventKind.PREFERENCE, "p2", data={"resubscribed": True})
    assert await count(world.db, Suppression) == 1


async def test_a_stronger_reason_stays(world: World) -> None:
    await world.record(EventKind.BOUNCE, "b", data={"hard": True})
    await world.record(EventKind.COMPLAINT, "c")
    await world.record(EventKind.UNSUBSCRIBE, "u")
    assert (await world.row(Suppression)).reason == "complained"  # type: ignore[attr-defined]


async def test_an_absence_pauses_and_makes_no_task(world: World) -> None:
    await world.record(EventKind.AUTOREPLY, "a", data={"until": "2026-12-01"})
    assert (await world.row(Contact)).paused_until == datetime(2026, 12, 1, 8, tzinfo=UTC)  # type: ignore[attr-defined]
    assert world.taken.tasks == []
    assert await count(world.db, Message, Message.state == "queued") == 1


@pytest.mark.parametrize(
    ("zone", "morning"),
    [
        ("America/Los_Angeles", datetime(2026, 12, 1, 16, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 30, 19, tzinfo=UTC)),
        (None, datetime(2026, 12, 1, 8, tzinfo=UTC)),
        ("Nowhere/Atall", datetime(2026, 12, 1, 8, tzinfo=UTC)),
    ],
)
def test_the_first_day_back_begins_in_the_morning_where_the_person_is(zone: str | None, morning: datetime) -> None:
    event = NewEvent(EventKind.AUTOREPLY, "a", NOW, contact_id=1, data={"until": "2026-12-01"})
    changes = on_autoreply(event, Facts(contact_id=1, zone=zone))
    assert PauseContact(1, morning) in changes


@pytest.mark.parametrize("until", ["2025-12-01", "2036-01-01", "soon", None])
async def test_an_implausible_date_pauses_nobody(world: World, until: str | None) -> None:
    await world.record(EventKind.AUTOREPLY, "a", data={"until": until})
    assert (await world.row(Contact)).paused_until is None  # type: ignore[attr-defined]


async def test_who_left_gets_no_more_and_the_owner_learns_of_it(world: World) -> None:
    await world.record(EventKind.AUTOREPLY, "a", data={"left": True, "successor": "eva@buyer.example"})
    assert (await world.row(Contact)).left_at == NOW  # type: ignore[attr-defined]
    assert [task.data for task in world.taken.tasks] == [{"successor": "eva@buyer.example"}]
    assert await count(world.db, Message, Message.state == "queued") == 0


async def test_five_hard_bounces_of_the_last_hundred_pause_the_campaign(world: World) -> None:
    for number in range(5):
        async with world.db.write() as conn:
            address = f"gone{number}@other.example"
            contact, _ = await add_person(conn, NOW, address)
            message = await add_message(conn, NOW, world.campaign, contact, address)
        state = (await world.row(Campaign)).state  # type: ignore[attr-defined]
        assert state == "running"
        await world.record(EventKind.BOUNCE, f"b{number}", message_id=message, data={"hard": True})
    row = await world.row(Campaign)
    assert (row.state, row.paused_from, row.paused_reason) == ("paused", "running", "hard_bounces")  # type: ignore[attr-defined]


async def test_complaints_pause_at_three_in_a_thousand(world: World) -> None:
    async with world.db.write() as conn:
        for number in range(399):
            contact, _ = await add_person(conn, NOW, f"p{number}@crowd.example")
            last = await add_message(conn, NOW, world.campaign, contact, f"p{number}@crowd.example")
    await world.record(EventKind.COMPLAINT, "c1")
    assert (await world.row(Campaign)).state == "running"  # type: ignore[attr-defined]
    await world.record(EventKind.COMPLAINT, "c2", message_id=last)
    assert (await world.row(Campaign)).paused_reason == "complaints"  # type: ignore[attr-defined]


async def test_what_comes_back_settles_a_message_in_doubt(world: World) -> None:
    async with world.db.write() as conn:
        await conn.execute(update(Message).where(Message.id == world.message).values(state="in_doubt", sent_at=None))
    await world.record(EventKind.REPLY, "r")
    row = await world.row(Message, Message.id == world.message)
    assert (row.state, row.sent_at) == ("sent", NOW - timedelta(minutes=1))  # type: ignore[attr-defined]


async def test_preferences_and_conversions_are_kept(world: World) -> None:
    data = {"topics_off": ["price"], "mails_per_month": 1, "pause_days": 90}
    await world.record(EventKind.PREFERENCE, "p", data=data)
    row = await world.row(Preference)
    assert (row.topics_off, row.mails_per_month) == ({"price": True}, 1)  # type: ignore[attr-defined]
    assert (await world.row(Contact)).paused_until == NOW + timedelta(days=90)  # type: ignore[attr-defined]
    order = {"kind": "order", "amount": 1200.0, "currency": "USD", "external_id": "W-1"}
    await world.record(EventKind.CONVERSION, "conversion:W-1", data=order)
    assert (await world.row(Conversion)).campaign_id == world.campaign  # type: ignore[attr-defined]


def click(world: World, number: int, seconds: float, machine: bool = False, **data: object) -> NewEvent:
    at = NOW + timedelta(seconds=seconds)
    data["number"] = number
    return NewEvent(EventKind.CLICK, f"c{number}-{seconds}", at, world.message, machine=machine, data=data)


async def record_many(world: World, *events: NewEvent) -> int:
    async with world.db.write() as conn:
        return await world.events.record_many(conn, events, NOW)


async def test_a_batch_is_idempotent_and_rolled_up(world: World) -> None:
    batch = [click(world, 1, 1), click(world, 2, 400), NewEvent(EventKind.OPEN, "o", NOW, world.message, machine=True)]
    assert await record_many(world, *batch) == 3
    assert await record_many(world, *batch) == 0
    row = await world.row(Message, Message.id == world.message)
    first = NOW + timedelta(seconds=1)
    assert (row.first_click_at, row.first_open_at, row.machine_open_at) == (first, first, NOW)  # type: ignore[attr-defined]
    assert (await world.row(Rollup, Rollup.kind == "click")).count == 2  # type: ignore[attr-defined]
    assert (await world.row(Rollup, Rollup.kind == "open")).machine  # type: ignore[attr-defined]
    assert (await world.row(Contact)).last_clicked == NOW + timedelta(seconds=400)  # type: ignore[attr-defined]


@pytest.mark.parametrize("together", [True, False])
async def test_a_burst_takes_back_the_clicks_before_it(world: World, together: bool) -> None:
    early = [click(world, 1, 0), click(world, 2, 0.5)]
    corrects = [event.at.isoformat() for event in early]
    burst = click(world, 3, 1, machine=True, corrects=corrects)
    if together:
        await record_many(world, *early, burst)
    else:
        await record_many(world, *early)
        await record_many(world, burst)
    row = await world.row(Message, Message.id == world.message)
    assert (row.first_click_at, row.first_open_at) == (None, None)  # type: ignore[attr-defined]
    person = await world.row(Contact)
    assert (person.last_clicked, person.last_opened) == (None, None)  # type: ignore[attr-defined]
    assert (await world.row(Rollup, Rollup.machine.is_(True))).count == 3  # type: ignore[attr-defined]
    assert await count(world.db, Rollup, Rollup.machine.is_(False), Rollup.count != 0) == 0
    await record_many(world, click(world, 1, 600))
    row = await world.row(Message, Message.id == world.message)
    assert row.first_click_at == NOW + timedelta(seconds=600)  # type: ignore[attr-defined]


@pytest.mark.parametrize("together", [True, False])
async def test_what_a_person_did_before_a_burst_stays_the_contacts(world: World, together: bool) -> None:
    before = NewEvent(EventKind.OPEN, "o", NOW - timedelta(days=1), world.message)
    early = [click(world, 1, 0), click(world, 2, 0.5)]
    burst = click(world, 3, 1, machine=True, corrects=[event.at.isoformat() for event in early])
    for batch in [[before, *early, burst]] if together else [[before], early, [burst]]:
        await record_many(world, *batch)
    person = await world.row(Contact)
    assert (person.last_clicked, person.last_opened) == (None, before.at)  # type: ignore[attr-defined]


async def test_a_batch_refuses_other_kinds_and_drops_the_unknown(world: World) -> None:
    with pytest.raises(ValueError, match="opens and clicks"):
        await record_many(world, NewEvent(EventKind.REPLY, "r", NOW))
    assert await record_many(world, NewEvent(EventKind.OPEN, "o", NOW, 987_654)) == 0


async def test_a_change_that_nobody_applies_is_an_error(world: World) -> None:
    alone = EventStore(b"k" * 32, {})
    async with world.db.read() as conn:
        with pytest.raises(LookupError, match="AddActivity"):
            await alone.record(conn, NewEvent(EventKind.REPLY, "r", NOW, world.message), NOW)


async def test_roll_ups_fall_into_utc_hours(world: World) -> None:
    east = datetime.fromisoformat("2026-11-18T14:45:00+05:30")
    async with world.db.write() as conn:
        await bump(conn, [(world.campaign, east, "sent", False, 5), (world.campaign, NOW, "sent", False, 2)])
    row = await world.row(Rollup)
    assert (row.hour, row.count) == (datetime(2026, 11, 18, 9, tzinfo=UTC), 7)  # type: ignore[attr-defined]


async def test_the_event_notes_what_followed_without_personal_data(world: World) -> None:
    await world.record(EventKind.UNSUBSCRIBE, "u")
    row = await world.row(Event)
    assert "Suppress:unsubscribed" in row.effects  # type: ignore[attr-defined]
    assert "anna" not in str(row).lower()
