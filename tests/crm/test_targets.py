"""Targets of a quarter: set, copied, judged; what was reached is counted once and for the right person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from outreach.crm.deals.money import Money
from outreach.crm.deals.store import DealStore, Terms
from outreach.crm.store import add_task
from outreach.crm.targets.standing import (
    Reached,
    Standing,
    TargetRefused,
    checked,
    elapsed,
    months,
    neighbours,
    standings,
    team_target,
)
from outreach.crm.targets.store import TargetStore
from outreach.model import AuditEntry, Order, Task
from outreach.model.base import table
from tests.crm.conftest import NOW, Firm
from tests.events.seeds import add

MONEY = Money("USD", {"EUR": 2.0}, 0)
TASKS, ENTRIES = table(Task), table(AuditEntry)


def test_the_quarter_passes_in_working_days() -> None:
    assert elapsed("2026-Q4", date(2026, 9, 30)) == 0
    assert elapsed("2026-Q4", date(2026, 12, 31)) == 1
    assert elapsed("2026-Q4", date(2026, 10, 2)) == pytest.approx(2 / 66)  # Thursday the 1st and Friday
    assert elapsed("2026-Q4", date(2026, 10, 4)) == elapsed("2026-Q4", date(2026, 10, 2))  # the weekend adds nothing
    assert neighbours("2026-Q4") == ("2026-Q3", "2027-Q1")
    assert neighbours("2026-Q1") == ("2025-Q4", "2026-Q2")
    assert months("2026-Q4") == (date(2026, 10, 1), date(2026, 11, 1), date(2026, 12, 1))


@pytest.mark.parametrize(
    ("kind", "target", "reached", "expected", "state"),
    [
        ("orders", None, 5.0, 0.5, "none"),
        ("orders", 100.0, 0.0, 0.0, "open"),
        ("orders", 100.0, 100.0, 0.5, "met"),
        ("orders", 100.0, 46.0, 0.5, "on_way"),
        ("orders", 100.0, 44.0, 0.5, "behind"),
        ("replies_in_time", 95.0, None, 0.5, "open"),
        ("replies_in_time", 95.0, 94.0, 0.5, "behind"),  # a share holds every day: half the quarter excuses nothing
        ("replies_in_time", 95.0, 96.0, 0.5, "met"),
    ],
)
def test_a_standing_says_what_it_is(
    kind: str, target: float | None, reached: float | None, expected: float, state: str
) -> None:
    assert Standing(kind, target, reached, expected).state == state


def test_a_team_sums_amounts_and_means_shares() -> None:
    together = team_target([{"orders": 100.0, "replies_in_time": 90.0}, {"orders": 50.0, "replies_in_time": 100.0}])
    assert together == {"orders": 150.0, "replies_in_time": 95.0}
    both = Reached(orders=10, in_time=1, judged=2) + Reached(orders=5, in_time=2, judged=2)
    assert standings(together, both, 0.5)["replies_in_time"].reached == 75.0


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [("smiles", 1.0, "kind"), ("orders", -1.0, "value"), ("orders", float("inf"), "value"),
     ("orders", float("nan"), "value"), ("replies_in_time", 101.0, "percent")],
)  # fmt: skip
def test_an_impossible_target_is_refused(kind: str, value: float, code: str) -> None:
    with pytest.raises(TargetRefused) as refused:
        checked(kind, value)
    assert refused.value.code == code
    assert checked("orders", 0.0) is None


async def test_targets_are_set_changed_taken_away_and_on_record(firm: Firm) -> None:
    store, sun, zhou = TargetStore(firm.db, MONEY, "Asia/Shanghai"), firm.actor("sun"), firm.users["zhou"]
    assert await store.set("2026-Q4", zhou, {"orders": 90_000.0, "quotations": 12.0}, sun, NOW) == {
        "orders": None,
        "quotations": None,
    }
    before = await store.set("2026-Q4", zhou, {"orders": 80_000.0, "quotations": None}, sun, NOW)
    assert before == {"orders": 90_000.0, "quotations": 12.0}
    assert await store.targets("2026-Q4") == {zhou: {"orders": 80_000.0}}
    await store.set("2026-Q4", zhou, before, sun, NOW)
    assert await store.targets("2026-Q4") == {zhou: {"orders": 90_000.0, "quotations": 12.0}}
    with pytest.raises(TargetRefused):
        await store.set("2026-Q4", zhou, {"orders": -1.0}, sun, NOW)
    with pytest.raises(ValueError, match="2026-Q9"):
        await store.set("2026-Q9", zhou, {"orders": 1.0}, sun, NOW)
    async with firm.db.read() as conn:
        trail = (await conn.execute(select(ENTRIES.c.after).where(ENTRIES.c.action == "target.set"))).scalars().all()
    assert [float(entry["orders"]) for entry in trail] == [90_000.0, 80_000.0, 90_000.0]


async def test_a_quarter_takes_over_the_one_before_where_nothing_is_set(firm: Firm) -> None:
    store, sun = TargetStore(firm.db, MONEY, "Asia/Shanghai"), firm.actor("sun")
    zhou, wang = firm.users["zhou"], firm.users["wang"]
    await store.set("2026-Q3", zhou, {"orders": 70_000.0, "quotations": 9.0}, sun, NOW)
    await store.set("2026-Q3", wang, {"orders": 50_000.0}, sun, NOW)
    await store.set("2026-Q4", zhou, {"orders": 90_000.0}, sun, NOW)
    made = await store.copy("2026-Q3", "2026-Q4", sun, NOW)
    assert sorted(made) == sorted([(zhou, "quotations"), (wang, "orders")])
    assert await store.targets("2026-Q4") == {
        zhou: {"orders": 90_000.0, "quotations": 9.0},
        wang: {"orders": 50_000.0},
    }
    assert await store.copy("2026-Q3", "2026-Q4", sun, NOW) == []
    await store.forget("2026-Q4", made, sun, NOW)
    assert await store.targets("2026-Q4") == {zhou: {"orders": 90_000.0}}


async def test_orders_count_for_who_won_the_deal_in_the_companys_currency(firm: Firm) -> None:
    store, zhou, wang = TargetStore(firm.db, MONEY, "Asia/Shanghai"), firm.users["zhou"], firm.users["wang"]
    deal = await DealStore(firm.db, MONEY).add(
        firm.companies["Brandt"], "Lamps", Terms(100.0), firm.actor("wang"), NOW, owner_id=wang
    )
    async with firm.db.write() as conn:
        for number, day, amount, currency, of in (
            ("1", date(2026, 9, 30), 1.0, "USD", None),
            ("2", date(2026, 10, 1), 10.0, "USD", None),
            ("3", date(2026, 11, 30), 100.0, "EUR", None),
            ("4", date(2026, 12, 31), 7.0, "XAU", None),
            ("5", date(2026, 12, 31), 1000.0, "USD", deal),
            ("6", date(2027, 1, 1), 1.0, "USD", None),
        ):
            await add(
                conn, Order, company_id=firm.companies["Brandt"], number=number, ordered_on=day, amount=amount,
                currency=currency, deal_id=of,
            )  # fmt: skip
        await add(
            conn, Order, company_id=firm.companies["Safa"], number="7", ordered_on=date(2026, 11, 5), amount=5.0,
            currency="USD",
        )  # fmt: skip
    got = await store.reached("2026-Q4", NOW)
    october, november, december = got[zhou]
    assert (october.orders, november.orders) == (10.0, 200.0)
    assert (december.orders, december.without_rate, december.order_count) == (0.0, 1, 1)
    assert got[wang][2].orders == 1000.0
    assert [row.text for row in await store.behind("orders", "2026-Q4", wang, NOW)] == ["5", "7"]
    # Brandt's first order was in September: it is no new customer of this quarter; Safa is
    assert sum(month.new_customers for month in got[zhou]) == 0
    assert [month.new_customers for month in got[wang]] == [0, 1, 0]
    assert [row.company for row in await store.behind("new_customers", "2026-Q4", wang, NOW)] == ["Safa Lighting GmbH"]


async def test_a_quotation_counts_once_in_the_quarter_of_its_first(firm: Firm) -> None:
    store, deals, zhou = TargetStore(firm.db, MONEY, "Asia/Shanghai"), DealStore(firm.db, MONEY), firm.actor("zhou")
    ids = [
        await deals.add(firm.companies["Brandt"], f"Lamps {n}", Terms(100.0), zhou, NOW - timedelta(days=90))
        for n in range(3)
    ]
    await deals.step(ids[0], "quote", zhou, NOW - timedelta(days=80))  # in September
    stepped = await deals.step(ids[1], "quote", zhou, NOW)
    await deals.step(ids[2], "quote", zhou, datetime(2026, 9, 30, 17, 0, tzinfo=UTC))  # October in Shanghai
    got = (await store.reached("2026-Q4", NOW))[firm.users["zhou"]]
    assert [month.quotations for month in got] == [1, 1, 0]
    await deals.put_back(ids[1], stepped.stage, stepped.before, zhou, NOW)
    got = (await store.reached("2026-Q4", NOW))[firm.users["zhou"]]
    assert [month.quotations for month in got] == [1, 0, 0]
    rows = await store.behind("quotations", "2026-Q4", firm.users["zhou"], NOW)
    assert [row.text for row in rows] == ["Lamps 2"]


async def test_replies_are_judged_once_they_are_answered_or_overdue(firm: Firm) -> None:
    store, zhou = TargetStore(firm.db, MONEY, "Asia/Shanghai"), firm.users["zhou"]
    hour = timedelta(hours=1)
    async with firm.db.write() as conn:
        for n, (due, done, state) in enumerate(
            (
                (-10 * hour, -11 * hour, "done"),
                (-10 * hour, -9 * hour, "done"),
                (-1 * hour, None, "open"),
                (3 * hour, None, "open"),
                (-10 * hour, -9 * hour, "dropped"),
            )
        ):
            task = await add_task(conn, "reply", f"Answer {n}", NOW - 20 * hour, owner_id=zhou, due=NOW + due)
            values = {"state": state, "done_at": NOW + done if done else None}
            await conn.execute(TASKS.update().where(TASKS.c.id == task).values(values))
    got = (await store.reached("2026-Q4", NOW))[zhou][1]
    assert (got.in_time, got.judged) == (1, 3)
    assert got.value("replies_in_time") == pytest.approx(100 / 3)
    late_first = [row.text for row in await store.behind("replies_in_time", "2026-Q4", zhou, NOW)]
    assert late_first[-1] == "Answer 0"
    assert set(late_first) == {"Answer 0", "Answer 1", "Answer 2"}
