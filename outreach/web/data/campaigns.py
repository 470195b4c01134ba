"""A campaign's figures, its funnel, the ledger of its recipients, its hours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Integer, and_, case, func, literal, null, or_, select, text, true, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.events.kinds import INQUIRY_INTENTS
from outreach.model.types import UtcDateTime
from outreach.outbox import store as outbox
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
QUEUED = ("queued", "planned", "claimed", "handing_over")
#: Conversions that are an inquiry at least.
LEADS = ("inquiry", "quotation", "order")
#: One of each for all slots of a chart: the key of a statement looks into each type anew.
NUMBER, MOMENT = Integer(), UtcDateTime()
#: Literal, so that SQLite sees the partial index on replies.
IS_REPLY = text("event.kind = 'reply'")


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
    "inquiry": (N_("Inquiries"), or_(_asked(), _converted(*LEADS))),
    "order": (N_("Orders"), _converted("order")),
    "in_doubt": (N_("In doubt"), M.state == "in_doubt"),
    "bounced": (N_("Bounced"), M.bounced_at.is_not(None)),
    "deferred": (N_("Deferred"), M.state == "deferred"),
    "failed": (N_("Failed"), M.state == "failed"),
    "unsubscribed": (N_("Unsubscribed"), M.unsubscribed_at.is_not(None)),
    "complained": (N_("Spam complaints"), M.complained_at.is_not(None)),
    "autoreplied": (N_("Auto-replies"), M.autoreplied_at.is_not(None)),
    "machine": (N_("Machine opens"), M.machine_open_at.is_not(None)),
    "queued": (N_("Queued"), M.state.in_(QUEUED)),
    "cancelled": (N_("Cancelled"), M.state == "cancelled"),
    "skipped": (N_("Skipped"), M.state == "skipped"),
}
FUNNEL = ("planned", "sent", "accepted", "opened", "clicked", "replied", "inquiry", "order")


@dataclass(frozen=True)
class Figures:
    """How many are at each stage; `hard` bounces; `amount` of the orders by currency; reasons of those left out.

    by_state: the messages by their state.
    """

    of: Mapping[str, int]
    hard: int
    amounts: Sequence[tuple[str, float]]
    skipped: Mapping[str, int]
    by_state: Mapping[str, int]

    def __getitem__(self, stage: str) -> int:
        return self.of[stage]


async def figures(conn: AsyncConnection, campaign_id: int) -> Figures:
    """Count every stage as STAGES means it, each out of the index that holds it: a look at every row takes seconds."""
    by_state = (await outbox.states(conn, [campaign_id]))[campaign_id]
    of = dict.fromkeys(STAGES, 0) | {state: by_state.get(state, 0) for state in STAGES if state in by_state}
    of["planned"] = sum(number for state, number in by_state.items() if state not in ("skipped", "cancelled"))
    of["queued"] = sum(by_state.get(state, 0) for state in QUEUED)
    told = (await reactions(conn, [campaign_id])).get(campaign_id, {})
    hard = told.pop("hard", 0)
    of |= told | await _asked_and_ordered(conn, campaign_id)
    of["accepted"] = of["sent"] - await _sent_and_bounced(conn, campaign_id)
    left_out = await skipped(conn, campaign_id)
    of["skipped"] = sum(left_out.values())
    if of["planned"] == 0:
        of["planned"] = await frozen(conn, campaign_id)
    return Figures(of, hard, await _amounts(conn, campaign_id), left_out, by_state)


#: Stage → its column, and whether it comes from the index of what was read or of what came back (model/message.py).
READ = {"opened": M.first_open_at, "clicked": M.first_click_at, "machine": M.machine_open_at}
BACK = {
    "replied": M.replied_at,
    "bounced": M.bounced_at,
    "unsubscribed": M.unsubscribed_at,
    "complained": M.complained_at,
    "autoreplied": M.autoreplied_at,
}


async def reactions(conn: AsyncConnection, campaign_ids: Sequence[int]) -> dict[int, dict[str, int]]:
    """How many of each campaign's messages were opened, answered and so on; `hard` bounces among them."""
    found: dict[int, dict[str, int]] = {}
    hard = func.count(case((M.bounce_hard.is_(True), 1))).label("hard")
    for columns, more, where in ((READ, (), outbox.WAS_READ), (BACK, (hard,), outbox.CAME_BACK)):
        sums = (func.count(column).label(name) for name, column in columns.items())
        query = select(M.campaign_id, *sums, *more).where(M.campaign_id.in_(campaign_ids), where)
        for row in (await conn.execute(query.group_by(M.campaign_id))).mappings():
            told = found.setdefault(row["campaign_id"], {})
            told |= {name: int(number) for name, number in row.items() if name != "campaign_id"}
    return found


