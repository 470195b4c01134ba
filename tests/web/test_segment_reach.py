"""A segment's numbers count whom the reader may see: by `email = …` a number would tell who is a colleague's customer."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from outreach.model import EmailAddress
from outreach.model.base import table
from tests.web.house import House
from tests.web.test_api import call

ADDRESS = table(EmailAddress)
#: Their customers are contacts 2, 3, …: zhou.yang's are others.
COLLEAGUE = "sun.qian"


async def address_of(house: House, contact_id: int) -> str:
    async with house.db.read() as conn:
        query = select(ADDRESS.c.address).where(ADDRESS.c.contact_id == contact_id, ADDRESS.c.is_primary)
        return str(await conn.scalar(query))


def shown(page: str) -> int:
    """The number that the builder shows."""
    found = re.search(r'o-kpi">([\d,]+)<', page)
    assert found
    return int(found[1].replace(",", ""))


@pytest.mark.parametrize(
    "text", [f'owner = "{COLLEAGUE}"', 'email = "{theirs}"', "grade = A", 'not email = "{theirs}"']
)
async def test_a_salesperson_counts_the_own_customers_alone(house: House, text: str) -> None:
    text = text.replace("{theirs}", await address_of(house, 2))
    own = (await call(house, "zhou.yang", "GET", "/contacts", params={"segment": text, "limit": 200})).json()["items"]
    everybody = await house.outreach.audience.count(text, house.now)
    assert everybody > len(own)
    answer = await call(house, "zhou.yang", "POST", "/segments/count", json={"expression": text})
    assert answer.json() == {"count": len(own)}
    async with house.visitor("zhou.yang") as zhou:
        builder = (await zhou.post("/segments/examine", {"expression": text})).text
        assert shown(builder) == len(own)
        assert "among the customers that you look after" in builder
        assert set(re.findall(r'href="/contacts/(\d+)"', builder)) <= {str(item["id"]) for item in own}
        wizard = (await zhou.post("/campaigns/count", {"segment": text})).text
        assert f'<b class="num">{len(own)}</b>' in wizard
        assert "among the customers that you look after" in wizard


async def test_lines_regions_and_why_others_are_left_out_are_of_the_same_people(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        await zhou.post("/segments/save", {"id": "", "name": "Theirs", "expression": f'owner = "{COLLEAGUE}"'})
        stored = await house.outreach.audience.segment_named("Theirs")
        assert stored
        size = (await zhou.get(f"/segments/{stored['id']}/size")).text
        assert ">0<" in size
        page = (await zhou.post("/segments/examine", {"expression": f'owner = "{COLLEAGUE}" or grade = A'})).text
    mine = await house.outreach.audience.count('owner = "zhou.yang"', house.now)
    grade_a = await house.outreach.audience.count('owner = "zhou.yang" and grade = A', house.now)
    assert f"from all {mine} contacts" in page
    assert [int(n) for n in re.findall(r"leaves <b>(\d+)</b>", page)] == [0, grade_a]
    reachable, rest = re.search(r"<h3[^>]*>(\d+) can be written to now", page), re.findall(r'class="num">(\d+)<', page)
    assert reachable
    assert int(reachable[1]) <= grade_a
    assert all(int(number) <= grade_a for number in rest)


async def test_who_reaches_everybody_counts_everybody_and_is_told_nothing_of_it(house: House) -> None:
    everybody = await house.outreach.audience.count("grade = A", house.now)
    async with house.visitor("li.na") as li:
        builder = (await li.post("/segments/examine", {"expression": "grade = A"})).text
    assert shown(builder) == everybody
    assert "among the customers" not in builder


async def test_an_auditor_reads_numbers_and_no_names(house: House) -> None:
    from tests.web.test_matrix import NAME_OF

    everybody = await house.outreach.audience.count("grade = A", house.now)
    async with house.visitor(NAME_OF["auditor"]) as auditor:
        builder = (await auditor.post("/segments/examine", {"expression": "grade = A"})).text
    assert shown(builder) == everybody
    assert 'href="/contacts' not in builder
