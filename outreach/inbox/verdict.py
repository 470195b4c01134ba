"""What a received mail is: the answer of `outreach inbox classify`, and what is needed to match it to a message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

Ids = tuple[tuple[str, ...], tuple[str, ...]]  # (Message-IDs, X-Outreach-Message values) found in a mail


class Kind(StrEnum):
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    AUTOREPLY = "autoreply"
    UNSUBSCRIBE = "unsubscribe"
    REPLY = "reply"
    OTHER = "other"


class Intent(StrEnum):
    PRICE = "price"
    SAMPLE = "sample"
    CATALOGUE = "catalogue"
    MEETING = "meeting"
    ORDER = "order"
    QUESTION = "question"
    COMPLAINT = "complaint"
    NOT_NOW = "not_now"
    NOT_INTERESTED = "not_interested"
    WRONG_PERSON = "wrong_person"
    THANKS = "thanks"


@dataclass(frozen=True)
class Finding:
    """What a bounce says about one recipient; the fields are those of Verdict."""

    recipient: str
    status: str | None
    reason: str | None
    hard: bool | None
    delayed: bool
    text: str  # the server's words

    def because(self, reason: str, *, hard: bool = False) -> Finding:
        return replace(self, reason=reason, hard=hard)


@dataclass(frozen=True)
class Verdict:
    """One mail's classification.

    recipients: addresses as originally mailed. status: RFC 3463 code. hard: True when the address is dead, False when
    the trouble is not the address, None for what is no bounce or not known. delayed: the sending host still tries.
    return_date: first day back. left: an automatic answer says that the person works there no more. original_ids:
    Message-IDs (no <>) of ours found in any part; own_uids: values of X-Outreach-Message found in any part. detector:
    which file decided.
    """

    kind: Kind
    recipients: tuple[str, ...] = ()
    status: str | None = None
    hard: bool | None = None
    reason: str | None = None
    reply_text: str | None = None
    intent: Intent | None = None
    return_date: date | None = None
    successor: str | None = None
    left: bool = False
    error: str | None = None
    delayed: bool = False
    diagnostic: str | None = None  # the server's words, for people
    original_ids: tuple[str, ...] = ()
    own_uids: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()  # one per recipient of a bounce
    detector: str = ""

    def but(self, **changes: object) -> Verdict:
        return replace(self, **changes)  # type: ignore[arg-type]

    def finding_for(self, address: str) -> Finding | None:
        """What a bounce says about this recipient; None when it says nothing about it by name."""
        wanted = address.lower()
        return next((finding for finding in self.findings if finding.recipient.lower() == wanted), None)

    def as_json(self, file: str) -> dict[str, object]:
        """The line of `outreach inbox classify --json` (contract.md)."""
        names = ("kind", "recipients", "status", "hard", "reason", "reply_text", "intent")
        line: dict[str, object] = {"file": file, **{name: getattr(self, name) for name in names}}
        line["return_date"] = self.return_date.isoformat() if self.return_date else None
        return line | {"successor": self.successor, "left": self.left, "error": self.error}
