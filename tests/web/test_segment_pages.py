"""Storing a segment from its page: nothing typed is lost, no other segment is replaced by the way, each step goes back."""

from __future__ import annotations

import re
from html import unescape

import httpx
import pytest

from tests.web.house import House, Visitor

NAME, WAS = "半年内下单的照明客户", "industry = lighting and last_order < 180 days ago"


async def stored(house: House) -> dict[str, str]:
    return {row["name"]: row["expression"] for row in await house.outreach.audience.segments()}


async def undone(visitor: Visitor, answer: httpx.Response) -> None:
    """Press "undo" on the page that the act leads to."""
    page = await visitor.get(answer.headers["location"])
    signed = re.search(r'name="undo" value="([^"]+)"', page.text)
    assert signed
    assert (await visitor.post("/undo", {"undo": unescape(signed[1])})).status_code == 303


async def test_a_new_segment_never_replaces_one_of_its_name(house: House) -> None:
    before = await stored(house)
    async with house.visitor("li.na") as visitor:
        answer = await visitor.post("/segments/save", {"id": "", "name": NAME, "expression": "grade = A"})
        assert answer.status_code == 422
        assert f'value="{NAME}"' in answer.text
        assert "grade = A" in answer.text
        other = await visitor.post("/segments/save", {"id": "", "name": "Other", "expression": "grade = B"})
        number = other.headers["location"].rpartition("/")[2]
        answer = await visitor.post("/segments/save", {"id": number, "name": NAME, "expression": "grade = A"})
        assert answer.status_code == 422
    assert await stored(house) == before | {"Other": "grade = B"}


@pytest.mark.parametrize("text", ["grade = ", "", "colour = red"])
async def test_a_fault_in_the_text_keeps_the_name(house: House, text: str) -> None:
    async with house.visitor("li.na") as visitor:
        answer = await visitor.post("/segments/save", {"id": "", "name": "An hour of thought", "expression": text})
        assert answer.status_code == 422
        assert 'value="An hour of thought"' in answer.text


async def test_saving_and_deleting_are_undone(house: House) -> None:
    before = await stored(house)
    assert before[NAME] == WAS
    async with house.visitor("li.na") as visitor:
        saved = await visitor.post("/segments/save", {"id": "1", "name": NAME, "expression": "grade = A"})
        assert saved.status_code == 303
        assert (await stored(house))[NAME] == "grade = A"
        await undone(visitor, saved)
        assert await stored(house) == before
        deleted = await visitor.post("/segments/1/delete")
        assert NAME not in await stored(house)
        await undone(visitor, deleted)
        assert await stored(house) == before
