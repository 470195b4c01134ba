"""Indexes that a large first import does without: built afterwards in order, not page by page all over the file.

Every batch of a million new rows touches nearly every page of an index whose keys come in no order; written and
checkpointed again and again, the cost of a row grows with the file. SQLite only: PostgreSQL's COPY does not suffer so.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Index, Table, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.schema import CreateIndex, DropIndex
from sqlmodel import SQLModel

import outreach.model  # noqa: F401  (fills SQLModel.metadata)
from outreach.db.engine import SORTING
from outreach.db.session import Database


def _plain(table: Table) -> list[Index]:
    """The indexes that only make reading faster; those that keep keys unique stay."""
    return sorted((index for index in table.indexes if not index.unique), key=lambda index: str(index.name))


async def drop(db: Database, tables: Iterable[Table]) -> bool:
    """Drop the tables' plain indexes; False on a database that keeps them."""
    if not db.is_sqlite:
        return False
    async with db.write() as conn:
        for index in (index for table in tables for index in _plain(table)):
            await conn.execute(DropIndex(index, if_exists=True))
    return True


async def restore(db: Database) -> int:
    """Build every index of the model that is missing; return how many. Each in a transaction of its own: seconds."""
    if not db.is_sqlite:
        return 0
    async with db.read() as conn:
        missing = await _missing(conn)
    for index in missing:
        async with db.write(settings=SORTING) as conn:
            await conn.execute(CreateIndex(index, if_not_exists=True))
    return len(missing)


async def _missing(conn: AsyncConnection) -> list[Index]:
    there = set((await conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'index'"))).scalars())
    tables = set((await conn.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))).scalars())
    known = (table for table in SQLModel.metadata.sorted_tables if table.name in tables)
    return [index for table in known for index in _plain(table) if index.name not in there]
