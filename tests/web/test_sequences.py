"""The pages of sequences and remembered dates: built, approved, started, filled, stopped, from the browser alone."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import select, update

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.occasions.advance import advance
from outreach.model import Campaign, Contact, Enrolment, Occasion, Task
from outreach.model.base import table
from tests.web.house import House

CAMPAIGNS, CONTACTS, ENROLMENTS = table(Campaign), table(Contact), table(Enrolment)
OCCASIONS, TASKS = table(Occasion), table(Task)
BUILT = {
    "name": "New inquiry", "goal": "a sample order", "mailbox": "sales", "window": "09:00-17:00",
    "kind_0": "mail", "template_0": "product-launch", "days_0": "0", "place_0": "2", "same_thread_0": "1",
    "kind_1": "mail", "template_1": "follow-up", "days_1": "3", "place_1": "3", "same_thread_1": "1",
    "kind_2": "call", "title_2": "Ring them up", "days_2": "1", "place_2": "1", "where_2": "grade in (A, B)",
    "tags": "fair", "on": "inquiry", "company_reply": "1", "meeting": "1",
}  # fmt: skip


async def one(house: House, query: Any) -> Any:
    async with house.db.read() as conn:
        return (await conn.execute(query)).first()


async def approved(house: House, number: int) -> None:
    """Approvals have tests of their own: here they are given below the pages."""
    async with house.db.write() as conn:
        row = (await conn.execute(select(CAMPAIGNS).where(CAMPAIGNS.c.id == number))).one()
        values = {"state": "approved", "approved_hash": row.submitted_hash, "approved_at": house.now}
        await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == number).values(**values))


async def built(house: House) -> int:
    async with house.visitor("admin") as visitor:
        answer = await visitor.post("/sequences/new", BUILT)
        assert answer.status_code == 303, answer.text
        return int(answer.headers["location"].rpartition("/")[2])


async def test_a_sequence_is_built_checked_started_and_filled(house: House) -> None:
    number = await built(house)
    row = await one(house, select(CAMPAIGNS).where(CAMPAIGNS.c.id == number))
    rules = row.definition["sequence"]
    assert [step["kind"] for step in rules["steps"]] == ["call", "mail", "mail"]
    assert rules["enrol"]["on"] == ["inquiry", "tag:fair"]
    async with house.visitor("admin") as visitor:
        for path in (
            f"/sequences/{number}",
            f"/sequences/{number}/edit",
            f"/campaigns/{number}/preflight",
            "/sequences",
        ):
            answer = await visitor.get(path)
            assert answer.status_code == 200, path
            assert "New inquiry" in answer.text or "preflight" in path
        assert (await visitor.get(f"/campaigns/{number}")).headers["location"] == f"/sequences/{number}"
        assert (await visitor.post(f"/campaigns/{number}/submit")).status_code == 303
        assert (await visitor.get(f"/approvals/{number}")).status_code == 200
        await approved(house, number)
        assert (await visitor.post(f"/campaigns/{number}/start")).status_code == 303
        answer = await visitor.post(f"/sequences/{number}/enrol", {"who": "grade = A"})
        assert answer.status_code == 303, answer.text
        page = (await visitor.get(f"/sequences/{number}")).text
        assert "Under way" in page
        mine = select(ENROLMENTS).where(ENROLMENTS.c.campaign_id == number)
        person = (await one(house, mine)).contact_id
        assert "Under way" in (await visitor.get(f"/contacts/{person}/sequence")).text
        for action, state in (("pause", "paused"), ("resume", "active"), ("stop", "stopped"), ("resume", "active")):
            assert (await visitor.post(f"/sequences/{number}/people/{person}/{action}")).status_code == 303
            found = await one(house, mine.where(ENROLMENTS.c.contact_id == person))
            assert found.state == state
        again = await visitor.post(f"/sequences/{number}/people/{person}/resume")
        assert again.status_code == 409


async def test_an_approver_sees_the_steps_and_who_comes_in(house: House) -> None:
    async with house.visitor("admin") as visitor:
        given = {
            **BUILT, "segment": "grade = A", "most_per_day": "7", "subject_1": "Shall we send samples?",
            "same_thread_1": "", "note_2": "Two minutes: sizes and colours",
        }  # fmt: skip
        answer = await visitor.post("/sequences/new", given)
        number = int(answer.headers["location"].rpartition("/")[2])
        assert (await visitor.post(f"/campaigns/{number}/submit")).status_code == 303
    async with house.visitor("zhao.min") as approver:
        page = (await approver.get(f"/approvals/{number}")).text
        queue = (await approver.get("/approvals")).text
        # the second mail that is sent: the call comes first, whatever the steps' numbers are
        second = (await approver.get(f"/approvals/{number}?step=1")).text
        mail = (await approver.get(f"/approvals/{number}/mail?step=1&format=text")).text
    for text in ("Ring them up", "Two minutes: sizes and colours", "after 1 day", "after 3 days", "grade in (A, B)"):
        assert text in page, text
    matching = await house.outreach.audience.count("grade = A", house.now)
    assert matching > 0
    assert f'<span class="o-kpi">{matching}</span>' in page
    assert "tag fair" in page
    assert "at most 7 a day" in page
    assert "0 customers" not in page
    assert "by its rules" in queue
    assert '<dd class="strong"><span lang="en">Shall we send samples?</span>' in second
    assert len(mail) > 200


async def test_an_approver_sees_the_words_of_the_greetings(house: House) -> None:
    async with house.visitor("admin") as visitor:
        programme = {
            "name": "Christmas", "kind": "holiday", "template": "holiday-greeting", "mailbox": "sales", "ask": "1",
            "ask_days": "4", "holiday": "christmas", "segment": "grade = A",
        }  # fmt: skip
        answer = await visitor.post("/greetings/new", programme)
        number = int(answer.headers["location"].rpartition("/")[2])
        assert (await visitor.post(f"/campaigns/{number}/submit")).status_code == 303
        row = await one(house, select(CAMPAIGNS).where(CAMPAIGNS.c.id == number))
        page = (await visitor.get(f"/approvals/{number}")).text
    words = row.definition["occasion"]["words"]
    assert words["christmas.de"]["greeting"] in page
    assert "4 days ahead" in page
    assert "0 customers" not in page


async def test_an_edit_in_the_builder_keeps_the_numbers_of_steps(house: House) -> None:
    number = await built(house)
    async with house.visitor("admin") as visitor:
        form = (await visitor.get(f"/sequences/{number}/edit")).text
        assert 'name="number_0" value="0"' in form
        changed = {**BUILT, "number_0": "1", "number_1": "2", "number_2": "0", "place_0": "1", "place_2": "9"}
        assert (await visitor.post(f"/sequences/{number}/edit", changed)).status_code == 303
    row = await one(house, select(CAMPAIGNS).where(CAMPAIGNS.c.id == number))
    assert [step["number"] for step in row.definition["sequence"]["steps"]] == [1, 2, 0]


async def test_what_is_wrong_is_said_and_kept_in_the_form(house: House) -> None:
    async with house.visitor("admin") as visitor:
        answer = await visitor.post("/sequences/new", {**BUILT, "where_2": "grde = A"})
        assert answer.status_code == 422
        assert "grde" in answer.text
        assert "Ring them up" in answer.text


async def test_a_salesperson_enrols_only_own_customers(house: House) -> None:
    number = await built(house)
    async with house.visitor("admin") as visitor:
        await visitor.post(f"/campaigns/{number}/submit")
        await approved(house, number)
        await visitor.post(f"/campaigns/{number}/start")
    mine = select(ENROLMENTS).where(ENROLMENTS.c.campaign_id == number)
    async with house.visitor("zhou.yang") as visitor:
        await visitor.get("/")
        assert (await visitor.get(f"/sequences/{number}")).status_code == 200
        assert (await visitor.post(f"/sequences/{number}/enrol", {"contact_id": "2"})).status_code == 403
        assert (await visitor.get("/contacts/2/sequence")).status_code == 403
        assert await one(house, mine) is None
        assert (await visitor.post(f"/sequences/{number}/enrol", {"contact_id": "5"})).status_code == 303
        assert (await one(house, mine)).contact_id == 5


async def test_a_birthday_is_looked_at_and_sent_or_not(house: House) -> None:
    today = house.now.date()
    async with house.db.write() as conn:
        born = date(1980, today.month, today.day)
        await conn.execute(update(CONTACTS).values(birthday=None))
        await conn.execute(
            update(CONTACTS).where(CONTACTS.c.id.in_((4, 5, 8, 9))).values(birthday=born, basis="customer")
        )
    async with house.visitor("admin") as visitor:
        programme = {
            "name": "Birthdays", "kind": "birthday", "template": "holiday-greeting", "mailbox": "sales", "ask": "1",
        }  # fmt: skip
        answer = await visitor.post("/greetings/new", programme)
        assert answer.status_code == 303, answer.text
        number = int(answer.headers["location"].rpartition("/")[2])
        for path in (f"/greetings/programmes/{number}", f"/greetings/programmes/{number}/edit", "/greetings/new"):
            assert (await visitor.get(path)).status_code == 200
        await use.submit(house.outreach, number, OPERATOR, house.now)
        await approved(house, number)
        assert (await visitor.post(f"/campaigns/{number}/start")).status_code == 303
        async with house.db.write() as conn:
            row = (await conn.execute(select(CAMPAIGNS).where(CAMPAIGNS.c.id == number))).one()
            await advance(house.outreach, conn, row, house.now)
        found = await one(house, select(OCCASIONS).where(OCCASIONS.c.campaign_id == number))
        assert found is not None
        assert "Yours to decide" in (await visitor.get("/greetings")).text
        page = (await visitor.get(f"/greetings/{found.id}")).text
        assert "Send" in page
        assert (await visitor.get(f"/greetings/{found.id}/mail")).status_code == 200
        assert (await visitor.post(f"/greetings/{found.id}/decline")).status_code == 303
        assert (await visitor.post(f"/greetings/{found.id}/send")).status_code == 409
        assert (await visitor.post(f"/greetings/{found.id}/reconsider")).status_code == 303
        assert (await visitor.post(f"/greetings/{found.id}/send")).status_code == 303
        task = await one(house, select(TASKS).where(TASKS.c.id == found.task_id))
        assert (task.state, task.outcome) == ("done", "queued")


async def test_half_a_day_is_shown_as_it_was_written(house: House) -> None:
    async with house.visitor("admin") as visitor:
        answer = await visitor.post("/sequences/new", {**BUILT, "days_1": "0.5"})
        assert answer.status_code == 303, answer.text
        page = await visitor.get(answer.headers["location"])
    assert "0.5 天" in page.text or "after 0.5 days" in page.text


async def test_an_occasion_that_nobody_knows_is_no_fault_of_the_form(house: House) -> None:
    async with house.visitor("li.na") as visitor:
        assert (await visitor.get("/greetings/new?kind=wedding")).status_code == 404
        answer = await visitor.post("/greetings/new", {"kind": "wedding", "name": "Weddings"})
        assert answer.status_code == 422
        assert 'value="Weddings"' in answer.text
