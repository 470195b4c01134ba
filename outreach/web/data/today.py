"""What stands on the first page: replies that wait, tasks by the customer's clock, campaigns, mailboxes, warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, ScalarSelect, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.crm.proposals import proposal_of
from outreach.outbox import store as outbox
from outreach.web.data.inbox import JOINED, OWNER, WAITING
from outreach.web.data.people import PERSON, full_name, zone_of
from outreach.web.data.scope import owned
from outreach.web.data.tables import (
    APPROVAL,
    CAMPAIGN,
    COMPANY,
    CONTACT,
    FOLDER,
    INBOUND,
    MAILBOX,
    MESSAGE,
    RECIPIENT,
    TASK,
)
from outreach.web.format import zone
from outreach.web.today_rules import ANSWER_WITHIN

if TYPE_CHECKING:
    from outreach.web.routing import Staff

#: Shown on the page; the rest is one press away.
REPLIES, TASKS = 8, 20
WORK_FROM, WORK_TO = 9, 17
LIVE = ("pilot", "running", "paused")
#: Rates of a mailbox are of its last mails, as its protection counts them (reliability.md).
LAST = timedelta(days=7)
WATCH_BOUNCES = 0.03
#: A bounce bears the moment of the server that wrote it, whose clock may be behind ours.
CLOCKS = timedelta(days=1)


@dataclass(frozen=True)
class Reply:
    """A received reply that waits for an answer."""

    id: int
    name: str
    company: str
    country: str | None
    tz: str
    intent: str | None
    text: str
    due: datetime
    began: datetime
    contact_id: int | None = None


@dataclass(frozen=True)
class TaskLine:
    """A task with the customer's clock. `open_for`: work time left there; `opens_in`: until it begins."""

    id: int
    kind: str
    title: str
    name: str
    company: str
    contact_id: int | None
    tz: str
    due: datetime
    inbound_id: int | None
    open_for: timedelta | None
    opens_in: timedelta | None
    proposal: dict[str, Any] | None = None


@dataclass
class Counts:
    """Messages of a campaign by state."""

    sent: int = 0
    deferred: int = 0
    in_doubt: int = 0
    failed: int = 0
    waiting: int = 0
    total: int = 0


@dataclass
class CampaignLine:
    """A campaign that is being sent or waits for somebody."""

    id: int
    name: str
    state: str
    owner_id: int | None
    paused_reason: str | None
    counts: Counts = field(default_factory=Counts)
    pace: float = 0.0
    last_due: datetime | None = None
    last_tz: str | None = None
    waits_for: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class MailboxLine:
    """A mailbox's health today. `unread`: why its inbox cannot be read at present."""

    id: int
    name: str
    address: str
    state: str
    today: int
    limit: int
    sent: int
    bounced: int
    read_at: datetime | None
    reason: str | None
    unread: str | None = None


def reply_query(staff: Staff) -> Any:
    """Open replies with their person, the most urgent first."""
    due = func.min(TASK.c.due_at).label("due_at")
    tasks = select(TASK.c.inbound_id, due).where(TASK.c.state == "open").group_by(TASK.c.inbound_id).subquery()
    columns = (
        INBOUND.c.id, INBOUND.c.from_name, INBOUND.c.from_address, INBOUND.c.subject, INBOUND.c.reply_text,
        INBOUND.c.intent, INBOUND.c.received_at, INBOUND.c.answered_at, INBOUND.c.state, INBOUND.c.kind,
        INBOUND.c.owner_id, tasks.c.due_at,
    )  # fmt: skip
    joined = JOINED.outerjoin(tasks, tasks.c.inbound_id == INBOUND.c.id)
    return select(*columns, *PERSON).select_from(joined).where(owned(staff, P.INBOX_VIEW, OWNER))


def waiting(query: Any) -> Any:
    """Hold a reply query to what nobody has answered or closed."""
    return query.where(WAITING)


def reply_of(row: Any) -> Reply:
    """Make a line of a row of reply_query."""
    return Reply(
        id=row.id,
        name=full_name(row.first_name, row.last_name, row.from_name or row.from_address or "?"),
        company=row.company or "",
        country=row.country,
        tz=zone_of(row.country, row.city),
        intent=row.intent,
        text=(row.reply_text or row.subject or "").strip(),
        due=_aware(row.due_at) or row.received_at + ANSWER_WITHIN,
        began=row.received_at,
        contact_id=row.person_id,
    )


