"""A sequence from enrolment to its end, against a real SMTP sink."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, update

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.preflight import preflight
from outreach.app.sequences import use as sequences
from outreach.app.tick import Seen, tick
from outreach.campaigns.definition import DefinitionError
from outreach.campaigns.store import CampaignError
from outreach.crm.enrolment.state import IllegalMove
from outreach.events.kinds import EventKind, NewEvent
from outreach.model import Activity, Contact, ContactTag, Conversion, Deal, Message, Tag
from outreach.model.base import table
from outreach.outbox import store as outbox
from tests.app.sequence_house import (
    ENROLMENTS,
    THREE_STEPS,
    approve,
    days,
    enrolled,
    running,
    standing,
    statements,
    write_templates,
)
from tests.flow.house import Clock, add_people, installed, rows, work

CONTACTS, MESSAGES = table(Contact), table(Message)


@pytest.fixture
def clock() -> Clock:
    """A Tuesday, ten o'clock in London."""
    made = Clock()
    made.now = made.now.replace(hour=10)
    return made


@pytest.fixture
async def house(tmp_path: Path, smtp_sink: Any, clock: Clock) -> AsyncIterator[App]:
    write_templates(tmp_path)
    async with installed(tmp_path, smtp_sink.port) as app:
        await add_people(app, tmp_path, 3)
        yield app


def mails_to(sink: Any, address: str) -> list[Any]:
    """What came for an address, answers after what they answer."""
    found = [m for m in sink.messages() if address in m.rcpt_tos[0]]
    mails = [message_from_bytes(m.data, policy=policy.default) for m in found]
    return sorted(mails, key=lambda mail: len(mail["References"] or ""))


async def test_mails_in_one_thread_then_a_call_then_the_end(house: App, clock: Clock, smtp_sink: Any) -> None:
    sequence = await running(house, clock)
    await enrolled(house, sequence, clock)
    await work(house, clock)
    assert smtp_sink.count() == 3
    await days(house, clock, 3)
    assert smtp_sink.count() == 6
    first, second = mails_to(smtp_sink, "p0@")
    assert second["Subject"] == f"Re: {first['Subject']}"
    assert second["In-Reply-To"] == first["Message-ID"]
    assert second["References"] == first["Message-ID"]
    assert first.get_body(("plain",)).get_content() != second.get_body(("plain",)).get_content()
    await days(house, clock, 3)
    people = await standing(house, sequence)
    assert {one.state for one in people} == {"waiting"}
    tasks = await house.crm.tasks()
    assert [(task.kind, task.title) for task in tasks] == [("call", "Ring them up")] * 3
    with statements(house) as asked:
        assert not await tick(house, clock(), Seen(verified={sequence: clock()}))
    assert len(asked) == 4, "BEGIN, the campaigns, whether anybody is to be moved, ROLLBACK: the writer is not taken"
    await house.crm.finish(tasks[0].id, clock(), outcome="meeting next week")
    await work(house, clock)
    assert [one.state for one in await standing(house, sequence)].count("finished") == 1
    await days(house, clock, 20)
    assert {one.state for one in await standing(house, sequence)} == {"finished"}
    assert smtp_sink.count() == 6


async def test_nobody_is_in_two_sequences_nor_twice_in_one(house: App, clock: Clock) -> None:
    sequence, other = await running(house, clock), await running(house, clock)
    people = await enrolled(house, sequence, clock)
    assert (await sequences.enrol(house, other, people, OPERATOR, clock()))["refused"] == dict.fromkeys(
        people, "in_sequence"
    )
    await sequences.stop_person(house, sequence, people[0], OPERATOR, clock())
    assert (await sequences.enrol(house, sequence, people[:1], OPERATOR, clock()))["enrolled"] == []
    assert (await sequences.enrol(house, other, people[:1], OPERATOR, clock()))["enrolled"] == people[:1]
    with pytest.raises(CampaignError, match="another sequence"):
        await sequences.resume_person(house, sequence, people[0], OPERATOR, clock())


