"""What the clock does to campaigns: starts, releases, follow-ups, the end. Every part may run again at any time."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import OPERATOR
from outreach.app import ab_test, pilot
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.followups import plan_follow_ups, steps_outstanding
from outreach.app.hooks import confirm_needed
from outreach.app.idle import idle
from outreach.app.occasions.advance import advance as advance_occasion
from outreach.app.sequences.advance import advance as advance_sequence
from outreach.campaigns import store as campaigns
from outreach.campaigns.definition import Definition
from outreach.campaigns.state import SENDING
from outreach.campaigns.store import CampaignError
from outreach.db import stops
from outreach.model import Campaign, CampaignState, Message
from outreach.model.base import table
from outreach.outbox import store as outbox
from outreach.outbox.state import TERMINAL

log = structlog.get_logger(__name__)
CAMPAIGNS, MESSAGES = table(Campaign), table(Message)

#: What a tick does for campaigns that have no end.
EVERGREEN = {"sequence": advance_sequence, "occasion": advance_occasion}
#: How often a campaign under way is compared with what was approved.
VERIFY_EVERY = timedelta(seconds=10)
#: How often a campaign that has sent a step is looked through for follow-ups: they are due by the hour, and a look
#: reads every mail that waits for one.
FOLLOW_EVERY = timedelta(seconds=30)


@dataclass
class Seen:
    """What one process remembers from tick to tick, by campaign: when it compared the content with what was approved,

    when it last looked for follow-ups in vain, and whether nothing but follow-ups was left to come then.
    """

    verified: dict[int, datetime] = field(default_factory=dict)
    followed: dict[int, datetime] = field(default_factory=dict)
    waiting: set[int] = field(default_factory=set)


@dataclass
class Ticked:
    """What one tick did."""

    started: int = 0
    released: int = 0
    follow_ups: int = 0
    finished: int = 0
    held: int = 0
    team: int = 0

    def __bool__(self) -> bool:
        return bool(self.started or self.released or self.follow_ups or self.finished or self.team)


async def tick(app: App, now: datetime, seen: Seen | None = None) -> Ticked:
    """Do whatever is due for campaigns.

    `seen`: what this process remembers of the last ticks. The comparison with what was approved reads the whole frozen
    audience, so it is repeated every VERIFY_EVERY; every way to change a campaign voids it at once anyway, the
    comparison is for who changes the database behind our back.
    """
    done = Ticked()
    seen = seen or Seen()
    async with app.db.read() as conn:
        rows = await campaigns.in_states(conn, [CampaignState.SCHEDULED, *sorted(SENDING)])
        resting = await idle(conn, rows, now)
    active = [(row.id, row.state) for row in rows if row.state != CampaignState.SCHEDULED]
    for campaign_id in [row.id for row in rows if row.state == CampaignState.SCHEDULED]:
        await _start_if_due(app, campaign_id, now, done)
    for campaign_id, state in active:
        last = seen.verified.get(campaign_id)
        if last is None or now - last >= VERIFY_EVERY:
            if not await verify_content(app, campaign_id, now):
                done.held += 1
                continue
            seen.verified[campaign_id] = now
        if state == CampaignState.PILOT:
            done.team += await pilot.mail_team(app, campaign_id, now)
        if campaign_id not in resting:
            await _advance(app, campaign_id, now, done, seen)
    return done


async def _start_if_due(app: App, campaign_id: int, now: datetime, done: Ticked) -> None:
    row = await app.campaigns.one(campaign_id)
    if row.state != CampaignState.SCHEDULED or row.confirm_needed or row.start_at is None or row.start_at > now:
        return
    if now - row.start_at > timedelta(hours=app.settings.sending.missed_window_hours):
        async with app.db.write() as conn:
            await confirm_needed(conn, campaign_id)
        done.held += 1
        return
    try:
        await use.start(app, campaign_id, OPERATOR, now)
        done.started += 1
    except CampaignError as error:
        await _hold(app, campaign_id, str(error), now)
        done.held += 1


async def _hold(app: App, campaign_id: int, reason: str, now: datetime) -> None:
    async with app.db.write() as conn:
        await stops.hold(conn)
        await campaigns.pause(conn, campaign_id, reason, now=now, actor=None)
    log.warning("campaign held", campaign=campaign_id)


async def verify_content(app: App, campaign_id: int, now: datetime) -> bool:
    """Whether what stands in the database is what was approved; otherwise the campaign is paused, approvals void.

    Looks without the writer first: an audience of a million takes seconds, and nearly always all is as it was.
    """
    with contextlib.suppress(CampaignError):
        async with app.db.read() as conn:
            await use.demand_approval(app, conn, campaign_id)
            return True
    async with app.db.write() as conn:
        try:
            await use.demand_approval(app, conn, campaign_id)
            return True
        except CampaignError as error:
            await stops.hold(conn)
            row = await campaigns.get(conn, campaign_id)
            await campaigns.void_approvals(conn, campaign_id, now)
            if row.state in (CampaignState.RUNNING, CampaignState.PILOT, CampaignState.SCHEDULED):
                await campaigns.pause(conn, campaign_id, str(error), now=now, actor=None)
            return False


async def _advance(app: App, campaign_id: int, now: datetime, done: Ticked, seen: Seen) -> None:
    last = seen.followed.get(campaign_id)
    looked = last is not None and now - last < FOLLOW_EVERY
    if looked and campaign_id in seen.waiting:
        return
    async with app.db.write() as conn:
        row = await campaigns.get(conn, campaign_id)
        if row.state == CampaignState.PILOT:
            await _pilot(conn, row, now, done)
            return
        if row.state != CampaignState.RUNNING:
            return
        if row.kind != "campaign":
            done.follow_ups += await EVERGREEN[row.kind](app, conn, row, now)
            return
        if not looked:
            await _follow(app, conn, row, now, done, seen)
        done.released += bool(await ab_test.advance(app, conn, row, Definition.model_validate(row.definition), now))
        if await outbox.is_settled(conn, campaign_id):
            if await steps_outstanding(conn, row):
                seen.waiting.add(campaign_id)
                return
            await campaigns.move(conn, campaign_id, "finish", now=now, finished_at=now)
            done.finished += 1


async def _follow(app: App, conn: AsyncConnection, row: Any, now: datetime, done: Ticked, seen: Seen) -> None:
    """Make the follow-ups that are due; where there are none, look again in a while. A step that waits for no day is
    looked for each time.
    """
    added = await plan_follow_ups(app, conn, row, now)
    done.follow_ups += added
    seen.waiting.discard(row.id)
    seen.followed.pop(row.id, None)
    if not added and all(step.after_days for step in Definition.model_validate(row.definition).step):
        seen.followed[row.id] = now


async def _pilot(conn: AsyncConnection, row: Any, now: datetime, done: Ticked) -> None:
    """A pilot whose messages have left waits, then releases the rest unless its figures say no."""
    if await _pilot_open(conn, row.id):
        return
    what = Definition.model_validate(row.definition)
    if row.pilot_until is None:
        wait = timedelta(hours=what.pilot.wait_hours if what.pilot else 0)
        await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == row.id).values(pilot_until=now + wait))
        if wait:
            return
    elif row.pilot_until > now:
        return
    harm = pilot.harm_of(await pilot.counts(conn, row.id))
    if harm:
        await stops.hold(conn)
        await campaigns.pause(conn, row.id, f"pilot: {harm}", now=now, actor=None)
        done.held += 1
        return
    await campaigns.move(conn, row.id, "start", now=now, pilot_released=True)
    done.released += 1


async def _pilot_open(conn: AsyncConnection, campaign_id: int) -> bool:
    terminal = [state.value for state in TERMINAL]
    query = select(func.count()).where(
        MESSAGES.c.campaign_id == campaign_id, MESSAGES.c.is_pilot.is_(True), MESSAGES.c.state.not_in(terminal)
    )
    return bool(await conn.scalar(query))
