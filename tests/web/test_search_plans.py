"""A search walks over what indexes hold, never over customers' rows."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import event, update

from outreach.access.roles import Scope
from outreach.web.data import contacts as data
from outreach.web.data.tables import CONTACT
from tests.web.house import House, open_house

EVERYTHING = cast(Any, SimpleNamespace(reach=lambda permission: Scope.ALL, now=None))


@pytest.fixture
async def either(database_url: str) -> AsyncIterator[House]:
    """The seeded house on SQLite and on PostgreSQL."""
    built = await open_house(database_url)
    yield built
    await built.db.close()


#: What is typed → whether the person is found.
TYPED = {
    "芳": True, "王芳": True, "芳 王": True, "芳王": False, "Zółć": True, "zółć": True, "ZÓŁĆ": True, "anna zółć": True, "a z": True,
    "ółć a": False, "Жуко": True, "ЖУКОВ": True, "жуков": True, "李": False, "%": False,
}  # fmt: skip


@pytest.mark.parametrize("typed", TYPED)
async def test_names_are_found_in_either_order_of_writing(either: House, typed: str) -> None:
    names = {3: ("芳", "王"), 4: ("Anna", "Zółć"), 5: ("Пётр", "Жуков")}
    async with either.db.write() as conn:
        for number, (first, last) in names.items():
            change = update(CONTACT).where(CONTACT.c.id == number)
            await conn.execute(change.values(first_name=first, last_name=last))
    async with either.db.read() as conn:
        found = {row.id for row in await data.first_contacts(conn, EVERYTHING, typed, 200)}
    assert bool(found & set(names)) is TYPED[typed]


async def test_a_search_reads_no_row_that_it_does_not_show(house: House) -> None:
    asked: list[tuple[str, Any]] = []
    listen = house.db.engine.sync_engine

    def note(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(listen, "before_cursor_execute", note)
    async with house.db.read() as conn:
        await data.first_contacts(conn, EVERYTHING, "licht", 8)
    event.remove(listen, "before_cursor_execute", note)
    async with house.db.read() as conn:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                plan = [str(row) for row in await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
                walks = [line for line in plan if "SCAN" in line and "COVERING INDEX" not in line]
                assert not walks, (statement, plan)
