"""Reads what a report is written from: marks on messages and roll-ups, never a scan of the events."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.session import Database
from outreach.model import Campaign, Mailbox, MessageState, StoredReport, Task, TemplateVersion, User
from outreach.reports.cube.store import (
    NOTHING,
    Span,
    alive_in,
    cube,
    figures_of,
    inquiries_in,
    is_inquiry,
    message,
    only_of,
    rollup,
    sums_ever,
    with_people,
    within,
)
from outreach.reports.metrics import Answer, Data, Figures, Hour, Trend
from outreach.reports.period import Period
from outreach.reports.words import titles_in

task: Table = Task.__table__  # type: ignore[attr-defined]
versions: Table = TemplateVersion.__table__  # type: ignore[attr-defined]
stored: Table = StoredReport.__table__  # type: ignore[attr-defined]
user: Table = User.__table__  # type: ignore[attr-defined]

#: How many periods the trend shows, this one included.
TREND = 8

ALWAYS = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC))

#: Who gets the weekly report by mail (A10: the departments concerned).
READERS = frozenset({"manager", "marketing_lead", "business_lead", "marketer", "customer_service"})


class ReportStore:
    """Reads what reports are written from. Moments are aware UTC."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def data(self, period: Period, owners: Collection[int] | None = None) -> Data:
        """Return everything about a period and the one before; `owners` limits it to those people's customers."""
        span, before = (period.start, period.end), (period.previous.start, period.previous.end)
        async with self.db.read() as conn:
            return Data(
                cells=await cube(conn, span, owners),
                before=await cube(conn, before, owners),
                hours=await _hours(conn, span, owners),
                replies=await _replies(conn, span, owners),
                answers=await _answers(conn, span, owners),
                trend=await _trend(conn, period),
                campaigns=await _names(conn, Campaign, Campaign.name),
                mailboxes=await _names(conn, Mailbox, Mailbox.address),
                users=await _names(conn, User, func.coalesce(func.nullif(User.display_name, ""), User.name)),
                templates=await _titles(conn),
                machine_opens=await _rolled(conn, span, "open", machine=True),
                machine_clicks=await _rolled(conn, span, "click", machine=True),
                in_doubt_now=await _in_doubt(conn),
            )

    async def campaign(self, campaign_id: int) -> Figures:
        """Return the figures of one campaign since it began."""
        async with self.db.read() as conn:
            query = select(*sums_ever()).where(message.c.campaign_id == campaign_id)
            found = figures_of((await conn.execute(query)).one())
            asked = await inquiries_in(conn, ALWAYS, [campaign_id], None)
        return sum(asked.values(), found)

    async def campaign_hours(self, campaign_id: int) -> list[tuple[datetime, str, bool, int]]:
        """Return (UTC hour, kind, machine, count) of a campaign, oldest first, from the roll-ups."""
        r = rollup.c
        query = select(r.hour, r.kind, r.machine, r.count.label("number")).where(
            r.campaign_id == campaign_id, r.count != 0
        )
        async with self.db.read() as conn:
            rows = await conn.execute(query.order_by(r.hour, r.kind, r.machine))
            return [(row.hour, row.kind, row.machine, row.number) for row in rows]

    async def readers(self) -> list[tuple[str, str]]:
        """Return (address, language) of the people whom the weekly report is for."""
        u = user.c
        query = select(u.email, u.language, u.roles).where(u.email.is_not(None), u.disabled_at.is_(None))
        async with self.db.read() as conn:
            rows = await conn.execute(query.order_by(u.id))
            return [(row.email, row.language) for row in rows if READERS & set(row.roles or ())]

    async def keep(self, kind: str, period: str, figures: Mapping[str, Any], now: datetime) -> int:
        """Keep a report as it was written; return its id."""
        row = {"kind": kind, "period": period, "figures": dict(figures), "created_at": now}
        async with self.db.write() as conn:
            return int((await conn.execute(insert(stored).values(row).returning(stored.c.id))).scalar_one())

    async def mark_sent(self, report_id: int, now: datetime) -> None:
        """Note when it was mailed."""
        async with self.db.write() as conn:
            await conn.execute(update(stored).where(stored.c.id == report_id).values(sent_at=now))

    async def last(self, kind: str, period: str) -> dict[str, Any] | None:
        """Return the newest kept report of a period: ``figures``, ``created_at``, ``sent_at``."""
        s = stored.c
        query = select(s.figures, s.created_at, s.sent_at).where(s.kind == kind, s.period == period)
        async with self.db.read() as conn:
            row = (await conn.execute(query.order_by(s.id.desc()).limit(1))).mappings().one_or_none()
        return dict(row) if row else None


