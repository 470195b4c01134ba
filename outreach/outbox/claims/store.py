"""Leases of mailboxes and claims of messages. Functions take a connection in the caller's transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, or_, select, true, update

from outreach.db.hot import HotStatement
from outreach.model.enums import CampaignState, MailboxState, MessageState
from outreach.model.types import UtcDateTime
from outreach.outbox.message import Claimed
from outreach.outbox.tables import campaign, instance, mailbox, message

#: A message that was being handed over when its worker stopped.
WORKER_STOPPED = "worker stopped during the hand-over"

CLAIM_COLUMNS = (
    *(message.c[name] for name in Claimed.__slots__ if name in message.c),
    campaign.c.approved_hash,
)
CLAIMED = tuple(column.key for column in CLAIM_COLUMNS)

#: What is sent is what was approved, and what nobody has to confirm first.
APPROVED = and_(
    campaign.c.confirm_needed.is_(False),
    campaign.c.approved_hash.is_not(None),
    or_(campaign.c.submitted_hash.is_(None), campaign.c.submitted_hash == campaign.c.approved_hash),
)
#: A campaign's rows may leave: all of them while it runs, the sample during its pilot.
MAY_LEAVE = and_(
    APPROVED,
    or_(
        campaign.c.state == CampaignState.RUNNING,
        and_(campaign.c.state == CampaignState.PILOT, message.c.is_pilot),
    ),
)
#: Which campaigns may send their sample (is_pilot) and which the rest. Asked by one or the other, a look into the index
#: finds the first row, however many stand beside it that may not leave.
MAY_SEND = {
    True: and_(APPROVED, campaign.c.state.in_((CampaignState.RUNNING, CampaignState.PILOT))),
    False: and_(APPROVED, campaign.c.state == CampaignState.RUNNING),
}

#: How many rows outside their window a claim moves at most: bounded, because it holds SQLite's one writer meanwhile.
PASSES, SLICE = 5, 1_000

Window = Callable[[Claimed, datetime], datetime]


def lease(
    conn: Connection,
    mailbox_id: int,
    holder: str,
    now: datetime,
    seconds: float,
    is_dead: Callable[[str], bool] = lambda holder: False,
) -> int | None:
    """Take the mailbox for `holder` and return the fencing number; None if a living worker has it.

    Whoever takes it settles what the last holder left behind: claimed → queued, handing_over → in_doubt.
    """
    row = conn.execute(select(mailbox).where(mailbox.c.id == mailbox_id).with_for_update()).one()
    taken = row.lease_holder is not None and row.lease_holder != holder and row.lease_until > now
    if taken and not is_dead(row.lease_holder):
        return None
    fence: int = row.lease_fence + 1
    values = {"lease_holder": holder, "lease_until": now + timedelta(seconds=seconds), "lease_fence": fence}
    conn.execute(update(mailbox).where(mailbox.c.id == mailbox_id).values(values))
    recover(conn, mailbox_id, now)
    return fence


def renew(conn: Connection, mailbox_id: int, fence: int, now: datetime, seconds: float) -> bool:
    """Keep the mailbox; False: it was taken over, and nothing may be sent any more."""
    held = and_(mailbox.c.id == mailbox_id, mailbox.c.lease_fence == fence)
    result = conn.execute(update(mailbox).where(held).values(lease_until=now + timedelta(seconds=seconds)))
    return result.rowcount == 1


def release(conn: Connection, mailbox_id: int, fence: int, now: datetime) -> None:
    """Give the mailbox and what was claimed and not offered back."""
    held = and_(mailbox.c.id == mailbox_id, mailbox.c.lease_fence == fence)
    if conn.execute(update(mailbox).where(held).values(lease_holder=None, lease_until=None)).rowcount:
        claimed = and_(message.c.mailbox_id == mailbox_id, message.c.state == MessageState.CLAIMED)
        conn.execute(update(message).where(claimed).values(state=MessageState.QUEUED, fence=None))


def take_back(conn: Connection, mailbox_id: int, now: datetime) -> None:
    """Free a mailbox whose worker is gone, and settle what it left behind."""
    freed = {"lease_holder": None, "lease_until": None, "lease_fence": mailbox.c.lease_fence + 1}
    conn.execute(update(mailbox).where(mailbox.c.id == mailbox_id).values(**freed))
    recover(conn, mailbox_id, now)


def recover(conn: Connection, mailbox_id: int, now: datetime) -> None:
    """Settle what a worker left behind that is known to be gone."""
    own = message.c.mailbox_id == mailbox_id
    claimed = and_(own, message.c.state == MessageState.CLAIMED)
    conn.execute(update(message).where(claimed).values(state=MessageState.QUEUED, fence=None))
    in_hand = and_(own, message.c.state == MessageState.HANDING_OVER)
    # the fence stays: if that worker lives after all and knows better, its word is taken (handover/store.py)
    doubt = {"state": MessageState.IN_DOUBT, "reason": WORKER_STOPPED, "settled_at": now}
    conn.execute(update(message).where(in_hand).values(doubt))


def holds(conn: Connection, mailbox_id: int, fence: int, now: datetime) -> bool:
    """Whether this worker has the mailbox, it may send, and the installation is not on hold."""
    return bool(HOLDS.execute(conn, {"box": mailbox_id, "held": fence, "now": now}))


HOLDS = HotStatement(
    select(mailbox.c.id)
    .where(
        mailbox.c.id == bindparam("box", None),
        mailbox.c.lease_fence == bindparam("held", None),
        mailbox.c.state == MailboxState.ACTIVE,
        func.coalesce(mailbox.c.paused_until <= bindparam("now", None, type_=UtcDateTime()), true()),
        ~select(instance.c.id).where(instance.c.hold_reason.is_not(None)).exists(),
    )
    .with_for_update(read=True, of=mailbox)
)


def claim(
    conn: Connection,
    mailbox_id: int,
    fence: int,
    now: datetime,
    limit: int,
    next_open: Window | None = None,
    skip_domains: dict[str, datetime] | None = None,
) -> list[Claimed]:
    """Claim up to `limit` messages that are due, oldest first; [] when there are none or the mailbox may not send.

    Messages outside their recipient's window (`next_open`), or to a domain that has had its share (`skip_domains`: when
    it is open again), move to their next hour and stay queued.
    """
    if not holds(conn, mailbox_id, fence, now):
        return []
    wake(conn, mailbox_id, now)
    claimed: list[Claimed] = []
    active = [
        (number, sample)
        for sample, may in MAY_SEND.items()
        for number in conn.scalars(select(campaign.c.id).where(may))
    ]
    # each pass moves what is closed now out of the way, the later ones in big slices: a campaign may sleep whole
    for number in range(PASSES):
        room = limit - len(claimed)
        found = _oldest(conn, mailbox_id, active, now, room if number == 0 else max(room, SLICE))
        ready, later = _sort_out(found, now, next_open, skip_domains or {})
        _postpone(conn, later)
        claimed += _take(conn, ready[:room], fence, now)
        if not later or len(claimed) >= limit:
            break
    return claimed


def _oldest(
    conn: Connection, mailbox_id: int, active: list[tuple[int, bool]], now: datetime, limit: int
) -> list[Claimed]:
    """Ask campaign by campaign: each answer is the beginning of a range of the index."""
    rows = [row for number, sample in active for row in conn.execute(_due(mailbox_id, number, sample, now, limit))]
    rows.sort(key=lambda row: (row.due_at, row.id))
    return [_claimed(row, now) for row in rows[:limit]]


def wake(conn: Connection, mailbox_id: int, now: datetime) -> None:
    """Queue the deferred messages whose time has come."""
    due = and_(message.c.mailbox_id == mailbox_id, message.c.state == MessageState.DEFERRED, message.c.due_at <= now)
    conn.execute(update(message).where(due).values(state=MessageState.QUEUED))


def _due(mailbox_id: int, campaign_id: int, sample: bool, now: datetime, limit: int) -> Any:
    return (
        select(*CLAIM_COLUMNS)
        .join_from(message, campaign, campaign.c.id == message.c.campaign_id)
        .where(
            message.c.mailbox_id == mailbox_id,
            message.c.state == MessageState.QUEUED,
            message.c.campaign_id == campaign_id,
            message.c.is_pilot == sample,
            message.c.due_at <= now,
        )
        .order_by(message.c.due_at, message.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True, of=message)
    )


def _claimed(row: Row[Any], now: datetime) -> Claimed:
    values = dict(zip(CLAIMED, row, strict=True))  # row._mapping costs six times as much
    values["composed_at"] = values["composed_at"] or now.replace(microsecond=0)
    return Claimed(**values)


def _sort_out(
    found: list[Claimed], now: datetime, next_open: Window | None, skip_domains: dict[str, datetime]
) -> tuple[list[Claimed], list[tuple[Claimed, datetime]]]:
    ready: list[Claimed] = []
    later: list[tuple[Claimed, datetime]] = []
    for item in found:
        opens = max(next_open(item, now) if next_open else now, skip_domains.get(item.domain, now))
        if opens > now:
            later.append((item, opens))
        else:
            ready.append(item)
    return ready, later


def _postpone(conn: Connection, later: list[tuple[Claimed, datetime]]) -> None:
    by_time: dict[datetime, list[int]] = {}
    for item, opens in later:
        by_time.setdefault(opens, []).append(item.id)
    for opens, ids in by_time.items():
        queued = and_(message.c.id.in_(ids), message.c.state == MessageState.QUEUED)
        conn.execute(update(message).where(queued).values(due_at=opens))


def _take(conn: Connection, ready: list[Claimed], fence: int, now: datetime) -> list[Claimed]:
    if not ready:
        return []
    queued = and_(message.c.id.in_([item.id for item in ready]), message.c.state == MessageState.QUEUED)
    values = {
        "state": MessageState.CLAIMED,
        "fence": fence,
        "claimed_at": now,
        "composed_at": func.coalesce(message.c.composed_at, now.replace(microsecond=0)),
    }
    taken = set(conn.execute(update(message).where(queued).values(values).returning(message.c.id)).scalars())
    return [item for item in ready if item.id in taken]
