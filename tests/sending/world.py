"""A small world for sending tests: a database with one campaign, its mailbox, contacts and messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import insert, select

from outreach.db.session import Database
from outreach.model.keys import address_key
from outreach.outbox.message import Claimed
from outreach.outbox.store import OutboxStore, plan
from outreach.outbox.tables import attempt, campaign, contact, mailbox, message
from tests.fakes.schema import make_tables

SECRET = b"a secret of sixteen bytes or more"
START = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class PlainLetter:
    data: bytes
    dynamic_links: tuple[tuple[int, str], ...] = ()
    eight_bit: bool = False
    smtp_utf8: bool = False


@dataclass
class PlainComposer:
    """Composes a few lines; remembers what it was asked to prepare."""

    body: bytes = b"Hello\r\n"
    prepared: list[int] = field(default_factory=list)

    async def prepare(self, batch: Sequence[Claimed]) -> None:
        self.prepared += [item.id for item in batch]

    def compose(self, message: Claimed) -> PlainLetter:
        head = (
            f"From: sales@seller.example\r\nTo: {message.address}\r\nSubject: step {message.step}\r\n"
            f"Message-ID: <{message.message_id}>\r\nX-Outreach-Message: {message.uid}\r\n\r\n"
        )
        return PlainLetter(head.encode() + self.body)


@dataclass
class World:
    db: Database
    store: OutboxStore
    mailbox_id: int
    campaign_id: int

    async def message(self, number: int = 1) -> Any:
        """Return a message's row by its id."""
        return await self.one(select(message).where(message.c.id == number))

    async def messages(self) -> list[Any]:
        async with self.db.read() as conn:
            return list((await conn.execute(select(message).order_by(message.c.id))).all())

    async def mailbox(self) -> Any:
        return await self.one(select(mailbox).where(mailbox.c.id == self.mailbox_id))

    async def attempts(self) -> list[Any]:
        async with self.db.read() as conn:
            return list((await conn.execute(select(attempt).order_by(attempt.c.id))).all())

    async def one(self, query: Any) -> Any:
        async with self.db.read() as conn:
            return (await conn.execute(query)).one()

    async def execute(self, *statements: Any) -> None:
        async with self.db.write() as conn:
            for statement in statements:
                await conn.execute(statement)

    async def states(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for row in await self.messages():
            found[row.state] = found.get(row.state, 0) + 1
        return found


async def make_world(url: str, addresses: Iterable[str] = (), *, now: datetime = START) -> World:
    """Create the tables, a running campaign, a mailbox, and a contact with a queued message for each address."""
    db = Database(url)
    await make_tables(db)
    async with db.write() as conn:
        box = await conn.scalar(
            insert(mailbox)
            .values(name="sales", address="sales@seller.example", domain="seller.example", created_at=now)
            .returning(mailbox.c.id)
        )
        camp = await conn.scalar(
            insert(campaign)
            .values(name="spring", state="running", segment="all", approved_hash="h1", created_at=now)
            .returning(campaign.c.id)
        )
    world = World(db, OutboxStore(db), int(box or 0), int(camp or 0))
    await add_messages(world, addresses, now=now)
    return world


async def add_messages(world: World, addresses: Iterable[str], *, now: datetime = START, **more: Any) -> None:
    """Add a contact and a queued message for each address."""
    addresses = list(addresses)
    async with world.db.write() as conn:
        for start in range(0, len(addresses), 1000):
            part = addresses[start : start + 1000]
            values = [{"source": "fair", "region": "Other", "basis": "consent", "created_at": now} for _ in part]
            ids = (
                await conn.scalars(insert(contact).returning(contact.c.id, sort_by_parameter_order=True), values)
            ).all()
            await plan(conn, [_row(world, i, a, now) | more for i, a in zip(ids, part, strict=True)])


def _row(world: World, contact_id: int, address: str, now: datetime) -> dict[str, Any]:
    return {
        "campaign_id": world.campaign_id,
        "contact_id": contact_id,
        "address": address,
        "address_key": address_key(address, SECRET),
        "mailbox_id": world.mailbox_id,
        "mail_domain": "seller.example",
        "due_at": now,
    }
