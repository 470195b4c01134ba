"""A database with one campaign in it, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from outreach.db.session import Database
from tests.fakes.schema import make_tables


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An empty database with every table."""
    database = Database(database_url)
    await make_tables(database)
    yield database
    await database.close()
