"""Statements and transactions for the hand-over, where a microsecond counts.

A statement is written with SQLAlchemy's expressions like every other, compiled once for the dialect, and then executed
as text with its parameters in order: that leaves out the work that `execute()` does each time. A transaction runs in
one thread of its own on SQLite, in one hop instead of one a statement.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import BindParameter, Connection, Engine, bindparam, create_engine, event, make_url
from sqlalchemy.engine import Dialect

from outreach.db.engine import _prepare_sqlite

if TYPE_CHECKING:
    from outreach.db.session import Database

T = TypeVar("T")
#: How long a thread may keep the interpreter when another one wants it.
SWITCH_SECONDS = 0.0005
#: Pages that the writer keeps: 16 MB. Hand-overs touch few pages and those that were touched last; with the 64 MB of an
#: ordinary connection a sender's memory grew for its first 45,000 messages and sent none of them sooner.
WRITER_CACHE = "cache_size=-16384"
#: For each place in the text: the value's name (None: a constant), and what makes it what the driver takes.
Order = list[tuple[str | None, Any]]
Row = tuple[Any, ...]


class HotStatement:
    """A statement that is executed by the thousand. Rows come back raw: select only integers and text.

    Write its parameters as bindparam(NAME, None), so that they can be told from its constants.
    """

    def __init__(self, statement: Any) -> None:
        self._statement = statement
        self._compiled: dict[str, tuple[str, Order]] = {}

    def execute(self, conn: Connection, values: Mapping[str, Any]) -> list[Row]:
        """Execute once and return the rows."""
        text, order = self._for(conn.dialect)
        row = _row(order, values, {})
        raw = conn.connection.driver_connection
        if isinstance(raw, sqlite3.Connection):
            return raw.execute(text, row).fetchall()
        result = conn.exec_driver_sql(text, row)
        return [tuple(found) for found in result] if result.returns_rows else []

    def execute_many(self, conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Execute once for each row."""
        text, order = self._for(conn.dialect)
        made: dict[Any, Any] = {}
        given = [_row(order, values, made) for values in rows]
        raw = conn.connection.driver_connection
        if isinstance(raw, sqlite3.Connection):
            raw.executemany(text, given)
        else:
            conn.exec_driver_sql(text, given)

    def _for(self, dialect: Dialect) -> tuple[str, Order]:
        known = self._compiled.get(dialect.name)
        if known is None:
            known = self._compiled[dialect.name] = _compile(self._statement, dialect)
        return known


class HotList:
    """A family of hot statements with a list of integers in an IN: one for each power of two, up to which it is filled.

    make: returns the statement for a list parameter.
    """

    def __init__(self, make: Callable[[BindParameter[Any]], Any]) -> None:
        self._make = make
        self._by_length: dict[int, HotStatement] = {}

    def execute(self, conn: Connection, ids: Sequence[int], values: Mapping[str, Any]) -> list[Row]:
        """Execute for these ids (not empty)."""
        length = 1 << (len(ids) - 1).bit_length()
        statement = self._by_length.get(length)
        if statement is None:
            many: BindParameter[Any] = bindparam("ids", [0] * length, expanding=True)
            statement = self._by_length[length] = HotStatement(self._make(many))
        filled = [*ids, *[ids[-1]] * (length - len(ids))]
        listed = {f"ids_{number}": value for number, value in enumerate(filled, 1)}
        return statement.execute(conn, {**values, **listed})


def _compile(statement: Any, dialect: Dialect) -> tuple[str, Order]:
    compiled = statement.compile(dialect=dialect, compile_kwargs={"render_postcompile": True})
    return str(compiled), [_place(compiled.binds.get(name), name, dialect) for name in compiled.positiontup or ()]


def _row(order: Order, values: Mapping[str, Any], made: dict[Any, Any]) -> Row:
    """Put the values in order (one that is not given is NULL); `made` remembers conversions within a batch."""
    row = []
    for name, make in order:
        if name is None:
            row.append(make)
        elif make is None:
            row.append(values.get(name))
        else:
            value = values.get(name)
            if (make, value) not in made:
                made[make, value] = make(value)
            row.append(made[make, value])
    return tuple(row)


def _place(bind: Any, name: str, dialect: Dialect) -> tuple[str | None, Any]:
    if bind is None:
        return name, None
    process = bind.type.dialect_impl(dialect).bind_processor(dialect)
    if bind.value is None:
        return name, process
    return None, process(bind.value) if process else bind.value


class HotPath:
    """Runs short transactions, written as plain functions of a connection, on either database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._engine: Engine | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._connection: Connection | None = None

    async def write(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a transaction of its own; durable when this returns, undone when it raises."""
        if not self._db.is_sqlite or self._db.url.endswith(":memory:"):
            async with self._db.write() as conn:
                return await conn.run_sync(work)
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "outreach-writer")
            # the writer gives the interpreter up at each statement and would wait 5 ms (the default) to get it back
            # from a busy event loop, a dozen times a transaction
            sys.setswitchinterval(min(sys.getswitchinterval(), SWITCH_SECONDS))
        async with self._db.writer:
            done = asyncio.get_running_loop().run_in_executor(self._thread, self._transact, work)
            # a transaction that has begun ends before the next may begin, whoever stopped waiting for it
            return await uninterrupted(done)

    def _transact(self, work: Callable[[Connection], T]) -> T:
        if self._connection is None:
            self._connection = self._connect()
        conn = self._connection
        raw: sqlite3.Connection = conn.connection.driver_connection  # type: ignore[assignment]
        raw.execute("BEGIN IMMEDIATE")
        try:
            result = work(conn)
            raw.execute("COMMIT")
        except BaseException:
            if raw.in_transaction:
                raw.execute("ROLLBACK")
            raise
        return result

    def _connect(self) -> Connection:
        self._engine = create_engine(make_url(self._db.url).set(drivername="sqlite"))
        event.listen(self._engine, "connect", _prepare_sqlite)
        conn = self._engine.connect()
        raw: sqlite3.Connection = conn.connection.driver_connection  # type: ignore[assignment]
        raw.execute(f"PRAGMA {WRITER_CACHE}")
        return conn

    async def close(self) -> None:
        """Close the thread and its connection."""
        if self._thread is not None:
            await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
            self._thread.shutdown()
            self._thread = None

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._engine is not None:
            self._engine.dispose()


async def uninterrupted(work: Awaitable[T]) -> T:
    """Finish `work`, however often whoever waits for it is cancelled; the cancellation goes on afterwards."""
    done = asyncio.ensure_future(work)
    stopped: asyncio.CancelledError | None = None
    while not done.done():
        try:
            await asyncio.wait([done])
        except asyncio.CancelledError as error:
            stopped = error
    if stopped is not None:
        if not done.cancelled():
            done.exception()  # seen: the cancellation is what whoever waited gets to know
        raise stopped
    return done.result()
