"""Where claimed messages wait, become letters and get their place in the pace."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from outreach.outbox.message import Claimed, Outcome
from outreach.sending.address import UnsupportedAddress, envelope_address, ready_for_dot
from outreach.sending.job import Job, envelope_params
from outreach.sending.link import Envelope, Link
from outreach.sending.retry import stable_fraction
from outreach.sending.setup import Features, Letter
from outreach.sending.throttle import DomainPace, Pace
from outreach.sending.trouble import Verdict, judge_size


class Desk:
    """The messages that a run has claimed and not yet offered.

    compose: makes a letter, or raises. settle: records an outcome. hold: has a campaign held (id, reason, detail).
    """

    def __init__(
        self,
        sender: str,
        pace: Pace,
        domains: DomainPace,
        clock: Callable[[], datetime],
        *,
        compose: Callable[[Claimed], Letter],
        settle: Callable[[Claimed, Outcome], None],
        hold: Callable[[int, str, str], None],
    ) -> None:
        self.waiting: deque[Claimed] = deque()
        self.offered = 0
        self._sender = sender
        self._pace = pace
        self._domains = domains
        self._clock = clock
        self._compose = compose
        self._settle = settle
        self._hold = hold

    def now(self) -> float:
        """Seconds since 1970."""
        return self._clock().timestamp()

    def wait(self) -> float:
        """Return how many seconds the mailbox's pace asks to wait."""
        return 0.0 if self._pace.free else self._pace.wait(self.now())

    def closed_domains(self) -> dict[str, datetime]:
        """Return the recipient domains that have had their share, and when they open again."""
        closed = self._domains.closed(self.now())
        return {domain: datetime.fromtimestamp(at, UTC) for domain, at in closed.items()}

    def next(self, link: Link, features: Features) -> Envelope | None:
        """Return the next envelope for a link, None if there is none or its time has not come."""
        while self.waiting and self.wait() <= 0:
            message = self.waiting.popleft()
            wait = self._domains.wait(message.domain, self.now())
            if wait > 0:
                self._put_off(message, wait)
            elif (job := self._letter(message, features)) is not None:
                return self._take(job, link)
        return None

    def use(self, job: Job) -> None:
        """Count the message: it reached the server."""
        if not job.slot:
            return
        job.slot = False
        at = self.now()
        if self._pace.free:
            self._pace.give_back()
            self._pace.note(at)
        else:
            self._pace.settle(at, stable_fraction(job.message.uid))
        self._domains.settle(job.message.domain, at)

    def give_back(self, job: Job) -> None:
        """Do not count the message: nothing of it reached the server."""
        if job.slot:
            job.slot = False
            self._pace.give_back()
            self._domains.give_back(job.message.domain)

    def _take(self, job: Job, link: Link) -> Envelope:
        self.offered += 1
        self._pace.take()
        self._domains.take(job.message.domain)
        job.link = link
        return job.envelope

    def _put_off(self, message: Claimed, wait: float) -> None:
        now = self._clock()
        due = now + timedelta(seconds=wait)
        self._settle(message, Outcome(message.id, "release", now, due_at=due, counts=False))

    def _letter(self, message: Claimed, features: Features) -> Job | None:
        try:
            recipient = envelope_address(message.address)
            letter = self._compose(message)
            data = letter.data if getattr(letter, "wire_ready", False) else ready_for_dot(letter.data)
        except UnsupportedAddress as error:
            return self._fail(message, Verdict("fail", "unsupported-address"), str(error))
        except Exception as error:
            reason = str(getattr(error, "code", "") or type(error).__name__)
            return self._fail(message, Verdict("fail", reason, hold="compose-failed"), str(error))
        verdict = judge_size(len(data), features.size)
        if verdict is not None:
            return self._fail(message, verdict, f"{len(data)} bytes; the server takes {features.size}")
        params = envelope_params(letter, len(data), features.names)
        return Job(message, letter.dynamic_links, Envelope(self._sender, recipient, data, params=params))

    def _fail(self, message: Claimed, verdict: Verdict, detail: str) -> Job | None:
        now = self._clock()
        outcome = Outcome(message.id, "fail", now, verdict.reason, reply_text=detail, phase="compose", counts=False)
        if verdict.hold:
            self._hold(message.campaign_id, verdict.hold, detail)
        self._settle(message, outcome)
        return None
