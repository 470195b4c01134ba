"""A campaign's ledger leaves whole, however many people are in it, and no more than a lot of them at once."""

from __future__ import annotations

import csv

import pytest
from sqlalchemy import func, insert, select

from outreach.model import CampaignRecipient, Message
from outreach.model.base import table
from outreach.web.data import ledger_export
from tests.web.house import House

MESSAGES, RECIPIENTS = table(Message), table(CampaignRecipient)
#: More than the 20,000 that a ledger once ended at.
MANY = 20_500


async def crowd(house: House, number: int) -> int:
    """Copy a sent mail of campaign 1 so many times; return how many were sent then."""
    async with house.db.write() as conn:
        query = select(MESSAGES).where(MESSAGES.c.campaign_id == 1, MESSAGES.c.state == "sent").limit(1)
        one = dict((await conn.execute(query)).one()._mapping)
        del one["id"]
        copies = [
            one | {"uid": f"m{n}", "message_id": f"<m{n}@x.example>", "address": f"p{n}@x.example", "step": 10 + n}
            for n in range(number)
        ]
        for at in range(0, number, 2_000):
            await conn.execute(insert(MESSAGES), copies[at : at + 2_000])
        sent = select(func.count()).where(MESSAGES.c.campaign_id == 1, MESSAGES.c.state == "sent")
        return int((await conn.execute(sent)).scalar_one())


async def exported(house: House, stage: str, campaign: int = 1) -> list[dict[str, str]]:
    async with house.visitor("li.na") as li:
        answer = await li.get(f"/campaigns/{campaign}/ledger.csv?stage={stage}")
    assert answer.status_code == 200
    return list(csv.DictReader(answer.text.removeprefix("\ufeff").splitlines()))


async def test_more_than_twenty_thousand_leave_whole_and_are_on_record(house: House) -> None:
    sent = await crowd(house, MANY)
    rows = await exported(house, "sent")
    assert len(rows) == sent > 20_000
    assert len({row["address"] for row in rows}) >= MANY
    (newest,) = await house.outreach.access.entries(limit=1)
    assert (newest.action, newest.after) == ("campaign.exported", {"stage": "sent", "rows": sent})


async def test_no_more_than_a_lot_is_in_memory(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ledger_export, "LOT", 7)
    async with house.db.read() as conn:
        what = await ledger_export.wanted(conn, 1, "sent")
    sizes, ids = [], []
    async for rows in ledger_export.lots(house.db, what):
        sizes.append(len(rows))
        ids += [row.id for row in rows]
    assert max(sizes) == 7
    assert len(sizes) > 2
    assert ids == sorted(set(ids))
    assert len(ids) == what.total


@pytest.mark.parametrize("stage", ["skipped", "planned", "sent", "replied", "bounced", "inquiry", "order", "in_doubt"])
async def test_every_stage_has_the_people_that_its_page_counts(house: House, stage: str) -> None:
    from outreach.web.data import campaigns

    async with house.db.read() as conn:
        _, total = await campaigns.ledger(conn, 1, stage, "", 0)
    assert len(await exported(house, stage)) == total


async def test_before_the_first_mail_the_audience_leaves(house: House) -> None:
    begun = select(MESSAGES.c.campaign_id).distinct()
    query = select(RECIPIENTS.c.campaign_id, func.count()).where(
        RECIPIENTS.c.skip_reason.is_(None), RECIPIENTS.c.campaign_id.not_in(begun)
    )
    async with house.db.read() as conn:
        campaign, number = (await conn.execute(query.group_by(RECIPIENTS.c.campaign_id).limit(1))).one()
    rows = await exported(house, "planned", campaign)
    assert len(rows) == number > 0
    assert {row["state"] for row in rows} == {"planned"}
