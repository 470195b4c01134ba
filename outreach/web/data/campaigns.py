"""A campaign's figures, its funnel, the ledger of its recipients, its hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, and_, case, func, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.events.kinds import INQUIRY_INTENTS
from outreach.web.data.matching import says
from outreach.web.data.people import PERSON
from outreach.web.data.scope import owned
from outreach.web.data.tables import (
    APPROVAL,
    CAMPAIGN,
    COMPANY,
    CONTACT,
    CONVERSION,
    EVENT,
    MAILBOX,
    MESSAGE,
    RECIPIENT,
    STEP,
    TEMPLATE,
    USER,
)
from outreach.web.format import zone
from outreach.web.i18n import N_

if TYPE_CHECKING:
    from outreach.web.routing import Staff

PAGE = 25
M = MESSAGE.c
IN_PLAY = M.state.not_in(("skipped", "cancelled"))


def _converted(*kinds: str) -> ColumnElement[bool]:
    return M.id.in_(select(CONVERSION.c.message_id).where(CONVERSION.c.kind.in_(kinds)))


def _asked() -> ColumnElement[bool]:
    """An answer that asks for something is an inquiry, as in the reports."""
    wanted = EVENT.c.data["intent"].as_string().in_(sorted(INQUIRY_INTENTS))
    asks = select(EVENT.c.id).where(EVENT.c.message_id == M.id, EVENT.c.kind == "reply", wanted)
    return and_(M.replied_at.is_not(None), asks.exists())


#: Key → name and condition on a message. The first eight are the funnel, in order.
STAGES: Mapping[str, tuple[str, ColumnElement[bool]]] = {
    "planned": (N_("Planned"), IN_PLAY),
    "sent": (N_("Sent"), M.state == "sent"),
    "accepted": (N_("Accepted"), and_(M.state == "sent", M.bounced_at.is_(None))),
    "opened": (N_("Opened by people"), M.first_open_at.is_not(None)),
    "clicked": (N_("Clicked by people"), M.first_click_at.is_not(None)),
    "replied": (N_("Replied"), M.replied_at.is_not(None)),
    "inquiry": (N_("Inquiries"), or_(_asked(), _converted("inquiry", "quotation", "order"))),
    "order": (N_("Orders"), _converted("order")),
    "in_doubt": (N_("In doubt"), M.state == "in_doubt"),
    "bounced": (N_("Bounced"), M.bounced_at.is_not(None)),
    "deferred": (N_("Deferred"), M.state == "deferred"),
    "failed": (N_("Failed"), M.state == "failed"),
    "unsubscribed": (N_("Unsubscribed"), M.unsubscribed_at.is_not(None)),
    "complained": (N_("Spam complaints"), M.complained_at.is_not(None)),
    "autoreplied": (N_("Auto-replies"), M.autoreplied_at.is_not(None)),
    "machine": (N_("Machine opens"), M.machine_open_at.is_not(None)),
    "queued": (N_("Queued"), M.state.in_(("queued", "planned", "claimed", "handing_over"))),
    "cancelled": (N_("Cancelled"), M.state == "cancelled"),
    "skipped": (N_("Skipped"), M.state == "skipped"),
}
FUNNEL = ("planned", "sent", "accepted", "opened", "clicked", "replied", "inquiry", "order")


@dataclass(frozen=True)
class Figures:
    """How many are at each stage; `hard` bounces; `amount` of the orders by currency; reasons of those left out."""

    of: Mapping[str, int]
    hard: int
    amounts: Sequence[tuple[str, float]]
    skipped: Mapping[str, int]

    def __getitem__(self, stage: str) -> int:
        return self.of[stage]


async def figures(conn: AsyncConnection, campaign_id: int) -> Figures:
    """Count every stage in one walk over the campaign's messages."""
    columns = [func.count(case((condition, 1))).label(key) for key, (_, condition) in STAGES.items()]
    hard = func.count(case((M.bounce_hard.is_(True), 1))).label("hard")
    query = select(*columns, hard).where(M.campaign_id == campaign_id)
    row = (await conn.execute(query)).one()
    of = {key: int(getattr(row, key)) for key in STAGES}
    left_out = await skipped(conn, campaign_id)
    of["skipped"] = sum(left_out.values())
    if of["planned"] == 0:
        of["planned"] = await frozen(conn, campaign_id)
    return Figures(of, int(row.hard), await _amounts(conn, campaign_id), left_out)


async def frozen(conn: AsyncConnection, campaign_id: int) -> int:
    """The recipients of the frozen audience."""
    query = select(func.count()).where(RECIPIENT.c.campaign_id == campaign_id, RECIPIENT.c.skip_reason.is_(None))
    return int((await conn.execute(query)).scalar_one())


async def _amounts(conn: AsyncConnection, campaign_id: int) -> Sequence[tuple[str, float]]:
    query = (
        select(CONVERSION.c.currency, func.sum(CONVERSION.c.amount))
        .where(CONVERSION.c.campaign_id == campaign_id, CONVERSION.c.kind == "order", CONVERSION.c.amount.is_not(None))
        .group_by(CONVERSION.c.currency)
    )
    return [(row[0] or "", float(row[1])) for row in await conn.execute(query)]