async def _sent_and_bounced(conn: AsyncConnection, campaign_id: int) -> int:
    # which first, then their state: SQLite knows that there are few bounces only where the first question alone is asked
    bounced = select(M.id).where(M.campaign_id == campaign_id, outbox.CAME_BACK, M.bounced_at.is_not(None))
    twin = MESSAGE.alias("twin")
    query = select(func.count()).select_from(twin).where(twin.c.id.in_(bounced), twin.c.state == "sent")
    return int((await conn.execute(query)).scalar_one())


async def _asked_and_ordered(conn: AsyncConnection, campaign_id: int) -> dict[str, int]:
    """Inquiries and orders: there are few, and their own tables lead to their messages."""
    wanted = EVENT.c.data["intent"].as_string().in_(sorted(INQUIRY_INTENTS))
    asked = select(M.id).join(EVENT, EVENT.c.message_id == M.id)
    asked = asked.where(IS_REPLY, EVENT.c.campaign_id == campaign_id, wanted)
    asked = asked.where(M.campaign_id == campaign_id, M.replied_at.is_not(None))
    led = select(M.id, CONVERSION.c.kind).join(CONVERSION, CONVERSION.c.message_id == M.id)
    rows = (await conn.execute(led.where(M.campaign_id == campaign_id))).all()
    inquiry = set((await conn.execute(asked)).scalars()) | {row.id for row in rows if row.kind in LEADS}
    return {"inquiry": len(inquiry), "order": len({row.id for row in rows if row.kind == "order"})}


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
    by_state, told = await outbox.states(conn, chosen), await reactions(conn, chosen)
    query = (
        select(CAMPAIGN, USER.c.display_name.label("owner"))
        .outerjoin(USER, USER.c.id == CAMPAIGN.c.owner_id)
        .where(CAMPAIGN.c.id.in_(chosen))
        .order_by(CAMPAIGN.c.id.desc())
    )
    rows = (await conn.execute(query)).mappings().all()
    return [Row(**row, **_listed(by_state[row["id"]], told.get(row["id"], {}))) for row in rows], int(total)


class Row(SimpleNamespace):
    """A row with figures beside it."""


def _listed(by_state: Mapping[str, int], told: Mapping[str, int]) -> dict[str, int]:
    """The figures of one line of the list."""
    of = {key: told.get(key, 0) for key in ("opened", "clicked", "replied", "bounced")}
    of |= {state: by_state.get(state, 0) for state in ("sent", "in_doubt")}
    of["planned"] = sum(number for state, number in by_state.items() if state not in ("skipped", "cancelled"))
    return of


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
    if stage == "skipped" or (stage == "planned" and not await begun(conn, campaign_id)):
        return await _of_audience(conn, campaign_id, stage, search, offset)
    condition = and_(M.campaign_id == campaign_id, STAGES[stage][1], _named(search, M.address))
    # the people are joined where they are searched; else to the page's rows alone
    base = with_person(MESSAGE, M.contact_id) if search else MESSAGE
    total = (await conn.execute(select(func.count()).select_from(base).where(condition))).scalar_one()
    order = ORDER.get(stage, func.coalesce(M.sent_at, M.due_at).desc())
    page = select(M.id).select_from(base).where(condition).order_by(order, M.id).limit(PAGE).offset(offset)
    chosen = list((await conn.execute(page)).scalars())
    query = (
        select(
            MESSAGE.c.id, M.address, M.state, M.reason, M.sent_at, M.due_at, M.tz, M.reply_code, M.reply_text, M.attempts, M.step,
            M.first_open_at, M.first_click_at, M.bounced_at, M.bounce_hard, M.replied_at, M.unsubscribed_at, M.uid,
            MAILBOX.c.name.label("mailbox"), USER.c.display_name.label("owner"), *PERSON,
        )
        .select_from(
            with_person(MESSAGE, M.contact_id)
            .outerjoin(MAILBOX, MAILBOX.c.id == M.mailbox_id)
            .outerjoin(USER, USER.c.id == CONTACT.c.owner_id)
        )
        .where(M.id.in_(chosen))
        .order_by(order, M.id)
    )  # fmt: skip
    return (await conn.execute(query)).all(), int(total)


#: Stages whose order an index gives; the rest is in the order in which it left or will leave.
ORDER: Mapping[str, Any] = {
    "replied": M.replied_at.desc(),
    "queued": M.due_at,
    "sent": M.sent_at.desc(),
    "accepted": M.sent_at.desc(),
}


