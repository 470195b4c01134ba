"""A seeded house for page tests."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from outreach.db.session import Database
from tests.fakes.smtp import ScriptedSMTP
from tests.web.house import House, open_house


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded database file, made once; each test works on a copy."""
    path = tmp_path_factory.mktemp("seeded") / "house.db"

    async def make() -> None:
        house = await open_house(f"sqlite:///{path}")
        async with house.db.engine.connect() as conn:
            await conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
        await house.db.close()

    asyncio.run(make())
    return path


@pytest.fixture
async def house(seeded: Path, tmp_path: Path) -> AsyncIterator[House]:
    """The web app over a seeded SQLite database."""
    path = tmp_path / "house.db"
    shutil.copy(seeded, path)
    built = House(Database(f"sqlite:///{path}"))
    yield built
    await built.db.close()


@pytest.fixture
async def sending(seeded: Path, tmp_path: Path, scripted_smtp: ScriptedSMTP) -> AsyncIterator[House]:
    """A house whose mailboxes reach the scripted server."""
    path = tmp_path / "house.db"
    shutil.copy(seeded, path)
    built = House(Database(f"sqlite:///{path}"), scripted_smtp.port)
    yield built
    await built.db.close()
