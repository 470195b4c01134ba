"""A case goes from its arrival through a department to the customer's word; nothing is left lying."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from outreach.crm.service.rules import DAYS, SILENCE, deadline, kind_of, number_of
from outreach.crm.service.state import TRANSITIONS, IllegalStep, actions, advance
from outreach.crm.service.store import CaseError, NewCase, ServiceStore
from outreach.crm.survey.page import Asked, SurveyPage, content_policy, language_known, words
from outreach.crm.survey.store import SurveyStore, Vote
from outreach.crm.tasks import OwnerCalendar
from outreach.model import Activity, Survey, Task, TicketKind
from outreach.model.base import table
from outreach.model.enums import TicketState
from outreach.tracking.tokens import Signer
from tests.crm.conftest import NOW, Firm
from tests.events.seeds import SECRET

TASKS, ACTIVITIES = table(Task), table(Activity)


def store(firm: Firm) -> ServiceStore:
    return ServiceStore(firm.db, DAYS, "Asia/Shanghai")


def test_every_state_is_reached_and_closed_can_be_opened() -> None:
    assert {TicketState.NEW, *TRANSITIONS.values()} == set(TicketState)
    assert "reopen" in actions("closed")
    with pytest.raises(IllegalStep, match="possible: helped, not_helped, expire, reopen"):
        advance("answered", "ask")


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    st.sampled_from(list(TicketKind)),
)
def test_a_deadline_is_the_close_of_a_working_day_ahead(created: datetime, kind: TicketKind) -> None:
    due = deadline(created, kind, OwnerCalendar("Asia/Shanghai", "CN"), DAYS).astimezone(ZoneInfo("Asia/Shanghai"))
    assert due > created
    assert due.hour == 18
    assert due.weekday() < 5
    assert due - created < timedelta(days=24)  # Spring Festival and a wish's five days


def test_numbers_and_kinds() -> None:
    assert number_of(2026, 12) == "S-2026-00012"
    assert (kind_of("complaint"), kind_of("price"), kind_of(None)) == ("complaint", "question", "question")


async def test_a_case_goes_through_a_department_and_closes_by_the_customers_word(firm: Firm) -> None:
    service, wu, zhou = store(firm), firm.actor("wu"), firm.actor("zhou")
    case = await service.open(NewCase(TicketKind.COMPLAINT, "Cracked", contact_id=firm.contacts["Brandt"]), wu, NOW)
    row = await service.one(case)
    assert row is not None
    assert (row.number, row.owner_id, row.company_id) == ("S-2026-00001", firm.users["wu"], firm.companies["Brandt"])
    assert row.deadline == datetime(2026, 11, 25, 10, tzinfo=UTC)  # the close of the next working day in Shanghai
    await service.ask(case, "quality", firm.users["zhou"], "Which batch?", wu, NOW)
    with pytest.raises(IllegalStep):
        await service.answer(case, "soon", wu, NOW)
    await service.told(case, "Batch 7, bad glue", zhou, NOW)
    with pytest.raises(CaseError, match="write the answer"):
        await service.answer(case, " ", wu, NOW)
    await service.answer(case, "We send six new ones", wu, NOW)
    assert await service.step(case, "helped", wu, NOW) == "closed"
    async with firm.db.read() as conn:
        open_ones = (await conn.execute(select(TASKS.c.kind).where(TASKS.c.state == "open"))).scalars().all()
        kinds = (await conn.execute(select(ACTIVITIES.c.kind).order_by(ACTIVITIES.c.id))).scalars().all()
    assert open_ones == []
    assert kinds == ["case_opened", "case_asked", "case_told", "case_answered", "case_helped"]


async def test_one_mail_makes_one_case_and_numbers_count_on(firm: Firm) -> None:
    service, wu = store(firm), firm.actor("wu")
    first = await service.open(NewCase(TicketKind.WISH, "A"), wu, NOW)
    assert await service.open(NewCase(TicketKind.WISH, "B"), wu, NOW) == first + 1
    numbers = [row.number for number in (first, first + 1) if (row := await service.one(number))]
    assert numbers == ["S-2026-00001", "S-2026-00002"]


async def test_what_did_not_help_is_open_again_with_a_new_deadline(firm: Firm) -> None:
    service, wu = store(firm), firm.actor("wu")
    case = await service.open(NewCase(TicketKind.QUESTION, "HS code?", contact_id=firm.contacts["Safa"]), wu, NOW)
    await service.answer(case, "9405", wu, NOW)
    later = NOW + timedelta(days=3)
    assert await service.step(case, "not_helped", None, later) == "open"
    row = await service.one(case)
    assert row is not None
    assert row.deadline > later
    async with firm.db.read() as conn:
        task = (await conn.execute(select(TASKS).where(TASKS.c.state == "open"))).one()
    assert task.due_at == row.deadline


async def test_silence_closes_an_answered_case_after_two_weeks_only(firm: Firm) -> None:
    service, wu = store(firm), firm.actor("wu")
    case = await service.open(NewCase(TicketKind.QUESTION, "?", contact_id=firm.contacts["Safa"]), wu, NOW)
    await service.answer(case, "!", wu, NOW)
    assert await service.expire(NOW + SILENCE) == 0
    assert await service.expire(NOW + SILENCE + timedelta(seconds=1)) == 1
    row = await service.one(case)
    assert row is not None
    assert (row.state, row.helped) == ("closed", None)


# ---- surveys


def surveys(firm: Firm) -> SurveyStore:
    return SurveyStore(firm.db, store(firm), SECRET, "https://t.example")


async def test_a_vote_closes_or_opens_the_case_and_can_be_changed(firm: Firm) -> None:
    service, asked, wu = store(firm), surveys(firm), firm.actor("wu")
    person = firm.contacts["Brandt"]
    case = await service.open(NewCase(TicketKind.COMPLAINT, "Cracked", contact_id=person), wu, NOW)
    await service.answer(case, "New ones are on the way", wu, NOW)
    survey, link = await asked.ask(person, NOW, ticket_id=case, language="de")
    assert (await asked.ask(person, NOW, ticket_id=case))[0] == survey
    token = link.rsplit("/", 1)[1]
    assert await asked.answer(token, Vote(5, True, "Danke"), NOW)
    row = await service.one(case)
    assert row is not None
    assert (row.state, row.helped) == ("closed", True)
    assert await asked.answer(token, Vote(2, False, "Doch nicht"), NOW)
    row = await service.one(case)
    assert row is not None
    assert (row.state, row.helped) == ("open", False)
    async with firm.db.read() as conn:
        stored = (await conn.execute(select(table(Survey)))).one()
        lines = (await conn.execute(select(ACTIVITIES.c.data).where(ACTIVITIES.c.kind == "survey"))).scalars().all()
    assert (stored.score, stored.helped, stored.text) == (2, False, "Doch nicht")
    assert [line["score"] for line in lines] == [5, 2]


async def test_pressing_send_twice_counts_once_and_an_unhappy_customer_is_called(firm: Firm) -> None:
    asked, person = surveys(firm), firm.contacts["Safa"]
    _, link = await asked.ask(person, NOW, language="ar")
    token = link.rsplit("/", 1)[1]
    for _ in range(2):
        assert await asked.answer(token, Vote(1, None, ""), NOW)
    async with firm.db.read() as conn:
        task = (await conn.execute(select(TASKS))).one()
        lines = (await conn.execute(select(ACTIVITIES.c.id).where(ACTIVITIES.c.kind == "survey"))).all()
    assert (task.kind, task.owner_id, len(lines)) == ("call", firm.users["wang"], 1)
    assert await asked.figures(NOW - timedelta(days=1), NOW + timedelta(days=1)) == {
        "asked": 1,
        "answered": 1,
        "mean": 1.0,
    }


async def test_guessed_foreign_and_old_links_vote_for_nobody(firm: Firm) -> None:
    asked, person = surveys(firm), firm.contacts["Safa"]
    survey, link = await asked.ask(person, NOW)
    token = link.rsplit("/", 1)[1]
    of_a_mail = Signer.from_secret(SECRET).sign("p", survey)
    for bad in ("", "x" * 24, token[:-1] + ("A" if token[-1] != "A" else "B"), of_a_mail):
        assert not await asked.answer(bad, Vote(5, None), NOW)
    assert not await asked.answer(token, Vote(5, None), NOW + timedelta(days=91))
    assert await asked.answer(token, Vote(5, None), NOW + timedelta(days=89))


@pytest.mark.parametrize("lang", list(words()))
def test_each_language_has_every_word_and_a_whole_page(lang: str) -> None:
    assert words()[lang].keys() == words()["en"].keys()
    page = SurveyPage("A & B <Lighting>", "Road 1").form(lang, Asked("t" * 24, "S-2026-00001", 4, True, "<b>"))
    assert "<script" not in page
    assert "&lt;b&gt;" in page
    assert "A &amp; B &lt;Lighting&gt;" in page
    assert page.count('type="radio"') == 7
    assert ('dir="rtl"' in page) == (lang == "ar")
    assert "default-src 'none'" in content_policy()


def test_a_contacts_language_leads_to_a_page() -> None:
    assert [language_known(code) for code in ("pt-BR", "zh-Hant", "fi", None)] == ["pt", "zh", "en", "en"]
