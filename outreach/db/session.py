"""Transactions: many readers, one writer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from sqlalchemy import Pool, QueuePool, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from outreach.db.engine import ORDINARY, make_engine
from outreach.db.hot import HotPath, uninterrupted


class Database:
    """A database and how to talk to it.

    `read()` gives a connection for queries, `write()` one whose transaction commits when the block ends and rolls
    back when it raises. On SQLite a write takes BEGIN IMMEDIATE behind a lock of the process: SQLite has one writer
    anyway, and a transaction that turns from reading to writing half-way would fail with "database is locked".
    """

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self.url = url
        self.engine: AsyncEngine = make_engine(url, pool_size=pool_size)
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        self._writer = asyncio.Lock()
        self.hot = HotPath(self)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """Yield a connection of the pool, and give it back, whoever is cancelled meanwhile.

        One that is being opened or given back when its task is cancelled would be left to the collector.
        """
        conn = self.engine.connect()
        try:
            if self.is_sqlite and not _has_one(self.engine.pool):
                await uninterrupted(conn.start())
            else:
                await conn.start()
            yield conn
        finally:
            if conn.sync_connection is not None:
                await uninterrupted(conn.close())

    @asynccontextmanager
    async def read(self, *, snapshot: bool = False) -> AsyncIterator[AsyncConnection]:
        """Yield a connection for queries. Nothing that is written through it is kept.

        Each query sees one consistent state, with `snapshot` all of them the same; on SQLite they always do.
        """
        async with self._connected() as conn:
            if self.is_sqlite:
                await conn.exec_driver_sql("BEGIN")
            elif snapshot:
                await conn.execution_options(isolation_level="REPEATABLE READ")
            try:
                yield conn
            finally:
                await uninterrupted(_finish(conn, "ROLLBACK" if self.is_sqlite else None))

    @asynccontextmanager
    async def write(self, *, settings: Iterable[str] = ()) -> AsyncIterator[AsyncConnection]:
        """Yield a connection in a writing transaction: durable when the block has ended without an exception.

        `settings` are SQLite's for this transaction alone: SORTING where it sorts a whole table (an index), LEAN where
        it writes a whole list (engine.py).
        """
        if not self.is_sqlite:
            async with self.engine.begin() as conn:
                yield conn
            return
        async with self._writer, self._connected() as conn, _with(conn, settings):
            await conn.exec_driver_sql("BEGIN IMMEDIATE")
            try:
                yield conn
            except BaseException:
                await uninterrupted(_finish(conn, "ROLLBACK"))
                raise
            await uninterrupted(_finish(conn, "COMMIT"))

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """Yield an ORM session for single rows, inside a writing transaction."""
        async with self.write() as conn:
            session = AsyncSession(bind=conn, expire_on_commit=False, join_transaction_mode="create_savepoint")
            try:
                yield session
                await session.flush()
            finally:
                await session.close()

    async def ping(self) -> None:
        """Raise if the database does not answer."""
        async with self.read() as conn:
            await conn.execute(text("SELECT 1"))

    @property
    def writer(self) -> asyncio.Lock:
        """The lock that keeps this process's writers on SQLite apart."""
        return self._writer

    async def close(self) -> None:
        """Close every connection."""
        await self.hot.close()
        await self.engine.dispose()


@asynccontextmanager
async def _with(conn: AsyncConnection, settings: Iterable[str]) -> AsyncIterator[None]:
    """Change settings for the length of the block; they change only between transactions."""
    if not settings:
        yield
        return
    await _set(conn, settings)
    try:
        yield
    finally:
        if not conn.invalidated:
            await uninterrupted(_set(conn, ORDINARY))


async def _set(conn: AsyncConnection, pragmas: Iterable[str]) -> None:
    for pragma in pragmas:
        await conn.exec_driver_sql(f"PRAGMA {pragma}")


def _has_one(pool: Pool) -> bool:
    """Whether a connection lies ready: then taking it waits for nothing, and cannot be cancelled half-way."""
    return isinstance(pool, QueuePool) and pool.checkedin() > 0


async def _finish(conn: AsyncConnection, word: str | None) -> None:
    # a statement that was cancelled half-way has closed its connection: there is nothing left to roll back
    if word is not None and not (conn.invalidated and word == "ROLLBACK"):
        await conn.exec_driver_sql(word)
    await conn.rollback()
