"""What the public endpoints read and write."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from sqlalchemy import Table, and_, func, literal, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.campaigns.definition import Definition, Variant
from outreach.campaigns.variants import content_step
from outreach.db.session import Database
from outreach.events.batch.store import record_batch
from outreach.events.facts import Facts
from outreach.events.kinds import EventKind, NewEvent
from outreach.events.lookup.store import load_many
from outreach.events.store import EventStore
from outreach.model import Campaign, Contact, Conversion, DynamicLink, Event, Link, Message, PilotMail, Preference
from outreach.model.merged.store import whole
from outreach.tracking.conversion import read_conversion
from outreach.tracking.forms import Choice
from outreach.tracking.machine import Classifier, Hit
from outreach.tracking.tokens import TEST_IDS, Signer

message: Table = Message.__table__  # type: ignore[attr-defined]
pilot_mail: Table = PilotMail.__table__  # type: ignore[attr-defined]
campaign: Table = Campaign.__table__  # type: ignore[attr-defined]
link: Table = Link.__table__  # type: ignore[attr-defined]
dynamic: Table = DynamicLink.__table__  # type: ignore[attr-defined]
contact: Table = Contact.__table__  # type: ignore[attr-defined]
preference: Table = Preference.__table__  # type: ignore[attr-defined]
conversion: Table = Conversion.__table__  # type: ignore[attr-defined]
event: Table = Event.__table__  # type: ignore[attr-defined]

#: Messages remembered, some 300 bytes each: 30 MB.
CACHED = 100_000

#: What is kept of a browser's name: enough to judge, too little to recognise a person by.
AGENT_LENGTH = 120


#: Campaign, step and language of a mail's content: what its static links belong to. A variant with a text of its own
#: has links of its own (campaigns/variants.py, `content_step`).
Place = tuple[int, int, str]


class Places:
    """Campaign, step and language of messages, remembered; clicks of one moment share a query."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self._known: dict[int, Place] = {}
        self._variants: dict[int, Sequence[Variant]] = {}
        self._wanted: dict[int, asyncio.Future[Place | None]] = {}
        self._reading: asyncio.Task[None] | None = None

    async def of(self, message_id: int) -> Place | None:
        """Return the place of a message, None if there is no such message. Raises what the database raises."""
        known = self._known.get(message_id)
        if known is not None:
            return known
        if message_id >= TEST_IDS:
            return await self._of_test(message_id)
        if message_id not in self._wanted:
            self._wanted[message_id] = asyncio.get_running_loop().create_future()
        waiting = self._wanted[message_id]
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(), name="tracking-places")
        return await asyncio.shield(waiting)

    async def _read(self) -> None:
        try:
            while self._wanted:
                wanted, self._wanted = self._wanted, {}
                await self._answer(wanted)
        finally:
            self._reading = None

    async def _answer(self, wanted: dict[int, asyncio.Future[Place | None]]) -> None:
        m = message.c
        try:
            query = select(m.id, m.campaign_id, m.step, m.language, m.variant).where(m.id.in_(sorted(wanted)))
            async with self.db.read() as conn:
                rows = (await conn.execute(query)).all()
                await self._read_variants(conn, {row.campaign_id for row in rows if row.variant is not None})
            found = {row.id: self._place(row) for row in rows}
        except Exception as error:  # whoever waits gets it; the next click tries again
            for waiting in wanted.values():
                waiting.set_exception(error)
            return
        self._known.update(found)
        while len(self._known) > CACHED:
            del self._known[next(iter(self._known))]
        for message_id, waiting in wanted.items():
            waiting.set_result(found.get(message_id))

    async def _of_test(self, message_id: int) -> Place | None:
        """A mail to the team: few, so each is looked up."""
        p = pilot_mail.c
        query = select(p.campaign_id, literal(0).label("step"), p.language, p.variant)
        async with self.db.read() as conn:
            row = (await conn.execute(query.where(p.id == message_id - TEST_IDS))).one_or_none()
            if row is not None:
                await self._read_variants(conn, {row.campaign_id})
        return None if row is None else self._place(row)

    async def _read_variants(self, conn: AsyncConnection, campaigns: set[int]) -> None:
        """A campaign with messages is not edited any more, so its variants are read once."""
        missing = campaigns - self._variants.keys()
        if missing:
            rows = await conn.execute(select(campaign.c.id, campaign.c.definition).where(campaign.c.id.in_(missing)))
            self._variants.update((row.id, Definition.model_validate(row.definition).variant) for row in rows)

    def _place(self, row: Any) -> Place:
        step = content_step(self._variants.get(row.campaign_id, ()), row.step, row.variant)
        return row.campaign_id, step, row.language


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a page needs to know: the mail's language and what was chosen before."""

    language: str
    topics_off: frozenset[str] = frozenset()
    mails_per_month: int | None = None
    paused_until: datetime | None = None
    counted: bool = True


