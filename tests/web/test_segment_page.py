"""The builder's figures are those of the walks that each of them stands for."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import func, select

from outreach.access.roles import OPERATOR
from outreach.web.data.tables import CONTACT
from outreach.web.pages.segments import examined
from tests.web.house import House, open_house

TEXTS = (
    "region = Europe and grade in (A, B)",
    "country = DE or (country = FR and not grade = A)",
    "not industry is empty",
)


@pytest.fixture
async def either(database_url: str) -> AsyncIterator[House]:
    """The seeded house on SQLite and on PostgreSQL."""
    built = await open_house(database_url)
    yield built
    await built.db.close()


def staff(house: House) -> Any:
    return cast(
        Any, SimpleNamespace(app=house.outreach, now=house.now, lang="en", say=str, actor=OPERATOR, may=lambda _: True)
    )


@pytest.mark.parametrize("text", TEXTS)
async def test_every_figure_is_of_the_same_people(either: House, text: str) -> None:
    house = either
    shown = await examined(staff(house), text)
    audience = house.outreach.audience
    assert shown["count"] == await audience.count(text, house.now) > 0
    assert shown["lines"] == await audience.explain(text, house.now)
    assert sum(number for _, number in shown["regions"]) == sum(shown["reach"].values()) == shown["count"]
    async with house.db.read() as conn:
        assert shown["total"] == await conn.scalar(select(func.count()).where(CONTACT.c.erased_at.is_(None)))


async def test_nothing_typed_is_everybody_and_a_fault_shows_its_place(house: House) -> None:
    everybody = await examined(staff(house), "")
    assert everybody["count"] == everybody["total"] > 0
    assert (everybody["lines"], everybody["fault"]) == ([], "")
    fault = await examined(staff(house), "region = = Europe")
    assert "^" in fault["fault"]
    assert (fault["count"], fault["total"]) == (0, everybody["total"])
    async with house.visitor("li.na") as li:
        assert (await li.post("/segments/examine", {"expression": TEXTS[0]})).status_code == 200
        assert "^" in (await li.post("/segments/examine", {"expression": "grade = ="})).text