async def _hours(conn: AsyncConnection, span: Span, owners: Collection[int] | None) -> tuple[Hour, ...]:
    """What was sent in each UTC hour to each time zone, with what has come of it by now."""
    m = message.c
    hour = func.strftime("%Y-%m-%d %H", m.sent_at)
    if conn.dialect.name == "postgresql":
        hour = func.to_char(func.timezone("UTC", m.sent_at), "YYYY-MM-DD HH24")
    outcomes = {
        "sent": m.sent_at,
        "opened": m.first_open_at,
        "clicked": m.first_click_at,
        "replied": m.replied_at,
        "bounced": m.bounced_at,
    }
    sums = [func.count(column).label(name) for name, column in outcomes.items()]
    query = select(hour.label("hour"), func.coalesce(m.tz, NOTHING).label("zone"), *sums)
    query = query.where(within(m.sent_at, span), m.campaign_id.in_(await alive_in(conn, span)))
    if owners is not None:
        query = only_of(query.select_from(with_people()), owners)
    return tuple(_hour(row) for row in await conn.execute(query.group_by("hour", "zone")))


def _hour(row: Any) -> Hour:
    at = datetime.strptime(row.hour, "%Y-%m-%d %H").replace(tzinfo=UTC)
    counts = {name: getattr(row, name) for name in ("sent", "opened", "clicked", "replied", "bounced")}
    return Hour(at, row.zone, Figures(accepted=row.sent - row.bounced, **counts))


async def _replies(
    conn: AsyncConnection, span: Span, owners: Collection[int] | None
) -> tuple[tuple[datetime, str], ...]:
    m = message.c
    query = select(m.replied_at, func.coalesce(m.tz, NOTHING))
    query = query.where(within(m.replied_at, span), m.campaign_id.in_(await alive_in(conn, span)))
    if owners is not None:
        query = only_of(query.select_from(with_people()), owners)
    return tuple((row[0], row[1]) for row in await conn.execute(query.order_by(m.replied_at)))


async def _answers(conn: AsyncConnection, span: Span, owners: Collection[int] | None) -> tuple[Answer, ...]:
    t = task.c
    query = select(t.owner_id, t.data, t.created_at, t.due_at, t.done_at)
    query = query.where(t.kind == "reply", within(t.created_at, span))
    if owners is not None:
        query = query.where(t.owner_id.in_(sorted(owners)))
    return tuple(
        Answer(row.owner_id, is_inquiry(row.data), row.created_at, row.due_at, row.done_at)
        for row in await conn.execute(query.order_by(t.created_at))
    )


async def _rolled(conn: AsyncConnection, span: Span, kind: str, *, machine: bool) -> int:
    r = rollup.c
    query = select(func.sum(r.count)).where(r.kind == kind, r.machine.is_(machine), within(r.hour, span))
    return int((await conn.execute(query)).scalar_one() or 0)


async def _trend(conn: AsyncConnection, period: Period) -> tuple[Trend, ...]:
    spans = [period]
    while len(spans) < TREND:
        spans.append(spans[-1].previous)
    found = []
    for span in reversed(spans):
        sent, replied = [await _rolled(conn, (span.start, span.end), kind, machine=False) for kind in ("sent", "reply")]
        found.append(Trend(span.label, sent, replied))
    return tuple(found)


async def _in_doubt(conn: AsyncConnection) -> int:
    query = select(func.count()).select_from(message).where(message.c.state == MessageState.IN_DOUBT)
    return int((await conn.execute(query)).scalar_one())


async def _titles(conn: AsyncConnection) -> dict[str, dict[str, str]]:
    """What the template's own file calls it, by language, from its newest version."""
    rows = await conn.execute(select(versions.c.name, versions.c.files).order_by(versions.c.version))
    return {name: titles_in((files or {}).get("template.toml", "")) for name, files in rows}


async def _names(conn: AsyncConnection, model: Any, name: Any) -> dict[int, str]:
    rows = await conn.execute(select(model.id, name))
    return {row[0]: row[1] for row in rows}
