"""Follow-ups: step k+1 for who got step k and neither answered nor fell out. Waits for messages in doubt."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.campaigns import plan
from outreach.campaigns import store as campaigns
from outreach.campaigns.calendar import add_working_days, next_open
from outreach.campaigns.definition import Definition
from outreach.campaigns.follow_up import Span, sent_spans
from outreach.campaigns.sequence import Condition
from outreach.content.store import version_source
from outreach.content.template import choose_language
from outreach.db import stops
from outreach.db.bulk import chunks
from outreach.model import Contact, Mailbox, Message, MessageState
from outreach.model.base import table
from outreach.outbox import store as outbox

MESSAGES, CONTACTS, MAILBOXES = table(Message), table(Contact), table(Mailbox)
#: Follow-ups planned in one transaction.
CHUNK = 2_000
#: Calendars asked for in one query: databases bound how deep a condition may nest.
TOGETHER = 100
#: Working days may be this much shorter than as many times 24 hours: the clocks change.
SLACK = timedelta(hours=2)


def failed_condition(condition: Condition, row: Any) -> str | None:
    """Return why the follow-up is not sent to this person, None if it is."""
    if row.replied_at or (row.last_replied and row.sent_at and row.last_replied > row.sent_at):
        return "replied"
    for field, reason in (
        ("bounced_at", "bounced"),
        ("unsubscribed_at", "unsubscribed"),
        ("complained_at", "complained"),
    ):
        if getattr(row, field):
            return reason
    met = {
        "always": True,
        "no reply": True,
        "no open": row.first_open_at is None,
        "no click": row.first_click_at is None,
        "opened": row.first_open_at is not None,
        "clicked": row.first_click_at is not None,
    }[condition]
    return None if met else "condition"


async def plan_follow_ups(app: App, conn: AsyncConnection, campaign: Any, now: datetime) -> int:
    """Make the next steps' rows that are due now; returns how many. Each exists once, whatever restarts."""
    what = Definition.model_validate(campaign.definition)
    steps = {step.number: step for step in await campaigns.steps_of(conn, campaign.id)}
    office, added = app.settings.sender.timezone, 0
    for number in range(1, len(what.step) + 1):
        rows = await _due(conn, what, office, campaign.id, number, now)
        if not rows:
            continue
        source = await version_source(conn, steps[number].version_id)
        made = [_row(app, what, number, row, source, now) for row in rows]
        ready = [row for row in made if row is not None]
        if ready:
            await stops.hold(conn)
            added += await outbox.plan(conn, ready)
    return added


def _row(app: App, what: Definition, number: int, row: Any, source: Any, now: datetime) -> dict[str, Any] | None:
    step = what.step[number - 1]
    hours = plan.hours_for(what, row.country, row.tz, app.settings.sender.timezone)
    due = next_open(add_working_days(row.sent_at, step.after_days, hours), hours)
    if due > now:
        return None
    reason = failed_condition(step.only_if, row)
    return {
        "campaign_id": row.campaign_id,
        "step": number,
        "contact_id": row.contact_id,
        "company_id": row.company_id,
        "address": row.address,
        "address_key": row.address_key,
        "mailbox_id": row.mailbox_id,
        "mail_domain": row.mailbox_domain,
        "state": MessageState.SKIPPED if reason else MessageState.QUEUED,
        "reason": reason,
        "due_at": due,
        "language": choose_language(source, row.language, row.country),
        "variant": row.variant,
        "is_pilot": row.is_pilot,
        "country": row.country,
        "tz": row.tz,
    }


async def _due(
    conn: AsyncConnection, what: Definition, office: str, campaign_id: int, number: int, now: datetime
) -> list[Any]:
    """Messages of the step before `number` whose follow-up is due and not there yet, in the order in which they left.

    Read as the spans in which mail must have left (campaigns/follow_up.py): what is not due stays unread, and so
    cannot crowd out what is.
    """
    before = _left(campaign_id, number - 1) & ~_followed(number)
    kinds = await _kinds(conn, before, now - timedelta(days=what.step[number - 1].after_days) + SLACK)
    wanted: list[tuple[Any, tuple[Span, ...]]] = []
    for kind in kinds:
        hours = plan.hours_for(what, kind.country, kind.tz, office)
        spans = sent_spans(now, what.step[number - 1].after_days, hours)
        if kind.first < spans[-1][1]:
            wanted.append((kind, spans))
    found: list[Any] = []
    for part in chunks(wanted, TOGETHER):
        query = (
            select(MESSAGES, CONTACTS.c.last_replied, MAILBOXES.c.domain.label("mailbox_domain"))
            .join(CONTACTS, CONTACTS.c.id == MESSAGES.c.contact_id)
            .join(MAILBOXES, MAILBOXES.c.id == MESSAGES.c.mailbox_id)
            .where(before, or_(*(_left_in(kind, spans) for kind, spans in part)))
            .order_by(MESSAGES.c.sent_at, MESSAGES.c.id)
            .limit(CHUNK - len(found))
        )
        found += (await conn.execute(query)).all()
    return found


async def _kinds(conn: AsyncConnection, before: Any, until: datetime) -> Sequence[Any]:
    """The countries and zones of mails that left before `until`, each with its first: recipients of one calendar."""
    c = MESSAGES.c
    query = select(c.country, c.tz, func.min(c.sent_at).label("first")).where(before, c.sent_at <= until)
    return (await conn.execute(query.group_by(c.country, c.tz).order_by(func.min(c.sent_at)))).all()


def _left_in(kind: Any, spans: Sequence[Span]) -> Any:
    """Mails to recipients of this country and zone that left in one of the spans."""
    c = MESSAGES.c
    when = (
        c.sent_at < until if since is None else (c.sent_at >= since) & (c.sent_at < until) for since, until in spans
    )
    return c.country.is_not_distinct_from(kind.country) & c.tz.is_not_distinct_from(kind.tz) & or_(*when)


def _followed(number: int) -> Any:
    """Whether the contact of a message has step `number` of its campaign already."""
    following = MESSAGES.alias("following")
    return exists(
        select(following.c.id).where(
            following.c.campaign_id == MESSAGES.c.campaign_id,
            following.c.contact_id == MESSAGES.c.contact_id,
            following.c.step == number,
        )
    )


def _left(campaign_id: int, step: int) -> Any:
    return and_(
        MESSAGES.c.campaign_id == campaign_id, MESSAGES.c.step == step, MESSAGES.c.state == MessageState.SENT.value
    )


async def steps_outstanding(conn: AsyncConnection, campaign: Any) -> bool:
    """Whether somebody will still get a follow-up of this campaign."""
    what = Definition.model_validate(campaign.definition)
    for number in range(1, len(what.step) + 1):
        before = await conn.scalar(select(func.count()).select_from(MESSAGES).where(_left(campaign.id, number - 1)))
        made = await conn.scalar(
            select(func.count())
            .select_from(MESSAGES)
            .where(MESSAGES.c.campaign_id == campaign.id, MESSAGES.c.step == number)
        )
        if (before or 0) > (made or 0):
            return True
    return False
