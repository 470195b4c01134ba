"""A deal counts for the campaign whose mail the customer answered: in its figures, once, and not after an undo."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from outreach.crm.deals.money import Money
from outreach.crm.deals.store import DealStore, Terms
from outreach.model import Conversion, Event
from outreach.model.base import table
from tests.crm.conftest import NOW, Firm
from tests.events.seeds import add, add_campaign, add_mailbox, add_message

CONVERSIONS = table(Conversion)


async def answered(firm: Firm, at: datetime = NOW, intent: str | None = None) -> tuple[int, int]:
    """A mail to Brandt that was answered then; returns campaign and message."""
    async with firm.db.write() as conn:
        campaign = await add_campaign(conn, at)
        box = await add_mailbox(conn, at)
        number = await add_message(
            conn, at, campaign, firm.contacts["Brandt"], "kim@brandt.example", mailbox_id=box,
            company_id=firm.companies["Brandt"], replied_at=at,
        )  # fmt: skip
        if intent is not None:
            await add(
                conn, Event, kind="reply", key=f"reply:{number}", at=at, recorded_at=at, message_id=number,
                campaign_id=campaign, data={"intent": intent}, effects=[],
            )  # fmt: skip
    return campaign, number


async def counted(firm: Firm) -> list[Any]:
    async with firm.db.read() as conn:
        query = select(CONVERSIONS).order_by(CONVERSIONS.c.id)
        return [(row.kind, row.message_id, row.amount, row.currency) for row in await conn.execute(query)]


async def test_a_won_deal_counts_for_the_campaign_that_was_answered(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, Money()), firm.actor("zhou")
    _, mail = await answered(firm, NOW - timedelta(days=3))
    deal = await deals.add(firm.companies["Brandt"], "High bays", Terms(84_300, "EUR"), zhou, NOW)
    for action in ("quote", "sample", "order", "ship", "pay"):
        await deals.step(deal, action, zhou, NOW)
    assert await counted(firm) == [(kind, mail, 84_300, "EUR") for kind in ("inquiry", "quotation", "order")]


async def test_an_inquiry_that_the_answer_was_is_not_counted_again(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, Money()), firm.actor("zhou")
    await answered(firm, NOW - timedelta(days=3), intent="price")
    deal = await deals.add(firm.companies["Brandt"], "High bays", Terms(), zhou, NOW)
    assert await counted(firm) == []
    await deals.step(deal, "order", zhou, NOW)
    assert [row[0] for row in await counted(firm)] == ["order"]


@pytest.mark.parametrize(
    ("customer", "at"),
    [("Safa", NOW), ("Brandt", NOW - timedelta(days=400)), ("Brandt", NOW + timedelta(days=1))],
    ids=["somebody else's answer", "long ago", "after the deal was opened"],
)
async def test_what_no_mail_led_to_counts_for_none(firm: Firm, customer: str, at: datetime) -> None:
    deals, zhou = DealStore(firm.db, Money()), firm.actor("zhou")
    await answered(firm, at)
    deal = await deals.add(firm.companies[customer], "High bays", Terms(1), zhou, NOW)
    await deals.step(deal, "order", zhou, NOW)
    assert await counted(firm) == []


async def test_an_undone_step_does_not_count(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, Money()), firm.actor("zhou")
    await answered(firm, NOW - timedelta(days=3), intent="price")
    deal = await deals.add(firm.companies["Brandt"], "High bays", Terms(10), zhou, NOW)
    await deals.step(deal, "order", zhou, NOW)
    await deals.put_back(deal, "order", "inquiry", zhou, NOW)
    assert await counted(firm) == []


async def test_a_granted_quotation_counts_when_it_is_granted(firm: Firm) -> None:
    deals, zhou = DealStore(firm.db, Money("USD", {}, margin_floor=12)), firm.actor("zhou")
    await answered(firm, NOW - timedelta(days=3), intent="price")
    deal = await deals.add(firm.companies["Brandt"], "Panels", Terms(10_000, "USD", 3), zhou, NOW)
    await deals.step(deal, "quote", zhou, NOW)
    assert await counted(firm) == []
    await deals.decide(deal, True, "first order", Terms(10_000, "USD", 3), firm.actor("sun"), NOW)
    assert [row[0] for row in await counted(firm)] == ["quotation"]
