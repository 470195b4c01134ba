"""Webhooks and their deliveries in the database. Event rows are the queue: nothing is told that was not recorded."""

from __future__ import annotations

import base64
import hashlib
import secrets as chance
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Row, delete, func, insert, literal, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.db.session import Database
from outreach.events.kinds import EventKind
from outreach.model import Event, Message, Webhook, WebhookDelivery
from outreach.model.base import table
from outreach.webhooks.sign import PREFIX
from outreach.webhooks.state import DeliveryState, advance, wait_after

HOOKS, DELIVERIES, EVENTS, MESSAGES = table(Webhook), table(WebhookDelivery), table(Event), table(Message)
S = DeliveryState
#: Events that are looked at again behind the mark: on PostgreSQL a lower id may become visible after a higher one.
LOOK_BACK = 2_000
#: Events taken up at once: one pass stays within a second.
BATCH = 5_000
#: How long the old secret signs too after a change: receivers are rarely changed in the same minute.
ROTATION = timedelta(hours=24)
#: Deliveries are forgotten after this; the events stay.
KEEP = timedelta(days=30)
KINDS = tuple(kind.value for kind in EventKind)


class WebhookError(ValueError):
    """It cannot be done; the text says why."""


@dataclass(frozen=True)
class Due:
    """A delivery that is due, with what it says and how it is signed."""

    id: int
    webhook_id: int
    url: str
    number: str
    secrets: tuple[str, ...]
    attempts: int
    event: dict[str, Any]


