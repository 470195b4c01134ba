"""Users and the trail, on both databases."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from outreach.access.roles import OPERATOR
from outreach.access.store import AccessStore, NewUser, UserError, append_audit
from outreach.db.session import Database
from outreach.model import Role

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)


async def test_a_user_is_added_listed_and_authorised(store: AccessStore) -> None:
    user_id = await store.add_user(NewUser("li.na", [Role.MARKETER]), now=NOW, authorise=True)
    (row,) = await store.users()
    assert (row.id, row.name, row.roles) == (user_id, "li.na", ["marketer"])
    actor = await store.actor("li.na", NOW + timedelta(days=364))
    assert actor.authorised
    assert not (await store.actor("li.na", NOW + timedelta(days=366))).authorised


async def test_refusals_change_nothing(store: AccessStore) -> None:
    await store.add_user(NewUser("admin", [Role.ADMIN]), now=NOW)
    with pytest.raises(UserError, match="already"):
        await store.add_user(NewUser("admin", [Role.LEGAL]), now=NOW)
    with pytest.raises(UserError, match="at least one role"):
        await store.add_user(NewUser("x", []), now=NOW)
    boss = await store.actor("admin", NOW)
    assert boss.id is not None
    with pytest.raises(UserError, match="last administrator"):
        await store.disable(boss.id, actor=OPERATOR, now=NOW)
    with pytest.raises(UserError, match="last administrator"):
        await store.change_user(boss.id, {"roles": ["legal"]}, actor=OPERATOR, now=NOW)
    with pytest.raises(UserError, match="himself"):
        await store.authorise(boss.id, NOW, actor=boss, now=NOW)
    assert [row.name for row in await store.users()] == ["admin"]
    assert (await store.head()).count == 1


async def test_a_disabled_user_cannot_act(store: AccessStore) -> None:
    user_id = await store.add_user(NewUser("wu.hao", [Role.SALESPERSON]), now=NOW)
    await store.disable(user_id, actor=OPERATOR, now=NOW)
    with pytest.raises(UserError, match="no active user"):
        await store.actor("wu.hao", NOW)


async def test_the_trail_holds_and_hides_secrets(store: AccessStore) -> None:
    user_id = await store.add_user(NewUser("li.na", [Role.MARKETER], password_hash="canary-hash"), now=NOW)
    changes = {"password_hash": "canary-two", "email": "canary@x.example", "team": "north"}
    await store.change_user(user_id, changes, actor=OPERATOR, now=NOW)
    assert await store.verify() is None
    newest = (await store.entries(limit=1))[0]
    assert newest.after == {"password_hash": "…", "email": "…", "team": "north"}
    assert "canary" not in str([tuple(row) for row in await store.entries()])


async def test_many_writers_make_one_chain(store: AccessStore, db: Database) -> None:
    async def one(number: int) -> None:
        async with db.write() as conn:
            await append_audit(conn, OPERATOR, "test", "thing", number, now=NOW, after={"n": number / 3})

    await asyncio.gather(*(one(number) for number in range(30)))
    assert (await store.head()).count == 30
    assert await store.verify() is None


async def test_the_database_refuses_changes_and_verify_finds_what_was_forced(store: AccessStore, db: Database) -> None:
    for number in range(5):
        async with db.write() as conn:
            await append_audit(conn, OPERATOR, "test", "thing", number, now=NOW)
    kept = await store.head()
    for statement in ("UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry", "DELETE FROM audit_head"):
        with pytest.raises(DBAPIError, match=r"append-only|only grows"):
            async with db.write() as conn:
                await conn.execute(text(statement))
    off = (
        ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"]
        if db.is_sqlite
        else ["DROP TRIGGER audit_no_change ON audit_entry"]
    )
    async with db.write() as conn:
        for statement in [*off, "UPDATE audit_entry SET action = 'x' WHERE id = 3"]:
            await conn.execute(text(statement))
    fault = await store.verify()
    assert fault is not None
    assert (fault.number, fault.kind) == (3, "edited")
    async with db.write() as conn:
        await conn.execute(text("DELETE FROM audit_entry WHERE id > 2"))
    fault = await store.verify(kept)
    assert fault is not None
    assert (fault.number, fault.kind) == (3, "cut")


async def test_a_kept_head_finds_a_chain_that_was_written_anew(store: AccessStore, db: Database) -> None:
    for number in range(3):
        async with db.write() as conn:
            await append_audit(conn, OPERATOR, "test", "thing", number, now=NOW)
    kept = await store.head()
    from outreach.access.audit import Head

    assert await store.verify(kept) is None
    fault = await store.verify(Head(kept.count, "f" * 64))
    assert fault is not None
    assert fault.kind == "edited"
    fault = await store.verify(Head(kept.count + 1, kept.hash))
    assert fault is not None
    assert fault.kind == "cut"


async def test_a_trail_that_grows_while_it_is_verified_is_whole(store: AccessStore, db: Database) -> None:
    async def append(count: int) -> None:
        for number in range(count):
            async with db.write() as conn:
                await append_audit(conn, OPERATOR, "test", "thing", number, now=NOW)

    await append(3)
    kept, writing = await store.head(), asyncio.create_task(append(60))
    told, lengths = [], set()
    while not writing.done():
        told.append(await store.verify(kept))
        lengths.add((await store.head()).count)
    await writing
    assert told == [None] * len(told)
    assert len(lengths) > 2, "it grew between the walks"


async def test_entries_page_and_filter(store: AccessStore, db: Database) -> None:
    for number in range(6):
        async with db.write() as conn:
            await append_audit(conn, OPERATOR, "even" if number % 2 == 0 else "odd", "thing", number, now=NOW)
    assert [row.id for row in await store.entries(limit=2)] == [6, 5]
    assert [row.id for row in await store.entries(limit=9, before=4, where={"action": "even"})] == [3, 1]
    drawn = await store.sample(3)
    assert len({row.id for row in drawn}) == 3
