"""Grades follow what customers did in the last year, and a revision can be undone."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, true

from outreach.crm.deals.money import Money
from outreach.crm.grades.rules import Behaviour, Thresholds, grade_of, quarter_days, quarter_of
from outreach.crm.grades.store import GradeStore
from outreach.model import Company, Contact, Order
from outreach.model.base import table
from tests.crm.conftest import NOW, Firm
from tests.events.seeds import add

LIMITS = Thresholds(50_000, 10_000)


@pytest.mark.parametrize(
    ("did", "grade"),
    [
        (Behaviour(orders=60_000, order_count=1), "A"),
        (Behaviour(orders=10_000, order_count=1), "B"),
        (Behaviour(orders=900, order_count=3), "B"),
        (Behaviour(orders=900, order_count=1), "C"),
        (Behaviour(open_deals=1), "C"),
        (Behaviour(replies=1), "C"),
        (Behaviour(clicks=4), "D"),
        (Behaviour(), "D"),
    ],
)
def test_the_rules(did: Behaviour, grade: str) -> None:
    assert grade_of(did, LIMITS).grade == grade


@given(st.floats(0, 1e6), st.floats(0, 1e6), st.integers(1, 9))
def test_who_buys_more_is_never_graded_lower(less: float, more: float, count: int) -> None:
    low, high = sorted((less, more))
    grades = [grade_of(Behaviour(orders=value, order_count=count), LIMITS).grade for value in (low, high)]
    assert grades[1] <= grades[0]


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_day_lies_in_its_quarter(day: date) -> None:
    first, after = quarter_days(quarter_of(day))
    assert first <= day < after
    assert timedelta(days=89) < after - first < timedelta(days=93)


async def test_a_revision_reaches_company_and_contacts_and_is_undone(firm: Firm) -> None:
    store = GradeStore(firm.db, Money("USD", {"EUR": 1.1}), LIMITS)
    async with firm.db.write() as conn:
        for number, (amount, currency, day) in enumerate(
            [(48_000, "EUR", NOW.date()), (900_000, "USD", NOW.date() - timedelta(days=400))]
        ):
            await add(conn, Order, company_id=firm.companies["Brandt"], number=f"n{number}", amount=amount,
                      currency=currency, ordered_on=day)  # fmt: skip
    proposals = {one.company_id: one for one in await store.proposals(NOW)}
    assert proposals[firm.companies["Brandt"]].grade.grade == "A"
    assert proposals[firm.companies["Safa"]].grade.why == "silent"
    undo = await store.accept([firm.companies["Brandt"]], firm.actor("sun"), NOW)

    async def grades() -> tuple[str | None, str | None]:
        async with firm.db.read() as conn:
            company = await conn.scalar(
                select(table(Company).c.grade).where(table(Company).c.id == firm.companies["Brandt"])
            )
            person = await conn.scalar(
                select(table(Contact).c.grade).where(table(Contact).c.id == firm.contacts["Brandt"])
            )
        return company, person

    assert await grades() == ("A", "A")
    assert firm.companies["Brandt"] not in {one.company_id for one in await store.proposals(NOW)}
    assert (await store.history(firm.companies["Brandt"]))[0].why == "orders_a"
    await store.put_back(undo, firm.actor("sun"), NOW)
    assert await grades() == (None, None)


async def test_the_page_shows_the_first_of_all_proposals_and_their_number(firm: Firm) -> None:
    store = GradeStore(firm.db, Money("USD", {"EUR": 1.1}), LIMITS)
    chance, lately, long_ago = random.Random(3), NOW - timedelta(days=20), NOW - timedelta(days=500)
    async with firm.db.write() as conn:
        for number in range(80):
            company = await add(conn, Company, name=f"Firm {number}", region="Other", created_at=NOW,
                                grade=chance.choice([None, *"ABCD"]))  # fmt: skip
            await add(conn, Contact, company_id=company, source="fair", created_at=NOW,
                      last_replied=chance.choice([None, None, lately, long_ago]),
                      last_clicked=chance.choice([None, lately, long_ago]))  # fmt: skip
            for order in range(chance.choice([0, 0, 0, 1, 4])):
                await add(conn, Order, company_id=company, number=f"o{number}-{order}", currency=chance.choice(["USD", "EUR"]),
                          amount=chance.choice([100.0, 9_000.0, 70_000.0]), ordered_on=chance.choice([lately, long_ago]).date())  # fmt: skip
    everything = await store.proposals(NOW, limit=1_000)
    for seen, step in ((true(), 1), (table(Company).c.id % 2 == 0, 2)):
        wanted = [one for one in everything if one.company_id % step == 0]
        for limit in (5, 40, 1_000):
            rows, total = await store.page(NOW, seen, limit)
            assert total == len(wanted)
            assert [(one.company_id, one.grade) for one in rows] == [
                (one.company_id, one.grade) for one in wanted[:limit]
            ]
