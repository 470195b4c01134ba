"""What passes between the outbox and who sends: a claimed message, what became of it, a request to hand it over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Claimed:
    """A message that a worker may try to hand over: what is needed to compose and address it."""

    id: int
    uid: str
    message_id: str
    campaign_id: int
    step: int
    contact_id: int
    company_id: int | None
    address: str
    address_key: str
    domain: str
    mailbox_id: int
    language: str
    variant: str | None
    is_pilot: bool
    country: str | None
    tz: str | None
    due_at: datetime
    attempts: int
    composed_at: datetime
    first_attempt_at: datetime | None
    approved_hash: str | None


@dataclass(slots=True)
class Outcome:
    """What became of a message.

    action: accept, defer, fail, doubt, release, skip or cancel (outbox/state.py). due_at: when it is tried again.
    phase: where it was decided. counts: whether it was an attempt of this message. at: UTC. campaign_id: for sums.
    """

    id: int
    action: str
    at: datetime
    reason: str | None = None
    due_at: datetime | None = None
    reply_code: int | None = None
    reply_text: str | None = None
    phase: str = "dot"
    counts: bool = True
    campaign_id: int = 0


@dataclass(slots=True)
class Mark:
    """A request to hand a message over now. links: (number, destination) of links that only this message has."""

    message: Claimed
    links: tuple[tuple[int, str], ...] = ()


@dataclass(slots=True)
class Refused:
    """A mark that was not made. action and reason as in Outcome; retry_at: when to ask again (None: at once)."""

    action: str
    reason: str
    retry_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Quota:
    """Limits that several mailboxes share, and so are counted in the database in the transaction of the hand-over.

    mailboxes: those that share one quota, this one included; empty: its own pace suffices. domain_per_minute: to one
    recipient domain, from all mailboxes.
    """

    mailboxes: tuple[int, ...] = ()
    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0
    domain_per_minute: int = 0

    @property
    def none(self) -> bool:
        """Whether there is nothing to count."""
        return not self.domain_per_minute and not (
            self.mailboxes and (self.per_minute or self.per_hour or self.per_day)
        )


NO_QUOTA = Quota()


@dataclass(frozen=True, slots=True)
class Harm:
    """What a campaign does to its recipients: its last hand-overs (at most 100), the hard ones of them, and all."""

    recent: int
    recent_hard: int
    sent: int
    complaints: int
