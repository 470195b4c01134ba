"""Indicators, costs and suggestions on the pages: defined where they stand, limited to what one may see."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from outreach.model import Campaign
from outreach.model.base import table
from tests.web.house import House
from tests.web.test_customer_file import undo

CAMPAIGNS = table(Campaign)


@pytest.mark.parametrize("lang", ["zh", "en"])
async def test_every_indicator_stands_there_with_its_definition(house: House, lang: str) -> None:
    async with house.visitor("sun.qian", lang) as sun:
        page = (await sun.get("/reports/indicators?period=2026-Q4")).text
        words = ("营销效果得分", "投诉解决率", "满意度", "预算控制", "员工建议") if lang == "zh" else (
            "Campaign effect score", "Complaints solved", "Satisfaction", "Budgets kept", "Suggestions of staff",
        )  # fmt: skip
        for word in words:
            assert word in page, word
        assert "4 / 5" in page  # the seven answers of the seed: 28 points
        for path in ("?kind=weekly", "?kind=monthly", "?period=2026-W47", ""):
            assert (await sun.get("/reports/indicators" + path)).status_code == 200, path
        assert (await sun.get("/reports/indicators?period=soon")).status_code == 404
    async with house.visitor("zhou.yang", lang) as zhou:
        own = (await zhou.get("/reports/indicators?period=2026-Q4")).text
        assert ("只统计您自己的客户" if lang == "zh" else "of your own customers") in own
        assert "2027 法兰克福照明展邀请" not in own  # somebody else's campaign and its budget


async def test_a_cost_is_noted_compared_and_taken_back(house: House) -> None:
    async with house.visitor("admin") as admin:
        where = select(CAMPAIGNS.c.spent_amount).where(CAMPAIGNS.c.id == 1)
        form = {"period": "2026-Q4", "amount": "3,500"}
        assert (await admin.post("/campaigns/1/spent", form)).status_code == 303
        async with house.db.read() as conn:
            assert (await conn.execute(where)).scalar_one() == 3500
        await undo(admin, "/reports/indicators?period=2026-Q4")
        async with house.db.read() as conn:
            assert (await conn.execute(where)).scalar_one() is None
        await admin.post("/campaigns/1/spent", form)
        assert "over by 500" in (await admin.get("/reports/indicators?period=2026-Q4")).text
        refused = await admin.post("/campaigns/1/spent", form | {"amount": "-3"})
        assert refused.status_code == 422
        assert "not below zero" in refused.text
        assert (await admin.post("/campaigns/999/spent", form)).status_code == 404


async def test_a_suggestion_goes_from_its_author_to_what_it_brought(house: House) -> None:
    async with house.visitor("wu.hao") as wu, house.visitor("sun.qian") as sun, house.visitor("ma.jun") as ma:
        assert (await wu.post("/suggestions", {"text": " "})).status_code == 422
        await wu.post("/suggestions", {"text": "Answer Brazil in Portuguese"})
        assert "Answer Brazil" not in (await ma.get("/suggestions")).text
        assert "Answer Brazil" in (await sun.get("/suggestions")).text
        (row,) = await house.outreach.suggestions.listed()
        path = f"/suggestions/{row.id}/decide"
        assert (await wu.post(path, {"state": "adopted"})).status_code == 403
        assert (await sun.post(path, {"state": "declined"})).status_code == 422
        await sun.post(path, {"state": "adopted", "answer": "From Monday", "amount": "12,000"})
        seen = (await wu.get("/suggestions")).text
        assert "From Monday" in seen
        assert "12,000" in seen
        await undo(sun, "/suggestions")
        assert (await house.outreach.suggestions.listed())[0].state == "new"
