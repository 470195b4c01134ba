"""What has happened to people since they were enrolled: read in sets, in the transaction that decides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience import segment
from outreach.campaigns.sequence import SequenceRules
from outreach.crm.enrolment.moves import CONTACT_KINDS, Happened
from outreach.model import Activity, Contact, Deal, Mailbox, Message
from outreach.model.base import table

CONTACTS, ACTIVITIES, DEALS = table(Contact), table(Activity), table(Deal)
MESSAGES, MAILBOXES = table(Message), table(Mailbox)


async def happened(conn: AsyncConnection, rules: SequenceRules, rows: Sequence[Any]) -> dict[int, Happened]:
    """Return the facts of enrolments, by contact."""
    if not rows:
        return {}
    facts = await _people(conn, rows)
    firms = {row.company_id for row in rows if row.company_id is not None}
    since = min(row.enrolled_at for row in rows)
    activities = await _activities(conn, [row.contact_id for row in rows], firms, since)
    deals = await _deals(conn, firms, since, rules.stop.deal_stages)
    owners = {box.id: box.owner_id for box in await conn.execute(select(MAILBOXES.c.id, MAILBOXES.c.owner_id))}
    others = await _mail_of_others(conn, firms, since)
    for row in rows:
        ours = {owners.get(row.mailbox_id), row.enrolled_by} - {None}
        near = [one for one in activities if _is_theirs(one, row) and one.at > row.enrolled_at]
        facts[row.contact_id] = replace(
            facts[row.contact_id],
            meeting=any(one.kind == "meeting" for one in near),
            deal=any(at > row.enrolled_at for at in deals.get(row.company_id, ())),
            colleague=bool(ours)
            and (
                any(one.user_id is not None and one.user_id not in ours for one in near)
                or any(at > row.enrolled_at and who not in ours for who, at in others.get(row.company_id, ()))
            ),
        )
    return facts


def _is_theirs(activity: Any, row: Any) -> bool:
    return activity.contact_id == row.contact_id or (
        activity.company_id is not None and activity.company_id == row.company_id
    )


async def _people(conn: AsyncConnection, rows: Sequence[Any]) -> dict[int, Happened]:
    """Replied, left, erased; and what people did with the last mail."""
    c, m = CONTACTS.c, MESSAGES.c
    since = {row.contact_id: row for row in rows}
    columns = (c.id, c.last_replied, c.left_at, c.erased_at)
    found = {}
    for person in await conn.execute(select(*columns).where(c.id.in_(list(since)))):
        begun = since[person.id].enrolled_at
        replied = person.last_replied is not None and person.last_replied > begun
        found[person.id] = Happened(replied, person.left_at is not None, person.erased_at is not None)
    mails = select(m.contact_id, m.step, m.first_open_at, m.first_click_at, m.replied_at)
    mails = mails.where(m.campaign_id == rows[0].campaign_id, m.contact_id.in_(list(since)))
    for mail in await conn.execute(mails):
        before = found[mail.contact_id]
        last = mail.step == since[mail.contact_id].last_mail
        found[mail.contact_id] = replace(
            before,
            replied=before.replied or mail.replied_at is not None,
            opened=mail.first_open_at is not None if last else before.opened,
            clicked=mail.first_click_at is not None if last else before.clicked,
        )
    return found


async def _activities(conn: AsyncConnection, contacts: Sequence[int], firms: Iterable[int], since: datetime) -> Any:
    a = ACTIVITIES.c
    whose = or_(a.contact_id.in_(contacts), a.company_id.in_(list(firms)))
    columns = (a.kind, a.at, a.contact_id, a.company_id, a.user_id)
    return (await conn.execute(select(*columns).where(whose, a.at > since, a.kind.in_(CONTACT_KINDS)))).all()


async def _deals(
    conn: AsyncConnection, firms: Iterable[int], since: datetime, stages: Sequence[str]
) -> Mapping[int, list[datetime]]:
    d = DEALS.c
    query = select(d.company_id, d.stage_at).where(d.company_id.in_(list(firms)), d.stage_at > since)
    found: dict[int, list[datetime]] = {}
    for row in await conn.execute(query.where(d.stage.in_(stages))):
        found.setdefault(row.company_id, []).append(row.stage_at)
    return found


async def _mail_of_others(
    conn: AsyncConnection, firms: Iterable[int], since: datetime
) -> Mapping[int, list[tuple[int, datetime]]]:
    """Who wrote to a company from a mailbox of their own, and when."""
    m, b = MESSAGES.c, MAILBOXES.c
    query = select(m.company_id, b.owner_id, m.sent_at).join(MAILBOXES, b.id == m.mailbox_id)
    query = query.where(m.company_id.in_(list(firms)), and_(m.sent_at > since, b.owner_id.is_not(None)))
    found: dict[int, list[tuple[int, datetime]]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.company_id, []).append((row.owner_id, row.sent_at))
    return found


async def fitting(conn: AsyncConnection, expression: str, contacts: Sequence[int], now: datetime) -> set[int]:
    """Which of these people a step's `where` holds for."""
    condition = segment.condition(segment.parse(expression), now)
    return set(await conn.scalars(select(CONTACTS.c.id).where(CONTACTS.c.id.in_(contacts), condition)))
