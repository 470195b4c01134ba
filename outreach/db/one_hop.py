"""SQLite through one hop to the connection's thread a statement: SQLAlchemy's adapter makes four.

It asks for a cursor, executes, fetches and closes, each in the thread and back. A page asks twenty to a hundred
statements of which most take microseconds, so that the hops were half of its time; on a busy machine each also waits
for its turn twice.
"""

from __future__ import annotations

import collections
import sqlite3
from collections.abc import Callable
from types import ModuleType
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)
from sqlalchemy.util.concurrency import await_

Run = Callable[[sqlite3.Cursor], object]


class _Done:
    """What a cursor told before it was closed, in the thread in which it worked."""

    description: Any = None
    rowcount = -1
    lastrowid: int | None = None
    arraysize = 1

    def close(self) -> None:
        """Do nothing: the cursor itself is closed already."""


class OneHopCursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor that executes, fetches and closes in one go."""

    __slots__ = ()
    _awaitable_cursor_close = False

    def _make_new_cursor(self, connection: Any) -> Any:
        return _Done()

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _execute_async(self, operation: Any, parameters: Any) -> Any:
        given = () if parameters is None else parameters
        await self._go(lambda cursor: cursor.execute(operation, given))

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> Any:
        await self._go(lambda cursor: cursor.executemany(operation, seq_of_parameters))

    async def _go(self, run: Run) -> None:
        connection: Any = self._connection
        async with self._adapt_connection._execute_mutex:
            done, rows = await connection._execute(_work, connection, run)
        self._cursor, self._rows = done, collections.deque(rows)


def _work(connection: Any, run: Run) -> tuple[_Done, list[Any]]:
    cursor: sqlite3.Cursor = connection._conn.cursor()
    try:
        run(cursor)
        done = _Done()
        done.description, done.lastrowid = cursor.description, cursor.lastrowid
        rows = cursor.fetchall() if cursor.description else []
        done.rowcount = cursor.rowcount  # of RETURNING it is known when the rows are fetched
    finally:
        cursor.close()
    return done, rows


class OneHopConnection(AsyncAdapt_aiosqlite_connection):
    """A connection that ends no transaction where there is none: the pool asks for it each time one comes back."""

    __slots__ = ()
    _cursor_cls = OneHopCursor

    def rollback(self) -> None:
        """Roll back what is open."""
        if self._in_transaction():
            super().rollback()

    def commit(self) -> None:
        """Commit what is open."""
        if self._in_transaction():
            super().commit()

    def _in_transaction(self) -> bool:
        raw: Any = self._connection._connection
        return raw is not None and bool(raw.in_transaction)


class OneHop(AsyncAdapt_aiosqlite_dbapi):
    """The driver as SQLAlchemy takes it (`create_async_engine(module=…)`)."""

    def __init__(self, driver: ModuleType = aiosqlite, sqlite: ModuleType = sqlite3) -> None:
        super().__init__(driver, sqlite)

    def connect(self, *arg: Any, **kw: Any) -> OneHopConnection:
        """Open a connection in a thread of its own, which does not outlive the process."""
        connection: Any = aiosqlite.connect(*arg, **kw)
        connection._thread.daemon = True
        return OneHopConnection(self, await_(connection))