class TrackingStore:
    """Reads destinations and preferences, records what recipients do. All moments are aware UTC."""

    def __init__(self, db: Database, events: EventStore) -> None:
        self.db = db
        self.events = events
        self._facts: dict[int, Facts] = {}
        self._places = Places(db)
        self._links: dict[Place, dict[int, str]] = {}

    async def destination(self, message_id: int, number: int) -> str | None:
        """Return where link `number` of the message leads; None if there is no such link."""
        place = await self._places.of(message_id)
        if place is None:
            return None
        links = self._links.get(place)
        if links is None or number not in links:
            links = self._links[place] = await self._read_links(place)
        return links.get(number) or await self._dynamic(message_id, number)

    async def _read_links(self, place: Place) -> dict[int, str]:
        k = link.c
        query = select(k.number, k.url).where(k.campaign_id == place[0], k.step == place[1], k.language == place[2])
        async with self.db.read() as conn:
            return {row.number: row.url for row in await conn.execute(query)}

    async def _dynamic(self, message_id: int, number: int) -> str | None:
        """A link whose address held a variable: its destination was stored when the mail was composed."""
        if message_id >= TEST_IDS:
            kept = select(pilot_mail.c.links).where(pilot_mail.c.id == message_id - TEST_IDS)
            async with self.db.read() as conn:
                found = await conn.scalar(kept)
            return (found or {}).get(str(number))
        query = select(dynamic.c.url).where(dynamic.c.message_id == message_id, dynamic.c.number == number)
        async with self.db.read() as conn:
            url: str | None = (await conn.execute(query)).scalar_one_or_none()
        return url

    async def recipient(self, message_id: int) -> Recipient | None:
        """Return the recipient of a message, None if there is no such message."""
        columns = (
            message.c.language,
            preference.c.topics_off,
            preference.c.mails_per_month,
            contact.c.paused_until,
            contact.c.tracking,
        )
        async with self.db.read() as conn:
            whom = await conn.scalar(select(message.c.contact_id).where(message.c.id == message_id))
            joined = message.outerjoin(contact, contact.c.id == await whole(conn, whom))
            joined = joined.outerjoin(preference, preference.c.contact_id == contact.c.id)
            query = select(*columns).select_from(joined).where(message.c.id == message_id)
            row = (await conn.execute(query)).one_or_none()
        if row is None:
            return None
        off = frozenset(topic for topic, is_off in (row.topics_off or {}).items() if is_off)
        return Recipient(row.language, off, row.mails_per_month, row.paused_until, row.tracking is not False)

    async def unsubscribe(self, message_id: int, via: str, now: datetime) -> None:
        """Stop all mail to the person. Once is enough; after a change of mind it may be said again."""
        async with self.db.write() as conn:
            key = f"unsubscribe:{message_id}:{await _count(conn, message_id, 'resubscribe')}"
            await self._record(conn, EventKind.UNSUBSCRIBE, key, message_id, {"via": via}, now)

    async def resubscribe(self, message_id: int, now: datetime) -> None:
        """Take the unsubscription back."""
        async with self.db.write() as conn:
            if times := await _count(conn, message_id, "unsubscribe"):
                key = f"resubscribe:{message_id}:{times}"
                await self._record(conn, EventKind.PREFERENCE, key, message_id, {"resubscribed": True}, now)

    async def resume(self, message_id: int, now: datetime) -> None:
        """End the person's pause before its day."""
        async with self.db.write() as conn:
            key = f"preference:{message_id}:resume:{now.isoformat()}"
            await self._record(conn, EventKind.PREFERENCE, key, message_id, {"resumed": True}, now)

    async def choose(self, message_id: int, choice: Choice, topics: Sequence[str], now: datetime) -> None:
        """Keep what was chosen; a request goes to a person."""
        data: dict[str, Any] = {}
        if choice.saved:
            off = [topic for topic in topics if topic not in choice.topics]
            data = {"topics_off": off, "mails_per_month": choice.mails_per_month, "pause_days": choice.pause_days}
            if choice.counted is not None:
                data["counted"] = choice.counted
        if choice.request:
            data["request"] = choice.request
        if not data:
            return
        # a request counts once a day: a finger that slips makes one task
        stamp = f"{choice.request}:{now:%Y-%m-%d}" if choice.request else now.isoformat()
        async with self.db.write() as conn:
            await self._record(conn, EventKind.PREFERENCE, f"preference:{message_id}:{stamp}", message_id, data, now)

    async def _record(
        self, conn: AsyncConnection, kind: EventKind, key: str, message_id: int, data: dict[str, Any], now: datetime
    ) -> None:
        exists = await conn.execute(select(message.c.id).where(message.c.id == message_id))
        if exists.scalar_one_or_none() is not None:
            await self.events.record(conn, NewEvent(kind, key, now, message_id, data=data), now)

    async def judge(self, hits: Sequence[Hit], classifier: Classifier) -> list[NewEvent]:
        """Return the events of `hits`, in order; those of unknown messages are left out."""
        facts = await self._facts_of({hit.message_id for hit in hits})
        known = [hit for hit in sorted(hits, key=_moment) if hit.message_id in facts]
        return [_event(hit, facts[hit.message_id].sent_at, classifier) for hit in known]

    async def _facts_of(self, ids: set[int]) -> dict[int, Facts]:
        """What the effects need; remembered, because none of it changes once a mail has left."""
        missing = [message_id for message_id in ids if message_id not in self._facts]
        found: dict[int, Facts] = {}
        if missing:
            async with self.db.read() as conn:
                found = await load_many(conn, missing)
        found |= {message_id: self._facts[message_id] for message_id in ids if message_id in self._facts}
        self._facts.update((key, one) for key, one in found.items() if one.sent_at is not None and not one.in_doubt)
        while len(self._facts) > CACHED:
            del self._facts[next(iter(self._facts))]
        return found

    async def keep(self, events: Sequence[NewEvent], now: datetime, *, again: bool = False) -> int:
        """Record a batch that was judged; return how many were new. `again`: it may have been written before."""
        if not events:
            return 0
        facts = await self._facts_of({event.message_id for event in events if event.message_id})
        known = [event for event in events if event.message_id in facts]
        try:
            if self.db.is_sqlite:
                return await self.db.hot.write(lambda conn: record_batch(conn, known, facts, now, again=again))
            async with self.db.write() as conn:
                return await self.events.record_many(conn, known, now, facts)
        except Exception:
            self._facts.clear()  # a message may have been erased since: the next try reads them anew
            raise


