"""Many rows at once, at the driver's own speed: one prepared statement on SQLite, COPY on PostgreSQL.

Values go in as plain Python objects; a dialect that wants them otherwise is served here. Text "" becomes NULL where the
column may be NULL: binding None costs Python's sqlite3 ten times as much as binding a text (it asks for an adapter).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Date,
    DateTime,
    Float,
    Integer,
    MetaData,
    Table,
    any_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy import column as light_column
from sqlalchemy import table as light_table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateTable, DropTable
from sqlalchemy.types import TypeDecorator

#: Values in one IN list. SQLite binds at most 32,766 variables, asyncpg 32,767.
CHUNK = 10_000


@lru_cache(maxsize=64)
def _sqlite_insert(table: Table, columns: tuple[str, ...], ignore: bool) -> str:
    """Return the INSERT statement; every name in it is the model's. Defaults of the model are the caller's business."""
    plain = light_table(table.name, *(light_column(name) for name in columns))
    empty: Any = literal_column("''")
    values = {
        name: func.nullif(bindparam(name), empty) if _may_be_empty(table.c[name]) else bindparam(name)
        for name in columns
    }
    statement = sqlite.insert(plain).values(values)
    if ignore:
        statement = statement.on_conflict_do_nothing()
    return str(statement.compile(dialect=sqlite.dialect()))


def _may_be_empty(column: Column[Any]) -> bool:
    return bool(column.nullable) and not column.primary_key


def _kind(column: Column[Any]) -> Any:
    kind = column.type
    return kind.impl_instance if isinstance(kind, TypeDecorator) else kind


def _for_sqlite(column: Column[Any], sample: Any) -> Callable[[Any], Any] | None:
    kind = _kind(column)
    if isinstance(kind, DateTime):  # a caller with one moment for all rows has made it text already
        return None if isinstance(sample, str) else lambda value: moment_text(value) if value else ""
    return (lambda value: value.isoformat() if value else "") if isinstance(kind, Date) else None


def moment_text(value: datetime) -> str:
    """Return a moment as SQLite's columns hold it (model/types.py): UTC, no zone, six digits."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def bound_moment(conn: AsyncConnection, moment: datetime) -> Any:
    """Return one moment that a million rows share, as the driver binds it: text on SQLite, made once."""
    return moment if conn.dialect.name == "postgresql" else moment_text(moment)


def _for_postgresql(column: Column[Any], sample: Any) -> Callable[[Any], Any] | None:
    kind = _kind(column)
    if isinstance(kind, Boolean):
        return bool
    if isinstance(kind, DateTime | Date | Float | Integer):
        return lambda value: None if value == "" else value
    return (lambda value: value or None) if _may_be_empty(column) else None


def _adapted(
    table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]], choose: Any
) -> Sequence[Sequence[Any]]:
    """Return the rows with each column's values as the driver wants them; untouched where no column needs it."""
    convert = [choose(table.c[name], value) for name, value in zip(columns, rows[0], strict=True)]
    if not any(convert):
        return rows
    return [tuple(f(value) if f else value for f, value in zip(convert, row, strict=True)) for row in rows]


async def insert_rows(
    conn: AsyncConnection, table: Table, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, ignore: bool = False
) -> None:
    """Insert the rows in the caller's transaction. With `ignore` a row whose key is there already is left out."""
    if not rows:
        return
    if conn.dialect.name != "postgresql":
        statement = _sqlite_insert(table, tuple(columns), ignore)
        # the driver binds by position, in the order in which the statement names the columns
        await conn.exec_driver_sql(statement, list(_adapted(table, columns, rows, _for_sqlite)))
        return
    records = list(_adapted(table, columns, rows, _for_postgresql))
    if ignore:
        await _copy_by_way(conn, table, columns, records)
    else:
        await _copy(conn, table.name, columns, records)


async def _copy(conn: AsyncConnection, name: str, columns: Sequence[str], records: list[Any]) -> None:
    await conn.execute(select(1))  # the driver's transaction begins with the first statement: COPY must be inside it
    raw = await conn.get_raw_connection()
    driver: Any = raw.driver_connection
    await driver.copy_records_to_table(name, records=records, columns=list(columns))


async def _copy_by_way(conn: AsyncConnection, table: Table, columns: Sequence[str], records: list[Any]) -> None:
    """COPY knows no ON CONFLICT: the rows go into a temporary table first."""
    way = Table(
        f"way_{table.name}", MetaData(), *(Column(name, table.c[name].type) for name in columns), prefixes=["TEMPORARY"]
    )
    await conn.execute(CreateTable(way))
    await _copy(conn, way.name, columns, records)
    fill = postgresql.insert(table).from_select(list(columns), select(*(way.c[name] for name in columns)))
    await conn.execute(fill.on_conflict_do_nothing())
    await conn.execute(DropTable(way))


def chunks(values: Sequence[Any], size: int = CHUNK) -> Iterable[Sequence[Any]]:
    """Cut a list for IN."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def among(conn: AsyncConnection, column: ColumnElement[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """Return ``column IN values`` with the whole list as one parameter: ten thousand of them cost no compilation."""
    if conn.dialect.name == "postgresql":
        return column == any_(bindparam(None, list(values), type_=postgresql.ARRAY(column.type)))
    listed = func.json_each(json.dumps(list(values))).table_valued("value")
    return column.in_(select(listed.c.value))


async def reserve_ids(conn: AsyncConnection, table: Table, count: int) -> list[int]:
    """Return so many ids that nobody else will get. The caller writes rows with them in this transaction.

    SQLite has one writer, so the next free numbers are ours; on PostgreSQL the table's sequence gives them.
    """
    if not count:
        return []
    if conn.dialect.name != "postgresql":
        last = await conn.scalar(select(func.max(table.c.id))) or 0
        return list(range(last + 1, last + 1 + count))
    sequence = func.pg_get_serial_sequence(f'"{table.name}"', "id")
    numbers = func.generate_series(1, count).table_valued("number")
    return list((await conn.execute(select(func.nextval(sequence)).select_from(numbers))).scalars())
