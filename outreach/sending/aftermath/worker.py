"""What follows from outcomes, written in their transaction: roll-ups, dead addresses, pauses, breakers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.events.store import bump_now
from outreach.model.enums import MailboxState
from outreach.outbox.message import Claimed, Refused
from outreach.outbox.store import OutboxStore, harm
from outreach.sending.breaker import PolicyBreaker, campaign_must_pause
from outreach.sending.commit.worker import Batch
from outreach.sending.reply_code import Reply
from outreach.sending.retry import link_rest
from outreach.sending.setup import MailboxSetup, Notice
from outreach.sending.throttle import Ceiling, Pace, store_ceilings
from outreach.sending.trouble import MailboxStep, Step, Verdict

Slowly = Callable[[AsyncConnection], Awaitable[None]]


class Hooks:
    """What the stages above want to hear; each call runs in the transaction of the outcome."""

    async def address_dead(
        self, conn: AsyncConnection, message: Claimed, reason: str, reply: Reply, at: datetime
    ) -> None:
        """The server says that the recipient does not exist: suppress the address."""

    async def hold_campaign(
        self, conn: AsyncConnection, campaign_id: int, reason: str, detail: str, at: datetime
    ) -> None:
        """Pause the campaign: its message is too big or cannot be composed, or too many bounce."""

    async def notify(self, conn: AsyncConnection, notice: Notice) -> None:
        """People must hear of it: a mailbox was paused."""


class Aftermath:
    """Keeps what a run learns and writes it with the outcomes. `stop` is called when the mailbox must not go on."""

    def __init__(
        self,
        store: OutboxStore,
        setup: MailboxSetup,
        hooks: Hooks,
        clock: Callable[[], datetime],
        stop: Callable[[str], None],
    ) -> None:
        self.store = store
        self.setup = setup
        self.hooks = hooks
        self.clock = clock
        self.stop = stop
        self.fence = 0
        self.pace = Pace(setup.limits)
        self.quota = setup.quota
        self.breaker = PolicyBreaker()
        self.failures = 0
        self._slowly: list[Slowly] = []
        self._values: dict[str, Any] = {}
        self._held: set[int] = set()

    # -- the transaction -----------------------------------------------------------------------------------------------

    async def write(self, batch: Batch[Any]) -> dict[int, Refused]:
        """Write a batch and what follows from it; all or nothing."""
        slowly, self._slowly = self._slowly, []
        values, self._values = self._values, {}
        sent = [(o.campaign_id, o.at, "sent", False, 1) for o in batch.outcomes if o.action == "accept"]
        try:
            return await self.store.settle_and_mark(
                self.setup.mailbox_id,
                self.fence,
                self.clock(),
                batch.outcomes,
                [mark for mark, _ in batch.waiting],
                self.quota,
                values | batch.mailbox_values,
                partial(bump_now, counts=sent) if sent else None,
                slowly,
            )
        except BaseException:
            self._slowly[:0] = slowly
            self._values = values | self._values
            raise

    # -- what is learned -----------------------------------------------------------------------------------------------

    def accepted(self) -> None:
        """A message was accepted: the mailbox works."""
        self.breaker.record(False)
        if self.failures:
            self.failures = 0
            self._values["failures"] = 0

    def refused(self, message: Claimed, verdict: Verdict, reply: Reply) -> None:
        """A message was refused: follow the verdict through all scopes."""
        words = f"{reply.code} {reply.text}"
        if verdict.suppress:
            reason = verdict.reason or "rejected"
            self._slowly.append(partial(self._dead, message=message, reason=reason, reply=reply, at=self.clock()))
        if verdict.hold:
            self.hold(message.campaign_id, verdict.hold, words)
        self.follow(verdict.mailbox, words)
        if self.breaker.record(verdict.policy):
            self.follow(MailboxStep(Step.PAUSE, "policy-refusals"), words)

    def hold(self, campaign_id: int, reason: str, detail: str) -> None:
        """Have a campaign paused, once a run."""
        if campaign_id not in self._held:
            self._held.add(campaign_id)
            at = self.clock()
            self._slowly.append(lambda conn: self.hooks.hold_campaign(conn, campaign_id, reason, detail, at))

    def follow(self, step: MailboxStep, words: str) -> None:
        """Do what a failure means for the mailbox."""
        if step.step is Step.GO_ON:
            return
        now = self.clock()
        seconds = step.seconds
        if step.step is Step.REST:
            self.failures += 1
            self._values["failures"] = self.failures
            seconds = seconds if seconds is not None else link_rest(self.failures).total_seconds()
        elif step.step is Step.SLOW:
            self.pace.slow(now.timestamp())
        elif step.step is Step.QUOTA:
            self.pace.quota_reached(now.timestamp())
        if step.step in (Step.SLOW, Step.FEWER):
            self._fewer_connections(now)
        if step.step is Step.FEWER and not seconds:
            return
        if step.step is Step.PAUSE:
            self._pause(step.reason, words, now)
        elif seconds:
            self._rest(step.reason, words, now + timedelta(seconds=seconds))
        self.stop(step.reason)

    def remembered(self) -> dict[str, Any]:
        """What the mailbox row keeps for the next run."""
        return {"recent": {"policy": self.breaker.stored}, "ceiling": store_ceilings(self.pace.ceilings)}

    # -- within --------------------------------------------------------------------------------------------------------

    def _fewer_connections(self, now: datetime) -> None:
        current = self.pace.ceilings.get("connections")
        number = current.now("connections", now.timestamp()) if current else self.setup.connections
        fewer = max(int(min(number, self.setup.connections)) // 2, 1)
        self.pace.ceilings["connections"] = Ceiling(fewer, now.timestamp())

    def _pause(self, reason: str, words: str, now: datetime) -> None:
        self._values |= {
            "state": MailboxState.PAUSED,
            "paused_reason": reason,
            "last_error": words,
            "paused_until": None,
        }
        notice = Notice(self.setup.mailbox_id, self.setup.name, reason, words, now)
        self._slowly.append(lambda conn: self.hooks.notify(conn, notice))

    def _rest(self, reason: str, words: str, until: datetime) -> None:
        if self._values.get("state") != MailboxState.PAUSED:
            self._values |= {"paused_reason": reason, "last_error": words, "paused_until": until}

    async def _dead(self, conn: AsyncConnection, *, message: Claimed, reason: str, reply: Reply, at: datetime) -> None:
        await self.hooks.address_dead(conn, message, reason, reply, at)
        await self._check_campaign(conn, message.campaign_id, at)

    async def _check_campaign(self, conn: AsyncConnection, campaign_id: int, at: datetime) -> None:
        facts = await harm(conn, campaign_id)
        reason = campaign_must_pause(
            recent=facts.recent, recent_hard=facts.recent_hard, sent=facts.sent, complaints=facts.complaints
        )
        if reason and campaign_id not in self._held:
            self._held.add(campaign_id)
            detail = f"{facts.recent_hard} of the last {facts.recent}"
            await self.hooks.hold_campaign(conn, campaign_id, reason, detail, at)
