"""A database with every table and trigger, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from sqlmodel import SQLModel

import outreach.model  # noqa: F401  (fills SQLModel.metadata)
from outreach.access.login import Login
from outreach.access.store import AccessStore
from outreach.db.ddl import extras
from outreach.db.session import Database

SECRET = b"s" * 32


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An empty database with the triggers of the migrations."""
    database = Database(database_url)
    async with database.engine.begin() as conn:
        await conn.run_sync(SQLModel.metadata.create_all)
        await conn.run_sync(extras)
    yield database
    await database.close()


@pytest.fixture
def store(db: Database) -> AccessStore:
    """The store under test."""
    return AccessStore(db)


@pytest.fixture
def login(db: Database) -> Login:
    """Logins on the same database."""
    return Login(db, SECRET)