async def happen(app: App, clock: Clock, message: Any, kind: EventKind, **data: Any) -> None:
    event = NewEvent(kind, f"{kind}:{message.id}", clock(), message_id=message.id, data=data)
    async with app.db.write() as conn:
        await app.events.record(conn, event, clock())


@pytest.mark.parametrize(
    ("kind", "data", "reason"),
    [
        (EventKind.REPLY, {"text": "Yes?"}, "replied"),
        (EventKind.BOUNCE, {"hard": True, "reason": "userunknown"}, "hard_bounce"),
        (EventKind.UNSUBSCRIBE, {"via": "one-click"}, "unsubscribed"),
        (EventKind.COMPLAINT, {}, "complained"),
        (EventKind.AUTOREPLY, {"left": True}, "left"),
    ],
)
async def test_what_comes_back_ends_it_at_once(
    house: App, clock: Clock, smtp_sink: Any, kind: EventKind, data: Any, reason: str
) -> None:
    """Also while the next mail waits in the outbox: it never leaves."""
    sequence = await running(house, clock)
    await enrolled(house, sequence, clock)
    await work(house, clock)
    mail = (await rows(house, sequence))[0]
    await _queue_next(house, clock, sequence)
    await happen(house, clock, mail, kind, **data)
    stopped = (await standing(house, sequence))[0]
    assert (stopped.state, stopped.reason) == ("stopped", reason)
    await days(house, clock, 3)
    assert len(mails_to(smtp_sink, "p0@")) == 1
    assert len(mails_to(smtp_sink, "p1@")) == 2


async def _queue_next(app: App, clock: Clock, sequence: int) -> None:
    """Bring the second mails into the outbox without sending them."""
    await tick(app, clock())
    clock.pass_days(2)
    await tick(app, clock())
    waiting = [row for row in await rows(app, sequence) if row.state == "queued"]  # type: ignore[attr-defined]
    assert len(waiting) == 3


async def test_a_reply_stops_the_colleagues_too_unless_the_sequence_says_no(
    house: App, clock: Clock, smtp_sink: Any
) -> None:
    for company_wide, states in ((True, {"stopped"}), (False, {"stopped", "active"})):
        async with house.db.write() as conn:
            await conn.execute(update(CONTACTS).values(company_id=1))
            await conn.execute(table(Message).update().values(company_id=1))
        text = THREE_STEPS.replace("[[step]]", f"[stop]\ncompany_reply = {str(company_wide).lower()}\n[[step]]", 1)
        sequence = await running(house, clock, text)
        people = await enrolled(house, sequence, clock)
        await work(house, clock)
        await happen(house, clock, (await rows(house, sequence))[0], EventKind.REPLY)
        assert {one.state for one in await standing(house, sequence)} == states
        for person in people[1:]:
            if company_wide is False:
                await sequences.stop_person(house, sequence, person, OPERATOR, clock())


@pytest.mark.parametrize("happening", ["meeting", "deal", "colleague"])
async def test_a_meeting_a_deal_or_a_colleague_ends_it(
    house: App, clock: Clock, smtp_sink: Any, happening: str
) -> None:
    sequence = await running(house, clock)
    people = await enrolled(house, sequence, clock)
    await work(house, clock)
    async with house.db.write() as conn:
        if happening == "deal":
            await conn.execute(
                insert(table(Deal)).values(
                    company_id=1,
                    title="Lamps",
                    stage="order",
                    created_at=clock(),
                    stage_at=clock() + timedelta(hours=1),
                )
            )
        else:
            await conn.execute(update(table(Contact)).where(CONTACTS.c.id == people[0]).values(updated_at=clock()))
            kind = "meeting" if happening == "meeting" else "call"
            if happening == "colleague":
                await conn.execute(update(table(Message)).values(reply_text="ok"))
                await conn.execute(update(ENROLMENTS).values(enrolled_by=1))
            await conn.execute(
                insert(table(Activity)).values(
                    kind=kind, at=clock() + timedelta(hours=1), contact_id=people[0], company_id=1, user_id=2
                )
            )
    await days(house, clock, 3)
    first = (await standing(house, sequence))[0]
    reason = {"meeting": "meeting", "deal": "deal", "colleague": "colleague_contact"}[happening]
    assert (first.state, first.reason) == ("stopped", reason)
    assert len(mails_to(smtp_sink, "p0@")) == 1
    assert len(mails_to(smtp_sink, "p1@")) == 2