class WebhookStore:
    """`secret`: the installation's, which keeps the webhooks' own secrets unreadable in the database."""

    def __init__(self, db: Database, secret: bytes) -> None:
        self.db = db
        key = hashlib.blake2b(b"webhook", key=secret[:64], digest_size=32).digest()
        self._box = Fernet(base64.urlsafe_b64encode(key))

    # -- webhooks --------------------------------------------------------------------------------------------------

    async def add(self, name: str, url: str, kinds: Sequence[str], *, actor: Actor, now: datetime) -> tuple[int, str]:
        """Add a webhook; it is told of what happens from now on. Returns id and secret, which is shown once."""
        if unknown := sorted(set(kinds) - set(KINDS)):
            raise WebhookError(f"unknown kind {unknown[0]!r}; there are: {', '.join(KINDS)}")
        secret = new_secret()
        async with self.db.write() as conn:
            last = await conn.scalar(select(func.coalesce(func.max(EVENTS.c.id), 0)))
            row = {
                "name": name, "url": url, "kinds": sorted(set(kinds)), "secret": self._seal(secret), "state": "active",
                "seen_event_id": last, "created_by": actor.id, "created_at": now,
            }  # fmt: skip
            number = int((await conn.execute(insert(HOOKS).values(**row).returning(HOOKS.c.id))).scalar_one())
            after = {"kinds": row["kinds"]}
            await append_audit(conn, actor, "webhook.added", "webhook", number, now=now, after=after)
        return number, secret

    async def all(self) -> Sequence[Row[Any]]:
        """Return the webhooks with how many deliveries wait and were given up; without their secrets."""
        shown = [column for column in HOOKS.c if "secret" not in column.name or column.name == "old_secret_until"]
        counts = [
            select(func.count()).where(DELIVERIES.c.webhook_id == HOOKS.c.id, DELIVERIES.c.state == state.value)
            .scalar_subquery().label(state.value)
            for state in S
        ]  # fmt: skip
        async with self.db.read() as conn:
            return (await conn.execute(select(*shown, *counts).order_by(HOOKS.c.id))).all()

    async def set_state(self, number: int, state: str, *, actor: Actor | None, now: datetime, why: str = "") -> None:
        """Pause or resume a webhook; what waits keeps waiting. Raises WebhookError."""
        async with self.db.write() as conn:
            await self._change(conn, number, {"state": state, "paused_reason": why or None, "failing_since": None})
            if state == "active":
                await self._again(conn, number, now)
            await append_audit(conn, actor, f"webhook.{state}", "webhook", number, now=now, after={"why": why[:200]})

    async def rotate(self, number: int, *, actor: Actor, now: datetime) -> str:
        """Give a webhook a new secret, shown once; the old one signs beside it for a day. Raises WebhookError."""
        secret = new_secret()
        async with self.db.write() as conn:
            old = await conn.scalar(select(HOOKS.c.secret).where(HOOKS.c.id == number))
            values = {"secret": self._seal(secret), "old_secret": old, "old_secret_until": now + ROTATION}
            await self._change(conn, number, values)
            await append_audit(conn, actor, "webhook.rotated", "webhook", number, now=now)
        return secret

    async def remove(self, number: int, *, actor: Actor, now: datetime) -> None:
        """Forget a webhook and what waits for it. Raises WebhookError."""
        async with self.db.write() as conn:
            await conn.execute(delete(DELIVERIES).where(DELIVERIES.c.webhook_id == number))
            done = await conn.execute(delete(HOOKS).where(HOOKS.c.id == number))
            if done.rowcount != 1:
                raise WebhookError(f"there is no webhook {number}")
            await append_audit(conn, actor, "webhook.removed", "webhook", number, now=now)

    async def secrets_of(self, number: int, now: datetime) -> tuple[str, tuple[str, ...]]:
        """Return address and secrets of a webhook, for a test delivery. Raises WebhookError."""
        async with self.db.read() as conn:
            row = (await conn.execute(select(HOOKS).where(HOOKS.c.id == number))).one_or_none()
        if row is None:
            raise WebhookError(f"there is no webhook {number}")
        return str(row.url), self._secrets(row, now)

    async def _change(self, conn: AsyncConnection, number: int, values: dict[str, Any]) -> None:
        done = await conn.execute(update(HOOKS).where(HOOKS.c.id == number).values(**values))
        if done.rowcount != 1:
            raise WebhookError(f"there is no webhook {number}")

    def _seal(self, secret: str) -> str:
        return self._box.encrypt(secret.encode()).decode()

    def _secrets(self, row: Row[Any], now: datetime) -> tuple[str, ...]:
        sealed = [row.secret]
        if row.old_secret and row.old_secret_until and row.old_secret_until > now:
            sealed.append(row.old_secret)
        try:
            return tuple(self._box.decrypt(text.encode()).decode() for text in sealed)
        except InvalidToken:  # the database came here without the installation's key
            raise WebhookError("its secret cannot be read with this installation's key: give it a new one") from None

    # -- deliveries ------------------------------------------------------------------------------------------------

    async def take_up(self, now: datetime) -> int:
        """Make the deliveries of events that came since the last time; each exists once, whatever is repeated."""
        async with self.db.read() as conn:
            hooks = (await conn.execute(select(HOOKS).where(HOOKS.c.state == "active"))).all()
            newest = await conn.scalar(select(func.coalesce(func.max(EVENTS.c.id), 0))) if hooks else 0
        made = 0
        for hook in hooks:
            if newest > hook.seen_event_id:
                made += await self._take_up(hook, now)
        return made

    async def _take_up(self, hook: Row[Any], now: datetime) -> int:
        async with self.db.write() as conn:
            upto = select(EVENTS.c.id).where(EVENTS.c.id > hook.seen_event_id).order_by(EVENTS.c.id).limit(BATCH)
            last = await conn.scalar(select(func.max(upto.subquery().c.id)))
            # never behind the webhook's first day: what happened before it was added is not told
            wanted = (EVENTS.c.id > hook.seen_event_id - LOOK_BACK) & (EVENTS.c.id <= last)
            wanted &= EVENTS.c.recorded_at >= hook.created_at
            if hook.kinds:
                wanted &= EVENTS.c.kind.in_(hook.kinds)
            fresh = {"webhook_id": hook.id, "state": S.WAITING.value, "attempts": 0, "due_at": now, "created_at": now}
            columns = [literal(value, DELIVERIES.c[name].type).label(name) for name, value in fresh.items()]
            dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
            put = dialect.insert(DELIVERIES).from_select(
                ["event_id", *fresh], select(EVENTS.c.id, *columns).where(wanted)
            )
            put = put.on_conflict_do_nothing(index_elements=["webhook_id", "event_id"])
            made = (await conn.execute(put)).rowcount
            await conn.execute(update(HOOKS).where(HOOKS.c.id == hook.id).values(seen_event_id=last))
        return int(made)

    async def due(self, now: datetime, limit: int = 200) -> list[Due]:
        """Return what is to be delivered now, the oldest first."""
        told = [c for c in EVENTS.c if c.name in ("kind", "at", "machine", "contact_id", "campaign_id", "data")]
        query = (
            select(
                DELIVERIES.c.id, DELIVERIES.c.webhook_id, DELIVERIES.c.attempts, DELIVERIES.c.event_id, HOOKS.c.url,
                HOOKS.c.secret, HOOKS.c.old_secret, HOOKS.c.old_secret_until, MESSAGES.c.uid, *told,
            )
            .join(HOOKS, HOOKS.c.id == DELIVERIES.c.webhook_id)
            .join(EVENTS, EVENTS.c.id == DELIVERIES.c.event_id)
            .outerjoin(MESSAGES, MESSAGES.c.id == EVENTS.c.message_id)
            .where(DELIVERIES.c.state == S.WAITING.value, DELIVERIES.c.due_at <= now, HOOKS.c.state == "active")
            .order_by(DELIVERIES.c.due_at, DELIVERIES.c.id)
            .limit(limit)
        )  # fmt: skip
        async with self.db.read() as conn:
            rows = (await conn.execute(query)).all()
        ready, unreadable = [], set()
        for row in rows:
            try:
                ready.append(self._due(row, now))
            except WebhookError:
                unreadable.add(int(row.webhook_id))
        for number in sorted(unreadable):  # nothing leaves unsigned, and the others do not wait for this one
            await self.set_state(number, "paused", actor=None, now=now, why="secret")
        return ready

    def _due(self, row: Row[Any], now: datetime) -> Due:
        event = {
            name: row._mapping[name] for name in ("kind", "at", "machine", "contact_id", "campaign_id", "data", "uid")
        }
        event["id"] = row.event_id
        return Due(
            row.id, row.webhook_id, row.url, f"evt_{row.event_id}", self._secrets(row, now), row.attempts, event
        )  # fmt: skip

    async def settle(self, due: Due, status: int, detail: str, now: datetime) -> DeliveryState:
        """Record how an attempt ended and when the next one is; 410 Gone pauses the webhook (RFC 9110 15.5.11)."""
        taken, attempts = 200 <= status < 300, due.attempts + 1
        wait = None if taken else wait_after(attempts)
        action = "answer 2xx" if taken else "fail" if wait else "fail for the last time"
        state = advance(S.WAITING, action)
        values: dict[str, Any] = {
            "state": state.value, "attempts": attempts, "status": status or None,
            "error": None if taken else detail[:200], "due_at": now + (wait or timedelta()),
            "done_at": None if state is S.WAITING else now,
        }  # fmt: skip
        ours = (DELIVERIES.c.id == due.id) & (DELIVERIES.c.state == S.WAITING.value)
        async with self.db.write() as conn:
            await conn.execute(update(DELIVERIES).where(ours).values(**values))
            since = None if taken else func.coalesce(HOOKS.c.failing_since, now)
            await conn.execute(update(HOOKS).where(HOOKS.c.id == due.webhook_id).values(failing_since=since))
            if status == 410:
                await self._change(conn, due.webhook_id, {"state": "paused", "paused_reason": "gone"})
                await append_audit(
                    conn, None, "webhook.paused", "webhook", due.webhook_id, now=now, after={"why": "gone"}
                )
        return state

    async def _again(self, conn: AsyncConnection, number: int, now: datetime) -> int:
        lost = (DELIVERIES.c.webhook_id == number) & (DELIVERIES.c.state == S.GIVEN_UP.value)
        values = {
            "state": advance(S.GIVEN_UP, "try again by hand").value,
            "attempts": 0,
            "due_at": now,
            "done_at": None,
        }
        return (await conn.execute(update(DELIVERIES).where(lost).values(**values))).rowcount

    async def deliveries(self, number: int, limit: int = 100) -> Sequence[Row[Any]]:
        """Return a webhook's deliveries, newest first, with the kind of the event."""
        query = (
            select(DELIVERIES, EVENTS.c.kind)
            .join(EVENTS, EVENTS.c.id == DELIVERIES.c.event_id)
            .where(DELIVERIES.c.webhook_id == number)
            .order_by(DELIVERIES.c.id.desc())
            .limit(limit)
        )
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()

    async def prune(self, now: datetime) -> int:
        """Forget deliveries that ended long ago."""
        old = (DELIVERIES.c.state != S.WAITING.value) & (DELIVERIES.c.done_at < now - KEEP)
        async with self.db.write() as conn:
            return (await conn.execute(delete(DELIVERIES).where(old))).rowcount


def new_secret() -> str:
    """Return a fresh secret of 32 random bytes."""
    return PREFIX + base64.b64encode(chance.token_bytes(32)).decode()
