"""One pass over the messages of the campaigns that were alive in a span, summed by every dimension at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, and_, case, func, literal_column, or_, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.events.kinds import INQUIRY_INTENTS
from outreach.model import (
    Campaign,
    CampaignState,
    CampaignStep,
    Company,
    Contact,
    Conversion,
    Event,
    Message,
    MessageState,
    Rollup,
    TemplateVersion,
)
from outreach.reports.metrics import NAMES, Cell, Figures

message: Table = Message.__table__  # type: ignore[attr-defined]
campaign: Table = Campaign.__table__  # type: ignore[attr-defined]
step: Table = CampaignStep.__table__  # type: ignore[attr-defined]
template: Table = TemplateVersion.__table__  # type: ignore[attr-defined]
contact: Table = Contact.__table__  # type: ignore[attr-defined]
company: Table = Company.__table__  # type: ignore[attr-defined]
rollup: Table = Rollup.__table__  # type: ignore[attr-defined]
event: Table = Event.__table__  # type: ignore[attr-defined]
conversion: Table = Conversion.__table__  # type: ignore[attr-defined]

#: Literal, not a parameter: PostgreSQL must see that SELECT and GROUP BY mean the same.
NOTHING: ColumnElement[str] = literal_column("''")

#: Literal, so that SQLite sees the partial index on replies.
IS_REPLY = text("event.kind = 'reply'")

NOT_STARTED = (CampaignState.DRAFT, CampaignState.REVIEW, CampaignState.APPROVED, CampaignState.SCHEDULED)

#: Figure → the moment on the message that says when it happened.
MOMENTS: dict[str, str] = {
    "sent": "sent_at",
    "bounced": "bounced_at",
    "opened": "first_open_at",
    "opened_machine": "machine_open_at",
    "clicked": "first_click_at",
    "clicked_machine": "machine_click_at",
    "replied": "replied_at",
    "autoreplied": "autoreplied_at",
    "unsubscribed": "unsubscribed_at",
    "complained": "complained_at",
}

#: From, and up to but not including.
Span = tuple[datetime, datetime]

Key = tuple[Any, ...]


def within(column: ColumnElement[Any], span: Span) -> ColumnElement[bool]:
    """Whether a moment lies in the span."""
    return and_(column >= span[0], column < span[1])


def sums_in(span: Span) -> list[ColumnElement[int]]:
    """How many messages each thing happened to in the span, labelled with the figures' names."""
    m = message.c
    happened: dict[str, ColumnElement[bool]] = {name: within(m[moment], span) for name, moment in MOMENTS.items()}
    happened["accepted"] = and_(happened["sent"], m.bounced_at.is_(None))
    happened["bounced_hard"] = and_(happened["bounced"], m.bounce_hard.is_(True))
    happened["failed"] = and_(m.state == MessageState.FAILED, within(m.settled_at, span))
    happened["in_doubt"] = and_(m.state == MessageState.IN_DOUBT, within(m.handed_at, span))
    return [func.sum(case((when, 1), else_=0)).label(name) for name, when in happened.items()]


def sums_ever() -> list[ColumnElement[int]]:
    """The same without a span: counting what is not empty costs half of comparing moments."""
    m = message.c
    sums: list[ColumnElement[int]] = [func.count(m[moment]).label(name) for name, moment in MOMENTS.items()]
    rest = {
        "accepted": and_(m.sent_at.is_not(None), m.bounced_at.is_(None)),
        "bounced_hard": m.bounce_hard.is_(True),
        "failed": m.state == MessageState.FAILED,
        "in_doubt": m.state == MessageState.IN_DOUBT,
    }
    return [*sums, *(func.sum(case((when, 1), else_=0)).label(name) for name, when in rest.items())]


def figures_of(row: Any) -> Figures:
    """Read the sums of a row."""
    found = row._mapping
    return Figures(**{name: int(found[name] or 0) for name in NAMES if name in found})


async def alive_in(conn: AsyncConnection, span: Span) -> list[int]:
    """Campaigns to which anything can have happened in the span: others' messages are not even looked at."""
    c, r = campaign.c, rollup.c
    early = or_(c.started_at.is_(None), c.started_at < span[1])
    begun = and_(c.state.not_in([str(state) for state in NOT_STARTED]), early)
    going = or_(c.finished_at.is_(None), c.finished_at >= span[0])
    happened = select(r.campaign_id).where(r.hour >= span[0].replace(minute=0), r.hour < span[1])
    query = select(c.id).where(or_(and_(begun, going), c.id.in_(happened))).order_by(c.id)
    return list((await conn.execute(query)).scalars())


