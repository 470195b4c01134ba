"""The calendar of all departments' campaigns (A1): what, whose, to whom, from when to when, and who gets several.

Sizes of a frozen audience never change, those of a draft are counted anew every few minutes: both are kept in memory,
so that a month is drawn in a few small queries.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.app.forecasting import Paces, paces
from outreach.app.progress import progress
from outreach.audience import segment
from outreach.campaigns.calendar import Hours, next_open
from outreach.campaigns.definition import Schedule
from outreach.model import Campaign, CampaignRecipient, Contact, Mailbox, User
from outreach.model.base import table
from outreach.sending.forecast import Waiting, forecast

CAMPAIGNS, RECIPIENTS, CONTACTS = table(Campaign), table(CampaignRecipient), table(Contact)
MAILBOXES, USERS = table(Mailbox), table(User)
#: Campaigns drawn at once: more than a quarter of any company's.
MOST = 200
#: Pairs that are compared for common people: each costs up to a fifth of a second with 100,000 contacts.
MOST_PAIRS = 24
#: How long the size of a draft's audience is believed, and that of the end of what is being sent.
BELIEVED = timedelta(minutes=10)
#: Sizes kept in memory; each a few hundred bytes.
KEPT = 1_000
LIVE = ("pilot", "running", "paused")


@dataclass(frozen=True)
class Sizes:
    """How many people an audience has: by region, most first, and by the mailbox's id where that is settled."""

    regions: Mapping[str, int] = field(default_factory=dict)
    boxes: Mapping[int, int] = field(default_factory=dict)

    @property
    def people(self) -> int:
        """All of them."""
        return sum(self.regions.values())


@dataclass(frozen=True)
class Entry:
    """A campaign on the calendar. `begins` None: it has no date yet. `guessed`: the end is a forecast.

    `segment` is the text of the audience, `sizes` None where that text cannot be read any more.
    """

    id: int
    name: str
    goal: str
    theme: str
    state: str
    owner_id: int | None
    owner: str
    team: str | None
    segment: str
    begins: datetime | None
    ends: datetime | None
    guessed: bool
    sizes: Sizes | None

    def meets(self, other: Entry, apart: timedelta) -> bool:
        """Whether the two lie closer together in time than `apart`."""
        if not (self.begins and self.ends and other.begins and other.ends):
            return False
        return self.begins <= other.ends + apart and other.begins <= self.ends + apart


@dataclass(frozen=True)
class Overlap:
    """So many people are in both audiences, and the campaigns lie within the days of the cap."""

    one: Entry
    other: Entry
    people: int


