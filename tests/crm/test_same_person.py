"""Two contacts that are one person: nothing is forgotten, nothing is sent twice, and it can be undone."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

from outreach.audience.store import AudienceStore
from outreach.crm.same_person.store import NotOne, merge, moving, unmerge
from outreach.db.session import Database
from outreach.events.kinds import EventKind, NewEvent
from outreach.events.lookup.store import load_facts, load_many
from outreach.suppression.store import is_suppressed, suppress
from tests.audience.test_privacy_everywhere import CANARY, NOW, SECRET, Maker, _plain, everything, personal
from tests.fakes.schema import make_tables

TABLES = SQLModel.metadata.tables
LATER = NOW + timedelta(minutes=1)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await make_tables(database)
    yield database
    await database.close()


async def house(conn: AsyncConnection) -> Maker:
    maker = Maker(conn)
    for name in ("user", "company", "mailbox", "campaign"):
        await maker.make(TABLES[name], **_plain(name))
    return maker


async def person(maker: Maker, **given: Any) -> int:
    """A contact of whom nothing is known but what is given."""
    empty = {one.name: None for one in TABLES["contact"].c if one.nullable}
    return await maker.make(TABLES["contact"], **(empty | {"attributes": {}, "tracking": True} | given))


async def address(maker: Maker, contact: int, text: str) -> int:
    return await maker.make(
        TABLES["email_address"], contact_id=contact, address=text, normal=text, key=f"k:{text}", is_primary=True
    )


async def row(conn: AsyncConnection, name: str, number: int) -> Any:
    return (await conn.execute(select(TABLES[name]).where(TABLES[name].c.id == number))).one()


async def mail(maker: Maker, contact: int, step: int, state: str, campaign: int) -> int:
    return await maker.make(
        TABLES["message"], campaign_id=campaign, contact_id=contact, step=step, state=state, reason=None,
        address_key=f"k{contact}", address=f"{CANARY}{contact}@canary.example",
    )  # fmt: skip


async def sorted_rows(db: Database) -> dict[str, list[str]]:
    """Every table's rows, in no order of the database's."""
    async with db.read() as conn:
        return {
            source.name: sorted([repr(tuple(one)) for one in await conn.execute(select(source))])
            for source in SQLModel.metadata.sorted_tables
        }


async def test_rows_of_every_table_move_come_back_and_are_erased_with_the_person(db: Database) -> None:
    async with db.write() as conn:
        maker = await house(conn)
        drop = await person(maker, last_name=f"{CANARY} Drop", phone="+49 30 1")
        keep = await person(maker, first_name=f"{CANARY} Keep")
        maker.made["contact"] = drop
        for source in personal():
            special = _plain(source.name) | ({"contact_id": drop} if "contact_id" in source.c else {})
            await maker.make(source, **special)
    before = await sorted_rows(db)
    async with db.write() as conn:
        told = json.loads(json.dumps(await merge(conn, keep, drop, NOW)))
    named = [source for source in SQLModel.metadata.sorted_tables if "contact_id" in source.c]
    async with db.read() as conn:
        for source in named:
            whose = set((await conn.execute(select(source.c.contact_id))).scalars())
            assert whose == {keep}, f"{source.name} was forgotten"
        assert (await row(conn, "contact", keep)).phone == "+49 30 1"
    assert {source.name for source in moving()} == {one.name for one in named} - {"contact_tag", "preference"}
    async with db.read() as conn:
        assert CANARY not in repr(tuple(await row(conn, "contact", drop))), "the empty row names nobody"
    async with db.write() as conn:
        await unmerge(conn, told, LATER)
        for number in (keep, drop):
            await conn.execute(
                update(TABLES["contact"]).where(TABLES["contact"].c.id == number).values(updated_at=None)
            )
    after = await sorted_rows(db)
    assert {name: rows for name, rows in after.items() if rows != before[name]} == {}
    async with db.write() as conn:
        await merge(conn, keep, drop, LATER)
    async with db.write() as conn:
        await AudienceStore(db, SECRET, suppress=suppress).erase_contact_in(conn, keep, now=LATER)
    assert {name: rows for name, rows in (await everything(db)).items() if CANARY in rows} == {}


async def test_the_more_careful_wish_holds_and_what_is_missing_is_filled(db: Database) -> None:
    async with db.write() as conn:
        maker = await house(conn)
        keep = await person(maker, first_name="Eva", basis="inquiry", paused_until=NOW)
        until = NOW + timedelta(days=9)
        drop = await person(
            maker, first_name="E.", language="de", birthday=date(1980, 1, 2), paused_until=until, left_at=NOW,
            tracking=False, basis="consent", basis_date=date(2026, 1, 1), attributes={"wechat": "eva"},
        )  # fmt: skip
        await address(maker, keep, "eva@a.example")
        second = await address(maker, drop, "eva@b.example")
        await suppress(conn, "k:eva@b.example", "unsubscribed", source="page", now=NOW, address="eva@b.example")
        tables = TABLES["preference"]
        await conn.execute(insert(tables).values(contact_id=keep, topics_off={"led": True}, mails_per_month=4, at=NOW))
        await conn.execute(insert(tables).values(contact_id=drop, topics_off={"fair": True}, mails_per_month=1, at=NOW))
        told = json.loads(json.dumps(await merge(conn, keep, drop, NOW)))
        kept = await row(conn, "contact", keep)
        assert (kept.first_name, kept.language, kept.birthday) == ("Eva", "de", date(1980, 1, 2))
        assert (kept.basis, kept.basis_date, kept.paused_until) == ("consent", date(2026, 1, 1), until)
        assert (kept.tracking, kept.left_at, kept.attributes) == (False, NOW, {"wechat": "eva"})
        chosen = (await conn.execute(select(tables))).one()
        assert (chosen.topics_off, chosen.mails_per_month) == ({"led": True, "fair": True}, 1)
        keys = ["k:eva@a.example", "k:eva@b.example"]
        assert await is_suppressed(conn, keys) == dict.fromkeys(keys, "unsubscribed")
        assert not (await row(conn, "email_address", second)).is_primary
        await unmerge(conn, told, LATER)
        assert await is_suppressed(conn, keys) == {"k:eva@b.example": "unsubscribed"}
        assert (await row(conn, "email_address", second)).is_primary
        assert (await row(conn, "contact", drop)).birthday == date(1980, 1, 2)
        with pytest.raises(NotOne):
            await unmerge(conn, told, LATER)


@pytest.mark.parametrize(
    ("kept", "dropped", "then_kept", "then_dropped"),
    [
        (["queued"], ["queued"], ["queued"], ["cancelled"]),
        (["queued"], ["sent", "queued"], ["cancelled"], ["sent", "cancelled"]),
        (["sent", "queued"], ["sent", "queued"], ["sent", "queued"], ["sent", "cancelled"]),
        (["sent", "queued"], ["sent", "sent"], ["sent", "cancelled"], ["sent", "sent"]),
        (["planned"], ["in_doubt"], ["cancelled"], ["in_doubt"]),
        (["skipped"], ["claimed"], ["skipped"], ["cancelled"]),
        (["sent"], ["sent", "deferred", "planned"], ["sent"], ["sent", "cancelled", "cancelled"]),
    ],
)
async def test_nobody_gets_a_campaign_twice(
    db: Database, kept: list[str], dropped: list[str], then_kept: list[str], then_dropped: list[str]
) -> None:
    async with db.write() as conn:
        maker = await house(conn)
        campaign = maker.made["campaign"]
        keep, drop = await person(maker), await person(maker)
        ids = [
            [await mail(maker, number, step, state, campaign) for step, state in enumerate(states)]
            for number, states in ((keep, kept), (drop, dropped))
        ]
        for number in (keep, drop):
            await maker.make(
                TABLES["campaign_recipient"], campaign_id=campaign, contact_id=number, address=f"{CANARY}{number}",
                skip_reason=None,
            )  # fmt: skip
        await merge(conn, keep, drop, NOW)
        found = [[(await row(conn, "message", number)).state for number in mine] for mine in ids]
        assert found == [then_kept, then_dropped]
        recipients = TABLES["campaign_recipient"]
        query = select(recipients.c.contact_id, recipients.c.skip_reason)
        reasons = {one.contact_id: one.skip_reason for one in await conn.execute(query)}
        left = {"sent", "in_doubt", "handing_over"}
        assert reasons[drop] == (None if left & set(dropped) else "merged")
        assert reasons[keep] == ("merged" if left & set(dropped) and not left & set(kept) else None)


async def test_what_an_old_mail_brings_reaches_the_person_and_is_erased_with_them(db: Database) -> None:
    async with db.write() as conn:
        maker = await house(conn)
        campaign = maker.made["campaign"]
        first, keep, drop = await person(maker), await person(maker), await person(maker)
        mails = [await mail(maker, number, 0, "sent", campaign) for number in (first, keep, drop)]
        await merge(conn, keep, drop, NOW)
        await merge(conn, first, keep, NOW)  # the part of a part is the whole's
        for number in mails:
            event = NewEvent(EventKind.UNSUBSCRIBE, f"u:{number}", NOW, number)
            assert (await load_facts(conn, event, SECRET)).contact_id == first
        assert {facts.contact_id for facts in (await load_many(conn, mails)).values()} == {first}
    store = AudienceStore(db, SECRET, suppress=suppress)
    told = await store.export_contact(first)
    assert told is not None
    assert {one["id"] for one in told["messages"]} == set(mails)
    async with db.write() as conn:
        await store.erase_contact_in(conn, first, now=LATER)
    assert {name: rows for name, rows in (await everything(db)).items() if CANARY in rows} == {}


async def test_one_sequence_goes_on_and_the_same_one_ends(db: Database) -> None:
    async with db.write() as conn:
        maker = await house(conn)
        one = maker.made["campaign"]
        other = await maker.make(TABLES["campaign"], **(_plain("campaign") | {"name": "Other"}))
        people = [await person(maker) for _ in range(4)]
        in_it = [
            await maker.make(TABLES["enrolment"], campaign_id=campaign, contact_id=number, state="active", task_id=None)
            for number, campaign in zip(people, (one, other, one, one), strict=True)
        ]
        await merge(conn, people[0], people[1], NOW)
        await merge(conn, people[2], people[3], NOW)
        rows = [await row(conn, "enrolment", number) for number in in_it]
        assert [found.state for found in rows] == ["active", "stopped", "stopped", "stopped"]
        assert [found.contact_id for found in rows] == [people[0], people[0], people[2], people[3]]


async def test_what_changed_since_is_not_overwritten(db: Database) -> None:
    async with db.write() as conn:
        maker = await house(conn)
        keep, drop = await person(maker), await person(maker, city="Lyon")
        with pytest.raises(NotOne):
            await merge(conn, keep, keep, NOW)
        told = json.loads(json.dumps(await merge(conn, keep, drop, NOW)))
        with pytest.raises(NotOne):
            await merge(conn, keep, drop, NOW)
        with pytest.raises(LookupError):
            await merge(conn, keep, drop + 99, NOW)
    await AudienceStore(db, SECRET).edit(keep, {"city": "Paris"}, LATER)
    async with db.write() as conn:
        with pytest.raises(NotOne, match="changed since"):
            await unmerge(conn, told, LATER)


@pytest.mark.parametrize("word", ["unsubscribed", "manual", "hard_bounce"])
async def test_a_word_of_its_own_outlives_the_merge_that_carried_one_over(db: Database, word: str) -> None:
    """Whoever unsubscribes by the other address while the merge can be undone stays unsubscribed there (B2)."""
    async with db.write() as conn:
        maker = await house(conn)
        keep, drop = await person(maker, first_name="Eva"), await person(maker, first_name="E.")
        await address(maker, keep, "eva@a.example")
        await address(maker, drop, "eva@b.example")
        await suppress(conn, "k:eva@b.example", "unsubscribed", source="page", now=NOW, address="eva@b.example")
        told = json.loads(json.dumps(await merge(conn, keep, drop, NOW)))
        assert await suppress(conn, "k:eva@a.example", word, source="link", now=NOW, address="eva@a.example")
        await unmerge(conn, told, LATER)
        keys = ["k:eva@a.example", "k:eva@b.example"]
        assert await is_suppressed(conn, keys) == dict.fromkeys(keys, "unsubscribed")
