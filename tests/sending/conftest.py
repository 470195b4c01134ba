"""Worlds that close themselves."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from tests.sending.world import World, make_world

MakeWorld = Callable[..., Awaitable[World]]


@pytest.fixture
async def new_world(database_url: str) -> AsyncIterator[MakeWorld]:
    """`await new_world(addresses, url=…)`: a database with a running campaign, on SQLite and on PostgreSQL."""
    made: list[World] = []

    async def make(addresses: Any = (), *, url: str | None = None, **more: Any) -> World:
        made.append(await make_world(url or database_url, addresses, **more))
        return made[-1]

    yield make
    for world in made:
        await world.db.close()
