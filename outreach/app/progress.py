"""How far a campaign is: what became of its messages, how fast its mailboxes go, when the last one will have left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app import forecasting
from outreach.app.build import App
from outreach.app.forecasting import WAITS
from outreach.campaigns import store as campaigns
from outreach.model import Mailbox, MailboxState, Message, MessageState
from outreach.model.base import table
from outreach.outbox import store as outbox
from outreach.outbox.metrics.store import handed_lately

MESSAGES, MAILBOXES = table(Message), table(Mailbox)


@dataclass
class MailboxProgress:
    """One mailbox of a campaign. used and limits: by "minute", "hour", "day"; a limit that is not there is none.

    state: sending, resting (until `resumes_at`), paused or idle. waiting: messages of this campaign. ends_at: when they
    will have left (sending/forecast.py), None if none waits or somebody must resume the mailbox first.
    """

    id: int
    name: str
    state: str
    reason: str | None
    resumes_at: datetime | None
    waiting: int
    used: dict[str, int]
    limits: dict[str, int]
    next_due: datetime | None
    ends_at: datetime | None


@dataclass
class Progress:
    """A campaign under way. deferred_next: when the next deferred message is tried. pace: sent in the last minute."""

    id: int
    name: str
    state: str
    paused_reason: str | None
    confirm_needed: bool
    total: int
    queued: int
    in_hand: int
    sent: int
    deferred: int
    deferred_next: datetime | None
    failed: int
    failed_by_reason: dict[str, int]
    in_doubt: int
    left_out: int
    pace: int
    ends_at: datetime | None
    mailboxes: list[MailboxProgress] = field(default_factory=list)

    @property
    def done(self) -> int:
        """How many are settled."""
        return self.total - self.queued - self.in_hand - self.deferred - self.in_doubt

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Ahead:
    """What takes longest to tell: each mailbox's limits in force, and when it will have sent what waits."""

    limits: dict[int, dict[str, int]] = field(default_factory=dict)
    ends: dict[int, datetime] = field(default_factory=dict)


async def progress(app: App, campaign_id: int, now: datetime, ahead: Ahead | None = None) -> Progress:
    """Read it. `ahead`: what a look ahead told lately, where it need not be told anew. Raises CampaignError for an
    unknown campaign.
    """
    async with app.db.read() as conn:
        row = await campaigns.get(conn, campaign_id)
        found = await outbox.counts(conn, campaign_id)
        boxes = await _boxes(conn, campaign_id, now)
        pace = await conn.scalar(
            select(func.count()).where(
                MESSAGES.c.campaign_id == campaign_id, MESSAGES.c.sent_at > now - timedelta(minutes=1)
            )
        )
        later = await _deferred_next(conn, campaign_id)
    ahead = ahead or await look_ahead(app, campaign_id, now)
    for box in boxes:
        box.limits = ahead.limits.get(box.id, {})
        box.ends_at = ahead.ends.get(box.id) if box.waiting else None
    return Progress(
        id=campaign_id,
        name=row.name,
        state=row.state,
        paused_reason=row.paused_reason,
        confirm_needed=row.confirm_needed,
        total=found["planned"],
        queued=found["queued"] + found["waiting"],
        in_hand=found["claimed"] + found["handing_over"],
        sent=found["sent"],
        deferred=found["deferred"],
        deferred_next=later,
        failed=found["failed"],
        failed_by_reason=found["failed_by_reason"],
        in_doubt=found["in_doubt"],
        left_out=sum(found["skipped"].values()) + found["cancelled"],
        pace=int(pace or 0),
        ends_at=_end(boxes),
        mailboxes=boxes,
    )


def _end(boxes: Sequence[MailboxProgress]) -> datetime | None:
    """The last end; unknown as soon as a mailbox that somebody must resume has mail to send."""
    busy = [box for box in boxes if box.waiting]
    ends = [box.ends_at for box in busy if box.ends_at is not None]
    return max(ends) if busy and len(ends) == len(busy) else None


async def _deferred_next(conn: AsyncConnection, campaign_id: int) -> datetime | None:
    deferred = (MESSAGES.c.campaign_id == campaign_id) & (MESSAGES.c.state == MessageState.DEFERRED.value)
    found: datetime | None = await conn.scalar(select(func.min(MESSAGES.c.due_at)).where(deferred))
    return found


async def _boxes(conn: AsyncConnection, campaign_id: int, now: datetime) -> list[MailboxProgress]:
    """Each mailbox of the campaign: its stretches of the claim's index are walked, not the campaign's rows."""
    here = (MESSAGES.c.mailbox_id == MAILBOXES.c.id, MESSAGES.c.campaign_id == campaign_id)
    there = or_(
        *(
            select(MESSAGES.c.id).where(*here, MESSAGES.c.state == state.value).correlate(MAILBOXES).exists()
            for state in MessageState
        )
    )
    waits = MESSAGES.c.state.in_(WAITS)
    number = select(func.count()).select_from(MESSAGES).where(*here, waits).correlate(MAILBOXES).scalar_subquery()
    first = select(func.min(MESSAGES.c.due_at)).where(*here, waits).correlate(MAILBOXES).scalar_subquery()
    query = select(MAILBOXES, number.label("waiting"), first.label("next_due")).where(there).order_by(MAILBOXES.c.id)
    return [_box(box, await handed_lately(conn, box.id, now), now) for box in (await conn.execute(query)).all()]


def _box(row: Any, used: dict[str, int], now: datetime) -> MailboxProgress:
    resting = row.paused_until if row.paused_until and row.paused_until > now else None
    paused = row.state != MailboxState.ACTIVE
    state = "paused" if paused else "resting" if resting else "sending" if row.waiting else "idle"
    reason = row.paused_reason if paused or resting else None
    due = row.next_due if row.waiting else None
    return MailboxProgress(row.id, row.name, state, reason, resting, int(row.waiting), used, {}, due, None)


async def look_ahead(app: App, campaign_id: int, now: datetime) -> Ahead:
    """Say what limits each mailbox now, and when it will have sent what waits. Raises CampaignError."""
    async with app.db.read() as conn:
        row = await campaigns.get(conn, campaign_id)
        boxes = await _boxes(conn, campaign_id, now)
    may = await forecasting.paces(app, [box.id for box in boxes], now, paused_too=True)
    limits = {number: sender.pace.limits_now(now.timestamp()) for number, sender in may.senders.items()}
    busy = [box.id for box in boxes if box.waiting]
    return Ahead(limits, await forecasting.ends(app, row, busy, now) if busy else {})