def _aware(value: Any) -> datetime | None:
    """An aggregate loses the column's type on SQLite: text, or no zone."""
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def replies(conn: AsyncConnection, staff: Staff, mine: bool) -> list[Reply]:
    """The replies that wait, the most urgent first."""
    query = waiting(reply_query(staff))
    if mine:
        query = query.where(or_(staff.actor.id == OWNER, OWNER.is_(None)))
    rows = (await conn.execute(query.order_by(INBOUND.c.received_at).limit(200))).all()
    return sorted((reply_of(row) for row in rows), key=lambda reply: reply.due)


async def tasks(conn: AsyncConnection, staff: Staff, mine: bool) -> list[TaskLine]:
    """Open tasks of today and before: who can be reached now first, and of these who goes home first."""
    joined = TASK.outerjoin(CONTACT, CONTACT.c.id == TASK.c.contact_id).outerjoin(
        COMPANY, COMPANY.c.id == func.coalesce(TASK.c.company_id, CONTACT.c.company_id)
    )
    query = (
        select(TASK, *PERSON)
        .select_from(joined)
        .where(TASK.c.state == "open", TASK.c.due_at < staff.now + timedelta(days=1), TASK.c.kind != "reply")
        .where(owned(staff, P.TASKS_VIEW, TASK.c.owner_id))
    )
    if mine:
        query = query.where(or_(TASK.c.owner_id == staff.actor.id, TASK.c.owner_id.is_(None)))
    rows = (await conn.execute(query.order_by(TASK.c.due_at).limit(300))).all()
    lines = [task_of(row, staff.now) for row in rows]
    far = timedelta(days=9)
    return sorted(lines, key=lambda t: (t.open_for is None, t.open_for or far, t.opens_in or far, t.due))


def task_of(row: Any, now: datetime) -> TaskLine:
    """Make a line of a task's row with its person."""
    tz = zone_of(row.country, row.city)
    open_for, opens_in = office(now, tz)
    return TaskLine(
        id=row.id,
        kind=row.kind,
        title=row.title,
        name=full_name(row.first_name, row.last_name),
        company=row.company or "",
        contact_id=row.person_id,
        tz=tz,
        due=row.due_at,
        inbound_id=row.inbound_id,
        open_for=open_for,
        opens_in=opens_in,
        proposal=proposal_of(row.kind, row.data),
    )


def office(now: datetime, tz: str) -> tuple[timedelta | None, timedelta | None]:
    """Return (work time left there, None) inside office hours, else (None, until they begin)."""
    there = now.astimezone(zone(tz))
    begin = there.replace(hour=WORK_FROM, minute=0, second=0, microsecond=0)
    end = begin.replace(hour=WORK_TO)
    if there.weekday() < 5 and begin <= there < end:
        return end - there, None
    while begin <= there or begin.weekday() >= 5:
        begin += timedelta(days=1)
    return None, begin - there


async def campaigns(conn: AsyncConnection, staff: Staff) -> list[CampaignLine]:
    """Campaigns being sent, paused or waiting for an approval."""
    query = select(CAMPAIGN).where(
        CAMPAIGN.c.state.in_((*LIVE, "review")),
        CAMPAIGN.c.kind == "campaign",
        CAMPAIGN.c.archived.is_(False),
        owned(staff, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id),
    )
    rows = (await conn.execute(query.order_by(CAMPAIGN.c.started_at.desc(), CAMPAIGN.c.id.desc()).limit(8))).all()
    lines = [CampaignLine(r.id, r.name, r.state, r.owner_id, r.paused_reason) for r in rows]
    found = await counts(conn, [line.id for line in lines])
    for line in lines:
        line.counts = found.get(line.id, Counts())
        if line.state in LIVE:
            line.pace = await pace(conn, line.id, staff.now)
            line.last_due, line.last_tz = await last_due(conn, line.id)
        else:
            line.waits_for = await missing_roles(conn, line.id, staff.app.settings.approval.roles)
            line.counts.total = await recipients(conn, line.id)
    return lines


async def counts(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, Counts]:
    """Messages by state of each campaign."""
    return {number: counted(by_state) for number, by_state in (await outbox.states(conn, ids)).items()}


def counted(by_state: Mapping[str, int]) -> Counts:
    """Put the states of a campaign's messages together as a page shows them."""
    told = Counts()
    for state, number in by_state.items():
        if state in ("skipped", "cancelled"):
            continue
        told.total += number
        name = state if state in ("sent", "deferred", "in_doubt", "failed") else "waiting"
        setattr(told, name, getattr(told, name) + number)
    return told


