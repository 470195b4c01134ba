"""What a mailbox run is told: the mailbox's settings and what passes in and out of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from outreach.outbox.message import NO_QUOTA, Quota
from outreach.sending.throttle import Limits


@dataclass(frozen=True, slots=True)
class MailboxSetup:
    """A mailbox as its run needs it (how to reach its server stands in `client.Server`).

    sender: the envelope's address. provider: a preset's name, for its throttle words. quota: what is shared with other
    mailboxes. warmup_from: the day on which a young mailbox began; None: it is not young.
    """

    mailbox_id: int
    name: str
    sender: str
    connections: int = 1
    limits: Limits = field(default_factory=Limits)
    provider: str | None = None
    quota: Quota = NO_QUOTA
    warmup_from: datetime | None = None
    lease_seconds: float = 45.0


@dataclass(frozen=True, slots=True)
class Features:
    """What EHLO promised. size: octets, 0 for no limit named."""

    names: frozenset[str]
    size: int = 0


class Letter(Protocol):
    """A composed message (content's `Composed` is one). data: complete, CRLF; without the final dot."""

    @property
    def data(self) -> bytes: ...
    @property
    def dynamic_links(self) -> tuple[tuple[int, str], ...]: ...
    @property
    def eight_bit(self) -> bool: ...
    @property
    def smtp_utf8(self) -> bool: ...


@dataclass(slots=True)
class RunResult:
    """What a run did. busy: another worker has the mailbox. stopped: why it ended early (a code of texts.toml)."""

    claimed: int = 0
    sent: int = 0
    deferred: int = 0
    failed: int = 0
    in_doubt: int = 0
    requeued: int = 0
    skipped: int = 0
    busy: bool = False
    stopped: str | None = None
    next_due: datetime | None = None

    def count(self, action: str) -> None:
        """Count one outcome by its action."""
        name = COUNTED.get(action)
        if name:
            setattr(self, name, getattr(self, name) + 1)


COUNTED = {
    "accept": "sent",
    "defer": "deferred",
    "fail": "failed",
    "doubt": "in_doubt",
    "release": "requeued",
    "skip": "skipped",
    "cancel": "skipped",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that people must hear of. reason: a code of texts.toml; detail: the server's words."""

    mailbox_id: int
    mailbox: str
    reason: str
    detail: str
    at: datetime
    campaign_id: int | None = None
