"""The indicators (G3) and costs (G4): what is counted, what is not, and of how many."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from outreach.crm.suggestions.store import SuggestionRefused, SuggestionStore
from outreach.model import Campaign, Order, Suggestion, Survey, Task, Ticket
from outreach.reports.indicators.figures import Counts, effect, indicators
from outreach.reports.indicators.store import Budget, IndicatorStore
from outreach.reports.metrics import Figures
from outreach.reports.period import Period
from tests.crm.conftest import NOW, Firm
from tests.events.seeds import add

QUARTER = Period.parse("2026-Q4")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def own(amount: float | None, currency: str) -> float | None:
    return None if amount is None else {"USD": 1.0, "CNY": 0.2}.get(currency, 0) * amount or None


def test_the_effect_score_weighs_what_people_did() -> None:
    figures = Figures(sent=210, accepted=200, clicked=10, replied=4, inquiries=2, orders=1, complained=1, opened=90)
    assert effect(figures) == (10 * 1 + 4 * 5 + 2 * 10 + 50 - 50) / 2
    assert effect(Figures(sent=99, accepted=99, replied=9)) is None


def test_an_indicator_of_nothing_says_nothing() -> None:
    empty = {one.name: one for one in indicators(Counts())}
    assert {name for name, one in empty.items() if one.value is not None} == {"new_customers", "suggestions"}
    some = {one.name: one for one in indicators(Counts(in_time=3, judged=4, scored=2, score_sum=9, asked=5))}
    assert (some["replies_in_time"].value, some["replies_in_time"].is_small) == (75.0, True)
    assert some["satisfaction"].value == 4.5


@pytest.mark.parametrize(
    ("budget", "spent", "kept"), [(100.0, 100.0, True), (100.0, 101.0, False), (None, 5.0, None), (5.0, None, None)]
)
def test_a_budget_is_kept_or_not_known(budget: float | None, spent: float | None, kept: bool | None) -> None:
    assert Budget(1, "x", "finished", None, budget, spent, "USD").is_kept is kept


async def fill(firm: Firm) -> None:
    """A quarter with one of each kind, and neighbours that must not count."""
    zhou = firm.users["zhou"]
    async with firm.db.write() as conn:

        async def put(model: Any, **values: Any) -> int:
            return await add(conn, model, **values)

        for n, (came, due, done, state) in enumerate((
            (-2, -1, -1.5, "done"), (-2, -1, -0.5, "done"), (-2, -1, None, "open"), (-2, 9, None, "open"),
            (-80, -79, -79.5, "done"),
        )):  # fmt: skip
            await put(
                Task, kind="reply", title=f"t{n}", owner_id=zhou, state=state, due_at=NOW + due * DAY,
                created_at=NOW + came * DAY, done_at=NOW + done * DAY if done else None, data={},
            )  # fmt: skip
        for n, (kind, state, answered, helped, due) in enumerate((
            ("complaint", "closed", True, True, 1), ("complaint", "closed", True, None, 1),
            ("complaint", "closed", True, False, 1), ("complaint", "closed", False, None, 1),
            ("complaint", "open", False, None, -1), ("complaint", "open", False, None, 1), ("wish", "closed", True, True, 1),
        )):  # fmt: skip
            await put(
                Ticket, number=f"S-{n}", kind=kind, state=state, subject="x", text="", deadline=NOW + due * DAY,
                created_at=NOW - DAY, answered_at=NOW - HOUR if answered else None, helped=helped,
                company_id=firm.companies["Brandt"],
            )  # fmt: skip
        for score in (5, 2, None):
            await put(
                Survey, company_id=firm.companies["Brandt"], asked_at=NOW - DAY, score=score,
                answered_at=NOW if score else None,
            )  # fmt: skip
        for number, name, day in (("1", "Brandt", date(2026, 9, 30)), ("2", "Brandt", date(2026, 10, 2)),
                                  ("3", "Safa", date(2026, 11, 2))):  # fmt: skip
            await put(Order, company_id=firm.companies[name], number=number, ordered_on=day, amount=5.0, currency="USD")
        for name, budget, spent, started in (("kept", 100.0, 90.0, -30), ("over", 100.0, 120.0, -30),
                                             ("unknown", 100.0, None, -30), ("last year", 1.0, 9.0, -400)):  # fmt: skip
            await put(
                Campaign, name=name, segment="true", state="finished", goal="", definition={}, budget_amount=budget,
                budget_currency="USD", spent_amount=spent, created_at=NOW + started * DAY, owner_id=zhou,
                started_at=NOW + started * DAY, finished_at=NOW + (started + 2) * DAY,
            )  # fmt: skip
        for state, amount in (("adopted", 500.0), ("declined", None), ("new", None)):
            await put(Suggestion, user_id=zhou, at=NOW - DAY, text="x", state=state, amount=amount)


async def test_each_indicator_counts_its_own_and_nothing_else(firm: Firm) -> None:
    await fill(firm)
    counts = await IndicatorStore(firm.db, own).counts(QUARTER, NOW)
    assert (counts.in_time, counts.judged) == (1, 3)
    assert (counts.solved, counts.complaints) == (2, 5)
    assert counts.new_customers == 1
    assert (counts.asked, counts.scored, counts.score_sum) == (3, 2, 7)
    assert (counts.kept, counts.budgets) == (1, 2)
    assert (counts.suggestions, counts.adopted, counts.brought) == (3, 1, 500.0)
    mine = await IndicatorStore(firm.db, own).counts(QUARTER, NOW, [firm.users["wang"]])
    assert (mine.judged, mine.complaints, mine.new_customers, mine.suggestions) == (0, 0, 1, 0)
    before = await IndicatorStore(firm.db, own).counts(QUARTER.previous, NOW)
    assert (before.new_customers, before.judged) == (1, 1)


async def test_suggestions_are_decided_with_what_they_brought_and_back(firm: Firm) -> None:
    store, wu, sun = SuggestionStore(firm.db), firm.actor("wu"), firm.actor("sun")
    with pytest.raises(SuggestionRefused):
        await store.make("  ", wu, NOW)
    number = await store.make("Answer in Spanish", wu, NOW)
    for state, amount, code in (("declined", None, "reason"), ("sold", None, "state"), ("adopted", -1.0, "amount")):
        with pytest.raises(SuggestionRefused) as refused:
            await store.decide(number, state, sun, NOW, amount=amount)
        assert refused.value.code == code
    before = await store.decide(number, "adopted", sun, NOW, answer="Good", amount=1200.0)
    (row,) = await store.listed(user_id=firm.users["wu"])
    assert (row.state, row.amount, row.answer, row.author) == ("adopted", 1200.0, "Good", "wu")
    await store.put_back(number, before, sun, NOW)
    (row,) = await store.listed()
    assert (row.state, row.amount, row.decided_by) == ("new", None, None)
    assert await store.listed(user_id=firm.users["zhou"]) == []
    with pytest.raises(LookupError):
        await store.decide(999, "adopted", sun, datetime(2026, 11, 24, tzinfo=UTC))
