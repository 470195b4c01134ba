"""Writes the outbox: planning, stops, what the world told us; and the transactions of who sends.

Module functions take a connection in the caller's transaction; `OutboxStore` owns its transactions.
"""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, and_, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db import stops
from outreach.db.session import Database
from outreach.model.enums import MailboxState, MessageState
from outreach.outbox.claims import store as claims
from outreach.outbox.handover import store as handover
from outreach.outbox.ledger.store import (
    CAME_BACK,
    WAS_READ,
    counts,
    harm,
    is_settled,
    last_due,
    ledger,
    next_due,
    states,
)
from outreach.outbox.limits import store as limits
from outreach.outbox.message import NO_QUOTA, Claimed, Mark, Outcome, Quota, Refused
from outreach.outbox.reconcile.store import NotInDoubt, copy_found, note_probe, resolve
from outreach.outbox.rows import message_row
from outreach.outbox.state import TRANSITIONS, sources
from outreach.outbox.tables import attempt, campaign, dynamic_link, instance, mailbox, message, recipient

__all__ = [
    "CAME_BACK",
    "WAS_READ",
    "NotInDoubt",
    "OutboxStore",
    "cancel_campaign",
    "copy_found",
    "counts",
    "harm",
    "is_settled",
    "last_due",
    "ledger",
    "mark",
    "next_due",
    "note_probe",
    "plan",
    "queue_planned",
    "resolve",
    "resume_mailbox",
    "set_due",
    "states",
    "stop_for",
]

#: Rows an INSERT carries: SQLite allows 32,766 parameters a statement; executemany has no such bound, memory has.
BATCH = 1_000

#: How often a claim looks again when nobody of a batch may be written to: thousands may have been suppressed at once.
ROUNDS = 50

#: What the world tells us about a message, each kept the first time only.
FIRST_TIMES = frozenset(
    {
        "first_open_at",
        "first_click_at",
        "machine_open_at",
        "machine_click_at",
        "bounced_at",
        "replied_at",
        "autoreplied_at",
        "unsubscribed_at",
        "complained_at",
    }
)

T = TypeVar("T")


def make_uid() -> str:
    """Return a message's public, opaque id: 128 random bits."""
    return secrets.token_urlsafe(16).replace("-", "x").replace("_", "y")


async def plan(conn: AsyncConnection, rows: Iterable[Mapping[str, Any]]) -> int:
    """Insert messages (keys: outbox/rows.py) and return how many are new.

    UNIQUE(campaign, step, contact) holds: planning twice changes nothing. Raises ValueError on a bad row.
    """
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(message).on_conflict_do_nothing(index_elements=["campaign_id", "step", "contact_id"])
    pending, new = iter(rows), 0
    while batch := [message_row(row, make_uid) for row in islice(pending, BATCH)]:
        new += len((await conn.execute(statement.returning(message.c.id), batch)).all())
    return new


async def take_back(conn: AsyncConnection, campaign_id: int) -> int:
    """Remove the rows of a campaign's first mail that nobody has touched, and return how many: its plan is void.

    Else people of an audience that is approved no more would get the mail: planning anew leaves known rows as they are.
    """
    tried = select(attempt.c.id).where(attempt.c.message_id == message.c.id).exists()
    untouched = and_(
        message.c.campaign_id == campaign_id, message.c.step == 0, message.c.attempts == 0, ~tried,
        message.c.state.in_((MessageState.PLANNED, MessageState.QUEUED)),
    )  # fmt: skip
    composed = select(message.c.id).where(untouched)  # claimed and given back: its links go with it
    await conn.execute(delete(dynamic_link).where(dynamic_link.c.message_id.in_(composed)))
    return int((await conn.execute(delete(message).where(untouched))).rowcount)


async def leave_out(conn: AsyncConnection, campaign_id: int) -> int:
    """Skip the first mails of people whom the approved audience has not, and return how many.

    They were tried before an edit, and wait for another try: the ledger keeps them, but nobody approved them again.
    """
    approved = select(recipient.c.contact_id).where(
        recipient.c.campaign_id == campaign_id, recipient.c.skip_reason.is_(None)
    )
    waits = [state for state in sources("skip") if state is not MessageState.CLAIMED]
    theirs = (message.c.campaign_id == campaign_id, message.c.step == 0, message.c.contact_id.not_in(approved))
    skipped = update(message).where(*theirs, message.c.state.in_(waits))
    return int((await conn.execute(skipped.values(state=MessageState.SKIPPED, reason="not_in_audience"))).rowcount)


async def queue_planned(
    conn: AsyncConnection,
    campaign_id: int,
    *,
    variant: str | None = None,
    mailbox_id: int | None = None,
    mail_domain: str | None = None,
) -> int:
    """Queue a campaign's planned rows and return how many; they get the variant, and the mailbox, that a test chose.

    None of them was ever offered, so a Message-ID of the new mailbox's domain is still a first one.
    """
    planned = and_(message.c.campaign_id == campaign_id, message.c.state == MessageState.PLANNED)
    values: dict[str, Any] = {"state": MessageState.QUEUED}
    if variant is not None:
        values["variant"] = variant
    if mailbox_id is not None:
        values |= {"mailbox_id": mailbox_id, "message_id": message.c.uid + "@" + mail_domain}
    return int((await conn.execute(update(message).where(planned).values(values))).rowcount)


