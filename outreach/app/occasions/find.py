"""Who has a date to be remembered soon: one query a kind, over the contacts of the segment."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, extract, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.sequences.work import Work
from outreach.audience import segment
from outreach.campaigns.calendar import zone_named
from outreach.campaigns.sequence import OccasionRules
from outreach.crm import greetings
from outreach.model import Contact, EmailAddress, Occasion, Order
from outreach.model.base import table

CONTACTS, ORDERS, ADDRESSES = table(Contact), table(Order), table(EmailAddress)
OCCASIONS = table(Occasion)
#: A delivery that was entered late is still asked after for so many days.
LATE_ENTRY = 10
#: People proposed by one look: the next takes the rest.
MOST_AT_ONCE = 500
#: Silent customers that one look reads, the newest first: some of them may not hear from us today.
SILENT_AT_ONCE = 4 * MOST_AT_ONCE


@dataclass(frozen=True)
class Found:
    """A date of a person. `day` is what is remembered, `before`: whether the mail comes on the working day before."""

    contact_id: int
    day: date
    name: str
    before: bool = True
    key: int = 0

    @property
    def number(self) -> int:
        """What makes it happen once: the day, unless `key` says otherwise."""
        return self.key or greetings.key_of(self.day)


async def find(conn: AsyncConnection, work: Work) -> list[Found]:
    """Return whose date comes within the rules' horizon."""
    rules = work.what.occasion
    assert rules is not None
    today = work.now.astimezone(zone_named(work.app.settings.sender.timezone)).date()
    # a few days more than asked for: weekends and holidays lie between the asking and the mail
    last = today + timedelta(days=rules.ask_days + 5)
    finders = {
        "birthday": _birthdays,
        "holiday": _holidays,
        "quality": _deliveries,
        "anniversary": _anniversaries,
        "reactivation": _silent,
    }
    return await finders[rules.kind](conn, work, rules, today, last)


def _whom(work: Work) -> ColumnElement[bool]:
    parts: list[ColumnElement[bool]] = [CONTACTS.c.erased_at.is_(None), CONTACTS.c.left_at.is_(None)]
    if work.what.segment:
        parts.append(segment.condition(segment.parse(work.what.segment), work.now))
    return and_(*parts)


async def _birthdays(conn: AsyncConnection, work: Work, rules: OccasionRules, today: date, last: date) -> list[Found]:
    c = CONTACTS.c
    months = sorted({(today + timedelta(days=n)).month for n in range((last - today).days + 1)})
    query = select(c.id, c.birthday).where(_whom(work), c.birthday.is_not(None))
    found = []
    for row in await conn.execute(query.where(extract("month", c.birthday).in_([*months, 2]))):
        for year in {today.year, last.year}:
            day = greetings.in_year(row.birthday, year)
            if today <= day <= last:
                found.append(Found(row.id, day, "birthday"))
    return found


async def _holidays(conn: AsyncConnection, work: Work, rules: OccasionRules, today: date, last: date) -> list[Found]:
    days = list(_days(rules, today, last))
    found = []
    for country, day, name in days:
        for number in await conn.scalars(select(CONTACTS.c.id).where(_whom(work), CONTACTS.c.country == country)):
            found.append(Found(number, day, name))
    return found


def _days(rules: OccasionRules, today: date, last: date) -> Iterator[tuple[str, date, str]]:
    """(country, day, holiday) of the horizon: a person is greeted once on a day, for the first of the list."""
    seen: set[tuple[str, date]] = set()
    for holiday in greetings.greetable().values():
        if rules.holidays and holiday.id not in rules.holidays:
            continue
        for country in sorted(holiday.countries):
            for year in sorted({today.year, last.year}):
                day = greetings.holiday_on(holiday, country, year)
                if day is not None and today <= day <= last and (country, day) not in seen:
                    seen.add((country, day))
                    yield country, day, holiday.id


