"""A scheduled campaign that is edited: only who was approved the second time stays planned."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from outreach.model import CampaignRecipient, Contact, Message
from outreach.model.base import table
from tests.web.house import House
from tests.web.test_campaigns import FORM, approve

MESSAGES, RECIPIENTS, CONTACTS = table(Message), table(CampaignRecipient), table(Contact)


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
    async with house.db.write() as conn:  # somebody was tried, and waits for another try
        theirs = (
            select(CONTACTS.c.id).where(CONTACTS.c.grade == "B", CONTACTS.c.id.in_(first)).limit(1).scalar_subquery()
        )
        tried = update(MESSAGES).where(MESSAGES.c.campaign_id == number, MESSAGES.c.contact_id == theirs)
        await conn.execute(tried.values(state="deferred", attempts=1))
    async with house.visitor("li.na") as author:
        saved = await author.post(path + "/edit", FORM | {"start": start, "segment": "grade = A"})
        assert saved.status_code == 303
    await through(path)
    second, audience = await planned()
    assert len(audience) < len(first)
    assert second == audience
    async with house.db.read() as conn:
        mine = MESSAGES.c.campaign_id == number, MESSAGES.c.attempts == 1
        (left,) = (await conn.execute(select(MESSAGES.c.state, MESSAGES.c.reason).where(*mine))).all()
    assert tuple(left) == ("skipped", "not_in_audience")
    async with house.visitor("li.na", "zh") as author:
        assert "不在最近一次批准的名单中" in (await author.get(f"{path}?show=skipped")).text
