"""A year of outreach with a clock of its own: `make year`. Prints how many cases each promise was looked at in.

Real database, real engine: sequences, remembered dates, claims, the hand-over with all it checks, events and their
effects. Only the wire is left out: what the hand-over lets go counts as accepted at that moment. People answer, are
away, bounce, unsubscribe, leave; staff leave too. An oracle that knows nothing of the engine judges afterwards.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
import tomllib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from benchmarks.year_oracle import CAP, CAP_DAYS, COMPANY_CAP, Verdict, judge
from outreach.access.roles import OPERATOR
from outreach.access.store import NewUser
from outreach.app import campaigns as use
from outreach.app.build import App, open_app
from outreach.app.engine import Engine
from outreach.app.handing import transfer
from outreach.app.sequences import use as sequences
from outreach.app.tick import tick
from outreach.audience.importing.store import ImportOptions
from outreach.config import load as load_config
from outreach.events.kinds import EventKind, NewEvent
from outreach.model import Campaign, Company, Contact, ContactTag, Enrolment, Mailbox, Message, Role, Tag, Task, User
from outreach.model.base import table
from outreach.outbox.message import Mark, Outcome
from outreach.sending.loading.worker import load as load_limits

CAMPAIGNS, COMPANIES, CONTACTS, MESSAGES = table(Campaign), table(Company), table(Contact), table(Message)
ENROLMENTS, MAILBOXES, TASKS, USERS = table(Enrolment), table(Mailbox), table(Task), table(User)
TAGS, CONTACT_TAGS = table(Tag), table(ContactTag)

COUNTRIES = [
    "US",
    "GB",
    "DE",
    "FR",
    "ES",
    "IT",
    "NL",
    "PL",
    "SE",
    "NO",
    "DK",
    "FI",
    "AT",
    "CH",
    "BE",
    "PT",
    "GR",
    "CZ",
    "HU",
    "RO",
    "TR",
    "SA",
    "AE",
    "EG",
    "IL",
    "QA",
    "KW",
    "JO",
    "MA",
    "DZ",
    "IN",
    "PK",
    "BD",
    "SG",
    "MY",
    "ID",
    "TH",
    "VN",
    "PH",
    "JP",
    "KR",
    "TW",
    "HK",
    "AU",
    "NZ",
    "BR",
    "MX",
    "AR",
    "CL",
    "CO",
    "PE",
    "ZA",
    "NG",
    "KE",
    "KZ",
    "RS",
    "GE",
    "LK",
    "IE",
    "HR",
]
BEGIN = datetime(2027, 1, 4, 0, tzinfo=UTC)
STEP = timedelta(hours=6)
STAFF = 10

CONFIG = """
[database]
url = "sqlite:///year.db"
[sender]
company = "Mingxu Lighting"
postal_address = "88 Guangming Road, Ningbo, China"
[limits]
per_domain_per_minute = 0
per_contact = {{ mails = {cap}, days = {days} }}
per_company = {{ mails = {company}, days = {days} }}
[paths]
data = "."
{boxes}
"""
BOX = """[[mailbox]]
name = "{name}"
address = "{name}@mingxu.example"
smtp = {{ host = "127.0.0.1", port = 9, tls = "none" }}
limits = {{ per_minute = 0, per_hour = 0, per_day = 0 }}
"""
MANIFEST = """fallback = "en"
[subject]
en = "{0}"
[values]
greeting = {{ en = "Hello" }}
wish = {{ en = "All the best." }}
"""
BODY = "<mjml><mj-body><mj-section><mj-column><mj-text>{0}</mj-text></mj-column></mj-section></mj-body></mjml>"
LETTERS = {
    "first": ("New lamps for your shop", "Our new lamps are here: brighter, lighter, made to last for years."),
    "second": ("A question about your shelves", "Which sizes sell best with you? I would pack samples of just those."),
    "third": ("Before the season", "Ordering in time saves the air freight; may I reserve a place in the container?"),
    "greeting": ("{{ greeting }}", "{{ wish }}"),
}
SEQUENCE = """
name = "Sequence {n}"
mailboxes = [{boxes}]
[enrol]
on = ["tag:wave{n}"]
[[step]]
template = "first"
after_days = {first}
[[step]]
template = "second"
after_days = {second}
[[step]]
kind = "call"
title = "Ring them up"
after_days = 1
give_up_days = 3
[[step]]
template = "third"
after_days = 4
same_thread = false
"""
DATES = """
name = "{kind}"
mailboxes = [{boxes}]
template = "greeting"
[occasion]
kind = "{kind}"
ask = false
"""


@dataclass
class Ledger:
    """What was seen: mails as they left, what came back and when, who was handed over to whom."""

    sent: list[Any] = field(default_factory=list)
    replied: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    gone: dict[int, tuple[datetime, str]] = field(default_factory=dict)
    away: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))
    successors: dict[int, tuple[int, datetime]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)


class Year:
    """One simulated stretch of time."""

    def __init__(self, folder: Path, *, contacts: int, days: int, count: int, seed: int = 1) -> None:
        self.folder, self.contacts, self.days, self.count = folder, contacts, days, count
        self.dice = random.Random(seed)
        self.now = BEGIN
        self.ledger = Ledger()
        self.mail: list[tuple[datetime, int, Any]] = []  # what comes back later: (when, message, kind)
        self.seen: dict[int, datetime] = {}

    async def run(self) -> App:
        """Set the house up and live through the days; returns the open App."""
        self._write()
        app = await open_app(load_config(self.folder / "config.toml"), now=self.now, migrate_first=True)
        await self._people(app)
        await self._programmes(app)
        end = BEGIN + timedelta(days=self.days)
        leavers = {self.days * part // 4: part for part in (1, 2, 3)}
        day = 0
        while self.now < end:
            if self.now.hour == 0:
                await self._morning(app)
                if day in leavers:
                    await self._leave(app, leavers[day])
                day += 1
                if day % 30 == 0:
                    print(f"  {self.now:%Y-%m-%d}: {len(self.ledger.sent)} mails", file=sys.stderr, flush=True)
            await self._world_answers(app)
            await tick(app, self.now, self.seen)
            await self._send(app)
            self.now += STEP
        return app

    # -- the house -----------------------------------------------------------------------------------------------------

    def _write(self) -> None:
        self.boxes = [f"staff{n}" for n in range(STAFF)]
        boxes = "".join(BOX.format(name=name) for name in self.boxes)
        text = CONFIG.format(cap=CAP, company=COMPANY_CAP, days=CAP_DAYS, boxes=boxes)
        (self.folder / "config.toml").write_text(text)
        for name, (subject, words) in LETTERS.items():
            place = self.folder / "templates" / name
            place.mkdir(parents=True)
            (place / "template.toml").write_text(MANIFEST.format(subject))
            (place / "body.mjml").write_text(BODY.format(words))

    async def _people(self, app: App) -> None:
        """Customers of 60 countries, two contacts each, every company with an owner who has a mailbox."""
        for n in range(STAFF):
            await app.access.add_user(NewUser(f"staff{n}", [Role.SALESPERSON]), now=self.now, authorise=True)
        for name, role in (("ann", Role.MARKETING_LEAD), ("ben", Role.BUSINESS_LEAD), ("cleo", Role.LEGAL)):
            await app.access.add_user(NewUser(name, [role]), now=self.now, authorise=True)
        lines = ["email,first_name,company,country,basis,birthday,grade"]
        for n in range(self.contacts):
            firm, country = n // 2, COUNTRIES[(n // 2) % len(COUNTRIES)]
            born = date(1970, 1, 1) + timedelta(days=self.dice.randrange(9_000))
            lines.append(f"p{n}@firm{firm}.example,Pat{n},Firm {firm},{country},customer,{born},{'ABCD'[n % 4]}")
        (self.folder / "people.csv").write_text("\n".join(lines))
        told = await app.audience.import_file(
            self.folder / "people.csv", ImportOptions(source="fair"), now=self.now, rejects=self.folder / "no.csv"
        )
        assert told.added == self.contacts, told
        async with app.db.write() as conn:
            self.staff = list(
                await conn.scalars(select(USERS.c.id).where(USERS.c.name.like("staff%")).order_by(USERS.c.id))
            )
            for place, user in enumerate(self.staff):
                mine = COMPANIES.c.id % STAFF == place
                await conn.execute(update(COMPANIES).where(mine).values(owner_id=user))
                await conn.execute(
                    update(CONTACTS)
                    .where(CONTACTS.c.company_id.in_(select(COMPANIES.c.id).where(mine)))
                    .values(owner_id=user)
                )
                await conn.execute(update(MAILBOXES).where(MAILBOXES.c.name == f"staff{place}").values(owner_id=user))
            names = [{"kind": "tag", "name": f"wave{n}"} for n in range(self.count)]
            await conn.execute(insert(TAGS), names)
            self.tags = list(await conn.scalars(select(TAGS.c.id).where(TAGS.c.name.like("wave%")).order_by(TAGS.c.id)))
            self.everybody = list(await conn.scalars(select(CONTACTS.c.id).order_by(CONTACTS.c.id)))

    async def _programmes(self, app: App) -> None:
        """The sequences and two remembered dates, each approved by three."""
        boxes = ", ".join(f'"{name}"' for name in self.boxes)
        texts = [SEQUENCE.format(n=n, boxes=boxes, first=n % 3, second=2 + n % 4) for n in range(self.count)]
        texts += [DATES.format(kind=kind, boxes=boxes) for kind in ("birthday", "holiday")]
        for text in texts:
            number = await sequences.create(app, tomllib.loads(text), OPERATOR, self.now)
            await use.submit(app, number, OPERATOR, self.now)
            for who in ("ann", "ben", "cleo"):
                await use.approve(app, number, await app.access.actor(who, self.now), self.now)
            await use.start(app, number, OPERATOR, self.now)

    # -- a day ---------------------------------------------------------------------------------------------------------

    async def _morning(self, app: App) -> None:
        """Staff give tags (which bring people in), do some of the calls, and resume what a breaker paused."""
        self.seen = dict.fromkeys(range(1, self.count + 3), self.now + timedelta(days=1))
        many = max(3, self.contacts // 150)
        rows = [
            {"tag_id": self.dice.choice(self.tags), "contact_id": self.dice.choice(self.everybody)} for _ in range(many)
        ]
        async with app.db.write() as conn:
            statement = insert(CONTACT_TAGS).prefix_with("OR IGNORE")
            await conn.execute(statement, [dict(pair) for pair in {tuple(row.items()) for row in rows}])
            calls = await conn.scalars(select(TASKS.c.id).where(TASKS.c.kind == "call", TASKS.c.state == "open"))
            done = [number for number in calls if self.dice.random() < 0.3]
            values = {"state": "done", "done_at": self.now, "outcome": "spoken"}
            await conn.execute(update(TASKS).where(TASKS.c.id.in_(done[:900])).values(values))
            paused = list(await conn.scalars(select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.state == "paused")))
        for number in paused:
            self.ledger.events["campaign looked at and resumed"] += 1
            await use.resume(app, number, OPERATOR, self.now)

    async def _leave(self, app: App, place: int) -> None:
        """Somebody leaves the company; a colleague takes over."""
        leaving, successor = self.staff[place], self.staff[0]
        await transfer(app, leaving, successor, OPERATOR, self.now)
        self.ledger.successors[leaving] = (successor, self.now)
        self.ledger.events["staff left"] += 1

    async def _world_answers(self, app: App) -> None:
        """What was due to come back by now comes back."""
        due = [one for one in self.mail if one[0] <= self.now]
        self.mail = [one for one in self.mail if one[0] > self.now]
        for at, row, kind in due:
            async with app.db.write() as conn:
                await app.events.record(conn, self._event(row, kind, at), at)
            self.ledger.events[kind] += 1

    def _event(self, row: Any, kind: str, at: datetime) -> NewEvent:
        data: dict[str, Any] = {}
        contact = row.contact_id
        name = EventKind.AUTOREPLY if kind in ("away", "left") else EventKind(kind)
        if kind == "away":
            back = (at + timedelta(days=self.dice.randrange(2, 20))).date()
            data = {"until": back.isoformat()}
            self.ledger.away[contact].append((at, datetime(back.year, back.month, back.day, tzinfo=UTC)))
        elif kind == "reply":
            data = {"text": "Thank you, please send prices.", "intent": "price"}
            self.ledger.replied[contact].append(at)
        else:
            data = {"left": {"left": True}, "bounce": {"hard": True, "reason": "userunknown"}}.get(
                kind, {"via": "link"}
            )
            self.ledger.gone.setdefault(contact, (at, kind))
        return NewEvent(name, f"{kind}:{row.id}", at, message_id=row.id, data=data)

    async def _send(self, app: App) -> None:
        """Every mailbox hands over what is due, through the outbox's own claims and last checks."""
        engine = Engine(app, clock=lambda: self.now)
        await engine._load_definitions()
        for number in await app.outbox.due_mailboxes(self.now):
            box = next(one for one in app.settings.mailbox if app.mailbox_ids[one.name] == number)
            quota = (await load_limits(app.outbox, await app.setup(box), self.now, None)).quota
            fence = await app.outbox.lease(number, "year", self.now, 3_600)
            assert fence is not None
            while batch := await app.outbox.claim(number, fence, self.now, 200, engine.next_open):
                refused = await app.outbox.settle_and_mark(
                    number, fence, self.now, [], [Mark(one) for one in batch], quota
                )
                self.ledger.refused.update(one.reason for one in refused.values())
                gone = [one for one in batch if one.id not in refused]
                accepted = [
                    Outcome(one.id, "accept", self.now, None, None, 250, "2.0.0 ok", campaign_id=one.campaign_id)
                    for one in gone
                ]
                await app.outbox.settle_and_mark(number, fence, self.now, accepted, [])
                self._left(gone)
                if not gone:
                    break
            await app.outbox.release(number, fence, self.now)

    def _left(self, mails: list[Any]) -> None:
        """Note what left, and throw the dice for what comes back."""
        chances = {
            "reply": 0.05,
            "away": 0.04,
            "bounce": 0.006,
            "unsubscribe": 0.006,
            "left": 0.004,
            "complaint": 0.0004,
        }
        for mail in mails:
            self.ledger.sent.append((self.now, mail))
            roll = self.dice.random()
            for kind, chance in chances.items():
                roll -= chance
                if roll < 0:
                    hours = self.dice.randrange(1, 60) if kind != "away" else 0
                    self.mail.append((self.now + timedelta(hours=hours, minutes=1), mail, kind))
                    break


def tell(year: Year, verdict: Verdict, seconds: float) -> None:
    """Print the figures."""
    print(
        f"{year.contacts} contacts in {len(COUNTRIES)} countries, {year.count} sequences, {year.days} days, "
        f"{seconds:.0f} s"
    )
    print(f"{len(year.ledger.sent)} mails; came back: {dict(year.ledger.events)}")
    print(f"held back at the hand-over: {dict(year.ledger.refused)}")
    for promise, cases in verdict.cases.items():
        broken = verdict.broken.get(promise, [])
        print(
            f"  {'ok  ' if not broken else 'FAIL'} {cases:>8,} cases  {promise}" + (f": {broken[:3]}" if broken else "")
        )


async def live(folder: Path, **options: Any) -> tuple[Year, Verdict]:
    """Live through it and judge."""
    year = Year(folder, **options)
    app = await year.run()
    try:
        return year, await judge(app, year)
    finally:
        await app.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=5_000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--sequences", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        year, verdict = asyncio.run(
            live(Path(folder), contacts=given.contacts, days=given.days, count=given.sequences, seed=given.seed)
        )
    tell(year, verdict, time.monotonic() - began)
    return 1 if verdict.broken else 0


if __name__ == "__main__":
    sys.exit(main())
