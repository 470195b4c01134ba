"""A scheduled campaign that is edited: only who was approved the second time stays planned."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from outreach.model import CampaignRecipient, Message
from outreach.model.base import table
from tests.web.house import House
from tests.web.test_campaigns import FORM, approve

MESSAGES, RECIPIENTS = table(Message), table(CampaignRecipient)


async def test_who_is_not_in_the_new_audience_is_not_planned_any_more(house: House) -> None:
    start = (house.now + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")

    async def through(path: str) -> None:
        number = path.rpartition("/")[2]
        async with house.visitor("li.na") as author:
            assert (await author.post(path + "/submit")).status_code == 303
        for name in ("wang.lei", "chen.jing", "zhao.min"):
            async with house.visitor(name) as approver:
                assert (await approve(approver, number)).status_code == 303
        async with house.visitor("li.na") as author:
            assert (await author.post(path + "/start")).status_code == 303

    async def planned() -> tuple[set[int], set[int]]:
        async with house.db.read() as conn:
            mine = MESSAGES.c.campaign_id == number, MESSAGES.c.state.in_(("queued", "planned"))
            rows = set((await conn.execute(select(MESSAGES.c.contact_id).where(*mine))).scalars())
            kept = RECIPIENTS.c.campaign_id == number, RECIPIENTS.c.skip_reason.is_(None)
            return rows, set((await conn.execute(select(RECIPIENTS.c.contact_id).where(*kept))).scalars())

    async with house.visitor("li.na") as author:
        path = (await author.post("/campaigns/new", FORM | {"start": start, "segment": "grade in (A, B)"})).headers[
            "location"
        ]
    number = int(path.rpartition("/")[2])
    await through(path)
    first, audience = await planned()
    assert first == audience
    async with house.visitor("li.na") as author:
        saved = await author.post(path + "/edit", FORM | {"start": start, "segment": "grade = A"})
        assert saved.status_code == 303
    await through(path)
    second, audience = await planned()
    assert len(audience) < len(first)
    assert second == audience
