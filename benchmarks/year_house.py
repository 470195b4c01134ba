"""A company with staff, customers, sequences, remembered dates and a clock of its own.

A simulated year (benchmarks/simulated_year.py) and the tests of the invariants (tests/flow/) live in it.
Real database, real engine: sequences, remembered dates, claims, the hand-over with all it checks, events and their
effects. Only the wire is left out: what the hand-over lets go counts as accepted at that moment.
"""

from __future__ import annotations

import tomllib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select, update

from benchmarks.year_oracle import CAP, CAP_DAYS, COMPANY_CAP
from outreach.access.roles import OPERATOR
from outreach.access.store import NewUser
from outreach.app import campaigns as use
from outreach.app.build import App, open_app
from outreach.app.engine import Engine
from outreach.app.handing import transfer
from outreach.app.sequences import use as sequences
from outreach.app.tick import Seen, tick
from outreach.audience.importing.store import ImportOptions
from outreach.config import load as load_config
from outreach.crm.store import note
from outreach.events.kinds import EventKind, NewEvent
from outreach.model import Campaign, Company, Contact, ContactTag, Enrolment, Mailbox, Message, Role, Tag, Task, User
from outreach.model.base import table
from outreach.outbox.message import Mark, Outcome
from outreach.sending.loading.worker import load as load_limits

CAMPAIGNS, COMPANIES, CONTACTS, MESSAGES = table(Campaign), table(Company), table(Contact), table(Message)
ENROLMENTS, MAILBOXES, TASKS, USERS = table(Enrolment), table(Mailbox), table(Task), table(User)
TAGS, CONTACT_TAGS = table(Tag), table(ContactTag)