async def skipped(conn: AsyncConnection, campaign_id: int) -> dict[str, int]:
    """Why people were left out: before the freeze and after, most frequent first."""
    before = select(RECIPIENT.c.skip_reason, func.count().label("n")).where(
        RECIPIENT.c.campaign_id == campaign_id, RECIPIENT.c.skip_reason.is_not(None)
    )
    after = select(M.reason, func.count().label("n")).where(M.campaign_id == campaign_id, M.state == "skipped")
    found: dict[str, int] = {}
    for query in (before.group_by(RECIPIENT.c.skip_reason), after.group_by(M.reason)):
        for row in await conn.execute(query):
            found[row[0] or "other"] = found.get(row[0] or "other", 0) + row.n
    return dict(sorted(found.items(), key=lambda item: -item[1]))


async def listing(
    conn: AsyncConnection, staff: Staff, state: str, search: str, offset: int
) -> tuple[Sequence[Any], int]:
    """Campaigns, newest first, with their messages counted."""
    parts: list[ColumnElement[bool]] = [owned(staff, P.CAMPAIGNS_VIEW, CAMPAIGN.c.owner_id)]
    groups = {"running": ("pilot", "running", "scheduled", "paused"), "waiting": ("review", "approved"), "finished": ("finished", "cancelled"), "draft": ("draft",)}  # fmt: skip
    parts += [CAMPAIGN.c.archived.is_(state == "archived"), CAMPAIGN.c.kind == "campaign"]
    if state in groups:
        parts.append(CAMPAIGN.c.state.in_(groups[state]))
    if search:
        parts.append(says(search, CAMPAIGN.c.name))
    total = (await conn.execute(select(func.count()).select_from(CAMPAIGN).where(*parts))).scalar_one()
    ids = select(CAMPAIGN.c.id).where(*parts).order_by(CAMPAIGN.c.id.desc()).limit(PAGE).offset(offset)
    chosen = (await conn.execute(ids)).scalars().all()
    told = (
        select(
            M.campaign_id,
            func.count(case((IN_PLAY, 1))).label("planned"),
            *(
                func.count(case((STAGES[key][1], 1))).label(key)
                for key in ("sent", "opened", "clicked", "replied", "bounced", "in_doubt")
            ),
        )
        .where(M.campaign_id.in_(chosen))
        .group_by(M.campaign_id)
        .subquery()
    )
    query = (
        select(
            CAMPAIGN, USER.c.display_name.label("owner"), *(column for column in told.c if column.name != "campaign_id")
        )
        .select_from(
            CAMPAIGN.outerjoin(told, told.c.campaign_id == CAMPAIGN.c.id).outerjoin(
                USER, USER.c.id == CAMPAIGN.c.owner_id
            )
        )
        .where(CAMPAIGN.c.id.in_(chosen))
        .order_by(CAMPAIGN.c.id.desc())
    )
    return (await conn.execute(query)).all(), int(total)


async def one(conn: AsyncConnection, campaign_id: int) -> Any | None:
    """A campaign with its owner's and author's names and the first step's template."""
    author = USER.alias("author")
    query = (
        select(
            CAMPAIGN, USER.c.display_name.label("owner"), USER.c.team.label("owner_team"), author.c.display_name.label("author"),
            TEMPLATE.c.name.label("template"), TEMPLATE.c.version.label("template_version"),
        )
        .select_from(
            CAMPAIGN.outerjoin(USER, USER.c.id == CAMPAIGN.c.owner_id)
            .outerjoin(author, author.c.id == CAMPAIGN.c.author_id)
            .outerjoin(STEP, and_(STEP.c.campaign_id == CAMPAIGN.c.id, STEP.c.number == 0))
            .outerjoin(TEMPLATE, TEMPLATE.c.id == STEP.c.template_version_id)
        )
        .where(CAMPAIGN.c.id == campaign_id)
    )  # fmt: skip
    return (await conn.execute(query)).one_or_none()


async def approvals(conn: AsyncConnection, campaign_id: int) -> Sequence[Any]:
    """Every word of approvers, oldest first, with their names."""
    query = select(APPROVAL, USER.c.display_name.label("who")).outerjoin(USER, USER.c.id == APPROVAL.c.user_id)
    return (await conn.execute(query.where(APPROVAL.c.campaign_id == campaign_id).order_by(APPROVAL.c.id))).all()