def _moment(hit: Hit) -> datetime:
    return hit.at


async def _count(conn: AsyncConnection, message_id: int, prefix: str) -> int:
    which = and_(event.c.message_id == message_id, event.c.key.like(f"{prefix}:%"))
    return int((await conn.execute(select(func.count()).select_from(event).where(which))).scalar_one())


def _event(hit: Hit, sent_at: datetime | None, classifier: Classifier) -> NewEvent:
    verdict = classifier.judge(hit, sent_at)
    data: dict[str, Any] = {"agent": hit.agent[:AGENT_LENGTH], "net": coarse(hit.ip)}
    if hit.kind == "click":
        data["number"] = hit.number
    if verdict.corrects:
        data["corrects"] = [at.isoformat() for at in verdict.corrects]
    return NewEvent(
        EventKind(hit.kind), hit.key, hit.at, hit.message_id, machine=verdict.machine, why=verdict.why, data=data
    )


@lru_cache(maxsize=20_000)
def coarse(ip: str) -> str:
    """Return the network of an address: /24 or /48. The address itself is nobody's business once it is judged."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ""
    if address.version == 4:
        return ip.rpartition(".")[0] + ".0/24"
    return ":".join(address.exploded.split(":")[:3]) + "::/48"


async def record_conversion(
    conn: AsyncConnection, events: EventStore, signer: Signer, body: Mapping[str, Any], now: datetime
) -> dict[str, Any]:
    """Record an inquiry, quotation or order that a website reports with the click's token.

    Returns ``{"id": conversion id, "new": whether it was new}``. Raises ValueError with a plain sentence.
    """
    wish = read_conversion(body, signer, now)
    event_id = await events.record(conn, wish, now)
    query = select(conversion.c.id).where(conversion.c.external_id == wish.data["external_id"])
    found = (await conn.execute(query)).scalar_one_or_none()
    return {"id": found, "new": event_id is not None}
