# ruff: noqa: PT012 - a case is read best on one line
"""The list: idempotent, and a person's word holds."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import insert, literal, select

from outreach.db.session import Database
from outreach.model import Contact, EmailAddress, Suppression
from outreach.model.base import table
from outreach.model.keys import address_key
from outreach.model.suppressed import is_domain
from outreach.suppression.match import keys_for, suppressed_clause
from outreach.suppression.store import Held, SuppressionStore, is_suppressed, suppress
from tests.audience.hostile import payloads

SECRET = b"s" * 32
ADDRESS = table(EmailAddress)


@pytest.fixture
def store(db: Database) -> SuppressionStore:
    return SuppressionStore(db, SECRET)


async def test_adding_twice_changes_nothing(store: SuppressionStore, now: datetime) -> None:
    assert await store.add("Anna@acme.example", now=now, source="phone")
    assert not await store.add("anna@ACME.example", now=now, source="again")
    [listed] = await store.check("ANNA@acme.example")
    assert (listed.entry, listed.reason, listed.source) == ("anna@acme.example", "manual", "phone")


async def test_a_stronger_reason_replaces_a_weaker_and_never_the_other_way(
    store: SuppressionStore, now: datetime
) -> None:
    assert await store.add("a@acme.example", "soft_bounces", now=now)
    assert await store.add("a@acme.example", "complained", now=now)
    assert not await store.add("a@acme.example", "hard_bounce", now=now)
    assert [line.reason for line in await store.check("a@acme.example")] == ["complained"]


@pytest.mark.parametrize("reason", ["unsubscribed", "complained", "erased"])
async def test_a_person_s_word_is_not_undone_without_force_and_a_reason(
    store: SuppressionStore, now: datetime, reason: str
) -> None:
    await store.add("a@acme.example", reason, now=now)
    for arguments in ({}, {"force": True}, {"why": "new consent"}, {"force": True, "why": "  "}):
        with pytest.raises(Held, match="holds for every list"):
            await store.remove("a@acme.example", now=now, **arguments)  # type: ignore[arg-type]
    assert await store.check("a@acme.example")
    assert await store.remove("a@acme.example", now=now, force=True, why="signed again on 22 November")
    assert not await store.check("a@acme.example")


async def test_others_can_be_removed_once(store: SuppressionStore, now: datetime) -> None:
    await store.add("acme.example", "hard_bounce", now=now)
    assert await store.remove("acme.example", now=now)
    assert not await store.remove("acme.example", now=now)


async def test_erasure_takes_the_readable_address_away(store: SuppressionStore, now: datetime) -> None:
    await store.add("a@acme.example", "unsubscribed", now=now)
    await store.add("a@acme.example", "erased", now=now)
    [listed] = await store.check("a@acme.example")
    assert listed.entry == ""
    assert "acme" not in str(listed.as_dict())


async def test_a_domain_stops_its_people_and_its_subdomains(
    store: SuppressionStore, db: Database, now: datetime
) -> None:
    await store.add("acme.example", now=now)
    assert await store.check("x@mail.acme.example")
    assert not await store.check("x@notacme.example")
    async with db.read() as conn:
        assert await is_suppressed(conn, keys_for("x@acme.example", SECRET)) == {"d:acme.example": "manual"}


async def test_the_clause_and_the_keys_agree(store: SuppressionStore, db: Database, now: datetime) -> None:
    people = [
        "a@acme.example",
        "b@mail.acme.example",
        "c@deep.mail.acme.example",
        "d@bolt.example",
        "e@bolt.example",
        "f@x.y.z.acme.example",
    ]
    await store.add("acme.example", now=now)
    await store.add("d@bolt.example", now=now)
    async with db.write() as conn:
        await conn.execute(insert(Contact), [{"id": 1, "source": "fair", "created_at": now}])
        await conn.execute(insert(EmailAddress), [
            {"contact_id": 1, "address": p, "normal": p, "domain": p.split("@")[1], "key": address_key(p, SECRET), "created_at": now}
            for p in people])  # fmt: skip
    async with db.read() as conn:
        by_clause = set(
            (
                await conn.execute(select(ADDRESS.c.normal).where(suppressed_clause(ADDRESS.c.key, ADDRESS.c.domain)))
            ).scalars()
        )
        by_keys = {p for p in people if await is_suppressed(conn, keys_for(p, SECRET))}
    assert (
        by_clause == by_keys == {"a@acme.example", "b@mail.acme.example", "c@deep.mail.acme.example", "d@bolt.example"}
    )


async def test_it_joins_the_caller_s_transaction(store: SuppressionStore, db: Database, now: datetime) -> None:
    with pytest.raises(RuntimeError, match="half way"):
        async with db.write() as conn:
            await suppress(conn, "d:acme.example", "manual", source="", now=now)
            raise RuntimeError("half way")
    assert not await store.check("acme.example")


async def test_pages_counts_and_export(store: SuppressionStore, now: datetime) -> None:
    result = await store.import_entries(
        [f"p{i}@acme.example" for i in range(25)] + ["p1@acme.example", "nonsense"],
        "manual",
        source="old system",
        now=now,
    )
    assert result == {"added": 25, "known": 1, "refused": ["nonsense"]}
    first = await store.list(limit=10)
    second = await store.list(limit=10, after=first[-1].id)
    assert not {line.id for line in first} & {line.id for line in second}
    assert await store.count(reason="manual") == 25
    assert await store.count(search="P12@") == 1
    assert [line.entry async for line in store.export()] == [f"p{i}@acme.example" for i in range(25)]


async def test_500_hostile_searches_find_nothing_and_change_nothing(
    store: SuppressionStore, db: Database, now: datetime
) -> None:
    await store.add("acme.example", now=now)
    for payload in payloads():
        clean = payload.replace("\x00", "")
        assert await store.count(search=clean, reason=clean) == 0
        assert await store.count(search=clean) == 0
    async with db.read() as conn:
        assert await conn.scalar(select(literal(1))) == 1
    assert await store.count() == 1


async def test_domains_are_found_without_reading_the_addresses(db: Database, now: datetime) -> None:
    """Each hand-over asks whether any domain is blocked: it must not cost more with each address in the list."""
    domains = ["d:1st.example", "d:acme.example", "d:xn--fsq.example", "d:zoo.example"]
    keys = [*(address_key(f"p{n}@acme.example", SECRET) for n in range(20)), *domains]
    rows = [{"key": key, "reason": "manual", "source": "test", "at": now} for key in keys]
    listed = table(Suppression).c.key
    query = select(listed).where(is_domain(listed)).order_by(listed)
    async with db.write() as conn:
        await conn.execute(insert(Suppression), rows)
        assert sorted(await conn.scalars(query)) == domains
        if db.is_sqlite:
            text = str(query.compile(dialect=conn.dialect, compile_kwargs={"literal_binds": True}))
            (plan,) = (await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {text}")).all()
            assert "key>? AND key<?" in plan[3]
