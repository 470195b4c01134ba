"""Customers report a violation without an account: in their language, in confidence, not as often as a program likes."""

from __future__ import annotations

import re

import httpx
from sqlalchemy import select

from outreach.model import Violation
from outreach.model.base import table
from outreach.tracking.concern.pages import ABOUT, words
from outreach.tracking.pages import words as page_words
from tests.web.house import House

VIOLATIONS = table(Violation)
TEXT = "You wrote to me four times after I had asked you to stop."


async def report(client: httpx.AsyncClient, text: str = TEXT, **more: str) -> httpx.Response:
    return await client.post("/v/?lang=en", data={"about": "mailing", "text": text, **more})


async def test_a_customer_reports_and_reads_the_auditors_answer(house: House) -> None:
    async with house.client() as client:
        page = await client.get("/v/?lang=de")
        assert "Einen Verstoß vertraulich melden" in page.text
        assert "set-cookie" not in page.headers
        receipt = re.search(r"<b dir=\"ltr\">([0-9a-f]{16})</b>", (await report(client)).text)
        assert receipt
        waiting = await client.post("/v/answer?lang=zh", data={"receipt": receipt[1]})
        assert "尚未答复" in waiting.text
    async with house.visitor("ma.jun") as auditor:
        listed = (await auditor.get("/settings/violations")).text
        assert TEXT in listed
        assert "from outside" in listed
        await auditor.post(
            "/settings/violations/1", {"answer": "You are on the list now.\nWe are sorry.", "close": "1"}
        )
    async with house.client() as client:
        told = await client.post("/v/answer?lang=en", data={"receipt": receipt[1].upper()})
        assert "You are on the list now.<br>We are sorry." in told.text
        assert (await client.post("/v/answer", data={"receipt": "0" * 16})).status_code == 404


async def test_nothing_of_the_reporter_is_kept_and_the_trail_says_only_that_there_is_a_report(house: House) -> None:
    async with house.client(headers={"user-agent": "Reporter/7", "x-forwarded-for": "203.0.113.77"}) as client:
        assert (await report(client)).status_code == 200
    async with house.db.read() as conn:
        row = (await conn.execute(select(VIOLATIONS))).one()
    stored = repr(tuple(row)) + repr((await house.outreach.access.entries(limit=1))[0])
    for trace in ("Reporter", "203.0.113", "127.0.0.1", "testclient"):
        assert trace not in stored
    (newest,) = await house.outreach.access.entries(limit=1)
    assert (newest.action, newest.actor_id, newest.before, newest.after) == ("violation.reported", None, {}, {})


async def test_a_program_is_held_back_and_a_trap_keeps_nothing(house: House) -> None:
    async with house.client() as client:
        assert (await report(client, website="http://spam.example")).status_code == 200
        assert (await report(client, text="   ")).status_code == 422
        codes = [(await report(client)).status_code for _ in range(7)]
        assert codes == [200] * 5 + [429] * 2
        late = await report(client, text="what was typed stays")
        assert "what was typed stays" in late.text
    async with house.db.read() as conn:
        assert len((await conn.execute(select(VIOLATIONS))).all()) == 5


async def test_all_networks_together_are_bounded_too_and_it_can_be_switched_off(house: House) -> None:
    given = house.outreach.settings
    narrow = given.violations.model_copy(update={"per_hour": 2, "per_network": 50})
    house.outreach.settings = given.model_copy(update={"violations": narrow})
    async with house.client() as client:
        assert [(await report(client)).status_code for _ in range(3)] == [200, 200, 429]
        off = given.violations.model_copy(update={"from_outside": False})
        house.outreach.settings = given.model_copy(update={"violations": off})
        assert (await client.get("/v/")).status_code == 404


async def test_markup_in_a_report_and_an_answer_stays_text(house: House) -> None:
    bad = "<script>alert(1)</script>"
    async with house.client() as client:
        answer = await report(client, text=bad)
        receipt = re.search(r">([0-9a-f]{16})</b>", answer.text)
        assert receipt
        assert bad not in answer.text
    async with house.visitor("ma.jun") as auditor:
        assert bad not in (await auditor.get("/settings/violations")).text
        await auditor.post("/settings/violations/1", {"answer": bad})
    async with house.client() as client:
        assert bad not in (await client.post("/v/answer", data={"receipt": receipt[1]})).text
        huge = await client.post("/v/", data={"text": "x" * 200_000})
        assert huge.status_code == 413


def test_every_language_of_the_recipients_pages_has_every_word() -> None:
    assert set(words()) == set(page_words())
    for lang, table_of in words().items():
        assert set(table_of) == set(words()["en"]), lang
        assert set(ABOUT) <= set(table_of)
    assert all("report" in texts for texts in page_words().values())
