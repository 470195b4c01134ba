"""A large first import does without indexes for a while; they are there again afterwards, and after a kill."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from outreach.app.build import open_app
from outreach.audience.importing import store as importing
from outreach.audience.importing.store import Importer, ImportOptions
from outreach.audience.read import open_source
from outreach.db import indexes
from outreach.db.migrate import differences, migrate
from outreach.db.session import Database
from tests.flow.house import START, installed

NOW = datetime(2026, 11, 22, tzinfo=UTC)


async def names(db: Database) -> set[str]:
    async with db.read() as conn:
        found = await conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"))
        return set(found.scalars())


@pytest.fixture
def small_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "LARGE", 1_000)
    monkeypatch.setattr(importing, "BATCH", 50)


async def test_a_large_import_leaves_every_index_behind(
    sqlite_url: str, tmp_path: Path, small_is_large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database(sqlite_url)
    await migrate(db)
    before = await names(db)
    during: list[int] = []
    add = Importer.add

    async def watched(self: Importer, batch: Any) -> Any:
        during.append(len(await names(self.db)))
        return await add(self, batch)

    monkeypatch.setattr(Importer, "add", watched)
    lines = ["email,company,country", *(f"p{n}@f{n % 40}.example,F {n % 40},DE" for n in range(200)), "bad,F,DE"]
    (tmp_path / "l.csv").write_text("\n".join(lines))
    importer = Importer(db, b"s" * 16, ImportOptions(source="fair"), NOW)
    result = await importer.run(open_source(tmp_path / "l.csv"), tmp_path / "rejects.csv")
    assert (result.added, result.rejected) == (200, 1)
    assert max(during) < len(before)
    assert await names(db) == before
    assert await differences(db) == []
    async with db.read() as conn:
        assert (await conn.execute(text("PRAGMA integrity_check"))).scalar_one() == "ok"
    await db.close()


async def test_the_next_start_builds_what_a_killed_import_left_out(tmp_path: Path) -> None:
    async with installed(tmp_path, 2525) as app:
        before = await names(app.db)
        await indexes.drop(app.db, importing.WITHOUT)
        assert await names(app.db) < before
        settings = app.settings
    again = await open_app(settings, now=START)
    try:
        assert await names(again.db) == before
    finally:
        await again.close()


async def test_a_list_that_adds_little_keeps_the_indexes(
    sqlite_url: str, tmp_path: Path, small_is_large: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    db = Database(sqlite_url)
    await migrate(db)
    (tmp_path / "l.csv").write_text("\n".join(["email", *(f"p{n}@f.example" for n in range(100))]))
    importer = Importer(db, b"s" * 16, ImportOptions(source="fair"), NOW)
    importer.first_new = 10_000
    assert not importer._is_large(open_source(tmp_path / "l.csv"))
    await db.close()
