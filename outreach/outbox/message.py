"""What passes between the outbox and who sends: a claimed message, what became of it, a request to hand it over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from outreach.content.gates import Gate


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
    """Limits that mailboxes or campaigns share, and so are counted in the database in the transaction of the hand-over.

    mailboxes: those that share one quota, this one included; empty: its own pace suffices. domain_per_minute: to one
    recipient domain, from all mailboxes. per_contact_mails, per_company_mails: (mails, days) for a person and for a
    customer, from all campaigns; 0 mails: no cap. one_voice: so many days a customer hears from the own mailbox of one
    colleague only; 0: from whoever writes. gates: the country rules, None for the shipped ones.
    """

    mailboxes: tuple[int, ...] = ()
    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0
    domain_per_minute: int = 0
    per_contact_mails: tuple[int, int] = (0, 0)
    per_company_mails: tuple[int, int] = (0, 0)
    one_voice: int = 0
    gates: tuple[Gate, ...] | None = None

    @property
    def windows(self) -> tuple[tuple[int, int], ...]:
        """The shared limits that there are: (mails, seconds)."""
        every = ((self.per_minute, 60), (self.per_hour, 3600), (self.per_day, 86_400))
        return tuple(pair for pair in every if pair[0])

    @property
    def caps(self) -> bool:
        """Whether people or customers have a cap."""
        return bool(self.per_contact_mails[0] or self.per_company_mails[0] or self.one_voice)

    @property
    def none(self) -> bool:
        """Whether there is nothing to count."""
        return not self.domain_per_minute and not self.caps and not (self.mailboxes and self.windows)

    def lowered(self, ceilings: Mapping[int, int], spent: Mapping[int, int]) -> Quota:
        """Return the quota as it is now: by what refusals taught, less what others spend unseen (seconds → mails)."""
        left: dict[int, int] = {}
        for limit, seconds in ((self.per_minute, 60), (self.per_hour, 3600), (self.per_day, 86_400)):
            known = [n for n in (limit, ceilings.get(seconds, 0)) if n]
            # 0 would mean "none": one mail a window is the least that a quota can say
            left[seconds] = max(min(known) - spent.get(seconds, 0), 1) if known else 0
        return replace(self, per_minute=left[60], per_hour=left[3600], per_day=left[86_400])


NO_QUOTA = Quota()


@dataclass(frozen=True, slots=True)
class Harm:
    """What a campaign does to its recipients: its last hand-overs (at most 100), the hard ones of them, and all."""

    recent: int
    recent_hard: int
    sent: int
    complaints: int
