"""A seeded house for page tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.web.house import House, open_house


@pytest.fixture
async def house(sqlite_url: str) -> AsyncIterator[House]:
    """The web app over a seeded SQLite database."""
    built = await open_house(sqlite_url)
    yield built
    await built.db.close()
