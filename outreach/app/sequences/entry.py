"""Who comes into a sequence: by hand, by a segment that they newly match, by what happens to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.sequences.work import Work, open_desk
from outreach.audience import segment
from outreach.campaigns.plan import Candidate
from outreach.crm.enrolment import store as enrolments
from outreach.crm.enrolment.moves import FOR_NOW, due_after
from outreach.model import (
    Campaign,
    CampaignRecipient,
    Contact,
    ContactTag,
    Conversion,
    InboundMail,
    Order,
    Tag,
)
from outreach.model.base import table

CONTACTS, RECIPIENTS, CAMPAIGNS = table(Contact), table(CampaignRecipient), table(Campaign)
CONVERSIONS, INBOUND, ORDERS = table(Conversion), table(InboundMail), table(Order)
TAGS, CONTACT_TAGS = table(Tag), table(ContactTag)
E = enrolments.E

#: How often a running sequence looks for new people: a segment of a million takes a second.
LOOK_EVERY = timedelta(minutes=5)
#: People taken in by one look; the next takes the rest.
MOST_AT_ONCE = 2_000
#: What a customer's letter asks for when it is an inquiry (询盘).
INQUIRIES = ("price", "sample", "catalogue", "order")
#: The skip reason of who matched already when the sequence was submitted.
BEFORE = "before_start"
#: How a trigger that is a tag begins.
TAG = "tag:"


def is_due(row: Any, now: datetime) -> bool:
    """Whether the sequence takes people in by itself and has not looked for a while."""
    rules = row.definition["sequence"]["enrol"]
    if not rules["segment"] and not rules["on"]:
        return False
    return row.looked_at is None or now - row.looked_at >= LOOK_EVERY


async def look_for_people(conn: AsyncConnection, work: Work) -> int:
    """Enrol whoever has come to match; returns how many."""
    await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == work.row.id).values(looked_at=work.now))
    room = await _room(conn, work)
    if room <= 0:
        return 0
    found = list(await conn.scalars(_new_people(work).order_by(CONTACTS.c.id).limit(room)))
    if not found:
        return 0
    taken, _ = await take_in(conn, work, found, via=_via(work))
    return len(taken)


def _via(work: Work) -> str:
    assert work.what.sequence is not None
    return "event" if work.what.sequence.enrol.on else "segment"


async def _room(conn: AsyncConnection, work: Work) -> int:
    """How many may still come in today (the last 24 hours)."""
    assert work.what.sequence is not None
    most = work.what.sequence.enrol.most_per_day
    if not most:
        return MOST_AT_ONCE
    lately = and_(E.campaign_id == work.row.id, E.enrolled_at > work.now - timedelta(days=1), E.via != "hand")
    count = await conn.scalar(select(func.count()).where(lately))
    return min(MOST_AT_ONCE, most - int(count or 0))


def _new_people(work: Work) -> Select[Any]:
    """Who matches and is neither in a sequence, nor was in this one, nor matched before it began."""
    assert work.what.sequence is not None
    rules = work.what.sequence.enrol
    parts: list[ColumnElement[bool]] = [CONTACTS.c.erased_at.is_(None), CONTACTS.c.left_at.is_(None)]
    if rules.segment:
        parts.append(segment.condition(segment.parse(rules.segment), work.now))
    known = select(E.contact_id).where(or_(E.campaign_id == work.row.id, enrolments.IS_OPEN))
    before = select(RECIPIENTS.c.contact_id).where(
        RECIPIENTS.c.campaign_id == work.row.id, RECIPIENTS.c.skip_reason == BEFORE
    )
    is_new = CONTACTS.c.id.not_in(before)
    if rules.on:  # who carried the tag before may still come in by an inquiry or a delivery
        since = work.row.started_at or work.now
        others = [_trigger(trigger, since) for trigger in rules.on if not trigger.startswith(TAG)]
        parts.append(or_(false(), and_(tagged(rules.on), is_new), *others))
    else:
        parts.append(is_new)
    return select(CONTACTS.c.id).where(*parts, CONTACTS.c.id.not_in(known))


def tagged(triggers: Sequence[str]) -> ColumnElement[bool]:
    """Whether a contact carries a tag that is a trigger. Since when is not kept: who had it before is marked."""
    names = [trigger.removeprefix(TAG) for trigger in triggers if trigger.startswith(TAG)]
    carried = select(CONTACT_TAGS.c.contact_id).join(TAGS, TAGS.c.id == CONTACT_TAGS.c.tag_id)
    return CONTACTS.c.id.in_(carried.where(TAGS.c.kind == "tag", TAGS.c.name.in_(names)))


def _trigger(trigger: str, since: datetime) -> ColumnElement[bool]:
    """Whether it has happened to a contact since the sequence began."""
    if trigger == "delivered":
        delivered = and_(ORDERS.c.delivered_on >= since.date(), ORDERS.c.contact_id.is_not(None))
        return CONTACTS.c.id.in_(select(ORDERS.c.contact_id).where(delivered))
    asked = select(INBOUND.c.contact_id).where(
        INBOUND.c.kind == "reply", INBOUND.c.intent.in_(INQUIRIES), INBOUND.c.received_at >= since
    )
    posted = select(CONVERSIONS.c.contact_id).where(CONVERSIONS.c.kind == "inquiry", CONVERSIONS.c.at >= since)
    return or_(
        CONTACTS.c.id.in_(asked.where(INBOUND.c.contact_id.is_not(None))),
        CONTACTS.c.id.in_(posted.where(CONVERSIONS.c.contact_id.is_not(None))),
    )


async def take_in(
    conn: AsyncConnection, work: Work, contact_ids: Sequence[int], *, via: str, by: int | None = None
) -> tuple[list[int], dict[int, str]]:
    """Enrol people; returns (who is new, why others are not). Who could get no mail is not taken in."""
    desk = await open_desk(conn, work, contact_ids)
    rows, refused = [], {}
    first = work.what.sequence.steps[0] if work.what.sequence else None
    assert first is not None
    mail = next(step for step in work.what.sequence.steps if step.kind == "mail")  # type: ignore[union-attr]
    for contact_id in contact_ids:
        person = desk.people.get(contact_id)
        reason = "unknown" if person is None else desk.refusal(person, mail.number, work.box(person))
        if person is not None and (reason is None or reason.partition(":")[0] in FOR_NOW):
            rows.append(_row(work, person, first, via, by))
        else:
            refused[contact_id] = reason or "unknown"
    taken = await enrolments.enrol(conn, rows)
    known = {row["contact_id"] for row in rows} - set(taken)
    return taken, refused | dict.fromkeys(known, "in_sequence")


def _row(work: Work, person: Candidate, first: Any, via: str, by: int | None) -> dict[str, Any]:
    hours = work.hours(person.country, person.city)
    return {
        "campaign_id": work.row.id,
        "contact_id": person.contact_id,
        "company_id": person.company_id,
        "mailbox_id": work.box(person),
        "state": "active",
        "via": via,
        "step": first.number,
        "due_at": due_after(work.now, first, hours),
        "enrolled_by": by,
        "enrolled_at": work.now,
        "notes": {},
    }
