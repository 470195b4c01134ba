"""Engines: SQLite with WAL and full flushes, PostgreSQL with a pool."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from outreach.db.one_hop import OneHop

#: How long a writer waits for another process's transaction. A claim or a group commit lasts milliseconds; a planning
#: transaction of a million rows can last tens of seconds, and waiting is better than failing a hand-over.
BUSY_TIMEOUT_MS = 60_000

DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg"}


#: Small sorts and temporary tables stay in memory.
ORDINARY = ("cache_size=-65536", "temp_store=MEMORY", "threads=0")
#: Building an index sorts a whole table: in a file, so that memory does not grow with the table, with a second thread.
SORTING = ("cache_size=-8192", "temp_store=FILE", "threads=1")
#: A list's rows go to new pages: what a large cache keeps of them would only make memory grow with the list.
LEAN = ("cache_size=-16384",)


def async_url(url: str) -> URL:
    """Return the URL with the async driver of its database. Raises ValueError on any other database."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend not in DRIVERS:
        raise ValueError(f"database {backend!r} is not supported: use sqlite:///FILE or postgresql://…")
    return parsed.set(drivername=DRIVERS[backend])


def make_engine(url: str, *, pool_size: int = 10) -> AsyncEngine:
    """Create the engine of `url`; a SQLite file's folder is made. `pool_size` counts open connections.

    An error's text names the statement, never its values: it ends in a log.
    """
    parsed = async_url(url)
    if parsed.get_backend_name() == "postgresql":
        return create_async_engine(
            parsed, pool_size=pool_size, max_overflow=10, pool_pre_ping=True, hide_parameters=True
        )
    if parsed.database and parsed.database != ":memory:":
        Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_async_engine(parsed, pool_size=pool_size, max_overflow=20, module=OneHop(), hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: Any, record: Any) -> None:
    """Set what SQLite forgets with each connection.

    FULL: a commit that has returned survives a power cut; `handing_over` must be on disk before a byte leaves.
    The driver's own transaction control is off, so that BEGIN IMMEDIATE is ours (see session.py).
    """
    connection.isolation_level = None
    cursor = connection.cursor()
    lasting = ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={BUSY_TIMEOUT_MS}", "foreign_keys=ON")
    for pragma in (*lasting, *ORDINARY):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
