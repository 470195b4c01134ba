"""Judges a simulated year with eyes that know nothing of the engine: only the ledger, calendars and a few tables."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import holidays
from sqlalchemy import select

from outreach.app.build import App
from outreach.model import Campaign, Company, Enrolment, Task, User
from outreach.model.base import table

if TYPE_CHECKING:
    from benchmarks.year_house import House

CAMPAIGNS, COMPANIES, ENROLMENTS = table(Campaign), table(Company), table(Enrolment)
TASKS, USERS = table(Task), table(User)
#: Friday and Saturday, as the labour ministries have it; the rest rests on Saturday and Sunday.
FRIDAY_SATURDAY = {"SA", "EG", "IL", "QA", "KW", "JO", "DZ", "BD"}
#: The caps that the year is run with: mails to a person, to a customer, in so many days.
CAP, COMPANY_CAP, CAP_DAYS = 3, 10, 14


@dataclass
class Verdict:
    """How many cases each promise was looked at in, and what broke it."""

    cases: Counter[str] = field(default_factory=Counter)
    broken: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    def look(self, promise: str, holds: bool, what: str) -> None:
        self.cases[promise] += 1
        if not holds:
            self.broken[promise].append(what)


_DAYS_OFF: dict[tuple[str, int], Any] = {}


def day_off(day: date, country: str) -> bool:
    """Whether a country rests: its weekend, or a public holiday."""
    if day.weekday() in ((4, 5) if country in FRIDAY_SATURDAY else (5, 6)):
        return True
    key = (country, day.year)
    if key not in _DAYS_OFF:
        _DAYS_OFF[key] = set(holidays.country_holidays(country, years=day.year))
    return day in _DAYS_OFF[key]


def look_at_mails(year: House, kinds: dict[int, str], verdict: Verdict) -> None:
    """Hours, holidays, after a reply, bounce or wish, away, twice."""
    ledger = year.ledger
    begun: dict[tuple[int, int], datetime] = {}
    seen: set[tuple[int, int, int]] = set()
    for at, mail in ledger.sent:
        who = f"{mail.address} {at:%Y-%m-%d %H:%M} step {mail.step} of {mail.campaign_id}"
        local = at.astimezone(ZoneInfo(mail.tz or "Asia/Shanghai"))
        verdict.look("in their working hours", 9 <= local.hour < 17, who)
        verdict.look("not on their weekend or holiday", not day_off(local.date(), mail.country), who)
        key = (mail.campaign_id, mail.step, mail.contact_id)
        verdict.look("nobody gets a step twice", key not in seen, who)
        seen.add(key)
        gone = ledger.gone.get(mail.contact_id)
        verdict.look("nothing after a bounce, unsubscription, complaint or leaving", gone is None or at < gone[0], who)
        away = [one for one in ledger.away.get(mail.contact_id, ()) if one[0] <= at < one[1]]
        verdict.look("nothing while away", not away, who)
        if kinds[mail.campaign_id] == "sequence":
            first = begun.setdefault((mail.campaign_id, mail.contact_id), at)
            replies = [one for one in ledger.replied.get(mail.contact_id, ()) if first <= one <= at]
            verdict.look("no sequence goes on after a reply", not replies, who)
            stops = [one for one in ledger.stopped.get(mail.contact_id, ()) if first < one <= at]
            verdict.look("nor after a meeting, a deal or a colleague's contact", not stops, who)


def look_at_caps(year: House, verdict: Verdict) -> None:
    """At most so many mails to a person and a customer; one voice to a customer (who has left speaks no more)."""
    span = timedelta(days=CAP_DAYS)
    people: dict[int, list[datetime]] = defaultdict(list)
    firms: dict[int, list[tuple[datetime, int]]] = defaultdict(list)

    def has_left(user: int, at: datetime) -> bool:
        left = year.ledger.successors.get(user)
        return left is not None and left[1] <= at

    for at, mail in year.ledger.sent:
        mine = people[mail.contact_id]
        mine.append(at)
        lately = [one for one in mine if at - one < span]
        verdict.look("the cap for a person", len(lately) <= CAP, f"{mail.address} {at}")
        theirs = firms[mail.company_id]
        theirs.append((at, year.owners[mail.mailbox_id]))
        near = [one for one in theirs if at - one[0] < span]
        verdict.look("the cap for a customer", len(near) <= COMPANY_CAP, f"{mail.address} {at}")
        voices = {user for _, user in near if not has_left(user, at)}
        verdict.look("no two colleagues within the cap", len(voices) == 1, f"{mail.address} {at}")


async def look_at_work(app: App, year: House, verdict: Verdict) -> None:
    """Every reply has a task of the same working day, every customer an owner, every person one sequence."""
    async with app.db.read() as conn:
        tasks = (await conn.execute(select(TASKS).where(TASKS.c.kind == "reply"))).all()
        firms = (
            await conn.execute(
                select(COMPANIES.c.id, USERS.c.disabled_at, USERS.c.id.label("owner")).outerjoin(
                    USERS, USERS.c.id == COMPANIES.c.owner_id
                )
            )
        ).all()
        stays = (await conn.execute(select(ENROLMENTS).order_by(ENROLMENTS.c.enrolled_at))).all()
    zone = ZoneInfo("Asia/Shanghai")
    replies = sum(len(times) for times in year.ledger.replied.values())
    for number in range(replies):
        verdict.look("every reply has a task", number < len(tasks), f"{len(tasks)} tasks for {replies} replies")
    verdict.look("no task without a reply", len(tasks) <= replies, f"{len(tasks)} tasks for {replies} replies")
    for task in tasks:
        came, due = task.created_at.astimezone(zone), task.due_at.astimezone(zone)
        day = came.date() if came.hour < 16 else came.date() + timedelta(days=1)
        while day_off(day, "CN"):
            day += timedelta(days=1)
        verdict.look("answered the same working day", due.date() == day and task.owner_id is not None, f"{came} {due}")
    for firm in firms:
        verdict.look("no customer without an owner", firm.owner is not None and firm.disabled_at is None, f"{firm.id}")
    last: dict[int, Any] = {}
    for stay in stays:
        before = last.get(stay.contact_id)
        free = before is None or (before.ended_at is not None and before.ended_at <= stay.enrolled_at)
        verdict.look("one sequence at a time", free, f"contact {stay.contact_id}")
        last[stay.contact_id] = stay


async def judge(app: App, year: House) -> Verdict:
    """Read the ledger with eyes that know nothing of the engine."""
    verdict = Verdict()
    async with app.db.read() as conn:
        kinds = {row.id: row.kind for row in await conn.execute(select(CAMPAIGNS.c.id, CAMPAIGNS.c.kind))}
    look_at_mails(year, kinds, verdict)
    look_at_caps(year, verdict)
    await look_at_work(app, year, verdict)
    return verdict
