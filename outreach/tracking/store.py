"""What the public endpoints read and write."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address
from typing import Any

from sqlalchemy import Table, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.session import Database
from outreach.events.kinds import EventKind, NewEvent
from outreach.events.lookup.store import load_many
from outreach.events.store import EventStore
from outreach.model import Conversion, DynamicLink, Event, Link, Message, Preference
from outreach.tracking.conversion import read_conversion
from outreach.tracking.forms import Choice
from outreach.tracking.machine import Classifier, Hit
from outreach.tracking.tokens import Signer

message: Table = Message.__table__  # type: ignore[attr-defined]
link: Table = Link.__table__  # type: ignore[attr-defined]
dynamic: Table = DynamicLink.__table__  # type: ignore[attr-defined]
preference: Table = Preference.__table__  # type: ignore[attr-defined]
conversion: Table = Conversion.__table__  # type: ignore[attr-defined]
event: Table = Event.__table__  # type: ignore[attr-defined]

#: Destinations kept in memory, by message and link: 100,000 of about 300 bytes are 30 MB.
CACHED = 100_000

#: What is kept of a browser's name: enough to judge, too little to recognise a person by.
AGENT_LENGTH = 120


@dataclass(frozen=True, slots=True)
class Recipient:
    """What a page needs to know: the mail's language and what was chosen before."""

    language: str
    topics_off: frozenset[str] = frozenset()
    mails_per_month: int | None = None


class TrackingStore:
    """Reads destinations and preferences, records what recipients do. All moments are aware UTC."""

    def __init__(self, db: Database, events: EventStore) -> None:
        self.db = db
        self.events = events
        self._destinations: OrderedDict[tuple[int, int], str | None] = OrderedDict()

    async def destination(self, message_id: int, number: int) -> str | None:
        """Return where link `number` of the message leads; None if there is no such link."""
        key = (message_id, number)
        if key in self._destinations:
            self._destinations.move_to_end(key)
            return self._destinations[key]
        found = await self._read_destination(message_id, number)
        if found is not None:  # what is missing now may be planned a moment later
            self._destinations[key] = found
            if len(self._destinations) > CACHED:
                self._destinations.popitem(last=False)
        return found

    async def _read_destination(self, message_id: int, number: int) -> str | None:
        m, k, d = message.c, link.c, dynamic.c
        of_step = and_(k.campaign_id == m.campaign_id, k.step == m.step, k.language == m.language, k.number == number)
        joined = message.outerjoin(link, of_step).outerjoin(dynamic, and_(d.message_id == m.id, d.number == number))
        query = select(func.coalesce(d.url, k.url)).select_from(joined).where(m.id == message_id)
        async with self.db.read() as conn:
            url: str | None = (await conn.execute(query)).scalar_one_or_none()
        return url

    async def recipient(self, message_id: int) -> Recipient | None:
        """Return the recipient of a message, None if there is no such message."""
        joined = message.outerjoin(preference, preference.c.contact_id == message.c.contact_id)
        columns = (message.c.language, preference.c.topics_off, preference.c.mails_per_month)
        query = select(*columns).select_from(joined).where(message.c.id == message_id)
        async with self.db.read() as conn:
            row = (await conn.execute(query)).one_or_none()
        if row is None:
            return None
        off = frozenset(topic for topic, is_off in (row.topics_off or {}).items() if is_off)
        return Recipient(row.language, off, row.mails_per_month)

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

    async def choose(self, message_id: int, choice: Choice, topics: Sequence[str], now: datetime) -> None:
        """Keep what was chosen; a request goes to a person."""
        data: dict[str, Any] = {}
        if choice.saved:
            off = [topic for topic in topics if topic not in choice.topics]
            data = {"topics_off": off, "mails_per_month": choice.mails_per_month, "pause_days": choice.pause_days}
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
        async with self.db.read() as conn:
            facts = await load_many(conn, (hit.message_id for hit in hits))
        known = [hit for hit in hits if hit.message_id in facts]
        return [_event(hit, facts[hit.message_id].sent_at, classifier) for hit in known]

    async def keep(self, events: Sequence[NewEvent], now: datetime) -> int:
        """Record a batch; return how many were new."""
        if not events:
            return 0
        async with self.db.write() as conn:
            return await self.events.record_many(conn, events, now)


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