def owner_column() -> ColumnElement[Any]:
    """Whose customer it is: the contact's owner, else the company's."""
    return func.coalesce(contact.c.owner_id, company.c.owner_id)


def with_people() -> Any:
    """Messages with their contacts and companies."""
    return message.join(contact, contact.c.id == message.c.contact_id).outerjoin(
        company, company.c.id == contact.c.company_id
    )


def only_of(query: Select[Any], owners: Collection[int] | None) -> Select[Any]:
    """Limit a query to the customers of these people; None: everybody's."""
    return query if owners is None else query.where(owner_column().in_(sorted(owners)))


def corner() -> tuple[Any, list[ColumnElement[Any]]]:
    """The joined tables, and the columns that name a cell, in the order of its fields."""
    m = message.c
    of_step = and_(step.c.campaign_id == m.campaign_id, step.c.number == m.step)
    joined = with_people().outerjoin(step, of_step).outerjoin(template, template.c.id == step.c.template_version_id)
    name = func.coalesce(template.c.name, NOTHING)
    industry = func.coalesce(contact.c.industry, company.c.industry, NOTHING)
    what = [m.campaign_id, m.step, name, m.language, m.mailbox_id]
    return joined, [*what, contact.c.region, industry, contact.c.source, owner_column()]


async def cube(conn: AsyncConnection, span: Span, owners: Collection[int] | None) -> tuple[Cell, ...]:
    """Return the cells of the span."""
    alive = await alive_in(conn, span)
    if not alive:
        return ()
    joined, keys = corner()
    query = select(*keys, *sums_in(span)).select_from(joined)
    query = query.where(message.c.campaign_id.in_(alive), _touched(span)).group_by(*keys)
    rows = await conn.execute(only_of(query, owners))
    cells: dict[Key, Figures] = {tuple(row[: len(keys)]): figures_of(row) for row in rows}
    for key, figures in (await inquiries_in(conn, span, alive, owners)).items():
        cells[key] = cells.get(key, Figures()) + figures
    return tuple(Cell(*(*key, figures)) for key, figures in cells.items() if figures != Figures())


def _touched(span: Span) -> ColumnElement[bool]:
    """Anything at all in the span: most messages of an old campaign drop out before they are joined."""
    moments = (*MOMENTS.values(), "settled_at", "handed_at")
    return or_(*(within(message.c[moment], span) for moment in moments))


async def inquiries_in(
    conn: AsyncConnection, span: Span, alive: Sequence[int], owners: Collection[int] | None
) -> dict[Key, Figures]:
    """Replies that ask for something, and what websites reported, by the cube's keys. Hundreds, so row by row."""
    e, c = event.c, conversion.c
    asked = select(e.message_id, e.data).where(IS_REPLY, within(e.at, span), e.campaign_id.in_(alive))
    wanted = {row.message_id: "inquiry" for row in await conn.execute(asked) if is_inquiry(row.data)}
    reported = select(c.message_id, c.kind).where(within(c.at, span), c.campaign_id.in_(alive))
    pairs = [*wanted.items(), *((row.message_id, row.kind) for row in await conn.execute(reported))]
    keys = await _keys(conn, {message_id for message_id, _ in pairs if message_id}, owners)
    found: dict[Key, Figures] = {}
    for message_id, kind in pairs:
        if message_id in keys:
            one = Figures(inquiries=kind == "inquiry", quotations=kind == "quotation", orders=kind == "order")
            found[keys[message_id]] = found.get(keys[message_id], Figures()) + one
    return found


def is_inquiry(data: Mapping[str, Any] | None) -> bool:
    """Whether a reply asks for something."""
    return (data or {}).get("intent") in INQUIRY_INTENTS


async def _keys(conn: AsyncConnection, ids: Collection[int], owners: Collection[int] | None) -> dict[int, Key]:
    joined, keys = corner()
    found: dict[int, Key] = {}
    wanted = sorted(ids)
    for start in range(0, len(wanted), 500):
        query = select(message.c.id, *keys).select_from(joined).where(message.c.id.in_(wanted[start : start + 500]))
        found.update((row[0], tuple(row[1:])) for row in await conn.execute(only_of(query, owners)))
    return found
