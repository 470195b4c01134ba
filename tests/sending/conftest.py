"""Worlds that close themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.sending.world import World, make_world

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def new_world(database_url: str) -> AsyncIterator[MakeWorld]:
    """`await new_world(addresses)`: a database with a running campaign, on SQLite and on PostgreSQL."""
    async for make in _worlds(database_url):
        yield make


@pytest.fixture
async def new_sqlite_world(sqlite_url: str) -> AsyncIterator[MakeWorld]:
    """The same on SQLite alone, for what does not depend on the database."""
    async for make in _worlds(sqlite_url):
        yield make


async def _worlds(url: str) -> AsyncIterator[MakeWorld]:
    made: list[World] = []

    async def make(addresses: Any = (), **more: Any) -> World:
        made.append(await make_world(url, addresses, **more))
        return made[-1]

    yield make
    for world in made:
        await world.db.close()
