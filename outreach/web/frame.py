"""What stands around every page: the entries of the side bar with their counts, and what is being sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import Table, and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.model import Approval, Campaign, InboundMail, Message, Task
from outreach.outbox.store import last_due
from outreach.web.data.inbox import JOINED, OWNER, WAITING
from outreach.web.data.scope import owned
from outreach.web.i18n import N_

if TYPE_CHECKING:
    from outreach.web.routing import Staff

CAMPAIGNS: Table = Campaign.__table__  # type: ignore[attr-defined]
APPROVALS: Table = Approval.__table__  # type: ignore[attr-defined]
INBOUND: Table = InboundMail.__table__  # type: ignore[attr-defined]
TASKS: Table = Task.__table__  # type: ignore[attr-defined]
MESSAGES: Table = Message.__table__  # type: ignore[attr-defined]

#: Path, icon, name, permission, count; in the order of the work.
ENTRIES: tuple[tuple[str, str, str, P, str], ...] = (
    ("/", "sun-high", N_("Today"), P.ACCOUNT, ""),
    ("/customers", "building", N_("Customers"), P.CONTACTS_VIEW, ""),
    ("/segments", "filter", N_("Segments"), P.SEGMENTS_VIEW, ""),
    ("/templates", "template", N_("Templates"), P.TEMPLATES_VIEW, ""),
    ("/campaigns", "send", N_("Campaigns"), P.CAMPAIGNS_VIEW, ""),
    ("/approvals", "checkup-list", N_("Approvals"), P.CAMPAIGNS_VIEW, "approvals"),
    ("/inbox", "inbox", N_("Inbox"), P.INBOX_VIEW, "inbox"),
    ("/follow-ups", "list-check", N_("Follow-ups"), P.TASKS_VIEW, "tasks"),
    ("/sequences", "route", N_("Sequences"), P.CAMPAIGNS_VIEW, ""),
    ("/greetings", "calendar-event", N_("Greetings"), P.CONTACTS_VIEW, ""),
    ("/reports", "chart-bar", N_("Reports"), P.REPORTS_VIEW, ""),
    ("/settings", "settings", N_("Settings"), P.ACCOUNT, ""),
)
#: Pages that stand under an entry although their address begins otherwise.
UNDER: dict[str, tuple[str, ...]] = {
    "/customers": ("/contacts",),
    "/templates": ("/template-pictures", "/template-layout"),
    "/campaigns": ("/doubt",),
    "/reports": ("/suggestions",),
}
#: The five of the phone's tab bar; the rest is behind "More".
TABS = ("/", "/inbox", "/campaigns", "/approvals")
#: A reply is due within a working day; half a day before that it is "soon".
PACE_WINDOW = timedelta(minutes=10)
LIVE = ("pilot", "running")


@dataclass(frozen=True)
class Entry:
    """One entry of the side bar."""

    path: str
    icon: str
    name: str
    count: int = 0
    late: int = 0
    current: bool = False


@dataclass(frozen=True)
class Frame:
    """The frame of a page. `running`: campaigns being sent; `pace`: mails a minute of the last ten minutes."""

    entries: tuple[Entry, ...]
    running: int = 0
    pace: float = 0.0
    last_due: datetime | None = None
    last_tz: str | None = None

    @property
    def tabs(self) -> tuple[Entry, ...]:
        return tuple(entry for entry in self.entries if entry.path in TABS)


async def frame(staff: Staff) -> Frame:
    """Count what waits for this person and what runs."""
    async with staff.app.db.read() as conn:
        counts = {
            "approvals": (await _approvals(conn, staff), 0),
            "inbox": await _inbox(conn, staff),
            "tasks": (await _tasks(conn, staff), 0),
        }
        running, pace, last = await _running(conn, staff.now)
    path = staff.request.url.path
    entries = tuple(
        Entry(to, icon, name, *counts.get(count, (0, 0)), current=_is_current(to, path))
        for to, icon, name, permission, count in ENTRIES
        if staff.may(permission)
    )
    return Frame(entries, running, pace, *last)


def _is_current(entry: str, path: str) -> bool:
    return any(path == one or (one != "/" and path.startswith(one + "/")) for one in (entry, *UNDER.get(entry, ())))


async def _approvals(conn: AsyncConnection, staff: Staff) -> int:
    """Campaigns in review that this person's role has not spoken on."""
    if not staff.may(P.CAMPAIGNS_VIEW):
        return 0
    mine = [str(role) for role in staff.actor.roles if str(role) in staff.app.settings.approval.roles]
    spoken = select(APPROVALS.c.campaign_id).where(APPROVALS.c.role.in_(mine), APPROVALS.c.voided_at.is_(None))
    query = select(func.count()).where(CAMPAIGNS.c.state == "review")
    if mine:
        query = query.where(CAMPAIGNS.c.id.not_in(spoken))
    return int((await conn.execute(query)).scalar_one())


async def _inbox(conn: AsyncConnection, staff: Staff) -> tuple[int, int]:
    """Replies that wait, and how many of them are late."""
    if not staff.may(P.INBOX_VIEW):
        return 0, 0
    late = and_(TASKS.c.inbound_id == INBOUND.c.id, TASKS.c.state == "open", TASKS.c.due_at < staff.now)
    query = select(func.count(), func.count().filter(select(TASKS.c.id).where(late).exists()))
    query = query.select_from(JOINED).where(WAITING, owned(staff, P.INBOX_VIEW, OWNER))
    row = (await conn.execute(query)).one()
    return int(row[0]), int(row[1])


async def _tasks(conn: AsyncConnection, staff: Staff) -> int:
    if not staff.may(P.TASKS_VIEW):
        return 0
    mine = or_(TASKS.c.owner_id == staff.actor.id, TASKS.c.owner_id.is_(None))
    soon = TASKS.c.due_at < staff.now + timedelta(days=1)
    query = select(func.count()).where(TASKS.c.state == "open", soon, mine)
    return int((await conn.execute(query)).scalar_one())


async def _running(conn: AsyncConnection, now: datetime) -> tuple[int, float, tuple[datetime | None, str | None]]:
    """How many campaigns are being sent, the pace, and when (and where) the last planned mail is due."""
    live = (
        (await conn.execute(select(CAMPAIGNS.c.id).where(CAMPAIGNS.c.state.in_(LIVE), CAMPAIGNS.c.kind == "campaign")))
        .scalars()
        .all()
    )
    if not live:
        return 0, 0.0, (None, None)
    since = now - PACE_WINDOW
    sent = select(func.count()).where(MESSAGES.c.campaign_id.in_(live), MESSAGES.c.sent_at > since)
    pace = (await conn.execute(sent)).scalar_one() / (PACE_WINDOW.total_seconds() / 60)
    return len(live), pace, await last_due(conn, live)