async def test_who_is_away_hears_from_us_on_the_day_of_return(house: App, clock: Clock, smtp_sink: Any) -> None:
    sequence = await running(house, clock)
    await enrolled(house, sequence, clock)
    await work(house, clock)
    await happen(house, clock, (await rows(house, sequence))[0], EventKind.AUTOREPLY, until="2026-12-09")
    await days(house, clock, 10)
    assert len(mails_to(smtp_sink, "p0@")) == 1
    assert len(mails_to(smtp_sink, "p1@")) == 2
    await days(house, clock, 6)
    later = [row for row in await rows(house, sequence) if row.contact_id == 1 and row.step == 1]  # type: ignore[attr-defined]
    assert later[0].sent_at.isoformat()[:10] == "2026-12-09"  # type: ignore[attr-defined]


async def test_one_person_is_paused_resumed_and_stopped(house: App, clock: Clock, smtp_sink: Any) -> None:
    sequence = await running(house, clock)
    people = await enrolled(house, sequence, clock)
    await work(house, clock)
    await _queue_next(house, clock, sequence)
    await sequences.pause_person(house, sequence, people[0], OPERATOR, clock())
    await sequences.pause_person(house, sequence, people[1], OPERATOR, clock(), until=clock() + timedelta(days=3))
    await sequences.stop_person(house, sequence, people[2], OPERATOR, clock())
    with pytest.raises(IllegalMove):
        await sequences.pause_person(house, sequence, people[2], OPERATOR, clock())
    await days(house, clock, 2)
    assert smtp_sink.count() == 3
    await days(house, clock, 4)
    assert [len(mails_to(smtp_sink, f"p{n}@")) for n in range(3)] == [1, 2, 1]
    await sequences.resume_person(house, sequence, people[0], OPERATOR, clock())
    await days(house, clock, 2)
    assert [len(mails_to(smtp_sink, f"p{n}@")) for n in range(3)] == [2, 2, 1]


async def test_an_edit_holds_everybody_until_it_is_approved_again(house: App, clock: Clock, smtp_sink: Any) -> None:
    sequence = await running(house, clock)
    await enrolled(house, sequence, clock)
    await work(house, clock)
    more = tomllib.loads(THREE_STEPS)
    more["step"].insert(0, {"template": "invitation", "after_days": 0})
    await sequences.edit(house, sequence, more, OPERATOR, clock())
    await days(house, clock, 5)
    assert smtp_sink.count() == 3
    with pytest.raises(CampaignError, match="approved and started"):
        await sequences.enrol(house, sequence, [1], OPERATOR, clock())
    await approve(house, sequence, clock)
    await use.start(house, sequence, OPERATOR, clock())
    await days(house, clock, 2)
    # the first mail is behind them, whatever stands before it now: they go on with the second
    assert smtp_sink.count() == 6
    assert {row.step for row in await rows(house, sequence)} == {0, 1}  # type: ignore[attr-defined]


async def test_conditions_choose_who_gets_a_step(house: App, clock: Clock, smtp_sink: Any) -> None:
    text = THREE_STEPS.replace(
        'after_days = 2\ntemplate = "again"', 'after_days = 2\ntemplate = "again"\nwhere = "grade = A"', 1
    )
    async with house.db.write() as conn:
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == 2).values(grade="A"))
    sequence = await running(house, clock, text)
    await enrolled(house, sequence, clock)
    await work(house, clock)
    await days(house, clock, 4)
    assert [len(mails_to(smtp_sink, f"p{n}@")) for n in range(3)] == [1, 2, 1]