def with_person(base: Any, contact_id: Any) -> Any:
    return base.outerjoin(CONTACT, CONTACT.c.id == contact_id).outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)


def _named(search: str, address: Any) -> ColumnElement[bool]:
    if not search:
        return true()
    whole = CONTACT.c.first_name + " " + CONTACT.c.last_name
    return says(search, address, CONTACT.c.first_name, CONTACT.c.last_name, whole, COMPANY.c.name)


async def begun(conn: AsyncConnection, campaign_id: int) -> bool:
    """Whether there are messages: before, the people stand in the frozen audience alone."""
    return (await conn.execute(select(M.id).where(M.campaign_id == campaign_id).limit(1))).first() is not None


#: What the ledger tells of a message, of somebody for whom there is none yet.
NO_MESSAGE = (
    literal("planned").label("state"),
    *(
        null().label(name)
        for name in ("sent_at", "due_at", "tz", "reply_code", "reply_text", "first_open_at", "first_click_at",
                     "bounced_at", "bounce_hard", "replied_at", "mailbox")
    ),
)  # fmt: skip


async def _of_audience(
    conn: AsyncConnection, campaign_id: int, stage: str, search: str, offset: int
) -> tuple[Sequence[Any], int]:
    """People of the frozen audience: who was skipped, each with the reason, or who will get it."""
    R = RECIPIENT.c
    out = R.skip_reason.is_not(None) if stage == "skipped" else R.skip_reason.is_(None)
    condition = and_(R.campaign_id == campaign_id, out, _named(search, R.address))
    base = with_person(RECIPIENT, R.contact_id).outerjoin(USER, USER.c.id == CONTACT.c.owner_id)
    total = (await conn.execute(select(func.count()).select_from(base).where(condition))).scalar_one()
    columns = (R.id, R.address, R.skip_reason.label("reason"), USER.c.display_name.label("owner"), *NO_MESSAGE, *PERSON)
    query = select(*columns).select_from(base).where(condition)
    return (await conn.execute(query.order_by(R.skip_reason, R.id).limit(PAGE).offset(offset))).all(), int(total)


async def hours(conn: AsyncConnection, staff: Staff, campaign_id: int) -> dict[str, Any] | None:
    """Mails sent in each of the hours around now, and those planned: at most 48 bars, None when there is none."""
    begin = staff.now.astimezone(zone(staff.tz)).replace(minute=0, second=0, microsecond=0) - timedelta(hours=23)
    waiting = M.state.in_(("queued", "planned", "deferred"))
    mine = M.campaign_id == campaign_id
    sent = await _per_hour(conn, M.sent_at, mine, begin, 24)
    plan = await _per_hour(conn, M.due_at, and_(mine, waiting), begin, 42)
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
    conn: AsyncConnection, column: Any, condition: ColumnElement[bool], begin: datetime, count: int
) -> dict[datetime, int]:
    """Counted slot by slot, each a stretch of an index: to read every moment and group it takes twenty times as long.

    A slot begins where an hour begins in the reader's time zone: at :30 or :45 UTC in some.
    """
    edges = [begin.astimezone(UTC) + timedelta(hours=n) for n in range(count + 1)]
    pairs = list(pairwise(edges))
    slots = union_all(
        *(
            select(
                literal(n, NUMBER).label("number"),
                literal(first, MOMENT).label("first"),
                literal(next_one, MOMENT).label("next"),
            )
            for n, (first, next_one) in enumerate(pairs)
        )
    ).subquery()
    inside = select(func.count()).select_from(MESSAGE)
    inside = inside.where(condition, column >= slots.c.first, column < slots.c.next).correlate(slots)
    query = select(slots.c.number, inside.scalar_subquery().label("count"))
    found: dict[datetime, int] = {}
    for number, inside_it in await conn.execute(query):
        if inside_it:
            slot = edges[number].astimezone(begin.tzinfo).replace(minute=0, second=0, microsecond=0)
            found[slot] = found.get(slot, 0) + inside_it
    return found


async def _overdue(conn: AsyncConnection, campaign_id: int, condition: Any, begin: datetime) -> int:
    query = select(func.count()).where(M.campaign_id == campaign_id, condition, M.due_at < begin)
    return int((await conn.execute(query)).scalar_one())


async def mailbox_names(conn: AsyncConnection) -> Sequence[Any]:
    """Mailboxes that a campaign can send from."""
    query = select(MAILBOX.c.name, MAILBOX.c.address, MAILBOX.c.state).where(MAILBOX.c.state != "disabled")
    return (await conn.execute(query.order_by(MAILBOX.c.name))).all()
