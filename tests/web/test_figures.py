"""A campaign's figures come out of indexes: they are what a look at every row says, and no row is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import event, func, select, update

from outreach.access.roles import Scope
from outreach.app import forecasting, pilot
from outreach.outbox import store as outbox
from outreach.outbox.ledger.store import WAITING
from outreach.web.data import campaigns as data
from outreach.web.data import today
from outreach.web.data.tables import MESSAGE
from outreach.web.format import zone
from tests.web.house import House, open_house
from tests.web.seed import NOW

CAMPAIGNS = (1, 2, 4)
M = MESSAGE.c


@pytest.fixture
async def either(database_url: str) -> AsyncIterator[House]:
    """The seeded house on SQLite and on PostgreSQL."""
    built = await open_house(database_url)
    yield built
    await built.db.close()


async def test_figures_are_the_same_on_both_databases(either: House) -> None:
    for campaign_id in CAMPAIGNS:
        await _compare(either, campaign_id)
    await _compare_hours(either, "Asia/Kathmandu")
    await _compare_sample(either)
    await _compare_list(either)


@pytest.mark.parametrize("campaign_id", CAMPAIGNS)
async def test_every_stage_is_counted_as_its_ledger_lists_it(house: House, campaign_id: int) -> None:
    await _compare(house, campaign_id)


async def _compare(house: House, campaign_id: int) -> None:
    async with house.db.read() as conn:
        found = await data.figures(conn, campaign_id)
        for stage, (_, condition) in data.STAGES.items():
            if stage == "skipped":
                continue
            query = select(func.count()).select_from(MESSAGE).where(M.campaign_id == campaign_id, condition)
            assert (stage, found[stage]) == (stage, await conn.scalar(query))
        hard = select(func.count()).where(M.campaign_id == campaign_id, M.bounce_hard.is_(True))
        assert found.hard == await conn.scalar(hard)
    assert min(found[stage] for stage in ("sent", "replied", "bounced")) > 0


async def test_a_change_of_one_mail_shows_in_its_figures(house: House) -> None:
    async with house.db.write() as conn:
        before = await data.figures(conn, 1)
        fresh = select(M.id).where(M.campaign_id == 1, M.state == "sent", M.bounced_at.is_(None)).limit(1)
        one = await conn.scalar(fresh.where(M.complained_at.is_(None)))
        change = {"bounced_at": NOW, "bounce_hard": True, "complained_at": NOW}
        await conn.execute(update(MESSAGE).where(M.id == one).values(change))
        after = await data.figures(conn, 1)
    changed = {stage: after[stage] - before[stage] for stage in data.STAGES if after[stage] != before[stage]}
    assert changed == {"accepted": -1, "bounced": 1, "complained": 1}
    assert after.hard == before.hard + 1


async def test_the_list_shows_the_figures_of_each_campaign(house: House) -> None:
    await _compare_list(house)


async def _compare_list(house: House) -> None:
    everything = SimpleNamespace(reach=lambda permission: Scope.ALL)
    async with house.db.read() as conn:
        rows, _ = await data.listing(conn, cast(Any, everything), "", "", 0)
        assert {row.id for row in rows} >= set(CAMPAIGNS)
        for row in rows:
            own = await data.figures(conn, row.id)
            if own.by_state:
                for stage in ("planned", "sent", "opened", "clicked", "replied", "bounced", "in_doubt"):
                    assert (row.id, stage, getattr(row, stage)) == (row.id, stage, own[stage])


@pytest.mark.parametrize("tz", ["Asia/Shanghai", "Asia/Kathmandu", "America/New_York"])
async def test_each_hour_of_the_chart_holds_what_left_in_it(house: House, tz: str) -> None:
    await _compare_hours(house, tz)


async def _compare_hours(house: House, tz: str) -> None:
    async with house.db.read() as conn:
        staff = cast(Any, SimpleNamespace(now=house.now, tz=tz))
        hours = await data.hours(conn, staff, 1)
        rows = (await conn.execute(select(M.sent_at, M.due_at, M.state).where(M.campaign_id == 1))).all()
    assert hours is not None
    begin = house.now.astimezone(zone(tz)).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    slots = [row.sent_at.astimezone(zone(tz)) for row in rows if row.sent_at]
    sent = Counter(at.replace(minute=0, second=0, microsecond=0) for at in slots if at >= begin)
    shown = {at: number for at, number in zip(hours["slots"], hours["done"], strict=True) if number}
    assert shown == dict(sent)
    waiting = [row.due_at for row in rows if row.state in WAITING]
    assert sum(hours["plan"]) == sum(due < begin + timedelta(hours=42) for due in waiting)


async def test_the_last_mail_of_several_campaigns_is_found(house: House) -> None:
    async with house.db.read() as conn:
        waiting = select(M.due_at, M.tz).where(M.campaign_id.in_(CAMPAIGNS), M.state.in_(WAITING))
        last = (await conn.execute(waiting.order_by(M.due_at.desc(), M.id).limit(1))).one()
        assert await outbox.last_due(conn, CAMPAIGNS) == (last.due_at, last.tz)
        assert await outbox.last_due(conn, []) == (None, None)


async def test_a_pilots_sample_is_counted_as_its_rows_say(house: House) -> None:
    await _compare_sample(house)


async def _compare_sample(house: House) -> None:
    async with house.db.read() as conn:
        found = await pilot.counts(conn, 2)
        rows = (await conn.execute(select(MESSAGE).where(M.campaign_id == 2, M.is_pilot.is_(True), M.step == 0))).all()
    assert rows
    assert found["planned"] == len([row for row in rows if row.state not in ("skipped", "cancelled")])
    assert found["sent"] == sum(row.sent_at is not None for row in rows)
    assert found["delivered"] == sum(row.state == "sent" and row.bounced_at is None for row in rows)
    assert found["opened"] == sum(row.first_open_at is not None for row in rows)
    assert found["bounced"] == sum(row.bounced_at is not None for row in rows)


async def test_no_figure_of_a_campaign_looks_at_every_message(house: House) -> None:
    asked: list[tuple[str, Any]] = []
    listen = house.db.engine.sync_engine

    def note(conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        asked.append((statement, parameters))

    event.listen(listen, "before_cursor_execute", note)
    async with house.db.read() as conn:
        await data.figures(conn, 1)
        await outbox.counts(conn, 1)
        await outbox.last_due(conn, CAMPAIGNS)
        await pilot.counts(conn, 2)
        await data.hours(conn, cast(Any, SimpleNamespace(now=house.now, tz="Asia/Shanghai")), 1)
    event.remove(listen, "before_cursor_execute", note)
    async with house.db.read() as conn:
        for statement, parameters in asked:
            if statement.startswith("SELECT"):
                plan = await conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
                assert not [row for row in plan if "SCAN message" in str(row)], statement


async def test_each_mailbox_shows_what_it_sent_and_what_bounced_of_it(house: House) -> None:
    staff = cast(
        Any,
        SimpleNamespace(now=house.now, tz="Asia/Shanghai", reach=lambda permission: Scope.ALL, app=house.outreach),
    )
    since = house.now - today.LAST
    async with house.db.read() as conn:
        lines = await today.mailboxes(conn, staff)
        rows = (await conn.execute(select(M.mailbox_id, M.sent_at, M.bounced_at).where(M.sent_at > since))).all()
    assert sum(line.bounced for line in lines) > 0
    for line in lines:
        own = [row for row in rows if row.mailbox_id == line.id]
        assert (line.sent, line.bounced) == (len(own), sum(row.bounced_at is not None for row in own))


async def test_domains_that_get_more_than_their_share_of_a_minute_are_found(either: House) -> None:
    share = either.outreach.settings.limits.per_domain_per_minute
    async with either.db.write() as conn:
        some = select(M.id).where(M.campaign_id == 1).limit(share + 1)
        await conn.execute(update(MESSAGE).where(M.id.in_(some)).values(domain="busy.example"))
        found = await forecasting._busy_domains(either.outreach, conn, M.campaign_id == 1)
        counted = Counter((await conn.execute(select(M.domain).where(M.campaign_id == 1))).scalars())
    assert set(found) == {domain for domain, number in counted.items() if number > share}
    assert "busy.example" in found
