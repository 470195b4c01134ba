"""What holds in every history: mails that leave, replies, absences, bounces, meetings, colleagues, leavers in any order.

Hypothesis makes the histories, the real engine lives through them (benchmarks/year_house.py), and an oracle that knows
nothing of the engine judges the ledger. HISTORIES=500 in the environment looks at more of them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from benchmarks.year_house import BEGIN, COMPANIES, CONTACTS, ENROLMENTS, MAILBOXES, TASKS, House
from benchmarks.year_oracle import Verdict, judge
from outreach.access.roles import OPERATOR, Actor
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.campaigns import definition
from outreach.crm.deals.store import Terms
from outreach.crm.store import note
from outreach.db import instance

WANTED = int(os.environ.get("HISTORIES", "0"))
PEOPLE, STAFF, SEQUENCES, DAYS = 24, 3, 2, 10
#: As long as a working day: whatever the hour of the first look, each customer's day has one.
STEP = timedelta(hours=8)
#: Weekends on Friday, many holidays, both ends of the clock, a half-hour zone.
COUNTRIES = ("DE", "SA", "US", "IN", "NZ", "JP")
CAMPAIGN = """
name = "Everybody"
segment = "basis = customer"
template = "third"
mailboxes = [{boxes}]
[schedule]
window = "09:00-17:00"
"""
BACK = ("reply", "away", "bounce", "unsubscribe", "complaint", "left")
DONE = ("meeting", "call", "deal", "called", "staff", "campaign")


class History(House):
    """A small house whose people do what a list says."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, contacts=PEOPLE, count=SEQUENCES, staff=STAFF, countries=COUNTRIES)
        self.latest: dict[int, Any] = {}
        self.answered: set[tuple[str, int]] = set()

    async def _programmes(self, app: App) -> None:
        """Beside the sequences a campaign, approved and not started; and some people whom a colleague always wrote to."""
        await super()._programmes(app)
        text = CAMPAIGN.format(boxes=", ".join(f'"{name}"' for name in self.boxes))
        await self.approve(app, await use.create(app, definition.parse(text), OPERATOR, self.now))
        async with app.db.write() as conn:
            boxes = list(await conn.scalars(select(MAILBOXES.c.id).order_by(MAILBOXES.c.id)))
            for place, box in enumerate(boxes):
                colleagues = (CONTACTS.c.id % 4 == 0) & (CONTACTS.c.id % STAFF == place)
                await conn.execute(update(CONTACTS).where(colleagues).values(mailbox_id=box))

    async def live(self, start: int, minute: int, happenings: list[tuple[int, str, int, int]]) -> Verdict:
        """Live through the days from `start` days into the year on; happenings: (hour, what, who, a number)."""
        self.now = BEGIN + timedelta(days=start, minutes=minute)
        app = await self.open()
        await instance.confirm(app.db, self.now)  # a copy of a house sends nothing until somebody says so
        try:
            left = sorted(happenings)
            for hour in range(0, DAYS * 24, STEP // timedelta(hours=1)):
                while left and left[0][0] <= hour:
                    await self._happen(app, *left.pop(0)[1:])
                for mail in await self.work(app):
                    self.latest[mail.contact_id] = mail
                await self.resume(app)
                self.now += STEP
            return await judge(app, self)
        finally:
            await app.close()

    async def _happen(self, app: App, what: str, who: int, number: int) -> None:
        person = self.everybody[who % PEOPLE]
        if what == "tag":
            await self.tag(app, {(self.tags[number % SEQUENCES], person)})
        elif what in BACK:
            await self._back(app, what, person, number)
        elif what == "staff":
            place = 1 + number % (STAFF - 1)
            if self.staff[place] not in self.ledger.successors:
                await self.leave(app, place)
        elif what == "campaign":
            await self._campaign(app)
        else:
            await self._work_with(app, what, person, self.staff[number % STAFF])

    async def _back(self, app: App, what: str, person: int, number: int) -> None:
        mail = self.latest.get(person)
        if mail is None or (what, mail.id) in self.answered:
            return
        self.answered.add((what, mail.id))
        await self.comes_back(app, mail, what, self.now, 1 + number % 9)

    async def _campaign(self, app: App) -> None:
        async with app.db.read() as conn:
            row = (await conn.execute(select(use.CAMPAIGNS).where(use.CAMPAIGNS.c.name == "Everybody"))).one()
        if row.state == "approved":
            await use.start(app, row.id, OPERATOR, self.now)
            self.ledger.events["campaign"] += 1

    async def _work_with(self, app: App, what: str, person: int, user: int) -> None:
        """Somebody meets, calls or sells to a customer, or does the call that a sequence asked for."""
        if what == "meeting":
            await self.meets(app, person, user)
            return
        async with app.db.write() as conn:
            company = int(await conn.scalar(select(CONTACTS.c.company_id).where(CONTACTS.c.id == person)) or 0)
            colleagues = list(await conn.scalars(select(CONTACTS.c.id).where(CONTACTS.c.company_id == company)))
            if what == "called":
                ours = (TASKS.c.kind == "call") & (TASKS.c.contact_id == person) & (TASKS.c.state == "open")
                spoken = update(TASKS).where(ours).values(state="done", done_at=self.now, outcome="spoken")
                self.ledger.events[what] += (await conn.execute(spoken)).rowcount
                return
            if what == "call":
                await note(conn, what, "", self.now, contact_id=person, company_id=company, user_id=user)
        if what == "deal":
            actor = Actor(user, "staff", frozenset(), authorised=True)
            deal = await app.deals.add(company, "Lamps", Terms(100), actor, self.now)
            await app.deals.step(deal, "order", actor, self.now)
        if what == "call" and not await self._is_colleague(app, company, user):
            return
        self.ledger.events[what] += 1
        for one in colleagues:
            self.ledger.stopped[one].append(self.now)

    async def _is_colleague(self, app: App, company: int, user: int) -> bool:
        """Whether somebody else writes to everybody of this customer."""
        query = select(MAILBOXES.c.owner_id).join(ENROLMENTS, ENROLMENTS.c.mailbox_id == MAILBOXES.c.id)
        async with app.db.read() as conn:
            owner = await conn.scalar(select(COMPANIES.c.owner_id).where(COMPANIES.c.id == company))
            writers = set(await conn.scalars(query.where(ENROLMENTS.c.company_id == company)))
        return user not in writers | {owner}


@pytest.fixture(scope="module")
def furnished() -> Iterator[Path]:
    """A folder with the house, furnished once: every history begins in a copy."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "house"
        place.mkdir()

        async def furnish() -> None:
            await (await History(place).open()).close()

        asyncio.run(furnish())
        yield place


HAPPENING = st.tuples(
    st.integers(0, DAYS * 24), st.sampled_from(BACK + DONE), st.integers(0, PEOPLE - 1), st.integers(0, 99)
)
TAG = st.tuples(st.integers(0, 72), st.just("tag"), st.integers(0, PEOPLE - 1), st.integers(0, SEQUENCES - 1))
EVERY = settings(
    max_examples=WANTED or 4,
    derandomize=not WANTED,
    deadline=None,
    database=None,
    # a history takes seconds: shrinking one is for who looks for the cause (HISTORIES=…)
    phases=(Phase.explicit, Phase.generate, *([Phase.shrink] if WANTED else [])),
    suppress_health_check=list(HealthCheck),
)
HISTORIES = given(
    start=st.integers(0, 350),
    minute=st.integers(0, 479),
    tags=st.lists(TAG, min_size=12, max_size=30),
    happenings=st.lists(HAPPENING, min_size=20, max_size=40),
)
#: Everything that can happen, to customers who have had a first mail and wait for more: no case is left to luck.
EVERYTHING = example(
    start=7,
    minute=90,
    tags=[(0, "tag", person, 0) for person in range(PEOPLE)],
    happenings=[
        *((48, what, 2 * place, place) for place, what in enumerate(BACK)),
        *((48, what, person, person) for what, person in (("meeting", 12), ("call", 14), ("call", 15), ("deal", 16))),
        *((hour, "called", person, 0) for hour in (128, 152) for person in range(17, PEOPLE)),
        (72, "campaign", 0, 0),
        (100, "staff", 0, 0),
    ],
)


# Each history is days of work for the real engine: half a minute on a machine of its own, minutes beside other tests.
@pytest.mark.timeout(1200)
def test_no_history_breaks_a_promise(furnished: Path) -> None:
    cases: Counter[str] = Counter()
    events: Counter[str] = Counter()

    @EVERY
    @EVERYTHING
    @HISTORIES
    def lived(start: int, minute: int, tags: Any, happenings: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "house"
            shutil.copytree(furnished, place)
            history = History(place)
            verdict = asyncio.run(history.live(start, minute, [*tags, *happenings]))
        cases.update(verdict.cases)
        events.update(history.ledger.events)
        assert not verdict.broken, dict(verdict.broken)

    lived()
    for promise, count in cases.most_common():
        print(f"{count:>8,} cases  {promise}")
    print(f"what happened: {dict(events)}")
    # a promise that was never looked at would be kept by doing nothing
    assert len(cases) == 15
    assert {*BACK, "meeting", "call", "deal", "called", "staff left", "campaign"} <= set(+events)