async def pace(conn: AsyncConnection, campaign_id: int, now: datetime) -> float:
    """Mails a minute over the last ten minutes."""
    since = now - timedelta(minutes=10)
    query = select(func.count()).where(MESSAGE.c.campaign_id == campaign_id, MESSAGE.c.sent_at > since)
    return float((await conn.execute(query)).scalar_one()) / 10


async def last_due(conn: AsyncConnection, campaign_id: int) -> tuple[datetime | None, str | None]:
    """When the last waiting mail is planned, and the place it goes to."""
    return await outbox.last_due(conn, [campaign_id])


async def missing_roles(conn: AsyncConnection, campaign_id: int, roles: Sequence[str]) -> list[str]:
    """Which roles have not approved the campaign's present version."""
    query = select(APPROVAL.c.role).join(CAMPAIGN, CAMPAIGN.c.id == APPROVAL.c.campaign_id)
    query = query.where(
        CAMPAIGN.c.id == campaign_id,
        APPROVAL.c.decision == "approve",
        APPROVAL.c.voided_at.is_(None),
        APPROVAL.c.hash == CAMPAIGN.c.submitted_hash,
    )
    given = set((await conn.execute(query)).scalars())
    return [str(role) for role in roles if str(role) not in given]


async def recipients(conn: AsyncConnection, campaign_id: int) -> int:
    """How many people a submitted campaign goes to."""
    query = select(func.count()).where(RECIPIENT.c.campaign_id == campaign_id, RECIPIENT.c.skip_reason.is_(None))
    return int((await conn.execute(query)).scalar_one())


async def mailboxes(conn: AsyncConnection, staff: Staff) -> list[MailboxLine]:
    """Every mailbox that may be seen, with what it sent today and how it fares."""
    limits = {box.name: box.limits.per_day for box in staff.app.settings.mailbox}
    midnight = staff.now.astimezone(zone(staff.tz)).replace(hour=0, minute=0, second=0, microsecond=0)
    since = staff.now - LAST
    read = (
        select(FOLDER.c.mailbox_id, func.max(FOLDER.c.read_at).label("read_at"))
        .group_by(FOLDER.c.mailbox_id)
        .subquery()
    )
    query = (
        select(
            MAILBOX,
            _sent_since(MESSAGE.c.sent_at > since).label("sent"),
            _sent_since(MESSAGE.c.sent_at >= midnight).label("today"),
            read.c.read_at,
        )
        .select_from(MAILBOX.outerjoin(read, read.c.mailbox_id == MAILBOX.c.id))
        .where(owned(staff, P.MAILBOXES_VIEW, MAILBOX.c.owner_id))
        .order_by(MAILBOX.c.name)
    )
    bounced = await _bounced_since(conn, since)
    return [_mailbox_line(row, limits.get(row.name, 0), bounced[row.id]) for row in await conn.execute(query)]


async def _bounced_since(conn: AsyncConnection, since: datetime) -> Counter[int | None]:
    """Bounces of each mailbox's mails since then. Few; counted here, for SQLite would group by walking over all mails."""
    query = select(MESSAGE.c.mailbox_id, MESSAGE.c.sent_at).where(MESSAGE.c.bounced_at > since - CLOCKS)
    return Counter(row.mailbox_id for row in await conn.execute(query) if row.sent_at and row.sent_at > since)


def _sent_since(when: ColumnElement[bool]) -> ScalarSelect[int]:
    """One walk over the mailbox's own stretch of the index."""
    query = select(func.count()).select_from(MESSAGE).where(MESSAGE.c.mailbox_id == MAILBOX.c.id, when)
    return query.correlate(MAILBOX).scalar_subquery()


def _mailbox_line(row: Any, limit: int, bounced: int) -> MailboxLine:
    sent = row.sent or 0
    state = row.state
    if state == "active" and sent >= 50 and bounced / sent >= WATCH_BOUNCES:
        state = "watch"
    read_at = _aware(row.read_at)
    return MailboxLine(
        row.id,
        row.name,
        row.address,
        state,
        row.today or 0,
        limit,
        sent,
        bounced,
        read_at,
        row.paused_reason,
        row.last_error if state != "disabled" else None,
    )


async def in_doubt(conn: AsyncConnection, staff: Staff) -> list[Any]:
    """Campaigns with mails in doubt, and how many."""
    query = (
        select(CAMPAIGN.c.id, CAMPAIGN.c.name, func.count().label("n"))
        .join(MESSAGE, MESSAGE.c.campaign_id == CAMPAIGN.c.id)
        .where(MESSAGE.c.state == "in_doubt", owned(staff, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id))
        .group_by(CAMPAIGN.c.id, CAMPAIGN.c.name)
    )
    return list((await conn.execute(query)).all())
