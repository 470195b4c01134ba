"""Calls: numbers as people dial them, who is at work now, the outcome in one step and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from outreach.campaigns.calendar import is_working_day
from outreach.crm.calls.number import channel_link, normal_number, shown_number, tel_link
from outreach.crm.calls.order import CALL_FROM, CALL_TO, Clock, clock_of, rank
from outreach.crm.calls.store import DO_NOT_CALL, Call, CallRefused, CallStore
from outreach.crm.store import add_task
from outreach.crm.tasks import OwnerCalendar
from outreach.model import Activity, Company, Contact, ContactTag, Tag, Task
from outreach.model.base import table
from tests.crm.conftest import NOW, Firm

TASKS, ACTIVITIES, CONTACTS, COMPANIES = table(Task), table(Activity), table(Contact), table(Company)


@pytest.mark.parametrize(
    ("text", "country", "normal", "shown"),
    [
        ("030 1234567", "DE", "+49301234567", "+49 30 1234567"),
        ("0049 30 1234567", None, "+49301234567", "+49 30 1234567"),
        ("+971 4 123 4567", "DE", "+97141234567", "+971 41234567"),
        ("138 0013 8000", "CN", "+8613800138000", "+86 138 0013 8000"),
        ("ask Mr Kim", "DE", None, "ask Mr Kim"),
        ("", "DE", None, ""),
    ],
)
def test_numbers(text: str, country: str | None, normal: str | None, shown: str) -> None:
    assert normal_number(text, country) == normal
    assert shown_number(text, country) == shown
    assert (tel_link(text, country) or "").startswith("tel:+" if normal else "")


def test_other_channels_are_links_or_notes() -> None:
    assert channel_link("whatsapp", "030 1234567", "DE") == "https://wa.me/49301234567"
    assert (
        channel_link("linkedin", "https://www.linkedin.com/in/kim-brandt/") == "https://www.linkedin.com/in/kim-brandt"
    )
    assert channel_link("linkedin", 'x" onclick="') is None
    assert channel_link("wechat", "kim_b") is None


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),
    st.sampled_from([("Europe/Berlin", "DE"), ("Asia/Dubai", "AE"), ("America/Denver", "US"), ("Asia/Riyadh", "SA")]),
)
def test_nobody_is_called_outside_their_day(now: datetime, place: tuple[str, str]) -> None:
    zone, country = place
    clock = clock_of(now, zone, country)
    assert (clock.open_for is None) != (clock.opens_in is None)
    hours = OwnerCalendar(zone, country).hours
    from zoneinfo import ZoneInfo

    at = (now if clock.is_open else now + (clock.opens_in or timedelta())).astimezone(ZoneInfo(zone))
    assert is_working_day(at.date(), hours)
    assert CALL_FROM <= at.time().replace(tzinfo=None) < CALL_TO


def test_hot_ones_at_work_come_first_then_who_leaves_soonest() -> None:
    hour, two = Clock(timedelta(hours=1), None), Clock(timedelta(hours=2), None)
    shut = Clock(None, timedelta(hours=3))
    people = {
        "hot": (two, "A", "order"),
        "soon": (hour, "C", None),
        "later": (two, "C", None),
        "shut": (shut, "A", "order"),
    }
    assert sorted(people, key=lambda name: rank(*people[name])) == ["hot", "soon", "later", "shut"]


async def test_a_call_is_written_down_in_one_step_and_taken_back(firm: Firm) -> None:
    calls, zhou, person = CallStore(firm.db), firm.actor("zhou"), firm.contacts["Brandt"]
    async with firm.db.write() as conn:
        asked = await add_task(conn, "call", "Call", NOW, owner_id=firm.users["zhou"], contact_id=person)
    wanted = Call(person, "reached", "Wants 2,000 pcs", "price", "mail", NOW + timedelta(days=2), task_id=asked)
    done = await calls.log(wanted, zhou, NOW)

    async def facts() -> tuple[list[tuple[str, str]], str | None, str | None, int]:
        async with firm.db.read() as conn:
            tasks = await conn.execute(select(TASKS.c.kind, TASKS.c.state).order_by(TASKS.c.id))
            intent = await conn.scalar(select(CONTACTS.c.intent).where(CONTACTS.c.id == person))
            firms = await conn.scalar(select(COMPANIES.c.intent).where(COMPANIES.c.id == firm.companies["Brandt"]))
            lines = (await conn.execute(select(ACTIVITIES.c.id).where(ACTIVITIES.c.kind == "call"))).all()
            return [(row.kind, row.state) for row in tasks], intent, firms, len(lines)

    assert await facts() == ([("call", "done"), ("mail", "open")], "price", "price", 1)
    await calls.unlog(done.undo, zhou, NOW)
    assert await facts() == ([("call", "open"), ("mail", "dropped")], None, None, 0)


async def test_who_wants_no_calls_is_marked_and_a_missed_call_stays_planned(firm: Firm) -> None:
    calls, zhou, person = CallStore(firm.db), firm.actor("zhou"), firm.contacts["Safa"]
    async with firm.db.write() as conn:
        asked = await add_task(conn, "call", "Call", NOW, owner_id=firm.users["zhou"], contact_id=person)
    await calls.log(Call(person, "no_answer", task_id=asked), zhou, NOW)
    done = await calls.log(Call(person, "do_not_call"), zhou, NOW)
    tagged = (
        select(ContactTag.contact_id)
        .join(Tag, Tag.id == ContactTag.tag_id)  # type: ignore[arg-type]
        .where(Tag.name == DO_NOT_CALL)  # type: ignore[arg-type]
    )
    async with firm.db.read() as conn:
        assert (await conn.execute(tagged)).scalars().all() == [person]
        assert await conn.scalar(select(TASKS.c.state).where(TASKS.c.id == asked)) == "open"
    await calls.unlog(done.undo, zhou, NOW)
    async with firm.db.read() as conn:
        assert (await conn.execute(tagged)).scalars().all() == []


async def test_a_call_without_an_outcome_or_with_a_step_in_the_past_is_refused(firm: Firm) -> None:
    calls, person = CallStore(firm.db), firm.contacts["Safa"]
    with pytest.raises(CallRefused, match="what came of the call"):
        await calls.log(Call(person, ""), firm.actor("zhou"), NOW)
    with pytest.raises(CallRefused, match="in the past"):
        await calls.log(Call(person, "reached", next_at=NOW), firm.actor("zhou"), NOW)