async def ledger(
    conn: AsyncConnection, campaign_id: int, stage: str, search: str, offset: int
) -> tuple[Sequence[Any], int]:
    """One page of the campaign's people at a stage: who, when, which answer."""
    if stage == "skipped":
        return await _left_out(conn, campaign_id, search, offset)
    condition = and_(M.campaign_id == campaign_id, STAGES[stage][1], _named(search, M.address))
    total = (
        await conn.execute(select(func.count()).select_from(_with_person(MESSAGE, M.contact_id)).where(condition))
    ).scalar_one()
    order = (
        M.replied_at.desc()
        if stage == "replied"
        else M.due_at
        if stage == "queued"
        else func.coalesce(M.sent_at, M.due_at).desc()
    )
    query = (
        select(
            MESSAGE.c.id, M.address, M.state, M.reason, M.sent_at, M.due_at, M.tz, M.reply_code, M.reply_text, M.attempts, M.step,
            M.first_open_at, M.first_click_at, M.bounced_at, M.bounce_hard, M.replied_at, M.unsubscribed_at, M.uid,
            MAILBOX.c.name.label("mailbox"), USER.c.display_name.label("owner"), *PERSON,
        )
        .select_from(
            _with_person(MESSAGE, M.contact_id)
            .outerjoin(MAILBOX, MAILBOX.c.id == M.mailbox_id)
            .outerjoin(USER, USER.c.id == CONTACT.c.owner_id)
        )
        .where(condition)
        .order_by(order, M.id)
        .limit(PAGE)
        .offset(offset)
    )  # fmt: skip
    return (await conn.execute(query)).all(), int(total)


def _with_person(base: Any, contact_id: Any) -> Any:
    return base.outerjoin(CONTACT, CONTACT.c.id == contact_id).outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)


def _named(search: str, address: Any) -> ColumnElement[bool]:
    if not search:
        return true()
    return says(search, address, CONTACT.c.last_name, COMPANY.c.name)


async def _left_out(conn: AsyncConnection, campaign_id: int, search: str, offset: int) -> tuple[Sequence[Any], int]:
    """Those who were skipped, each with the reason."""
    R = RECIPIENT.c
    condition = and_(R.campaign_id == campaign_id, R.skip_reason.is_not(None), _named(search, R.address))
    base = _with_person(RECIPIENT, R.contact_id)
    total = (await conn.execute(select(func.count()).select_from(base).where(condition))).scalar_one()
    query = select(R.id, R.address, R.skip_reason.label("reason"), *PERSON).select_from(base).where(condition)
    return (await conn.execute(query.order_by(R.skip_reason, R.id).limit(PAGE).offset(offset))).all(), int(total)


async def hours(conn: AsyncConnection, staff: Staff, campaign_id: int) -> dict[str, Any] | None:
    """Mails sent in each of the hours around now, and those planned: at most 48 bars, None when there is none."""
    begin = staff.now.astimezone(zone(staff.tz)).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    end = begin + timedelta(hours=42)
    sent = await _per_hour(conn, campaign_id, M.sent_at, M.state == "sent", begin, staff.now)
    waiting = M.state.in_(("queued", "planned", "deferred"))
    plan = await _per_hour(conn, campaign_id, M.due_at, waiting, begin, end)
    overdue = await _overdue(conn, campaign_id, waiting, begin)
    if not sent and not plan and not overdue:
        return None
    first = min([*sent, *plan, begin + timedelta(hours=23)])
    last = max([*sent, *plan, begin + timedelta(hours=24)])
    slots = [first + timedelta(hours=n) for n in range(int((last - first).total_seconds() // 3600) + 1)]
    now_slot = begin + timedelta(hours=23)
    if overdue:
        plan[now_slot] = plan.get(now_slot, 0) + overdue
    return {
        "slots": slots,
        "done": [sent.get(slot, 0) for slot in slots],
        "plan": [plan.get(slot, 0) for slot in slots],
        "now": slots.index(now_slot) if now_slot in slots else -1,
    }


async def _per_hour(
    conn: AsyncConnection, campaign_id: int, column: Any, condition: Any, begin: datetime, end: datetime
) -> dict[datetime, int]:
    """Counted by the minute in the database: hours begin at :30 and :45 in some zones."""
    minute = func.strftime("%Y-%m-%d %H:%M", column)
    if conn.dialect.name == "postgresql":
        minute = func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI")
    query = select(minute.label("minute"), func.count()).where(M.campaign_id == campaign_id, condition)
    query = query.where(column >= begin, column < end).group_by("minute")
    found: dict[datetime, int] = {}
    for text, count in await conn.execute(query):
        at = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        slot = at.astimezone(begin.tzinfo).replace(minute=0, second=0, microsecond=0)
        found[slot] = found.get(slot, 0) + count
    return found


async def _overdue(conn: AsyncConnection, campaign_id: int, condition: Any, begin: datetime) -> int:
    query = select(func.count()).where(M.campaign_id == campaign_id, condition, M.due_at < begin)
    return int((await conn.execute(query)).scalar_one())


async def mailbox_names(conn: AsyncConnection) -> Sequence[Any]:
    """Mailboxes that a campaign can send from."""
    query = select(MAILBOX.c.name, MAILBOX.c.address, MAILBOX.c.state).where(MAILBOX.c.state != "disabled")
    return (await conn.execute(query.order_by(MAILBOX.c.name))).all()