async def set_due(conn: AsyncConnection, which: Any, due_at: datetime) -> None:
    """Move planned rows to another moment."""
    planned = and_(which, message.c.state == MessageState.PLANNED)
    await conn.execute(update(message).where(planned).values(due_at=due_at))


async def cancel_campaign(conn: AsyncConnection, campaign_id: int, reason: str, now: datetime) -> int:
    """Cancel what has not been handed over; return how many rows. What is in hand or in doubt runs its course."""
    return await _stop(conn, message.c.campaign_id == campaign_id, "cancel", reason, now)


async def stop_for(
    conn: AsyncConnection,
    contact_ids: Sequence[int] = (),
    company_id: int | None = None,
    *,
    campaign_id: int | None = None,
    follow_ups_only: bool = False,
    reason: str,
    now: datetime,
    action: str = "cancel",
) -> int:
    """Stop what has not been handed over to these contacts, or to everybody of a company; return how many rows.

    action: "cancel" or "skip". follow_ups_only: leave first mails (step 0) alone.
    """
    if not contact_ids and company_id is None:
        return 0
    whom = message.c.company_id == company_id if company_id is not None else message.c.contact_id.in_(contact_ids)
    if contact_ids and company_id is not None:
        whom = or_(whom, message.c.contact_id.in_(contact_ids))
    if campaign_id is not None:
        whom = and_(whom, message.c.campaign_id == campaign_id)
    if follow_ups_only:
        whom = and_(whom, message.c.step > 0)
    return await _stop(conn, whom, action, reason, now)


async def _stop(conn: AsyncConnection, which: Any, action: str, reason: str, now: datetime) -> int:
    await stops.hold(conn)
    states = sources(action)
    target = TRANSITIONS[(states[0], action)]
    statement = update(message).where(which, message.c.state.in_(states))
    return int((await conn.execute(statement.values(state=target, reason=reason, settled_at=now))).rowcount)


async def mark(conn: AsyncConnection, message_id: int, field: str, at: datetime, **more: Any) -> bool:
    """Note the first time that something happened to a message; False: it was known. Raises ValueError on `field`."""
    if field not in FIRST_TIMES or set(more) - {"bounce_hard"}:
        raise ValueError(f"{field!r} is nothing that happens to a message")
    fresh = and_(message.c.id == message_id, message.c[field].is_(None))
    return bool((await conn.execute(update(message).where(fresh).values({field: at, **more}))).rowcount)


async def resume_mailbox(conn: AsyncConnection, mailbox_id: int) -> None:
    """Let a paused mailbox send again; what it was paused for is forgotten."""
    values: dict[str, Any] = {
        "state": MailboxState.ACTIVE,
        "paused_reason": None,
        "paused_until": None,
        "failures": 0,
        "recent": {},
    }
    await conn.execute(update(mailbox).where(mailbox.c.id == mailbox_id).values(values))


