"""The import wizard: columns are chosen by their place, nothing chosen is lost, pressing twice imports once."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from outreach.config.settings import PathSettings
from outreach.model import AuditEntry, Contact, EmailAddress
from outreach.model.base import table
from tests.web.house import House, Visitor

CONTACTS, ADDRESSES, AUDIT = table(Contact), table(EmailAddress), table(AuditEntry)
SELECT = re.compile(r'<select class="o-sel mt-1" name="field".*?</select>', re.S)


@pytest.fixture
def house(house: House, tmp_path: Path) -> House:
    """A house that keeps its uploads beside its database."""
    chosen = house.outreach.settings
    house.outreach.settings = chosen.model_copy(update={"paths": PathSettings(data=str(tmp_path / "data"))})
    return house


async def uploaded(visitor: Visitor, text: str, name: str = "fair.csv") -> str:
    """Upload a list → the address of its second page."""
    await visitor.get("/contacts/import")
    answer = await visitor.post("/contacts/import", files={"file": (name, text.encode())})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


def fields_of(page: httpx.Response) -> list[str]:
    """What each column is, as the page has chosen it."""
    return [next(iter(re.findall(r'value="([^"]*)" selected', one)), "") for one in SELECT.findall(page.text)]


async def finished(house: House, visitor: Visitor, path: str) -> str:
    """The page of an import that is over."""
    await asyncio.gather(*(one.task for one in house.web.state.imports.values() if one.task))
    return (await visitor.get(path.partition("?")[0])).text


async def people(house: House) -> int:
    async with house.db.read() as conn:
        return int(await conn.scalar(select(func.count()).select_from(CONTACTS)) or 0)


async def test_a_list_with_two_columns_of_one_name_is_imported(house: House) -> None:
    async with house.visitor("li.na") as marketer:
        at = await uploaded(marketer, "邮箱,姓名,备注,备注,备注\nnew@neukunde.example,王 小明,one,two,three\n")
        page = await marketer.get(at)
        assert fields_of(page) == ["email", "full_name", "note", "", ""]
        await marketer.post(at, {"field": fields_of(page), "source": "fair"})
        assert "is-now" not in await finished(house, marketer, at)
    async with house.db.read() as conn:
        joined = CONTACTS.join(ADDRESSES, ADDRESSES.c.contact_id == CONTACTS.c.id)
        query = select(CONTACTS).select_from(joined).where(ADDRESSES.c.address == "new@neukunde.example")
        row = (await conn.execute(query)).one()
    assert (row.note, row.attributes) == ("one", {"备注": "two", "备注 2": "three"})


async def test_what_is_chosen_stands_above_what_was_guessed(house: House) -> None:
    async with house.visitor("li.na") as marketer:
        at = await uploaded(marketer, "email,city,phone\nnew@neukunde.example,Hall 3,A 17\n")
        await marketer.get(at)
        await marketer.post(at, {"field": ["email", "", "-"], "source": "fair"})
        await finished(house, marketer, at)
    async with house.db.read() as conn:
        joined = CONTACTS.join(ADDRESSES, ADDRESSES.c.contact_id == CONTACTS.c.id)
        query = select(CONTACTS).select_from(joined).where(ADDRESSES.c.address == "new@neukunde.example")
        row = (await conn.execute(query)).one()
    assert (row.city, row.phone, row.attributes) == (None, None, {"city": "Hall 3"})


@pytest.mark.parametrize(("lang", "says"), [("en", "Choose “E-mail”"), ("zh", "“邮箱”")])
async def test_a_list_without_a_known_address_column_can_be_told_which_it_is(
    house: House, lang: str, says: str
) -> None:
    async with house.visitor("li.na", lang) as marketer:
        at = await uploaded(marketer, "Nachname,Erreichbar\nVogel,new@neukunde.example\n")
        page = await marketer.get(at)
        assert page.status_code == 200
        assert says in page.text
        assert "--map" not in page.text
        before = await people(house)
        await marketer.post(at, {"field": ["last_name", "email"], "source": "fair"})
        assert await finished(house, marketer, at)
    assert await people(house) == before + 1


async def test_a_mistake_loses_nothing_that_was_chosen(house: House) -> None:
    async with house.visitor("li.na") as marketer:
        at = await uploaded(marketer, "email,one,two\nnew@neukunde.example,Rome,Paris\n")
        await marketer.get(at)
        given = {"source": "Light+Building", "basis": "inquiry", "evidence": "hall 3", "tags": "fair", "met": "5"}
        answer = await marketer.post(at, given | {"field": ["email", "city", "city"]})
        assert answer.status_code == 422
        assert "Two columns are “City”" in answer.text
        assert fields_of(answer) == ["email", "city", "city"]
        for kept in (
            'value="Light+Building"',
            'value="inquiry" selected',
            'value="hall 3"',
            'value="fair"',
            'value="5" selected',
        ):
            assert kept in answer.text
        assert not house.web.state.imports, "nothing was begun"


async def test_pressing_twice_imports_once(house: House) -> None:
    """The file of refused rows is a .csv beside the list: it must never be taken for it."""
    async with house.visitor("li.na") as marketer:
        at = await uploaded(marketer, "email,city\nnew@neukunde.example,Rome\nno address,Paris\n")
        given = {"source": "fair", "column": ["email", "city"], "field": ["email", "city"]}
        await marketer.get(at)
        first, second = await asyncio.gather(marketer.post(at, given), marketer.post(at, given))
        assert (first.status_code, second.status_code) == (303, 303)
        told = await finished(house, marketer, at)
        assert "<b>2</b>" in told
        again = await marketer.post(at, given)
        assert again.status_code == 303
        assert await finished(house, marketer, at) == told
        async with house.db.read() as conn:
            query = select(func.count()).select_from(AUDIT).where(AUDIT.c.action == "contacts.imported")
            assert await conn.scalar(query) == 1
        house.web.state.imports.clear()  # as after a restart
        assert (await marketer.get(at)).status_code == 404, "the list is gone, the refused rows are no list"
        assert (await marketer.get(at.partition("?")[0] + "/rejects.csv")).status_code == 200


async def test_values_that_are_left_out_are_told_before_and_after(house: House) -> None:
    async with house.visitor("li.na") as marketer:
        at = await uploaded(marketer, "email,country,last_order\nnew@neukunde.example,Nowhereland,soon\n")
        page = await marketer.get(at)
        assert "Nowhereland" in page.text.partition("Values that are left out")[2]
        await marketer.post(at, {"field": fields_of(page), "source": "fair"})
        told = (await finished(house, marketer, at)).partition("Values that were left out")[2]
        assert "Nowhereland" in told
        assert "soon" in told