#: ISO codes, sixty of them: every weekend, hemisphere and calendar of holidays that customers live by.
COUNTRIES = tuple(
    part
    for line in (
        "US GB DE FR ES IT NL PL SE NO DK FI AT CH BE PT GR CZ HU RO TR SA AE EG IL QA KW JO MA DZ IN PK",
        "BD SG MY ID TH VN PH JP KR TW HK AU NZ BR MX AR CL CO PE ZA NG KE KZ RS GE LK IE HR",
    )
    for part in line.split()
)
BEGIN = datetime(2027, 1, 4, 0, tzinfo=UTC)

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
owner = "{name}"
smtp = {{ host = "127.0.0.1", port = 9, tls = "none" }}
limits = {{ per_minute = 0, per_hour = 0, per_day = 0 }}
"""
APPROVERS = (("ann", Role.MARKETING_LEAD), ("ben", Role.BUSINESS_LEAD), ("cleo", Role.LEGAL))
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
    stopped: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    away: dict[int, list[tuple[datetime, datetime]]] = field(default_factory=lambda: defaultdict(list))
    successors: dict[int, tuple[int, datetime]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)


class House:
    """An installation with `staff` salespeople, `contacts` at half as many customers, `count` sequences, two dates."""

    def __init__(
        self, folder: Path, *, contacts: int, count: int, staff: int = 10, countries: Sequence[str] = COUNTRIES
    ) -> None:
        self.folder, self.contacts, self.count = folder, contacts, count
        self.countries = countries
        self.now = BEGIN
        self.ledger = Ledger()
        self.boxes = [f"staff{n}" for n in range(staff)]
        self.seen = Seen()

    async def open(self) -> App:
        """Open the house, furnishing it first where it is empty."""
        new = not (self.folder / "config.toml").exists()
        if new:
            self._write()
        app = await open_app(load_config(self.folder / "config.toml"), now=self.now, migrate_first=new)
        if new:
            await self._people(app)
            await self._programmes(app)
        async with app.db.read() as conn:
            staff = select(USERS.c.id).where(USERS.c.name.like("staff%")).order_by(USERS.c.id)
            self.staff = list(await conn.scalars(staff))
            self.tags = list(await conn.scalars(select(TAGS.c.id).where(TAGS.c.name.like("wave%")).order_by(TAGS.c.id)))
            boxes = await conn.execute(select(MAILBOXES.c.id, MAILBOXES.c.owner_id))
            self.owners = {row.id: row.owner_id for row in boxes}
            self.everybody = list(await conn.scalars(select(CONTACTS.c.id).order_by(CONTACTS.c.id)))
        return app

    def _write(self) -> None:
        boxes = "".join(BOX.format(name=name) for name in self.boxes)
        text = CONFIG.format(cap=CAP, company=COMPANY_CAP, days=CAP_DAYS, boxes=boxes)
        (self.folder / "config.toml").write_text(text)
        for name, (subject, words) in LETTERS.items():
            place = self.folder / "templates" / name
            place.mkdir(parents=True)
            (place / "template.toml").write_text(MANIFEST.format(subject))
            (place / "body.mjml").write_text(BODY.format(words))

    async def _people(self, app: App) -> None:
        """Customers of many countries, two contacts each, every company with an owner who has a mailbox."""
        for name in self.boxes:
            await app.access.add_user(NewUser(name, [Role.SALESPERSON]), now=self.now, authorise=True)
        for name, role in APPROVERS:
            await app.access.add_user(NewUser(name, [role]), now=self.now, authorise=True)
        lines = ["email,first_name,company,country,basis,birthday,grade"]
        for n in range(self.contacts):
            firm, country = n // 2, self.countries[(n // 2) % len(self.countries)]
            born = date(1970, 1, 1) + timedelta(days=n * 7919 % 9_000)
            lines.append(f"p{n}@firm{firm}.example,Pat{n},Firm {firm},{country},customer,{born},{'ABCD'[n % 4]}")
        (self.folder / "people.csv").write_text("\n".join(lines))
        told = await app.audience.import_file(
            self.folder / "people.csv", ImportOptions(source="fair"), now=self.now, rejects=self.folder / "no.csv"
        )
        assert told.added == self.contacts, told
        async with app.db.write() as conn:
            staff = await conn.scalars(select(USERS.c.id).where(USERS.c.name.like("staff%")).order_by(USERS.c.id))
            for place, user in enumerate(staff.all()):
                mine = COMPANIES.c.id % len(self.boxes) == place
                await conn.execute(update(COMPANIES).where(mine).values(owner_id=user))
                theirs = CONTACTS.c.company_id.in_(select(COMPANIES.c.id).where(mine))
                await conn.execute(update(CONTACTS).where(theirs).values(owner_id=user))
                await conn.execute(update(MAILBOXES).where(MAILBOXES.c.name == f"staff{place}").values(owner_id=user))
            await conn.execute(insert(TAGS), [{"kind": "tag", "name": f"wave{n}"} for n in range(self.count)])

    async def _programmes(self, app: App) -> None:
        """The sequences and two remembered dates, each approved by three."""
        boxes = ", ".join(f'"{name}"' for name in self.boxes)
        texts = [SEQUENCE.format(n=n, boxes=boxes, first=n % 3, second=2 + n % 4) for n in range(self.count)]
        texts += [DATES.format(kind=kind, boxes=boxes) for kind in ("birthday", "holiday")]
        for text in texts:
            number = await sequences.create(app, tomllib.loads(text), OPERATOR, self.now)
            await self.approve(app, number)
            await use.start(app, number, OPERATOR, self.now)

    async def approve(self, app: App, number: int) -> None:
        """Submit it and let the three approve."""
        await use.submit(app, number, OPERATOR, self.now)
        for who, _ in APPROVERS:
            await use.approve(app, number, await app.access.actor(who, self.now), self.now)

    # -- what people do ------------------------------------------------------------------------------------------------

    async def tag(self, app: App, pairs: set[tuple[int, int]]) -> None:
        """Give people tags, (tag, contact); the sequences that wait for them take them in."""
        rows = [{"tag_id": tag, "contact_id": contact} for tag, contact in sorted(pairs)]
        async with app.db.write() as conn:
            await conn.execute(insert(CONTACT_TAGS).prefix_with("OR IGNORE"), rows)

    async def leave(self, app: App, place: int) -> None:
        """Somebody leaves the company; a colleague takes over."""
        leaving, successor = self.staff[place], self.staff[0]
        await transfer(app, leaving, successor, OPERATOR, self.now)
        self.ledger.successors[leaving] = (successor, self.now)
        self.ledger.events["staff left"] += 1

    async def resume(self, app: App) -> None:
        """Somebody looks at what a breaker paused, and lets it go on."""
        async with app.db.read() as conn:
            paused = list(await conn.scalars(select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.state == "paused")))
        for number in paused:
            self.ledger.events["campaign looked at and resumed"] += 1
            await use.resume(app, number, OPERATOR, self.now)

    async def meets(self, app: App, person: int, user: int) -> None:
        """A colleague met a customer: from this moment no sequence writes to anybody there."""
        async with app.db.write() as conn:
            company = int(await conn.scalar(select(CONTACTS.c.company_id).where(CONTACTS.c.id == person)) or 0)
            await note(conn, "meeting", "", self.now, contact_id=person, company_id=company, user_id=user)
            colleagues = list(await conn.scalars(select(CONTACTS.c.id).where(CONTACTS.c.company_id == company)))
        for one in colleagues:
            self.ledger.stopped[one].append(self.now)
        self.ledger.events["meeting"] += 1

    async def comes_back(self, app: App, mail: Any, kind: str, at: datetime, days_away: int = 7) -> None:
        """Something comes back to a mail: reply, away, left, bounce, unsubscribe, complaint; at: UTC, not after now."""
        async with app.db.write() as conn:
            await app.events.record(conn, self._event(mail, kind, at, days_away), at)
        self.ledger.events[kind] += 1

    def _event(self, mail: Any, kind: str, at: datetime, days_away: int) -> NewEvent:
        data: dict[str, Any] = {}
        contact = mail.contact_id
        name = EventKind.AUTOREPLY if kind in ("away", "left") else EventKind(kind)
        if kind == "away":
            back = (at + timedelta(days=days_away)).date()
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
        return NewEvent(name, f"{kind}:{mail.id}", at, message_id=mail.id, data=data)

    # -- the clock -----------------------------------------------------------------------------------------------------

    async def work(self, app: App) -> list[Any]:
        """What the engine does at this moment; returns the mails that left."""
        today = self.now.replace(hour=0, minute=0)
        # what stands in the database was approved here: reading it again each quarter of an hour tells nothing
        self.seen.verified = dict.fromkeys(range(1, self.count + 9), today + timedelta(days=1))
        await tick(app, self.now, self.seen)
        return await self._send(app)

    async def _send(self, app: App) -> list[Any]:
        """Every mailbox hands over what is due, through the outbox's own claims and last checks."""
        engine = Engine(app, clock=lambda: self.now)
        await engine._load_definitions()
        left: list[Any] = []
        for number in await app.outbox.due_mailboxes(self.now):
            box = next(one for one in app.settings.mailbox if app.mailbox_ids[one.name] == number)
            quota = (await load_limits(app.outbox, await app.setup(box), self.now, None)).quota
            fence = await app.outbox.lease(number, "year", self.now, 3_600)
            assert fence is not None
            while batch := await app.outbox.claim(number, fence, self.now, 200, engine.next_open, quota=quota):
                gone = await self._hand_over(app, number, fence, batch, quota)
                left += gone
                if not gone:
                    break
            await app.outbox.release(number, fence, self.now)
        self.ledger.sent += [(self.now, mail) for mail in left]
        return left

    async def _hand_over(self, app: App, number: int, fence: int, batch: Sequence[Any], quota: Any) -> list[Any]:
        marks = [Mark(one) for one in batch]
        refused = await app.outbox.settle_and_mark(number, fence, self.now, [], marks, quota)
        self.ledger.refused.update(one.reason for one in refused.values())
        gone = [one for one in batch if one.id not in refused]
        accepted = [
            Outcome(one.id, "accept", self.now, None, None, 250, "2.0.0 ok", campaign_id=one.campaign_id)
            for one in gone
        ]
        await app.outbox.settle_and_mark(number, fence, self.now, accepted, [])
        return gone
