"""The lists of customers and contacts: filters, views, columns, many at once, merging, each with its way back."""

from __future__ import annotations

import html
import re

import httpx
import pytest
from sqlalchemy import func, select

from outreach.audience.privacy.store import forget
from outreach.model import Company, Contact, ContactTag, Tag
from outreach.model.base import table
from outreach.web import routing
from tests.web.house import House, Visitor

CONTACT, COMPANY, TAG, CONTACT_TAG = table(Contact), table(Company), table(Tag), table(ContactTag)


async def tagged(house: House, name: str) -> int:
    query = select(func.count()).select_from(CONTACT_TAG.join(TAG)).where(TAG.c.name == name)
    async with house.db.read() as conn:
        return int((await conn.execute(query)).scalar_one())


async def undo(visitor: Visitor, at: str) -> None:
    page = await visitor.get(at)
    signed = re.search(r'name="undo" value="([^"]+)"', page.text)
    assert signed, "the page offers a way back"
    answer = await visitor.post("/undo", {"undo": signed[1], "next": at})
    assert answer.status_code == 303


def shown(text: str) -> int:
    return len(re.findall(r'name="id" value="\d+"', text))


async def test_a_filter_from_the_menu_becomes_text_and_chips(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        answer = await visitor.get("/contacts?add=region&value=Europe")
        assert answer.status_code == 303
        answer = await visitor.get(answer.headers["location"] + "&add=grade&value=A")
        to = answer.headers["location"]
        assert "region+%3D+Europe+and+grade+%3D+A" in to
        page = (await visitor.get(to)).text
        chips = re.findall(r'<span class="o-chip is-on">([^<]+)<a href="([^"]+)"', page)
        assert [text for text, _ in chips] == ["Region is Europe", "Grade is A"]
        without = await visitor.get(html.unescape(chips[0][1]))
        assert "Grade is A" in without.text
        assert "Region is Europe" not in without.text


async def test_a_kept_view_stands_above_the_list_until_it_is_removed(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        to = "/contacts?segment=grade+%3D+A&sort=name"
        await visitor.post("/views", {"path": "/contacts", "name": "Best ones", "next": to})
        page = (await visitor.get("/contacts")).text
        assert "Best ones" in page
        kept = re.search(r'href="(/contacts\?[^"]+)">Best ones', page)
        assert kept
        assert (await visitor.get(html.unescape(kept[1]))).text.count('aria-current="true">Best ones') == 1
        await visitor.post("/views", {"path": "/contacts", "name": "Best ones", "forget": "1"})
        assert "Best ones" not in (await visitor.get("/contacts")).text
    async with house.visitor("li.na") as other:
        assert "Best ones" not in (await other.get("/contacts")).text


async def test_columns_are_remembered(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        await visitor.post("/columns", {"column": ["source", "created", "nonsense"]})
        head = (await visitor.get("/contacts")).text.split("<thead>")[1].split("</thead>")[0]
        assert "Source" in head
        assert "Created" in head
        assert "Grade" not in head


async def test_all_that_match_are_tagged_and_untagged_again(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        page = (await visitor.get("/contacts")).text
        assert shown(page) == 50
        assert "all 120 that match" in page
        form = {"all": "1", "segment": "", "q": "", "tag": "fair-2027", "how": "tag", "next": "/contacts"}
        await visitor.post("/contacts/bulk/tag", form)
        assert await tagged(house, "fair-2027") == 120
        await undo(visitor, "/contacts")
        assert await tagged(house, "fair-2027") == 0
        await visitor.post("/contacts/bulk/tag", form | {"segment": "grade = A"})
        async with house.db.read() as conn:
            wanted = await conn.scalar(select(func.count()).where(CONTACT.c.grade == "A"))
        assert await tagged(house, "fair-2027") == wanted


async def test_a_long_way_back_outlives_a_restart_is_taken_once_and_ends_with_an_erasure(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routing, "LONGEST_UNDO", 100)  # as if thousands had been tagged
    form = {"all": "1", "segment": "", "q": "", "tag": "fair-2027", "how": "tag", "next": "/contacts"}
    async with house.visitor("sun.qian") as visitor:
        await visitor.post("/contacts/bulk/tag", form)
        visitor.client._transport = httpx.ASGITransport(House(house.db).web)
        signed = re.search(r'name="undo" value="([^"]+)"', (await visitor.get("/contacts")).text)
        assert signed
        await visitor.post("/undo", {"undo": signed[1], "next": "/contacts"})
        assert await tagged(house, "fair-2027") == 0
        await visitor.post("/undo", {"undo": signed[1], "next": "/contacts"})
        assert "Too late to undo" in (await visitor.get("/contacts")).text
        await visitor.post("/contacts/bulk/tag", form)
        signed = re.search(r'name="undo" value="([^"]+)"', (await visitor.get("/contacts")).text)
        assert signed
        async with house.db.write() as conn:
            await forget(conn, 7, house.now)
        await visitor.post("/undo", {"undo": signed[1], "next": "/contacts"})
        assert await tagged(house, "fair-2027") > 0


async def test_all_that_match_reach_no_further_than_the_role(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        await visitor.post("/contacts/bulk/tag", {"all": "1", "tag": "mine", "how": "tag"})
    async with house.db.read() as conn:
        own = await conn.scalar(select(func.count()).where(CONTACT.c.owner_id == 5))
    assert 0 < await tagged(house, "mine") == own < 120


async def test_companies_are_given_away_with_their_people_and_come_back(house: House) -> None:
    query = select(CONTACT.c.id, CONTACT.c.owner_id).order_by(CONTACT.c.id)
    async with house.db.read() as conn:
        before = (await conn.execute(query)).all()
    async with house.visitor("sun.qian") as visitor:
        await visitor.post("/customers/bulk/assign", {"id": ["1", "2", "3"], "owner": "6", "next": "/customers"})
        async with house.db.read() as conn:
            owners = (await conn.execute(select(COMPANY.c.owner_id).where(COMPANY.c.id <= 3))).scalars().all()
            people = await conn.execute(select(CONTACT.c.owner_id).where(CONTACT.c.company_id <= 3))
            assert {*owners, *people.scalars()} == {6}
        await undo(visitor, "/customers")
    async with house.db.read() as conn:
        assert (await conn.execute(query)).all() == before


async def test_taking_a_tag_back_touches_only_whom_it_was_given_to(house: House) -> None:
    form = {"id": [str(number) for number in range(1, 11)], "tag": "Frankfurt2025", "next": "/contacts"}
    before = await tagged(house, "frankfurt2025")
    async with house.visitor("sun.qian") as visitor:
        await visitor.post("/contacts/bulk/tag", form | {"how": "tag"})
        assert "8 people tagged" in (await visitor.get("/contacts")).text, "two of the ten had it"
        await visitor.post("/contacts/bulk/tag", form | {"how": "tag"})
        assert "All of them have this tag already" in (await visitor.get("/contacts")).text
        await visitor.post("/contacts/bulk/tag", form | {"how": "untag", "id": ["1", "11"]})
        await undo(visitor, "/contacts")
        assert await tagged(house, "frankfurt2025") == before + 8, "who had it not does not get it"
        await visitor.post("/contacts/bulk/tag", form | {"how": "untag", "tag": "nobody-has-it"})
        assert "Nobody of them has this tag" in (await visitor.get("/contacts")).text


async def test_undoing_a_tag_leaves_those_who_had_it_before(house: House) -> None:
    before = await tagged(house, "vip")
    async with house.visitor("sun.qian") as visitor:
        await visitor.post("/contacts/bulk/tag", {"all": "1", "tag": "vip", "how": "tag", "next": "/contacts"})
        assert await tagged(house, "vip") == 120
        await undo(visitor, "/contacts")
        assert await tagged(house, "vip") == before > 0
