"""What a salesperson, customer service or a manager typed is there again when it is refused, and only where it belongs."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from outreach.config import ConfigError
from outreach.web.data.tables import TASK
from tests.web.house import House
from tests.web.test_account import values
from tests.web.test_matrix import fingerprint


def area(page: str, name: str) -> str:
    """What stands in a page's text area."""
    found = re.search(rf'<textarea[^>]*name="{name}"[^>]*>([^<]*)</textarea>', page)
    assert found, name
    return found[1]


async def test_a_deal_that_is_refused_is_not_typed_again_and_leaves_no_entry(house: House) -> None:
    given = {"title": "Panels", "amount": "twelve", "currency": "EUR"}
    async with house.visitor("zhou.yang") as visitor:
        await visitor.get("/customers/1")
        before = await fingerprint(house)
        page = await visitor.post("/customers/deals", given | {"company": "1"})
        assert (page.status_code, "An amount is a number" in page.text) == (422, True)
        assert given.items() <= values(page.text).items()
        assert await fingerprint(house) == before


async def test_a_change_of_a_deal_that_is_refused_keeps_its_note(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        given = {"title": "Other panels", "note": "They wait for the fair.", "expected_on": "soon"}
        page = await visitor.post("/customers/deals/1/edit", given)
        assert page.status_code == 422
        assert area(page.text, "note") == given["note"]
        assert values(page.text)["expected_on"] == "soon"
        page = await visitor.post("/customers/deals/1/step", {"action": "lose", "reason": "", "margin": "x"})
        assert page.status_code == 422


async def test_a_deals_amount_stands_in_its_form_to_the_cent(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        answer = await visitor.post("/customers/deals", {"company": "1", "title": "Panels", "amount": "123,456.78"})
        page = await visitor.get(answer.headers["location"])
        assert values(page.text)["amount"] == "123456.78"


async def test_a_call_that_is_refused_keeps_what_was_said(house: House) -> None:
    given = {"outcome": "reached", "text": "Wants 2,000 pieces.", "next_day": "2026-11-01", "intent": "price"}
    async with house.visitor("zhou.yang") as visitor:
        page = await visitor.post("/follow-ups/calls/1", given)
        assert (page.status_code, "lies in the past" in page.text) == (422, True)
        assert area(page.text, "text") == given["text"]
        assert values(page.text)["next_day"] == given["next_day"]
        assert re.search(r'value="reached"[^>]* checked', page.text)
        assert re.search(r'value="price" selected', page.text)


async def test_a_question_to_a_colleague_never_stands_in_the_answer_to_the_customer(house: House) -> None:
    async with house.visitor("wu.hao") as visitor:
        page = await visitor.post(
            "/follow-ups/service/1/ask", {"department": "", "user": "5", "question": "Is he honest?"}
        )
        assert page.status_code == 422
        assert area(page.text, "question") == "Is he honest?"
        assert "honest" not in area(page.text, "text")


async def test_a_decision_that_is_refused_keeps_its_answer(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        await visitor.post("/suggestions", {"text": "Print the drawings."})
    async with house.visitor("sun.qian") as visitor:
        given = {"state": "adopted", "answer": "From Monday on.", "amount": "much"}
        page = await visitor.post("/suggestions/1/decide", given)
        assert page.status_code == 422
        assert values(page.text)["answer"] == "From Monday on."


async def test_a_card_for_a_colleague_who_left_says_so_and_stays(house: House) -> None:
    card = {"email": "ann@newco.example", "first_name": "Ann", "company": "New Co", "source": "Fair", "met": "7"}
    async with house.visitor("admin") as admin:
        await admin.post("/settings/users/7/disable")
    async with house.visitor("zhou.yang") as visitor:
        page = await visitor.post("/customers/cards", card)
        assert (page.status_code, "Nobody of this name works here" in page.text) == (422, True)
        assert values(page.text)["email"] == card["email"]


async def test_a_case_of_nobody_that_is_there_is_not_found(house: House) -> None:
    async with house.visitor("wu.hao") as visitor:
        for name in ("company", "contact"):
            given = {"kind": "question", "subject": "Where?", name: "999999"}
            assert (await visitor.post("/follow-ups/service", given)).status_code == 404


@pytest.mark.parametrize("path", ["/inbox/1/answer", "/follow-ups/service/1/answer"])
async def test_a_mailbox_whose_password_is_not_there_loses_no_answer(
    house: House, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(box: object) -> None:
        raise ConfigError("the password of mailbox sales is not there", "邮箱 sales 的密码不存在")

    monkeypatch.setattr(house.outreach, "server", refuse)
    async with house.visitor("wu.hao") as visitor:
        page = await visitor.post(path, {"text": "We send new ones.", "how": "mail"})
        assert (page.status_code, "the password of mailbox sales is not there" in page.text) == (502, True)
        assert area(page.text, "text") == "We send new ones."
        again = await visitor.get(path.removesuffix("/answer"))
        assert 'name="text"' in again.text, "it still waits for an answer"


async def test_enrolling_without_a_word_enrols_nobody(house: House) -> None:
    async with house.visitor("li.na") as visitor:
        before = await fingerprint(house)
        page = await visitor.post("/sequences/91/enrol", {"who": "  "})
        assert (page.status_code, "Say who" in page.text) == (422, True)
        assert await fingerprint(house) == before


async def test_a_task_that_is_open_again_has_no_outcome(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        await visitor.post("/follow-ups/11/done", {"outcome": "They are content.", "next": "/follow-ups"})
        signed = re.search(r'name="undo" value="([^"]+)"', (await visitor.get("/follow-ups")).text)
        assert signed
        await visitor.post("/undo", {"undo": signed[1], "next": "/"})
    async with house.db.read() as conn:
        task = (await conn.execute(select(TASK.c.state, TASK.c.outcome).where(TASK.c.id == 11))).one()
    assert tuple(task) == ("open", None)


async def test_a_change_of_a_deal_is_taken_back_unless_somebody_changed_it_since(house: House) -> None:
    first = {"title": "Other panels", "note": "They wait.", "expected_on": "2026-12-24"}
    async with house.visitor("zhou.yang") as visitor:
        before = values((await visitor.get("/customers/deals/1")).text)

        async def way_back() -> str:
            found = re.search(r'name="undo" value="([^"]+)"', (await visitor.get("/customers/deals/1")).text)
            assert found
            return found[1]

        await visitor.post("/customers/deals/1/edit", first)
        await visitor.post("/undo", {"undo": await way_back(), "next": "/"})
        assert values((await visitor.get("/customers/deals/1")).text) == before | {"form_token": visitor.token}
        await visitor.post("/customers/deals/1/edit", first)
        signed = await way_back()
        await visitor.post("/customers/deals/1/edit", first | {"title": "Lamps"})
        await visitor.post("/undo", {"undo": signed, "next": "/customers/deals/1"})
        page = await visitor.get("/customers/deals/1")
        assert "Too late to undo" in page.text
        assert values(page.text)["title"] == "Lamps"
