"""A value changed in the row of a list: saved with a way back, never over somebody else's change, only where allowed."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import select

from outreach.model import Company, Contact
from outreach.model.base import table
from tests.web.house import House, Visitor

CONTACTS, COMPANIES = table(Contact), table(Company)


async def change(visitor: Visitor, home: str, number: int, field: str, value: str, seen: str) -> Any:
    """Post one cell, as the page does."""
    form = {"field": field, f"value-{number}-{field}": value, "seen": seen}
    return await visitor.post(f"{home}/{number}/cell", form, headers={"hx-request": "true"})


async def stored(house: House, which: Any, number: int, column: str) -> Any:
    async with house.db.read() as conn:
        return (await conn.execute(select(which.c[column]).where(which.c.id == number))).scalar_one()


async def undo(visitor: Visitor, answer: Any) -> None:
    signed = re.search(r'data-undo="([^"]+)"', answer.text)
    assert signed, answer.text
    assert (await visitor.post("/undo", {"undo": signed[1], "next": "/contacts"})).status_code == 303


async def test_a_grade_is_changed_in_its_row_and_taken_back(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        editor = await visitor.get("/contacts/5/cell?field=grade")
        assert "<select" in editor.text
        assert "&#34;seen&#34;: &#34;B&#34;" in editor.text
        answer = await change(visitor, "/contacts", 5, "grade", "A", "B")
        assert answer.status_code == 200
        assert answer.text.strip().startswith("<tr")
        assert await stored(house, CONTACTS, 5, "grade") == "A"
        await undo(visitor, answer)
        assert await stored(house, CONTACTS, 5, "grade") == "B"


async def test_somebody_elses_change_is_not_written_over_but_shown(house: House) -> None:
    async with house.visitor("sun.qian") as one, house.visitor("wu.hao") as other:
        assert (await change(one, "/contacts", 5, "grade", "A", "B")).status_code == 200
        late = await change(other, "/contacts", 5, "grade", "D", "B")
        assert late.status_code == 409
        assert "somebody else changed it" in late.text
        assert "data-undo" not in late.text
        assert await stored(house, CONTACTS, 5, "grade") == "A"
        assert (await change(other, "/contacts", 5, "industry", "signs", "signage")).status_code == 200, "another field"


async def test_a_request_without_a_value_empties_nothing(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        answer = await visitor.post("/contacts/5/cell", {"field": "grade", "seen": "B"}, headers={"hx-request": "true"})
        assert answer.status_code == 422
        assert await stored(house, CONTACTS, 5, "grade") == "B"


async def test_country_moves_the_region_and_a_wrong_one_is_refused_in_words(house: House) -> None:
    async with house.visitor("sun.qian", "zh") as visitor:
        answer = await change(visitor, "/contacts", 5, "country", "JP", "NL")
        assert answer.status_code == 200
        assert await stored(house, CONTACTS, 5, "region") == "Asia"
        wrong = await change(visitor, "/contacts", 5, "country", "Atlantis", "JP")
        assert wrong.status_code == 422
        assert "没有保存" in wrong.text
        await undo(visitor, answer)
        assert await stored(house, CONTACTS, 5, "region") == "Europe"


async def test_tags_are_written_as_a_list_and_taken_back(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        seen = re.search(r'value="([^"]*)"', (await visitor.get("/contacts/5/cell?field=tags")).text)
        assert seen
        answer = await change(visitor, "/contacts", 5, "tags", "fair 2026； led", seen[1])
        assert answer.status_code == 200
        assert "fair 2026" in answer.text
        stale = await change(visitor, "/contacts", 5, "tags", "other", seen[1])
        assert stale.status_code == 409
        await undo(visitor, answer)
        again = re.search(r'value="([^"]*)"', (await visitor.get("/contacts/5/cell?field=tags")).text)
        assert again
        assert again[1] == seen[1]


async def test_a_companys_owner_takes_its_people_along_and_both_come_back(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        was = await stored(house, COMPANIES, 5, "owner_id")
        answer = await change(visitor, "/customers", 5, "owner_id", "6", str(was or ""))
        assert answer.status_code == 200, answer.text
        assert await stored(house, COMPANIES, 5, "owner_id") == 6
        assert await stored(house, CONTACTS, 5, "owner_id") == 6
        await undo(visitor, answer)
        assert await stored(house, COMPANIES, 5, "owner_id") == was
        assert (await change(visitor, "/customers", 5, "owner_id", "999", str(was or ""))).status_code == 404


async def test_who_may_not_change_it_gets_no_field_and_changes_nothing(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        assert (await visitor.get("/contacts/2/cell?field=grade")).status_code == 403, "another one's customer"
        assert (await change(visitor, "/contacts", 2, "grade", "D", "A")).status_code == 403
        mine = await change(visitor, "/contacts", 5, "owner_id", "6", "5")
        assert mine.status_code == 403, "a salesperson gives nobody away"
    async with house.visitor("zhao.min") as visitor:
        assert "data-cell" not in (await visitor.get("/contacts")).text
        assert (await visitor.get("/contacts/5/cell?field=grade")).status_code == 403
    async with house.visitor("sun.qian") as visitor:
        assert (await visitor.get("/contacts/5/cell?field=basis")).status_code == 404
        assert (await visitor.get("/contacts/999999/row")).status_code == 404
