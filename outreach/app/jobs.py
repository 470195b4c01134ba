"""The coarse jobs of a process: ticks, mailbox runs, passes over inboxes, reports, clean-up, each bearing a repeat."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import delete, select, update

from outreach.app import customers
from outreach.app.archiving import SentArchive
from outreach.app.build import App
from outreach.app.engine import Engine
from outreach.app.escalation import mail_managers
from outreach.app.inbox import InboxHost
from outreach.app.reporting import send_weekly_if_due
from outreach.app.retention import run_retention
from outreach.app.signup import send_confirmations
from outreach.app.watching import Watch
from outreach.audience.client import MxChecker
from outreach.config import ConfigError
from outreach.crm.tasks import OwnerCalendar, due_at
from outreach.db import statistics
from outreach.inbox.client import ImapTrouble
from outreach.jobs.port import Jobs
from outreach.model import Letter, Worker
from outreach.model.base import table

log = structlog.get_logger(__name__)
WORKERS, LETTERS = table(Worker), table(Letter)

#: A process that was not heard of for so long is dead; its jobs are resumed by another (mailboxes within 60 s).
DEAD_AFTER = timedelta(seconds=30)
#: Seconds between two signs of life: two may be late before the process counts as dead.
BEAT_SECONDS = 10
#: A mail of ours is looked for in Sent by its id for so long, and counts for a day's quota at most.
LETTERS_KEPT = timedelta(days=7)
#: Addresses whose mail server is looked up in one background job.
MX_BATCH = 500


class JobHost:
    """One process's share of the jobs."""

    def __init__(self, app: App, *, clock: Callable[[], datetime]) -> None:
        self.app, self.clock = app, clock
        self.engine = Engine(app, clock=clock)
        self.inbox = InboxHost(app, clock=clock)
        self.watch = Watch(self.inbox, self.inbox.news)
        self.sent = SentArchive(app)
        self.name = f"{os.uname().nodename}:{os.getpid()}"
        self.jobs = Jobs(app.settings.jobs_url, self.name)
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Register and begin."""
        jobs = self.jobs
        jobs.register("look", self._look, every="*/2 * * * * *")
        jobs.register("mailbox", self._mailbox)
        jobs.register("inbox", self._inbox)
        jobs.register("archive", self._archive, every="45 * * * * *")
        jobs.register("report", self._report, every="0 */10 * * * *")
        jobs.register("customers", self._customers, every="20 * * * * *")
        jobs.register("mail-servers", self._mail_servers, every="30 * * * * *")
        jobs.register("sign-ups", self._sign_ups, every="*/5 * * * * *")
        jobs.register("webhooks", self._webhooks, every="*/5 * * * * *")
        jobs.register("retention", self._retention, every="0 30 19 * * *")  # 3:30 in the office: nobody waits
        jobs.register("clean-up", self._clean_up, every="0 15 * * * *")
        await asyncio.to_thread(due_at, self.clock(), "same_working_day", OwnerCalendar())  # loads the holidays once
        await jobs.start()
        # after the start: it resumes the jobs of processes that died without a word
        await self.beat()
        self._beating = asyncio.create_task(self._beat_on(), name="heartbeat")

    async def stop(self) -> None:
        """End in good order; another process takes over what is left."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.wait([self._beating])
        if not await self.engine.ended():
            log.warning("a mail server did not answer in time: what it was given is in doubt")
        await self.watch.stop()
        await self.inbox.stop()
        async with self.app.db.write() as conn:
            await conn.execute(delete(WORKERS).where(WORKERS.c.id == self.name))
        await self.jobs.stop()

    async def _look(self, _: str) -> None:
        """See what is due and queue it: one job a mailbox, never one a message."""
        await self._configured()
        await self.engine.tick()
        now = self.clock()
        due = set(await self.app.outbox.due_mailboxes(now))
        for box in self.app.settings.mailbox:
            if self.app.mailbox_ids[box.name] in due:
                await self.jobs.enqueue("mailbox", box.name)
            if box.imap is not None and self.inbox.is_due(box, now):
                await self.jobs.enqueue("inbox", box.name)

    async def _configured(self) -> None:
        """Take over what another process wrote into config.toml; a fault in it leaves the old one in force."""
        try:
            await self.app.adopt_if_changed(self.clock())
            self.inbox.reconfigured()
        except ConfigError as error:
            log.warning("the changed configuration was refused", why=str(error))

    async def _mailbox(self, name: str) -> None:
        """One bounded run of a mailbox."""
        await self.engine.run_mailbox(self.app.settings.mailbox_named(name))

    async def _inbox(self, name: str) -> None:
        """One pass over a mailbox's folders. Trouble is noted at the mailbox, and the next pass comes later."""
        try:
            await self.inbox.sync(self.app.settings.mailbox_named(name))
        except ImapTrouble as trouble:
            log.warning("inbox cannot be read", mailbox=name, why=str(trouble))

    async def _beat_on(self) -> None:
        """Each process speaks for itself: a job in the queue would be one for all of them."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            try:
                await self.beat()
            except Exception:  # the database may be away: the next beat tells that this process is not
                log.exception("no sign of life could be given")

    async def beat(self) -> None:
        """Say that this process lives; resume the jobs of those that do not."""
        now = self.clock()
        async with self.app.db.write() as conn:
            found = await conn.execute(update(WORKERS).where(WORKERS.c.id == self.name).values(seen_at=now))
            if found.rowcount == 0:
                machine = os.uname().nodename
                values = {"id": self.name, "machine": machine, "started_at": now, "seen_at": now}
                await conn.execute(WORKERS.insert().values(**values))
            rows = (await conn.execute(select(WORKERS.c.id, WORKERS.c.started_at, WORKERS.c.seen_at))).all()
            dead = [row.id for row in rows if row.seen_at < now - DEAD_AFTER]
            alive = [(row.started_at, row.id) for row in rows if row.id not in dead]
        await self._watch(min(alive)[1] == self.name)
        if dead:
            await self.jobs.adopt(dead)
            async with self.app.db.write() as conn:
                await conn.execute(delete(WORKERS).where(WORKERS.c.id.in_(dead)))

    async def _archive(self, _: str) -> None:
        """Keep what has left, and tell managers what is late."""
        await self.sent.run(self.clock())
        await mail_managers(self.app, self.clock())

    async def _watch(self, first: bool) -> None:
        """The oldest living process waits in the inboxes for news; the others leave the connections to it."""
        if first:
            self.watch.start()
        elif self.watch.active:
            await self.watch.stop()

    async def _report(self, _: str) -> None:
        """Write and send the weekly report when its hour has come."""
        await send_weekly_if_due(self.app, self.clock())

    async def _customers(self, _: str) -> None:
        """Owners for customers without one, mail of closed mailboxes, silent cases."""
        await customers.keep(self.app, self.clock())

    async def _mail_servers(self, _: str) -> None:
        """Look up the mail servers of new addresses' domains."""
        await MxChecker(self.app.db).run(MX_BATCH, self.clock())

    async def _sign_ups(self, _: str) -> None:
        """Send the confirmations that visitors of the website wait for."""
        await send_confirmations(self.app, self.clock())

    async def _webhooks(self, _: str) -> None:
        """Tell the company's other programs what happened."""
        await self.app.webhook_worker().run(self.clock())

    async def _retention(self, _: str) -> None:
        """Forget what was kept long enough."""
        await run_retention(self.app, self.clock())

    async def _clean_up(self, _: str) -> None:
        """Forget ended jobs and deliveries; count what there is, for the database's plans."""
        await self.app.webhooks.prune(self.clock())
        if self.app.signups is not None:
            await self.app.signups.forget(self.clock())
        async with self.app.db.write() as conn:
            await conn.execute(delete(LETTERS).where(LETTERS.c.at < self.clock() - LETTERS_KEPT))
        await self.jobs.prune(self.clock())
        await statistics.refresh(self.app.db)