@pytest.mark.parametrize(("only_if", "mails"), [("clicked", [1, 2, 1]), ("no open", [2, 1, 2])])
async def test_what_a_machine_fetched_steers_no_step(
    house: App, clock: Clock, smtp_sink: Any, only_if: str, mails: list[int]
) -> None:
    """The first person's gateway follows a link and fetches the picture, the second person clicks, the third does nothing."""
    text = THREE_STEPS.replace('template = "again"', f'template = "again"\nonly_if = "{only_if}"')
    sequence = await running(house, clock, text)
    await enrolled(house, sequence, clock)
    await work(house, clock)
    by_person = {row.contact_id: row.id for row in await rows(house, sequence)}  # type: ignore[attr-defined]
    first, second, _ = (by_person[contact] for contact in sorted(by_person))
    async with house.db.write() as conn:
        for kind in (EventKind.OPEN, EventKind.CLICK):
            await house.events.record(conn, NewEvent(kind, f"machine-{kind}", clock(), first, machine=True), clock())
        await house.events.record(conn, NewEvent(EventKind.CLICK, "person", clock(), second), clock())
    await days(house, clock, 4)
    assert [len(mails_to(smtp_sink, f"p{n}@")) for n in range(3)] == mails


async def test_whoever_newly_matches_comes_in_by_itself(
    house: App, clock: Clock, smtp_sink: Any, tmp_path: Path
) -> None:
    text = THREE_STEPS.replace("[[step]]", '[enrol]\nsegment = "country = GB"\n[[step]]', 1)
    sequence = await running(house, clock, text)
    await days(house, clock, 1)
    assert smtp_sink.count() == 0
    await add_people(house, tmp_path, 5)
    await days(house, clock, 1)
    assert sorted(smtp_sink.recipients()) == ["p3@firm3.example", "p4@firm4.example"]
    assert {one.via for one in await standing(house, sequence)} == {"segment"}


async def test_a_tag_brings_people_in(house: App, clock: Clock, smtp_sink: Any) -> None:
    text = THREE_STEPS.replace("[[step]]", '[enrol]\non = ["tag:fair"]\n[[step]]', 1)
    await running(house, clock, text)
    async with house.db.write() as conn:
        tag = await conn.scalar(insert(table(Tag)).values(kind="tag", name="fair").returning(table(Tag).c.id))
        await conn.execute(insert(table(ContactTag)).values(tag_id=tag, contact_id=2))
    await days(house, clock, 1)
    assert smtp_sink.recipients() == ["p1@firm1.example"]


async def give_tag(app: App, name: str, *contacts: int) -> None:
    """Let contacts carry a tag, as an import does."""
    async with app.db.write() as conn:
        tag = await conn.scalar(insert(table(Tag)).values(kind="tag", name=name).returning(table(Tag).c.id))
        await conn.execute(insert(table(ContactTag)), [{"tag_id": tag, "contact_id": one} for one in contacts])


def on_tags(rules: str) -> str:
    """The three steps, for who gets a tag."""
    return THREE_STEPS.replace("[[step]]", f"[enrol]\n{rules}\n[[step]]", 1)


async def test_who_carries_the_tag_before_is_not_written_to(house: App, clock: Clock, smtp_sink: Any) -> None:
    """The preflight says so; an inquiry of theirs still brings them in."""
    await give_tag(house, "fair", 1, 2)
    sequence = await sequences.create(house, tomllib.loads(on_tags('on = ["inquiry", "tag:fair"]')), OPERATOR, clock())
    checked = await preflight(house, sequence, clock())
    assert (checked.recipients, checked.skipped) == (0, {"before_start": 2})
    await approve(house, sequence, clock)
    await use.start(house, sequence, OPERATOR, clock())
    await days(house, clock, 1)
    assert smtp_sink.count() == 0
    async with house.db.write() as conn:
        inquiry = {"kind": "inquiry", "contact_id": 2, "at": clock.now}
        await conn.execute(insert(table(Conversion)).values(**inquiry))
    await days(house, clock, 1)
    assert smtp_sink.recipients() == ["p1@firm1.example"]


