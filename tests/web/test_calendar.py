"""The calendar that all departments see: what, whose, to whom, from when to when, and who gets several (A1)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.engine import Engine

from outreach.app.plan_calendar import Entry, PlanCalendar, Sizes
from outreach.model import Campaign, Role
from outreach.model.base import table
from outreach.web.data import calendar as drawn
from tests.web.house import House
from tests.web.seed import USERS

CAMPAIGNS = table(Campaign)
MONDAY = datetime(2026, 11, 23, 9, tzinfo=UTC)


def entry(number: int, begins: datetime | None, days: float, people: int = 10) -> Entry:
    """A campaign of so many days."""
    ends = begins + timedelta(days=days) if begins else None
    sizes = Sizes({"Europe": people})
    return Entry(number, f"c{number}", "", "", "scheduled", 1, "李娜", None, "", begins, ends, True, sizes)


def test_bars_lie_in_lanes_without_covering_each_other() -> None:
    entries = [entry(1, MONDAY, 2), entry(2, MONDAY + timedelta(days=1), 3), entry(3, MONDAY + timedelta(days=4), 9)]
    first, second, *_ = drawn.weeks(entries, date(2026, 11, 23), 3, "Asia/Shanghai")
    placed = {bar.entry.id: (bar.column, bar.span, bar.lane, bar.opens, bar.closes) for bar in first.bars}
    assert placed == {1: (1, 3, 1, True, True), 2: (2, 4, 2, True, True), 3: (5, 3, 1, True, False)}
    assert [(bar.entry.id, bar.column, bar.span, bar.opens, bar.closes) for bar in second.bars] == [
        (3, 1, 7, False, True)
    ]
    for week in (first, second):
        taken = [(bar.lane, bar.column + n) for bar in week.bars for n in range(bar.span)]
        assert len(taken) == len(set(taken))


def test_a_day_is_the_readers_day() -> None:
    late = entry(1, datetime(2026, 11, 24, 23, tzinfo=UTC), 0)
    assert drawn.days_of(late, "UTC") == (date(2026, 11, 24), date(2026, 11, 24))
    assert drawn.days_of(late, "Asia/Shanghai") == (date(2026, 11, 25), date(2026, 11, 25))
    assert drawn.days_of(entry(2, None, 0), "UTC") is None


@pytest.mark.parametrize(
    ("day", "first", "weeks"), [(date(2026, 11, 29), date(2026, 10, 26), 6), (date(2027, 2, 3), date(2027, 2, 1), 4)]
)
def test_a_month_has_whole_weeks(day: date, first: date, weeks: int) -> None:
    assert drawn.month_of(day) == (first, weeks)
    assert drawn.other_month(date(2026, 1, 31), -1) == date(2025, 12, 1)
    assert drawn.other_month(date(2026, 1, 31), 1) == date(2026, 2, 1)


async def dated(house: House, number: int, start: datetime) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == number).values(start_at=start))


@pytest.mark.parametrize("role", list(Role))
async def test_every_role_sees_every_departments_campaigns(house: House, role: Role) -> None:
    name = next(user for user, _, roles in USERS if str(role) in roles)
    await dated(house, 5, house.now + timedelta(days=2))
    async with house.visitor(name) as visitor:
        for view in ("month", "week"):
            page = await visitor.get(f"/campaigns/calendar?view={view}")
            assert page.status_code == 200
            assert "2027 法兰克福照明展邀请" in page.text
            assert "春季样册" in page.text
            assert "李娜" in page.text
        may = role is not Role.SALESPERSON
        assert ('href="/campaigns/1"' in page.text) is may, "only what one may open is a link"


async def test_what_is_planned_ends_when_its_mailbox_can_have_sent_it(house: House) -> None:
    given = house.outreach.settings
    slow = given.mailbox[0].limits.model_copy(update={"per_day": 10, "per_minute": 0, "per_hour": 0})
    boxes = [given.mailbox[0].model_copy(update={"limits": slow, "warmup": False}), *given.mailbox[1:]]
    house.outreach.settings = given.model_copy(update={"mailbox": boxes})
    what = {"segment": "region = Europe", "mailboxes": ["sales"], "schedule": {"start": "2026-11-30T09:00:00+08:00", "window": "09:00-17:00", "local_time": False}}  # fmt: skip
    own = await PlanCalendar(house.outreach).draft(what, house.now)
    people = own.sizes.people if own.sizes else 0
    assert people > 30
    assert own.begins == datetime(2026, 11, 30, 1, tzinfo=UTC)
    assert own.ends
    days = -(-people // 10) - 1
    weekends = 2 * ((days + 0) // 5)
    assert timedelta(days=days) <= own.ends - own.begins <= timedelta(days=days + weekends + 2)


async def test_who_gets_several_is_told_with_the_cap(house: House) -> None:
    await dated(house, 3, house.now + timedelta(days=1))
    async with house.visitor("sun.qian") as visitor:
        text = (await visitor.get("/campaigns/calendar/overlaps?view=month&on=2026-11-24")).text
    assert "people get both" in text
    assert "圣诞致意" in text
    assert "Nobody gets more than 3 mails in 14 days" in text


async def test_the_schedule_step_shows_the_end_and_the_others(house: House) -> None:
    form = {
        "name": "New", "segment": "region = Europe", "template": "product-launch", "mailbox": "sales",
        "window": "09:00-17:00", "start": "2026-11-25T10:00", "local_time": "1",
    }  # fmt: skip
    async with house.visitor("li.na", "zh") as visitor:
        text = (await visitor.post("/campaigns/calendar/near", form)).text
        assert 'data-day="2026-11-26"' in text
        assert "2027 法兰克福照明展邀请" in text
        unreadable = await visitor.post("/campaigns/calendar/near", form | {"segment": "regoin = x"})
        assert unreadable.status_code == 200
        assert "o-cal" not in unreadable.text


async def test_a_day_that_is_none_is_not_found(house: House) -> None:
    async with house.visitor("li.na") as visitor:
        for query in ("on=2026-13-01", "view=year", "on=9999-12-31"):
            assert (await visitor.get(f"/campaigns/calendar?{query}")).status_code == 404


@contextmanager
def selects() -> Iterator[list[str]]:
    """Every SELECT that runs meanwhile."""
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(Engine, "before_cursor_execute", note)


async def test_sizes_are_counted_once_and_overlaps_kept(house: House) -> None:
    plan = PlanCalendar(house.outreach)
    span = (house.now - timedelta(days=30), house.now + timedelta(days=30))
    with selects() as first:
        entries = await plan.entries(*span, house.now)
        await plan.overlaps(entries, house.now)
    with selects() as second:
        await plan.overlaps(await plan.entries(*span, house.now), house.now)
    assert len(second) <= 3 < len(first), second
