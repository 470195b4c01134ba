"""The engine: ticks, mailbox runs, passes over the inboxes; with or without the web around it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import func, select

from outreach.app import customers
from outreach.app.build import App
from outreach.app.by_hand import sent_by_hand
from outreach.app.clock import utc_now
from outreach.app.escalation import escalate
from outreach.app.hooks import SendingHooks
from outreach.app.tick import Seen, tick
from outreach.campaigns.calendar import next_open
from outreach.campaigns.definition import Definition
from outreach.campaigns.plan import hours_for
from outreach.config import ConfigError, MailboxSettings
from outreach.db import instance
from outreach.model import Campaign, Mailbox, Message, MessageState
from outreach.model.base import table
from outreach.outbox.message import Claimed
from outreach.sending.holder.worker import is_dead, make_holder
from outreach.sending.setup import RunResult
from outreach.sending.texts import explain
from outreach.sending.worker import MailboxRun

log = structlog.get_logger(__name__)
MESSAGES, MAILBOXES, CAMPAIGNS = table(Message), table(Mailbox), table(Campaign)

#: Mailboxes that one process works at the same time; each has a few connections and a writer's share.
MOST_MAILBOXES = 50
#: While something is only held back by the pace of a minute, `run --until-idle` waits; longer waits are for later.
WAIT_SECONDS = 65.0
#: How long an ending process waits for servers to answer a dot: systemd and Docker kill after 90 and 10 seconds.
END_SECONDS = 30.0
#: How often a run without the service sees to customers without an owner, closed mailboxes, silent cases.
KEEP_EVERY = timedelta(hours=1)
#: The longest sleep between two looks at the outbox.
LOOK_SECONDS = 1.0


@dataclass
class Totals:
    """What a run of the engine did."""

    idle: bool = False
    claimed: int = 0
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    in_doubt: int = 0
    started: int = 0
    follow_ups: int = 0
    finished: int = 0
    fetched: int = 0
    bounces: int = 0
    replies: int = 0
    unsubscribes: int = 0
    autoreplies: int = 0
    complaints: int = 0
    held: str | None = None
    problems: list[str] = field(default_factory=list)

    def add(self, result: RunResult) -> None:
        """Count a mailbox run."""
        for name in ("claimed", "sent", "deferred", "failed", "in_doubt"):
            setattr(self, name, getattr(self, name) + getattr(result, name))

    def as_dict(self) -> dict[str, object]:
        """The contract's JSON."""
        return asdict(self)