async def _deliveries(conn: AsyncConnection, work: Work, rules: OccasionRules, today: date, last: date) -> list[Found]:
    """A week (or so) after an order arrived; of the person who ordered, else of the customer's first contact."""
    o = ORDERS.c
    wait = timedelta(days=rules.after_days)
    due = and_(o.delivered_on <= last - wait, o.delivered_on >= today - wait - timedelta(days=LATE_ENTRY))
    rows = await conn.execute(select(o.company_id, o.contact_id, o.delivered_on).where(due))
    return await _of_orders(conn, work, [(r.company_id, r.contact_id, r.delivered_on + wait) for r in rows], "quality")


async def _anniversaries(
    conn: AsyncConnection, work: Work, rules: OccasionRules, today: date, last: date
) -> list[Found]:
    """The day of a customer's first order, from the second year on."""
    o = ORDERS.c
    first = select(o.company_id, func.min(o.ordered_on).label("day")).group_by(o.company_id)
    rows: list[tuple[int, int | None, date]] = []
    for row in await conn.execute(first):
        for year in {today.year, last.year}:
            day = greetings.in_year(row.day, year)
            if year > row.day.year and today <= day <= last:
                rows.append((row.company_id, None, day))
    return await _of_orders(conn, work, rows, "anniversary", before=True)


async def _of_orders(
    conn: AsyncConnection, work: Work, rows: list[tuple[int, int | None, date]], name: str, *, before: bool = False
) -> list[Found]:
    contacts = await _contacts_of(conn, work, {company for company, _, _ in rows})
    allowed = {person for people in contacts.values() for person in people}
    found = []
    for company, contact, day in rows:
        person = contact if contact in allowed else next(iter(contacts.get(company, ())), None)
        if person is not None:
            found.append(Found(person, day, name, before))
    return found


async def _contacts_of(conn: AsyncConnection, work: Work, companies: set[int]) -> dict[int, list[int]]:
    """The contacts of customers, the first one first."""
    c = CONTACTS.c
    query = select(c.id, c.company_id).where(_whom(work), c.company_id.in_(sorted(companies))).order_by(c.id)
    found: dict[int, list[int]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.company_id, []).append(row.id)
    return found


async def _silent(conn: AsyncConnection, work: Work, rules: OccasionRules, today: date, last: date) -> list[Found]:
    """Customers who have not ordered or written for so long; once for each silence."""
    c = CONTACTS.c
    limit = greetings.months_before(today, rules.months)
    ordered = and_(c.last_order.is_not(None), c.last_order <= limit)
    written = or_(c.last_replied.is_(None), func.date(c.last_replied) <= func.date(limit.isoformat()))
    query = select(c.id, c.last_order, c.last_replied).where(_whom(work), ordered, written, ~_remembered(conn, work))
    query = query.order_by(c.last_order.desc())
    found = []
    for row in await conn.execute(query.limit(SILENT_AT_ONCE)):
        sign = max(row.last_order, row.last_replied.date() if row.last_replied else row.last_order)
        found.append(Found(row.id, today, "reactivation", before=False, key=greetings.key_of(sign)))
    return found


def _remembered(conn: AsyncConnection, work: Work) -> ColumnElement[bool]:
    """Whether this silence was seen to already: asked of the database, or those who were would fill every look."""
    c, o = CONTACTS.c, OCCASIONS.c
    on_postgres = conn.dialect.name == "postgresql"
    replied = func.timezone("UTC", c.last_replied) if on_postgres else c.last_replied
    mine = and_(o.campaign_id == work.row.id, o.contact_id == c.id, o.key >= _key(c.last_order))
    return exists().where(mine, or_(c.last_replied.is_(None), o.key >= _key(replied)))


def _key(day: Any) -> ColumnElement[int]:
    """A day as yyyymmdd, as greetings.key_of makes it."""
    return extract("year", day) * 10_000 + extract("month", day) * 100 + extract("day", day)


def due_day(found: Found, hours: Any) -> date:
    """The working day on which the mail is to arrive."""
    search = greetings.working_day_before if found.before else greetings.working_day_after
    return search(found.day, hours)