class OutboxStore:
    """The transactions of who sends. Times are aware UTC."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def _write(self, work: Callable[[Connection], T]) -> T:
        return await self.db.hot.write(work)

    async def lease(
        self,
        mailbox_id: int,
        holder: str,
        now: datetime,
        seconds: float,
        is_dead: Callable[[str], bool] = lambda holder: False,
    ) -> int | None:
        """Take a mailbox; return the fencing number, None if a living worker has it."""
        return await self._write(lambda c: claims.lease(c, mailbox_id, holder, now, seconds, is_dead))

    async def renew(self, mailbox_id: int, fence: int, now: datetime, seconds: float) -> bool:
        """Keep a mailbox; False: it was taken over."""
        return await self._write(lambda c: claims.renew(c, mailbox_id, fence, now, seconds))

    async def release(self, mailbox_id: int, fence: int, now: datetime) -> None:
        """Give a mailbox back."""
        await self._write(lambda c: claims.release(c, mailbox_id, fence, now))

    async def claim(
        self,
        mailbox_id: int,
        fence: int,
        now: datetime,
        limit: int,
        next_open: claims.Window | None = None,
        skip_domains: dict[str, datetime] | None = None,
        quota: Quota = NO_QUOTA,
    ) -> list[Claimed]:
        """Claim up to `limit` due messages that may leave as things stand; [] when there are none."""

        def work(conn: Connection) -> tuple[int, list[Claimed]]:
            found = claims.claim(conn, mailbox_id, fence, now, limit, next_open, skip_domains)
            return len(found), handover.sift(conn, mailbox_id, fence, now, found, quota) if found else []

        for _ in range(ROUNDS):
            number, kept = await self._write(work)
            if kept or not number:
                return kept
        return []

    async def settle_and_mark(
        self,
        mailbox_id: int,
        fence: int,
        now: datetime,
        outcomes: Sequence[Outcome],
        marks: Sequence[Mark],
        quota: Quota = NO_QUOTA,
        mailbox_values: Mapping[str, Any] | None = None,
        also: Callable[[Connection], None] | None = None,
        slowly: Sequence[Callable[[AsyncConnection], Awaitable[None]]] = (),
    ) -> dict[int, Refused]:
        """Record outcomes and mark hand-overs in one durable transaction; return the refused marks.

        also: what else belongs into the transaction. slowly: the same for what is asynchronous and rare (suppressions,
        pauses); outcomes with such go ahead in a transaction of their own, so that the marks see what followed.
        """
        common = (mailbox_id, fence, now)
        if slowly:
            async with self.db.write() as conn:
                # first of all: waiting for it with rows already locked could end in a deadlock with another worker
                await stops.hold(conn)
                await conn.run_sync(handover.settle_and_mark, *common, outcomes, (), quota, mailbox_values, also)
                for extra in slowly:
                    await extra(conn)
            outcomes, mailbox_values, also = (), None, None
            if not marks:
                return {}
        return await self._write(
            lambda c: handover.settle_and_mark(c, *common, outcomes, marks, quota, mailbox_values, also)
        )

    async def recover_all(self, now: datetime, is_dead: Callable[[str], bool] = lambda holder: False) -> int:
        """Settle what workers left behind that are gone; return how many mailboxes. A worker's tick calls it.

        Gone is whose lease has run out, and a process of this machine that has ended (sending/holder).
        """

        def work(conn: Connection) -> int:
            leased = select(mailbox.c.id, mailbox.c.lease_holder, mailbox.c.lease_until)
            rows = conn.execute(leased.where(mailbox.c.lease_holder.is_not(None)).with_for_update(skip_locked=True))
            gone = [row.id for row in rows if row.lease_until <= now or is_dead(row.lease_holder)]
            for mailbox_id in gone:
                claims.take_back(conn, mailbox_id, now)
            return len(gone)

        return await self._write(work)

    async def due_mailboxes(self, now: datetime) -> list[int]:
        """Return the mailboxes that have a message to send now, may send, and that nobody works."""
        waits = [
            select(campaign.c.id).where(may, _waits(state, sample, now)).correlate(mailbox).exists()
            for state in (MessageState.QUEUED, MessageState.DEFERRED)
            for sample, may in claims.MAY_SEND.items()
        ]
        free = and_(
            mailbox.c.state == MailboxState.ACTIVE,
            or_(mailbox.c.paused_until.is_(None), mailbox.c.paused_until <= now),
            or_(mailbox.c.lease_holder.is_(None), mailbox.c.lease_until <= now),
            ~select(instance.c.id).where(instance.c.hold_reason.is_not(None)).exists(),
        )
        query = select(mailbox.c.id).where(free, or_(*waits)).order_by(mailbox.c.id)
        async with self.db.read() as conn:
            return [int(found) for found in await conn.scalars(query)]

    async def mailbox(self, mailbox_id: int) -> Row[Any]:
        """Return the mailbox's row. Raises NoResultFound."""
        async with self.db.read() as conn:
            return (await conn.execute(select(mailbox).where(mailbox.c.id == mailbox_id))).one()

    async def mailboxes(self, ids: Collection[int]) -> list[Row[Any]]:
        """Return the rows of these mailboxes."""
        async with self.db.read() as conn:
            return list((await conn.execute(select(mailbox).where(mailbox.c.id.in_(ids)))).all())

    async def handed_since(self, mailboxes: Sequence[int], since: datetime) -> list[datetime]:
        """Return when messages of these mailboxes reached their server, oldest first: what quotas count."""
        async with self.db.read() as conn:
            return await conn.run_sync(limits.handed_since, mailboxes, since)

    async def letters_since(self, mailbox_id: int, since: datetime) -> list[datetime]:
        """Return when letters (mail outside of the outbox) left through the mailbox since then."""
        async with self.db.read() as conn:
            return await conn.run_sync(limits.letters_since, mailbox_id, since)

    async def domains_since(self, since: datetime) -> list[tuple[str, datetime]]:
        """Return (recipient domain, when) of what reached a server from any mailbox."""
        async with self.db.read() as conn:
            return await conn.run_sync(limits.domains_since, since)


def _waits(state: MessageState, sample: bool, now: datetime) -> Any:
    """Whether a mailbox has a due message of a campaign. A subquery of its own: the campaign is looked at first."""
    return (
        select(message.c.id)
        .where(message.c.mailbox_id == mailbox.c.id, message.c.state == state, message.c.due_at <= now)
        .where(message.c.campaign_id == campaign.c.id, message.c.is_pilot == sample)
        .correlate(mailbox, campaign)
        .exists()
    )
