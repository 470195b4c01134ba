"""The tables, made once a process: a test starts from a copy instead of walking every migration again."""

from __future__ import annotations

import asyncio
import functools
import shutil
import sqlite3
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy.engine import make_url

from outreach.db.migrate import migrate
from outreach.db.session import Database


def migrated(url: str) -> None:
    """Bring the database to the newest revision, from code that may stand in a running loop."""

    async def work() -> None:
        db = Database(url)
        await migrate(db)
        await db.close()

    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, work()).result()


@functools.cache
def _template() -> tuple[Path, tempfile.TemporaryDirectory[str]]:
    folder = tempfile.TemporaryDirectory(prefix="outreach-tables-")
    path = Path(folder.name, "outreach.db")
    migrated(f"sqlite:///{path}")
    with sqlite3.connect(path) as conn:
        conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    return path, folder


def prepare(path: Path) -> None:
    """Put an empty, migrated SQLite database at `path` unless something stands there."""
    if not path.exists():
        shutil.copyfile(_template()[0], path)


async def make_tables(db: Database) -> None:
    """Have every table in the database, as the migrations make them; as the first use of `db`."""
    if db.is_sqlite:
        prepare(Path(str(make_url(db.url).database)))
        return
    async with db.read() as conn:
        there = await conn.run_sync(lambda c: inspect(c).has_table("alembic_version"))
    if not there:
        await migrate(db)
