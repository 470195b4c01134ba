"""Migrations make exactly the tables of the model, on both databases, and twice is once."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from outreach.db.migrate import differences, migrate, newest, revision_of
from outreach.db.session import Database
from outreach.model import Tag
from outreach.model.base import table


async def test_the_migrated_database_is_the_model(database_url: str) -> None:
    db = Database(database_url)
    try:
        assert await revision_of(db) is None
        await migrate(db)
        await migrate(db)
        assert await revision_of(db) == newest()
        assert await differences(db) == []
    finally:
        await db.close()


async def test_the_audit_trail_refuses_changes(database_url: str) -> None:
    db = Database(database_url)
    try:
        await migrate(db)
        row = "INSERT INTO audit_entry (id, at, actor, action, object_type, object_id, before, after, previous, hash)"
        async with db.write() as conn:
            values = "VALUES (1, '2026-01-01 00:00:00', 'system', 'a', 'b', 'c', '{}', '{}', '', 'h')"
            await conn.execute(text(f"{row} {values}"))
        for statement in ("UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry"):
            with pytest.raises(DBAPIError, match="append-only"):
                async with db.write() as conn:
                    await conn.execute(text(statement))
    finally:
        await db.close()


async def test_what_raises_is_rolled_back(database_url: str) -> None:
    db = Database(database_url)
    try:
        await migrate(db)
        with pytest.raises(RuntimeError):
            await _write_and_fail(db)
        async with db.read() as conn:
            assert (await conn.execute(table(Tag).select())).all() == []
    finally:
        await db.close()


async def _write_and_fail(db: Database) -> None:
    async with db.write() as conn:
        await conn.execute(insert(table(Tag)).values(kind="tag", name="x"))
        raise RuntimeError