class Engine:
    """Works the mailboxes of one installation from this process."""

    def __init__(self, app: App, *, clock: Callable[[], datetime] = utc_now) -> None:
        self.app = app
        self.clock = clock
        self.holder = make_holder()
        self.totals = Totals(held=app.hold)
        self.stopping = asyncio.Event()
        self._definitions: dict[int, Definition] = {}
        self._seen = Seen()
        self._kept_at: datetime | None = None
        self._runs: set[MailboxRun] = set()
        self._quiet = asyncio.Event()
        self._quiet.set()

    def end(self) -> None:
        """Have everything end in order: runs finish what is on the wire and take up nothing new."""
        self.stopping.set()
        for run in self._runs:
            run.end()

    async def ended(self, seconds: float = END_SECONDS) -> bool:
        """End, and wait for the runs; False: a server did not answer in time, and its messages will be in doubt."""
        self.end()
        try:
            await asyncio.wait_for(self._quiet.wait(), seconds)
        except TimeoutError:
            return False
        return True

    # -- one mailbox ---------------------------------------------------------------------------------------------------

    def next_open(self, message: Claimed, now: datetime) -> datetime:
        """When the recipient may get mail under the campaign's schedule; `now` when that is now."""
        what = self._definitions.get(message.campaign_id)
        if what is None or what.schedule.hours is None:
            return now
        return next_open(now, hours_for(what, message.country, message.tz, self.app.settings.sender.timezone))

    async def run_mailbox(self, box: MailboxSettings) -> RunResult:
        """Send what is due from one mailbox, bounded by [sending] run_messages and run_seconds."""
        await self._load_definitions()
        run = MailboxRun(
            self.app.outbox,
            await self.app.setup(box),
            self.app.server(box),
            self.app.composer(box),
            holder=self.holder,
            clock=self.clock,
            next_open=self.next_open,
            hooks=SendingHooks(self.app.events),
            by_hand=partial(sent_by_hand, self.app.db),
        )
        limits = self.app.settings.sending
        messages = limits.run_messages if _has_pace(box) else max(limits.run_messages, 5_000)
        result = await self._watched(run, messages, limits.run_seconds)
        self.totals.add(result)
        return result

    async def _watched(self, run: MailboxRun, messages: int, seconds: float) -> RunResult:
        if self.stopping.is_set():
            return RunResult()
        self._runs.add(run)
        self._quiet.clear()
        try:
            return await run.run(messages, seconds)
        finally:
            self._runs.discard(run)
            if not self._runs:
                self._quiet.set()

    async def _load_definitions(self) -> None:
        async with self.app.db.read() as conn:
            rows = await conn.execute(
                select(CAMPAIGNS.c.id, CAMPAIGNS.c.definition).where(CAMPAIGNS.c.state.in_(("running", "pilot")))
            )
            self._definitions = {row.id: Definition.model_validate(row.definition) for row in rows}

    async def run_due(self) -> bool:
        """Run every mailbox that has something to send now; returns whether any did something."""
        due = set(await self.app.outbox.due_mailboxes(self.clock()))
        boxes = [box for box in self.app.settings.mailbox if self.app.mailbox_ids[box.name] in due]
        gate = asyncio.Semaphore(MOST_MAILBOXES)

        async def one(box: MailboxSettings) -> bool:
            async with gate:
                return await self._guarded(box)

        return any(await asyncio.gather(*(one(box) for box in boxes)))

    async def _guarded(self, box: MailboxSettings) -> bool:
        try:
            result = await self.run_mailbox(box)
        except ConfigError as error:
            self._problem(f"{box.name}: {error}")
            return False
        if result.stopped:
            self._problem(f"{box.name}: {_words(result.stopped)}")
        return bool(result.claimed)

    def _problem(self, text: str) -> None:
        if text not in self.totals.problems:
            self.totals.problems.append(text)
            log.warning("mailbox cannot work", problem=text)

    # -- the loop ------------------------------------------------------------------------------------------------------

    async def tick(self) -> bool:
        """Recover what dead workers left, then do what the clock asks for."""
        now = self.clock()
        await self.app.outbox.recover_all(now, is_dead)
        done = await tick(self.app, now, self._seen)
        self.totals.started += done.started + done.released
        self.totals.follow_ups += done.follow_ups
        self.totals.finished += done.finished
        await escalate(self.app, now)
        return bool(done)

    async def until_idle(self, max_seconds: float | None = None, *, forever: bool = False) -> Totals:
        """Work until nothing is due (or for ever); stops after `max_seconds` or when `stopping` is set."""
        ends = time.monotonic() + max_seconds if max_seconds else None
        while not self.stopping.is_set() and (ends is None or time.monotonic() < ends):
            await self._keep()
            worked = await self.tick()
            worked = await self.run_due() or worked
            if worked:
                continue
            wait = await self._wait()
            if wait is None and not forever:
                self.totals.idle = True
                break
            await self._sleep(min(wait or LOOK_SECONDS, LOOK_SECONDS), ends)
        return self.totals

    async def _keep(self) -> None:
        """Do what the service does for customers beside the mail (app/jobs.py): at the start, then each hour."""
        now = self.clock()
        if self._kept_at is not None and now - self._kept_at < KEEP_EVERY:
            return
        self._kept_at = now
        while (await customers.keep(self.app, now))["assigned"]:
            pass

    async def _wait(self) -> float | None:
        """Seconds until something may leave, None if that is not soon."""
        if await instance.held(self.app.db):
            return None
        now = self.clock()
        open_states = [MessageState.QUEUED.value, MessageState.DEFERRED.value]
        in_hand = [MessageState.CLAIMED.value, MessageState.HANDING_OVER.value]
        soon = select(func.min(func.coalesce(MAILBOXES.c.paused_until, MESSAGES.c.due_at)))
        query = (
            soon.select_from(MESSAGES)
            .join(MAILBOXES, MAILBOXES.c.id == MESSAGES.c.mailbox_id)
            .join(CAMPAIGNS, CAMPAIGNS.c.id == MESSAGES.c.campaign_id)
            .where(
                MESSAGES.c.state.in_([*open_states, *in_hand]),
                MESSAGES.c.due_at <= now + timedelta(seconds=WAIT_SECONDS),
                MAILBOXES.c.state == "active",
                (CAMPAIGNS.c.state == "running") | ((CAMPAIGNS.c.state == "pilot") & MESSAGES.c.is_pilot.is_(True)),
                CAMPAIGNS.c.confirm_needed.is_(False),
            )
        )
        async with self.app.db.read() as conn:
            first = await conn.scalar(query)
        if first is None:
            return None
        seconds = (first - now).total_seconds()
        return max(0.05, seconds) if seconds <= WAIT_SECONDS else None

    async def _sleep(self, seconds: float, ends: float | None) -> None:
        if ends is not None:
            seconds = max(0.0, min(seconds, ends - time.monotonic()))
        try:
            await asyncio.wait_for(self.stopping.wait(), timeout=seconds)
        except TimeoutError:
            return


def _words(code: str) -> str:
    said = explain(code, "en")
    return f"{said.what} {said.means} {said.do}"


def _has_pace(box: MailboxSettings) -> bool:
    limits = box.limits
    return bool(limits.per_minute or limits.per_hour or limits.per_day or limits.min_gap_seconds)