async def test_who_carries_the_tag_comes_in_where_the_file_says_so(house: App, clock: Clock, smtp_sink: Any) -> None:
    await give_tag(house, "fair", 1, 2)
    await house.suppression.add("p0@firm0.example", "manual", source="test", now=clock())
    text = on_tags('on = ["tag:fair"]\nexisting = true')
    sequence = await sequences.create(house, tomllib.loads(text), OPERATOR, clock())
    checked = await preflight(house, sequence, clock())
    assert (checked.recipients, checked.skipped) == (1, {"suppressed:manual": 1})
    await approve(house, sequence, clock)
    await use.start(house, sequence, OPERATOR, clock())
    await days(house, clock, 1)
    assert smtp_sink.recipients() == ["p1@firm1.example"]


async def test_a_tag_that_an_edit_adds_keeps_its_carriers_out(house: App, clock: Clock, smtp_sink: Any) -> None:
    sequence = await running(house, clock, on_tags('on = ["tag:fair"]'))
    await give_tag(house, "fair", 3)
    await give_tag(house, "vip", 1)
    await sequences.edit(house, sequence, tomllib.loads(on_tags('on = ["tag:fair", "tag:vip"]')), OPERATOR, clock())
    await approve(house, sequence, clock)
    await use.start(house, sequence, OPERATOR, clock())
    await days(house, clock, 1)
    assert smtp_sink.recipients() == ["p2@firm2.example"]


async def test_a_mail_in_doubt_is_waited_for(house: App, clock: Clock, smtp_sink: Any) -> None:
    sequence = await running(house, clock)
    await enrolled(house, sequence, clock)
    await tick(house, clock())
    async with house.db.write() as conn:
        await conn.execute(update(MESSAGES).where(MESSAGES.c.contact_id == 1).values(state="in_doubt"))
    await work(house, clock)
    await days(house, clock, 5)
    assert [len(mails_to(smtp_sink, f"p{n}@")) for n in range(3)] == [0, 2, 2]
    (doubtful,) = [row.id for row in await rows(house, sequence) if row.state == "in_doubt"]  # type: ignore[attr-defined]
    async with house.db.write() as conn:
        await outbox.resolve(conn, doubtful, "sent", clock())
    await days(house, clock, 4)
    assert [len(mails_to(smtp_sink, f"p{n}@")) for n in range(3)] == [1, 2, 2]


async def test_a_suppressed_person_is_not_taken_in_and_is_let_go(house: App, clock: Clock, smtp_sink: Any) -> None:
    sequence = await running(house, clock)
    await house.suppression.add("p0@firm0.example", "manual", source="test", now=clock())
    told = await sequences.enrol(house, sequence, [1, 2], OPERATOR, clock())
    assert told == {"enrolled": [2], "refused": {1: "suppressed:manual"}}
    await work(house, clock)
    await house.suppression.add("p1@firm1.example", "manual", source="test", now=clock())
    await days(house, clock, 3)
    assert smtp_sink.count() == 1
    assert (await standing(house, sequence))[0].reason == "suppressed:manual"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('name = "x"\nmailboxes = ["sales"]\n[[step]]\nkind = "call"\ntitle = "Ring"', "at least one mail"),
        ('name = "x"\nmailboxes = ["sales"]\n[[step]]\ntemplate = "again"\nafter = 3', "did you mean after_days"),
        ('name = "x"\nmailboxes = ["sales"]\n[[step]]\nkind = "mail"', "needs a template"),
        (
            'name = "x"\nmailboxes = ["sales"]\n[enrol]\nsegment = "cuntry = GB"\n[[step]]\ntemplate = "again"',
            "cuntry",
        ),
        ('name = "x"\nmailboxes = ["sales"]\n[enrol]\non = ["birthday"]\n[[step]]\ntemplate = "again"', "enrol.on"),
    ],
)
async def test_a_wrong_file_is_refused_by_name(house: App, clock: Clock, text: str, told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        await sequences.create(house, tomllib.loads(text), OPERATOR, clock())
