"""Deals move along the trade; under the margin floor a manager speaks first."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from outreach.audience.values import parse_number
from outreach.crm.deals.money import Money, approval_after, currency_of
from outreach.crm.deals.state import TRANSITIONS, IllegalStage, actions, advance
from outreach.crm.deals.store import DealError, DealStore, Terms
from outreach.model import Activity, AuditEntry, Task
from outreach.model.base import table
from outreach.model.enums import DealStage
from tests.crm.conftest import NOW, Firm

FLOOR = Money("USD", {"EUR": 1.1}, margin_floor=12)


def test_every_stage_is_reached_and_only_paid_ends() -> None:
    reached = {DealStage.INQUIRY, *TRANSITIONS.values()}
    assert reached == set(DealStage)
    assert [stage for stage in DealStage if not actions(stage)] == [DealStage.PAID]


@given(
    st.sampled_from(list(DealStage)),
    st.sampled_from(["quote", "sample", "order", "ship", "pay", "lose", "revive", "x"]),
)
def test_what_is_not_listed_raises_and_says_what_is_possible(stage: DealStage, action: str) -> None:
    if (stage, action) in TRANSITIONS:
        assert advance(stage, action) is TRANSITIONS[(stage, action)]
        return
    with pytest.raises(IllegalStage) as error:
        advance(stage, action)
    assert all(name in str(error.value) for name in actions(stage))


def test_a_margin_that_nobody_worked_out_needs_a_manager_too() -> None:
    assert approval_after("quotation", None, None, FLOOR) == "needed"
    assert approval_after("quotation", 12, None, FLOOR) == "none"
    assert approval_after("quotation", None, None, Money()) == "none"
    assert approval_after("inquiry", 1, None, FLOOR) == "none"


def test_a_grant_covers_better_margins_and_never_a_worse_one() -> None:
    assert approval_after("order", 9, 8, FLOOR) == "granted"
    assert approval_after("order", 7, 8, FLOOR) == "needed"


def test_sums_say_what_is_missing_in_them() -> None:
    assert FLOOR.total([(100, "USD"), (100, "EUR"), (5, "XAU"), (None, "USD")]) == (pytest.approx(210), 1)
    assert currency_of(" rmb ") == "CNY"
    with pytest.raises(ValueError, match="ISO code"):
        currency_of("Taler")


async def test_a_deal_goes_through_every_stage_and_the_timeline_tells_it(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, Money()), firm.actor("zhou")
    deal = await deals.add(firm.companies["Brandt"], "2,000 high bays", Terms(84_300, "EUR"), zhou, NOW)
    for action in ("quote", "sample", "order", "ship", "pay"):
        await deals.step(deal, action, zhou, NOW)
    row = await deals.one(deal)
    assert row is not None
    assert (row.stage, row.owner_id, row.currency) == ("paid", firm.users["zhou"], "EUR")
    async with firm.db.read() as conn:
        kinds = (await conn.execute(select(table(Activity).c.kind).order_by(table(Activity).c.id))).scalars().all()
    assert kinds == [f"deal_{stage}" for stage in ("inquiry", "quotation", "sample", "order", "shipped", "paid")]


async def test_a_quotation_under_the_floor_waits_for_a_manager(firm: Firm) -> None:
    deals, zhou, sun = DealStore(firm.db, FLOOR), firm.actor("zhou"), firm.actor("sun")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(10_000, "USD"), zhou, NOW)
    waits = await deals.step(deal, "quote", zhou, NOW, terms=Terms(margin=8))
    assert (waits.waits, waits.stage) == (True, "inquiry")
    tasks = table(Task)
    async with firm.db.read() as conn:
        asked = (await conn.execute(select(tasks.c.owner_id).where(tasks.c.kind == "deal_approval"))).scalars().all()
    assert set(asked) == {firm.users["sun"], firm.users["he"]}
    with pytest.raises(DealError, match="say why"):
        await deals.decide(deal, False, " ", Terms(10_000, "USD", 8), sun, NOW)
    assert (await deals.decide(deal, True, "first order", Terms(10_000, "USD", 8), sun, NOW)).stage == "quotation"
    async with firm.db.read() as conn:
        left = await conn.scalar(select(tasks.c.id).where(tasks.c.kind == "deal_approval", tasks.c.state == "open"))
    assert left is None
    assert not (await deals.step(deal, "order", zhou, NOW)).waits
    with pytest.raises(DealError, match="under the floor"):
        await deals.edit(deal, {}, Terms(margin=5), zhou, NOW)


async def test_nobody_approves_the_own_quotation(firm: Firm) -> None:
    deals, sun = DealStore(firm.db, FLOOR), firm.actor("sun")
    deal = await deals.add(firm.companies["Aurora"], "Panels", Terms(10_000, "USD", 3), sun, NOW)
    await deals.step(deal, "quote", sun, NOW)
    with pytest.raises(DealError, match="own quotation"):
        await deals.decide(deal, True, "", Terms(10_000, "USD", 3), sun, NOW)


async def test_a_manager_does_not_approve_what_they_asked_for_on_a_colleagues_deal(firm: Firm) -> None:
    deals, zhou, sun, he = DealStore(firm.db, FLOOR), firm.actor("zhou"), firm.actor("sun"), firm.actor("he")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(10_000, "USD"), zhou, NOW)
    thin = Terms(10_000, "USD", 1)
    await deals.step(deal, "quote", sun, NOW, terms=thin)
    assert await managers_asked(firm) == [firm.users["he"]]
    with pytest.raises(DealError, match="own quotation"):
        await deals.decide(deal, True, "", thin, sun, NOW)
    assert (await deals.decide(deal, True, "", thin, he, NOW)).stage == "quotation"


async def managers_asked(firm: Firm) -> list[int]:
    """Whose word is waited for."""
    tasks = table(Task)
    query = select(tasks.c.owner_id).where(tasks.c.kind == "deal_approval", tasks.c.state == "open")
    async with firm.db.read() as conn:
        return sorted(await conn.scalars(query))


async def test_terms_that_a_manager_is_asked_about_stand_until_they_are_asked_anew(firm: Firm) -> None:
    """The word is on what the manager saw: 8 % of 9,000 is not 1 % of 100."""
    deals, zhou, sun = DealStore(firm.db, FLOOR), firm.actor("zhou"), firm.actor("sun")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(9_000, "USD", 8), zhou, NOW)
    await deals.step(deal, "quote", zhou, NOW)
    for other in (Terms(margin=1), Terms(amount=100), Terms(currency="EUR"), Terms(margin=20)):
        with pytest.raises(DealError, match="quote anew"):
            await deals.edit(deal, {}, other, zhou, NOW)
    await deals.edit(deal, {"note": "they hesitate"}, Terms(9_000, "USD", 8), zhou, NOW)
    await deals.step(deal, "quote", zhou, NOW, terms=Terms(100, margin=1))
    assert len(await managers_asked(firm)) == 2, "one task for each manager, the withdrawn ones are closed"
    with pytest.raises(DealError, match="look at them again"):
        await deals.decide(deal, True, "", Terms(9_000, "USD", 8), sun, NOW)
    row = await deals.one(deal)
    assert row is not None
    assert (row.stage, row.approval) == ("inquiry", "needed")
    await deals.step(deal, "quote", zhou, NOW, terms=Terms(9_000, margin=15))
    assert await managers_asked(firm) == []
    row = await deals.one(deal)
    assert row is not None
    assert (row.stage, row.approval, row.asked_by) == ("quotation", "none", None)


async def test_a_grant_is_for_its_amount(firm: Firm) -> None:
    deals, zhou, sun = DealStore(firm.db, FLOOR), firm.actor("zhou"), firm.actor("sun")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(9_000, "USD", 8), zhou, NOW)
    await deals.step(deal, "quote", zhou, NOW)
    await deals.decide(deal, True, "", Terms(9_000, "USD", 8), sun, NOW)
    with pytest.raises(DealError, match="under the floor"):
        await deals.edit(deal, {}, Terms(amount=100), zhou, NOW)
    assert (await deals.step(deal, "order", zhou, NOW, terms=Terms(100, "USD", 8))).waits
    await deals.decide(deal, False, "not for 100", Terms(100, "USD", 8), sun, NOW)
    assert (await deals.step(deal, "order", zhou, NOW, terms=Terms(9_000, "USD", 8))).waits, "refused is not granted"


async def test_a_grant_does_not_cover_terms_that_are_made_worse_on_a_step_back(firm: Firm) -> None:
    deals, zhou, sun = DealStore(firm.db, FLOOR), firm.actor("zhou"), firm.actor("sun")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(9_000, "USD", 8), zhou, NOW)
    await deals.step(deal, "quote", zhou, NOW)
    await deals.decide(deal, True, "", Terms(9_000, "USD", 8), sun, NOW)
    await deals.put_back(deal, "quotation", "inquiry", zhou, NOW)
    await deals.edit(deal, {}, Terms(margin=1), zhou, NOW)
    assert (await deals.step(deal, "quote", zhou, NOW)).waits


async def test_a_refusal_comes_back_to_the_owner_with_its_reason(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, FLOOR), firm.actor("zhou")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(10_000, "USD", 3), zhou, NOW)
    await deals.step(deal, "quote", zhou, NOW)
    await deals.decide(deal, False, "raise it to 12", Terms(10_000, "USD", 3), firm.actor("sun"), NOW)
    row = await deals.one(deal)
    assert row is not None
    assert (row.stage, row.approval, row.approval_note) == ("inquiry", "refused", "raise it to 12")
    async with firm.db.read() as conn:
        task = (await conn.execute(select(table(Task)).where(table(Task).c.kind == "deal"))).one()
    assert task.owner_id == firm.users["zhou"]


async def test_losing_needs_a_reason_and_can_be_undone(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, Money()), firm.actor("zhou")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(), zhou, NOW)
    with pytest.raises(DealError, match="say why"):
        await deals.step(deal, "lose", zhou, NOW)
    await deals.step(deal, "lose", zhou, NOW, reason="price")
    await deals.put_back(deal, "lost", "inquiry", zhou, NOW)
    with pytest.raises(DealError, match="moved the deal since"):
        await deals.put_back(deal, "lost", "inquiry", zhou, NOW)
    row = await deals.one(deal)
    assert row is not None
    assert (row.stage, row.lost_reason) == ("inquiry", None)


async def test_what_people_wrote_of_a_deal_stays_out_of_the_trail(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, Money()), firm.actor("zhou")
    deal = await deals.add(firm.companies["Brandt"], "Lamps for Katrin", Terms(84_300, "EUR"), zhou, NOW)
    changed = {"title": "Lamps for Petra", "note": "call Petra at home", "owner_id": firm.users["sun"]}
    before = await deals.edit(deal, changed, Terms(), zhou, NOW)
    assert before["title"] == "Lamps for Katrin", "undo has the words"
    async with firm.db.read() as conn:
        query = select(table(AuditEntry)).where(table(AuditEntry).c.action == "deal.changed")
        entry = (await conn.execute(query)).one()
    assert entry.before["title"] == entry.after["title"] == entry.after["note"] == "…"
    assert entry.after["owner_id"] == firm.users["sun"]
    assert not any(name in str(tuple(entry)) for name in ("Katrin", "Petra"))


async def test_a_step_that_is_taken_back_takes_its_terms_with_it(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, FLOOR), firm.actor("zhou")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(9_000, "USD", 20), zhou, NOW)
    done = await deals.step(deal, "quote", zhou, NOW, terms=Terms(7_000, "EUR", 15))
    await deals.put_back(deal, done.stage, done.before, zhou, NOW, done.changed)
    row = await deals.one(deal)
    assert row is not None
    assert (row.stage, row.amount, row.currency, row.margin) == ("inquiry", 9_000, "USD", 20)


async def test_a_revival_that_is_taken_back_is_lost_for_the_same_reason(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, FLOOR), firm.actor("zhou")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(9_000, "USD", 20), zhou, NOW)
    await deals.step(deal, "lose", zhou, NOW, reason="price")
    done = await deals.step(deal, "revive", zhou, NOW)
    await deals.put_back(deal, done.stage, done.before, zhou, NOW, done.changed)
    row = await deals.one(deal)
    assert row is not None
    assert (row.stage, row.lost_reason) == ("lost", "price")


async def test_a_step_is_not_taken_back_over_terms_that_were_changed_since(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, FLOOR), firm.actor("zhou")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(9_000, "USD", 20), zhou, NOW)
    done = await deals.step(deal, "quote", zhou, NOW, terms=Terms(7_000, "USD", 15))
    await deals.edit(deal, {}, Terms(6_500, "USD", 15), zhou, NOW)
    with pytest.raises(DealError, match="since"):
        await deals.put_back(deal, done.stage, done.before, zhou, NOW, done.changed)


async def test_a_manager_can_decide_on_figures_that_a_script_gave_with_many_digits(firm: Firm) -> None:
    deals, zhou, sun = DealStore(firm.db, FLOOR), firm.actor("zhou"), firm.actor("sun")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(9_000.005, "USD", 8.3333), zhou, NOW)
    assert (await deals.step(deal, "quote", zhou, NOW)).waits
    row = await deals.one(deal)
    assert row is not None
    assert (row.amount, row.margin) == (parse_number(str(row.amount)), parse_number(str(row.margin)))
    shown = Terms(parse_number(str(row.amount)), row.currency, parse_number(str(row.margin)))
    assert (await deals.decide(deal, True, "", shown, sun, NOW)).stage == "quotation"