class PlanCalendar:
    """What stands in the calendar. One of it serves all requests of a process."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._kept: OrderedDict[tuple[Any, ...], Any] = OrderedDict()

    async def entries(self, first: datetime, last: datetime, now: datetime) -> list[Entry]:
        """Return the campaigns between two moments, by their beginning; those without a date at the end."""
        async with self.app.db.read() as conn:
            rows = await _rows(conn, first)
            boxes = {row.id: row for row in await conn.execute(select(MAILBOXES))}
            sizes = [await self._sizes(conn, row, now) for row in rows]
        found = [await self._entry(row, its, boxes, now) for row, its in zip(rows, sizes, strict=True)]
        shown = [entry for entry in found if _within(entry, first, last)]
        return sorted(shown, key=lambda e: (e.begins is None, e.begins or now, e.id))

    async def draft(self, what: Mapping[str, Any], now: datetime) -> Entry:
        """Return what a campaign that is being written would be. Raises segment.SegmentError."""
        async with self.app.db.read() as conn:
            boxes = {row.id: row for row in await conn.execute(select(MAILBOXES))}
            sizes = await self._counted(conn, str(what.get("segment", "")), now)
        schedule = what.get("schedule") or {}
        start = datetime.fromisoformat(str(schedule["start"])) if schedule.get("start") else now
        begins, ends = await self._planned(what, start, sizes, boxes, now)
        name, text = str(what.get("name", "")), str(what.get("segment", ""))
        return Entry(0, name, "", "", "draft", None, "", None, text, begins, ends, True, sizes)

    async def overlaps(self, entries: Sequence[Entry], now: datetime, own: Entry | None = None) -> list[Overlap]:
        """Return which campaigns have people in common within the days of the cap, most people first.

        `own`: only what this one has in common with the others.
        """
        apart = timedelta(days=self.app.settings.limits.per_contact.days)
        chosen = combinations(entries, 2) if own is None else ((own, other) for other in entries)
        pairs = [(a, b) for a, b in chosen if a.meets(b, apart)]
        found = []
        async with self.app.db.read() as conn:
            for one, other in pairs[:MOST_PAIRS]:
                count = await self._common(conn, one, other, now)
                if count:
                    found.append(Overlap(one, other, count))
        return sorted(found, key=lambda overlap: -overlap.people)

    # ---- one campaign

    async def _entry(self, row: Any, sizes: Sizes | None, boxes: Mapping[int, Any], now: datetime) -> Entry:
        begins, ends, guessed = row.started_at or row.start_at, row.finished_at, False
        if ends is None and row.started_at:
            ends, guessed = await self._end_of(row, now), True
        elif ends is None and begins and sizes:
            begins, ends = await self._planned(row.definition, begins, sizes, boxes, now)
            guessed = True
        return Entry(
            row.id, row.name, row.goal, str(row.definition.get("theme") or ""), row.state, row.owner_id,
            row.owner or row.user_name or "", row.team, row.segment, begins, ends or begins, guessed, sizes,
        )  # fmt: skip

    async def _planned(
        self, what: Mapping[str, Any], start: datetime, sizes: Sizes, boxes: Mapping[int, Any], now: datetime
    ) -> tuple[datetime, datetime]:
        """When it begins and ends if all goes as planned: the mailboxes' own limits, in the office's hours."""
        hours = _hours(what, self.app.settings.sender.timezone)
        begins = next_open(max(start, now), hours)
        shares = self._shares(what, sizes, boxes)
        may = await self._paces(frozenset(shares), now)
        opens = hours if hours.window else None
        groups = [Waiting(box, begins, count, opens) for box, count in shares.items() if count]
        ends = max(forecast(groups, may.senders, may.domains, begins).values(), default=begins)
        if (what.get("schedule") or {}).get("local_time", True) and hours.window:
            ends += timedelta(hours=14)  # the same hours come last on the west coast of the Americas
        pilot = what.get("pilot") or {}
        return begins, ends + timedelta(hours=float(pilot.get("wait_hours", 24)) if pilot else 0)

    async def _paces(self, mailbox_ids: frozenset[int], now: datetime) -> Paces:
        key = ("paces", mailbox_ids, int(now.timestamp() // 60))
        if key not in self._kept:
            self._keep(key, await paces(self.app, mailbox_ids, now, paused_too=True))
        found: Paces = self._kept[key]
        return found

    def _shares(self, what: Mapping[str, Any], sizes: Sizes, boxes: Mapping[int, Any]) -> dict[int, int]:
        """How many mails each mailbox has: as frozen, else in equal parts."""
        known = {box: count for box, count in sizes.boxes.items() if box in boxes}
        names = set(what.get("mailboxes") or [])
        chosen = [number for number, box in boxes.items() if box.name in names]
        if known or not chosen:
            return known
        return dict.fromkeys(chosen, -(-sizes.people // len(chosen)))

    async def _end_of(self, row: Any, now: datetime) -> datetime | None:
        key = ("end", row.id, row.state, int(now.timestamp() // 60))
        if key not in self._kept:
            self._keep(key, (await progress(self.app, row.id, now)).ends_at)
        ends: datetime | None = self._kept[key]
        return max(ends or now, now)

    # ---- sizes

    async def _sizes(self, conn: AsyncConnection, row: Any, now: datetime) -> Sizes | None:
        if not _frozen(row):
            try:
                return await self._counted(conn, row.segment, now)
            except segment.SegmentError:
                return None
        key = ("frozen", row.id, row.submitted_hash)
        if key not in self._kept:
            self._keep(key, await _frozen_sizes(conn, row.id))
        found: Sizes = self._kept[key]
        return found

    async def _counted(self, conn: AsyncConnection, text: str, now: datetime) -> Sizes:
        key = ("counted", text, int(now.timestamp() // BELIEVED.total_seconds()))
        if key not in self._kept:
            query = select(CONTACTS.c.region, func.count()).where(_of_text(text, now)).group_by(CONTACTS.c.region)
            self._keep(key, Sizes(_by_size((await conn.execute(query)).all())))
        found: Sizes = self._kept[key]
        return found

    async def _common(self, conn: AsyncConnection, one: Entry, other: Entry, now: datetime) -> int:
        slot = int(now.timestamp() // BELIEVED.total_seconds())
        key = ("common", *((e.id, e.state, e.segment) for e in (one, other)), slot)
        if key not in self._kept:
            try:
                both = [await _members(conn, entry, now) for entry in (one, other)]
            except segment.SegmentError:
                return 0
            query = select(func.count()).select_from(CONTACTS).where(*both)
            self._keep(key, int((await conn.execute(query)).scalar_one()))
        found: int = self._kept[key]
        return found

    def _keep(self, key: tuple[Any, ...], value: Any) -> None:
        self._kept[key] = value
        while len(self._kept) > KEPT:
            self._kept.popitem(last=False)


def _frozen(row: Any) -> bool:
    return row.state != "draft" and row.submitted_hash is not None


def _within(entry: Entry, first: datetime, last: datetime) -> bool:
    return entry.begins is None or (entry.begins < last and (entry.ends or entry.begins) >= first)


async def _rows(conn: AsyncConnection, first: datetime) -> Sequence[Any]:
    """Campaigns that may touch what comes after `first`; of drafts only those with a date."""
    c = CAMPAIGNS.c
    wanted = or_(
        c.state.in_(("review", "approved", "scheduled", *LIVE)),
        (c.state == "draft") & (c.start_at >= first),
        (c.state == "finished") & (c.finished_at >= first),
    )
    query = (
        select(CAMPAIGNS, USERS.c.display_name.label("owner"), USERS.c.name.label("user_name"), USERS.c.team)
        .outerjoin(USERS, USERS.c.id == c.owner_id)
        .where(wanted, c.kind == "campaign", c.archived.is_(False))
        .order_by(c.id.desc())
        .limit(MOST)
    )
    return (await conn.execute(query)).all()


async def _frozen_sizes(conn: AsyncConnection, campaign_id: int) -> Sizes:
    query = (
        select(CONTACTS.c.region, RECIPIENTS.c.mailbox_id, func.count().label("n"))
        .join(CONTACTS, CONTACTS.c.id == RECIPIENTS.c.contact_id)
        .where(RECIPIENTS.c.campaign_id == campaign_id, RECIPIENTS.c.skip_reason.is_(None))
        .group_by(CONTACTS.c.region, RECIPIENTS.c.mailbox_id)
    )
    regions: dict[str, int] = {}
    boxes: dict[int, int] = {}
    for region, box, count in await conn.execute(query):
        regions[region] = regions.get(region, 0) + count
        if box is not None:
            boxes[box] = boxes.get(box, 0) + count
    return Sizes(_by_size(regions.items()), boxes)


def _by_size(counts: Any) -> dict[str, int]:
    return {str(name): int(n) for name, n in sorted(counts, key=lambda item: -item[1])}


def _of_text(text: str, now: datetime) -> ColumnElement[bool]:
    """The people of a segment's text. Raises segment.SegmentError."""
    return segment.condition(segment.parse(text), now) & CONTACTS.c.erased_at.is_(None) & CONTACTS.c.left_at.is_(None)


async def _members(conn: AsyncConnection, entry: Entry, now: datetime) -> ColumnElement[bool]:
    """The people of a campaign as a condition: its frozen audience, else its text. Raises segment.SegmentError."""
    if entry.state == "draft":
        return _of_text(entry.segment, now)
    chosen = select(RECIPIENTS.c.contact_id).where(
        RECIPIENTS.c.campaign_id == entry.id, RECIPIENTS.c.skip_reason.is_(None)
    )
    return CONTACTS.c.id.in_(chosen)


def _hours(what: Mapping[str, Any], office: str) -> Hours:
    """The hours in which it is sent, as the office's clock has them; a file that cannot be read counts as any hour."""
    try:
        schedule = Schedule.model_validate(what.get("schedule") or {})
    except ValidationError:
        return Hours(zone=office, country=None, window=None, skip_weekends=False, skip_holidays=False)
    weekends = schedule.skip_weekends if schedule.skip_weekends is not None else schedule.window is not None
    return Hours(
        zone=schedule.timezone or office,
        country=None,
        window=schedule.hours,
        skip_weekends=weekends,
        skip_holidays=False,
    )
