"""Targets on the pages: set by managers with a way back, seen by each as far as they may look."""

from __future__ import annotations

import pytest

from tests.web.house import House
from tests.web.test_customer_file import undo

QUARTER = "/follow-ups/targets?quarter=2026-Q4"


async def test_a_manager_sets_targets_and_takes_them_back(house: House) -> None:
    async with house.visitor("sun.qian") as sun:
        before = await house.outreach.targets.targets("2026-Q4")
        given = {"quarter": "2026-Q4", "user": "5", "orders": "120,000", "quotations": "", "replies_in_time": "95"}
        assert (await sun.post("/follow-ups/targets", given)).status_code == 303
        assert (await house.outreach.targets.targets("2026-Q4"))[5] == {
            "orders": 120_000.0,
            "replies_in_time": 95.0,
            **({"new_customers": before[5]["new_customers"]} if "new_customers" in before.get(5, {}) else {}),
        }
        await undo(sun, QUARTER)
        assert await house.outreach.targets.targets("2026-Q4") == before
        await sun.post("/follow-ups/targets", given)
        page = (await sun.get(QUARTER)).text
        assert "/ 120,000" in page
        assert "42,300" in page  # the order of October that the seed holds


@pytest.mark.parametrize(
    ("change", "said"),
    [({"orders": "lots"}, "above zero"), ({"replies_in_time": "120"}, "at most 100"), ({"orders": "-5"}, "above zero")],
)
async def test_a_target_that_is_none_says_why(house: House, change: dict[str, str], said: str) -> None:
    async with house.visitor("sun.qian") as sun:
        answer = await sun.post("/follow-ups/targets", {"quarter": "2026-Q4", "user": "5", **change})
        assert answer.status_code == 422
        assert said in answer.text
        assert (await sun.post("/follow-ups/targets", {"quarter": "2026-Q4", "user": "999"})).status_code == 404
        assert (await sun.post("/follow-ups/targets", {"quarter": "soon", "user": "5"})).status_code == 404
        assert (await sun.get("/follow-ups/targets?quarter=2026-Q7")).status_code == 404


async def test_targets_of_the_quarter_before_are_taken_over(house: House) -> None:
    async with house.visitor("sun.qian") as sun:
        await sun.post("/follow-ups/targets", {"quarter": "2027-Q1", "user": "5", "orders": "500"})
        await sun.post("/follow-ups/targets/copy", {"quarter": "2027-Q2"})
        assert await house.outreach.targets.targets("2027-Q2") == {5: {"orders": 500.0}}
        await undo(sun, "/follow-ups/targets?quarter=2027-Q2")
        assert await house.outreach.targets.targets("2027-Q2") == {}
        told = await sun.post("/follow-ups/targets/copy", {"quarter": "2029-Q2"})
        assert "no targets" in (await sun.get(told.headers["location"])).text


async def test_each_sees_the_own_standing_and_the_rows_behind_it(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        page = (await zhou.get(QUARTER)).text
        assert "周洋" in page
        assert "孙倩" not in page
        assert 'action="/follow-ups/targets"' not in page
        rows = (await zhou.get("/follow-ups/targets/orders?quarter=2026-Q4&of=5")).text
        assert "MX-26-0002" in rows
        assert "MX-26-0001" not in rows  # March is another quarter
        for kind in ("quotations", "new_customers", "replies_in_time"):
            assert (await zhou.get(f"/follow-ups/targets/{kind}?quarter=2026-Q4&of=5")).status_code == 200
        for path in ("orders?quarter=2026-Q4&of=6", "smiles?of=5", "orders?of=x"):
            assert (await zhou.get(f"/follow-ups/targets/{path}")).status_code == 404
        assert (await zhou.post("/follow-ups/targets", {"quarter": "2026-Q4", "user": "5"})).status_code == 403
    async with house.visitor("ma.jun") as auditor:
        assert (await auditor.get(QUARTER)).status_code == 403


async def test_a_month_by_month_view_of_one_person(house: House) -> None:
    async with house.visitor("sun.qian", lang="zh") as sun:
        page = (await sun.get(QUARTER + "&of=5")).text
        months = page.split('id="months"')[1]
        assert "周洋" in months
        assert "2026-10" in months
        assert "42,300" in months
