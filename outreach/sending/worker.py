"""A bounded run of one mailbox: claim, compose, offer, mark, hand over, record.

Links call back (`ready`, `answered`, `free`, `lost`); no task waits while a server thinks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

import structlog

from outreach.outbox.message import Claimed, Mark, Outcome, Refused
from outreach.outbox.store import OutboxStore, next_due
from outreach.sending.aftermath.worker import Aftermath, Hooks
from outreach.sending.breaker import PolicyBreaker
from outreach.sending.client import Server, SessionTrouble, connect
from outreach.sending.commit.worker import GroupCommit
from outreach.sending.desk import Desk
from outreach.sending.holder.worker import is_dead, make_holder
from outreach.sending.job import Job, schedule
from outreach.sending.link import Envelope, Link
from outreach.sending.loading.worker import ByHand, load
from outreach.sending.phase import REACHED_SERVER, Broken, Fault, Phase
from outreach.sending.reply_code import Reply
from outreach.sending.setup import Features, Letter, MailboxSetup, Notice, RunResult
from outreach.sending.slower import rules_for
from outreach.sending.trouble import SESSIONS_BREAK, Verdict, judge_broken, judge_reply, judge_session

__all__ = ["Composer", "Hooks", "MailboxRun", "Notice", "make_holder"]

log = structlog.get_logger(__name__)

#: Messages claimed at a time. Few enough that a kill leaves little to recover, enough that claiming costs nothing.
CLAIM = 200
#: A link that has to wait longer than this for its next message is closed; servers drop idle clients after a minute.
IDLE_SECONDS = 30.0
#: The lease must have so many seconds left when a body leaves: a worker that slept may have been given up on.
LEASE_MARGIN = 5.0
#: A server that does not answer QUIT is left all the same.
GOODBYE = Broken(Phase.QUIT, Fault.TIMEOUT, "no answer to QUIT")
#: So many sessions broken in a row, and the mailbox rests: the server has a problem, not the message.
BROKEN_IN_A_ROW = 3


def utc_now() -> datetime:
    """Return the current moment."""
    return datetime.now(UTC)


class Composer(Protocol):
    """Makes letters. Any exception of `compose` fails that message and holds its campaign; its `code` is the reason."""

    async def prepare(self, batch: Sequence[Claimed]) -> None:
        """Load what the letters of these messages need, in sets."""

    def compose(self, message: Claimed) -> Letter:
        """Return the letter; the same bytes each time."""


class MailboxRun:
    """One run of one mailbox. Use it once."""

    def __init__(
        self,
        store: OutboxStore,
        setup: MailboxSetup,
        server: Server,
        composer: Composer,
        *,
        holder: str | None = None,
        clock: Callable[[], datetime] = utc_now,
        next_open: Callable[[Claimed, datetime], datetime] | None = None,
        hooks: Hooks | None = None,
        by_hand: ByHand | None = None,
    ) -> None:
        """by_hand: when others sent through these mailboxes since a moment; it counts for the limits."""
        self.by_hand = by_hand
        self.store = store
        self.setup = setup
        self.server = server
        self.composer = composer
        self.holder = holder or make_holder()
        self.clock = clock
        self.next_open = next_open
        self.result = RunResult()
        self.rules = rules_for(setup.provider)
        self.aftermath = Aftermath(store, setup, hooks or Hooks(), clock, self._stop)
        self.commit: GroupCommit[Job] = GroupCommit(self.aftermath.write, self._marked, self._database_failed)
        self._links: dict[Link, Features] = {}
        self._retired: set[Link] = set()
        self._opening = 0
        self._dry = False
        self._stopped: str | None = None
        self._ended = False
        self._broken_in_a_row = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        self._wake = asyncio.Event()
        # how late a deadline may be noticed: it may be set while the run sleeps
        self._tick = min(1.0, server.timeouts.shortest / 2)

    # -- the run -------------------------------------------------------------------------------------------------------

    async def run(self, max_messages: int = 50, max_seconds: float = 300) -> RunResult:
        """Send what is due, at most so many messages and seconds, and return what happened."""
        self._loop = asyncio.get_running_loop()
        started = self._loop.time()
        mailbox_id, lease = self.setup.mailbox_id, self.setup.lease_seconds
        fence = await self.store.lease(mailbox_id, self.holder, self.clock(), lease, is_dead)
        if fence is None:
            self.result.busy = True
            return self.result
        self.aftermath.fence = fence
        self._lease_until = started + lease
        self._max_messages = max_messages
        self._ends = started + max_seconds
        try:
            self._spawn(self.commit.work())
            await self._load()
            self._spawn(self._keep_lease())
            await self._work()
        finally:
            await self._finish()
        return self.result

    def end(self) -> None:
        """Have the run end as if its time were up: nothing new is offered, what is on the wire is finished."""
        self._ended = True
        self._wake.set()

    async def _load(self) -> None:
        loaded = await load(self.store, self.setup, self.clock(), self.by_hand)
        self.pace = self.aftermath.pace = loaded.pace
        self.aftermath.quota = loaded.quota
        self.aftermath.breaker = PolicyBreaker(str(loaded.row.recent.get("policy", "")))
        self.aftermath.failures = loaded.row.failures
        self._connections = loaded.connections
        self.past = loaded.past
        self.desk = Desk(
            self.setup.sender,
            self.pace,
            loaded.domains,
            self.clock,
            compose=self.composer.compose,
            settle=self._settle,
            hold=self.aftermath.hold,
        )

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            await self._refill()
            self._open_links()
            for link in [link for link in self._links if link.idle]:
                self._offer(link)
            if self._done():
                return
            await self._sleep()

    def _done(self) -> bool:
        if self._opening or any(not link.idle for link in self._links):
            return False
        # a pace that asks to wait beyond the run's end is waited for by nobody: the next run goes on
        in_vain = bool(self.desk.waiting) and self.desk.wait() > self._ends - self._loop.time()
        return bool(self._stopped) or in_vain or self._full() or (self._dry and not self.desk.waiting)

    def _full(self) -> bool:
        return self._ended or self.desk.offered >= self._max_messages or self._loop.time() >= self._ends

    async def _sleep(self) -> None:
        """Wait until something happens, or until the earliest deadline; cut the links that have let theirs pass."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._wake.wait(), self._until_deadline())
        now = self._loop.time()
        for link in list(self._links):
            link.check(now)

    def _until_deadline(self) -> float:
        now = self._loop.time()
        waits = [self._tick, *(link.deadline - now for link in self._links if link.deadline is not None)]
        if self.desk.waiting and not self._stopped:
            waits.append(self.desk.wait() or 1.0)
        return max(min(waits), 0.001)

    async def _refill(self) -> None:
        room = min(CLAIM, self._max_messages - self.desk.offered) - len(self.desk.waiting)
        if self._stopped or self._dry or room <= 0 or len(self.desk.waiting) > CLAIM // 4 or self._full():
            return
        closed = self.desk.closed_domains()
        lease = (self.setup.mailbox_id, self.aftermath.fence, self.clock())
        batch = await self.store.claim(*lease, room, self.next_open, closed, self.aftermath.quota)
        self._dry = not batch
        self.result.claimed += len(batch)
        if batch:
            await self.composer.prepare(batch)
            self.desk.waiting.extend(batch)

    async def _keep_lease(self) -> None:
        lease = self.setup.lease_seconds
        while True:
            await asyncio.sleep(lease / 3)
            asked = self._loop.time()
            try:
                held = await self.store.renew(self.setup.mailbox_id, self.aftermath.fence, self.clock(), lease)
            except Exception as error:
                log.warning("the lease could not be renewed", mailbox=self.setup.name, error=str(error))
                continue
            if not held:
                self._stop("lease-lost")
                return
            self._lease_until = asked + lease
            await self.past.count(self.pace, self.clock())

    async def _finish(self) -> None:
        for link in list(self._links):
            if link.idle:
                link.quit()
                self._loop.call_later(self.server.timeouts.quit, link.abort, GOODBYE)
            else:
                link.abort(Broken(link.phase, Fault.DROP, "the run was ended"))
        self.commit.mailbox(self.aftermath.remembered())
        drained = await self.commit.drain()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.result.stopped = self._stopped
        if drained:
            await self.store.release(self.setup.mailbox_id, self.aftermath.fence, self.clock())
        async with self.store.db.read() as conn:
            self.result.next_due = await next_due(conn, mailbox_id=self.setup.mailbox_id)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _stop(self, reason: str) -> None:
        self._stopped = self._stopped or reason
        self._wake.set()

    def _database_failed(self, error: Exception) -> None:
        self._stop("database")

    # -- links ---------------------------------------------------------------------------------------------------------

    def _open_links(self) -> None:
        if self._stopped or self._full() or not self.desk.waiting or self.desk.wait() > IDLE_SECONDS:
            return
        in_hand = sum(not link.idle for link in self._links)
        wanted = min(self._connections, len(self.desk.waiting) + in_hand)
        for _ in range(wanted - len(self._links) - self._opening):
            self._opening += 1
            self._spawn(self._open())

    async def _open(self) -> None:
        try:
            link, features = await connect(self.server, self)
        except SessionTrouble as trouble:
            self._no_session(trouble)
        else:
            if link.open:
                self._links[link] = features
                self.free(link)
        finally:
            self._opening -= 1
            self._wake.set()

    def _no_session(self, trouble: SessionTrouble) -> None:
        if self._links:
            # other sessions work: the server wants no more of them, and a rest would stop those as well
            self._connections = len(self._links)
            return
        if not self._stopped:
            words = f"{trouble.reply.code} {trouble.reply.text}" if trouble.reply else str(trouble)
            self.aftermath.follow(judge_session(trouble.broken, trouble.reply, self.rules), words)
            self.commit.mailbox({})

    def free(self, link: Link) -> None:
        """Offer the next message on an idle link; where there is none, have the run look what to do."""
        if not self._offer(link):
            self._wake.set()

    def _offer(self, link: Link) -> bool:
        """Offer what can be offered now. It wakes nobody: the run's own loop would never sleep."""
        if link in self._retired:
            link.quit()
            return True
        envelope = self._next(link)
        if envelope is not None:
            link.offer(envelope)
        return envelope is not None

    def lost(self, link: Link, broken: Broken, unfinished: list[Envelope]) -> None:
        """Judge what was unfinished on a link that is gone."""
        self._links.pop(link, None)
        self._retired.discard(link)
        own = [envelope for envelope in unfinished if envelope.tag is not None]
        for envelope in own:
            job: Job = envelope.tag
            self.commit.withdraw(job)
            verdict = judge_broken(envelope.stage, broken, head=envelope is unfinished[0])
            self._conclude(job, verdict, broken.phase, None, broken.detail)
        if own:
            self._broken(broken.detail)
        self._wake.set()

    def _broken(self, words: str) -> None:
        """Count sessions that ended badly; when it is always the same, the mailbox rests."""
        self._broken_in_a_row += 1
        if self._broken_in_a_row >= BROKEN_IN_A_ROW and not self._stopped:
            self.aftermath.follow(SESSIONS_BREAK, words)

    # -- messages ------------------------------------------------------------------------------------------------------

    def _next(self, link: Link) -> Envelope | None:
        features = self._links.get(link)
        if features is None or self._stopped or self._full():
            return None
        envelope = self.desk.next(link, features)
        if envelope is not None and not self._dry and len(self.desk.waiting) <= CLAIM // 4:
            self._wake.set()  # claim more while there is still something to offer
        return envelope

    def ready(self, link: Link, envelope: Envelope) -> None:
        """Ask for the mark; the body leaves when it is durable."""
        job: Job = envelope.tag
        self.commit.mark(Mark(job.message, job.links), job)

    def _marked(self, job: Job, refused: Refused | None) -> None:
        link = job.link
        if refused is not None:
            self._refused(job, link, refused)
            return
        self.desk.use(job)
        if not link.open:
            return
        if self._loop.time() > self._lease_until - min(LEASE_MARGIN, self.setup.lease_seconds / 5):
            # this process slept: the mailbox may be another's by now, and this message in doubt there
            self._stop("lease-lost")
            link.abort(Broken(Phase.READY, Fault.DROP, "the lease may have run out"))
            return
        following = self._next(link) if link.can_follow(job.envelope) and link not in self._retired else None
        link.hand_over(job.envelope, following)

    def _refused(self, job: Job, link: Link, refused: Refused) -> None:
        if job.over:
            return
        job.end()
        self.desk.give_back(job)
        self.result.count(refused.action)
        if refused.reason in ("mailbox", "database"):
            self._stop(refused.reason)
        if refused.reason == "database":
            self.commit.settle(Outcome(job.message.id, "release", self.clock(), counts=False))
        if link.open:
            link.abort(Broken(Phase.READY, Fault.DROP, refused.reason))

    def answered(self, link: Link, envelope: Envelope, phase: Phase, reply: Reply) -> None:
        """Judge the server's word on a message."""
        job: Job = envelope.tag
        if phase is Phase.DOT and reply.code < 300:
            self._accepted(job, reply)
            return
        verdict = judge_reply(phase, reply, self.rules)
        self.aftermath.refused(job.message, verdict, reply)
        self._conclude(job, verdict, phase, reply, None)
        if verdict.close:
            self._retired.add(link)
            self._broken(f"{reply.code} {reply.text}")

    def _accepted(self, job: Job, reply: Reply) -> None:
        job.end()
        self._broken_in_a_row = 0
        self.aftermath.accepted()
        outcome = Outcome(job.message.id, "accept", self.clock(), reply_code=reply.code, reply_text=reply.text)
        self._settle(job.message, outcome)

    def _conclude(self, job: Job, verdict: Verdict, phase: Phase, reply: Reply | None, detail: str | None) -> None:
        job.end()
        if verdict.counts and phase in REACHED_SERVER:
            self.desk.use(job)
        else:
            self.desk.give_back(job)
        outcome = Outcome(job.message.id, verdict.action, self.clock(), verdict.reason, phase=phase.value)
        outcome.counts = verdict.counts
        outcome.reply_code = reply.code if reply else None
        outcome.reply_text = reply.text if reply else detail
        schedule(outcome, verdict, job.message)
        self._settle(job.message, outcome)

    def _settle(self, message: Claimed, outcome: Outcome) -> None:
        outcome.campaign_id = message.campaign_id
        self.result.count(outcome.action)
        self.commit.settle(outcome)
