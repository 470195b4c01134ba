"""A database with every table and trigger, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

import outreach.model  # noqa: F401  (fills SQLModel.metadata)
from outreach.access.login import Login
from outreach.access.store import AccessStore
from outreach.db.session import Database
from tests.fakes.schema import make_tables

SECRET = b"s" * 32


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An empty database with the triggers of the migrations."""
    database = Database(database_url)
    await make_tables(database)
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
