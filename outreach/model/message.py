"""The outbox: one row for each person and step. The rows are the truth about sending."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Index, TextClause, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from outreach.model.base import json_dict, moment, refers, word

SENT = text("sent_at IS NOT NULL")
#: What the world said of a message: most rows never hear of it, so these indexes stay small and sending pays nothing.
READ_COLUMNS = ("first_open_at", "first_click_at", "machine_open_at")
BACK_COLUMNS = ("replied_at", "bounced_at", "autoreplied_at", "unsubscribed_at", "complained_at")


def _any_of(columns: Sequence[str]) -> TextClause:
    return text(" OR ".join(f"{column} IS NOT NULL" for column in columns))


READ, BACK = _any_of(READ_COLUMNS), _any_of(BACK_COLUMNS)
#: Mails of an A/B test that have left.
TESTED = text("variant IS NOT NULL AND sent_at IS NOT NULL")
#: What a try that reached nobody's inbox left behind: a success stands on its message.
TRIED = text("outcome <> 'accept'")


class Message(SQLModel, table=True):
    """A message to one contact (architecture.md, "Life of a message").

    `uid`, `message_id` and everything random are fixed at planning; `composed_at` (the Date header) at the first
    claim: a retry sends the same bytes. `fence` is the lease number of the worker that claimed it.
    """

    __tablename__ = "message"
    __table_args__ = (
        UniqueConstraint("campaign_id", "step", "contact_id"),
        # by campaign and sample before time: what may not leave now does not stand in the way of what may
        Index("ix_message_claim", "mailbox_id", "state", "campaign_id", "is_pilot", "due_at"),
        # a campaign's states are counted, its next and its last mail found, without looking at a row
        Index("ix_message_campaign_state", "campaign_id", "state", "due_at"),
        Index("ix_message_mailbox_handed", "mailbox_id", "handed_at"),
        Index("ix_message_domain_handed", "domain", "handed_at"),
        # a campaign's last hundred, for its circuit breaker; planned rows cost nothing here
        Index(
            "ix_message_campaign_settled",
            "campaign_id",
            "settled_at",
            sqlite_where=text("settled_at IS NOT NULL"),
            postgresql_where=text("settled_at IS NOT NULL"),
        ),
        # a campaign's last hundred mails, and one week's, without a scan; partial: a planned row costs nothing
        Index("ix_message_campaign_sent", "campaign_id", "sent_at", sqlite_where=SENT, postgresql_where=SENT),
        # how a mailbox fares: what it sent in the last days
        Index("ix_message_mailbox_sent", "mailbox_id", "sent_at", sqlite_where=SENT, postgresql_where=SENT),
        # the figures of a campaign, of its pilot's sample and of the arms of its test
        Index(
            "ix_message_campaign_read",
            "campaign_id",
            "step",
            "is_pilot",
            *READ_COLUMNS,
            sqlite_where=READ,
            postgresql_where=READ,
        ),
        Index(
            "ix_message_campaign_back",
            "campaign_id",
            "step",
            "is_pilot",
            *BACK_COLUMNS,
            "bounce_hard",
            sqlite_where=BACK,
            postgresql_where=BACK,
        ),
        Index(
            "ix_message_bounced",
            "bounced_at",
            sqlite_where=text("bounced_at IS NOT NULL"),
            postgresql_where=text("bounced_at IS NOT NULL"),
        ),
        Index(
            "ix_message_pilot",
            "campaign_id",
            "step",
            "state",
            sqlite_where=text("is_pilot IS 1"),
            postgresql_where=text("is_pilot IS true"),
        ),
        Index(
            "ix_message_variant",
            "campaign_id",
            "step",
            "variant",
            "sent_at",
            sqlite_where=TESTED,
            postgresql_where=TESTED,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    uid: str = word(unique=True)
    message_id: str = word(unique=True)
    campaign_id: int = refers("campaign.id", nullable=False, index=False)
    step: int = 0
    contact_id: int = refers("contact.id", nullable=False)
    company_id: int | None = refers("company.id")
    address: str
    address_key: str = word(index=True)
    domain: str = word()
    mailbox_id: int | None = refers("mailbox.id", index=False)
    state: str = word(default="planned")
    reason: str | None = None
    language: str = word(default="en")
    variant: str | None = None
    is_pilot: bool = Field(default=False)
    country: str | None = None
    tz: str | None = None
    due_at: datetime = moment(nullable=False)
    attempts: int = 0
    fence: int | None = None
    claimed_at: datetime | None = moment()
    composed_at: datetime | None = moment()
    first_attempt_at: datetime | None = moment()
    handed_at: datetime | None = moment()
    sent_at: datetime | None = moment()
    settled_at: datetime | None = moment()
    reply_code: int | None = None
    reply_text: str | None = None
    first_open_at: datetime | None = moment()
    first_click_at: datetime | None = moment()
    machine_open_at: datetime | None = moment()
    machine_click_at: datetime | None = moment()
    bounced_at: datetime | None = moment()
    bounce_hard: bool | None = None
    replied_at: datetime | None = moment()
    autoreplied_at: datetime | None = moment()
    unsubscribed_at: datetime | None = moment()
    complained_at: datetime | None = moment()


class DynamicLink(SQLModel, table=True):
    """The destination of a link whose address holds a variable: known only once it is composed."""

    __tablename__ = "dynamic_link"

    message_id: int = Field(primary_key=True, foreign_key="message.id")
    number: int = Field(primary_key=True)
    url: str


class Attempt(SQLModel, table=True):
    """One try to hand a message over, with the server's words: the ledger behind a message (A7)."""

    __tablename__ = "attempt"
    # what counts for limits in the last minute or day; a hand-over that succeeded costs nothing here
    __table_args__ = (Index("ix_attempt_tried", "at", sqlite_where=TRIED, postgresql_where=TRIED),)

    id: int | None = Field(default=None, primary_key=True)
    message_id: int = refers("message.id", nullable=False)
    mailbox_id: int | None = refers("mailbox.id", index=False)
    at: datetime = moment(nullable=False)
    phase: str = word()
    code: int | None = None
    text: str | None = None
    outcome: str = word()
    next_at: datetime | None = moment()


class Letter(SQLModel, table=True):
    """A mail outside of the outbox that left through a mailbox: an answer, a test, a report. Quotas count it.

    One row a recipient, written before it is offered. `message_id`: by which its copy in Sent is known.
    """

    __tablename__ = "letter"
    __table_args__ = (Index("ix_letter_quota", "mailbox_id", "at"),)

    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = refers("mailbox.id", nullable=False, index=False)
    at: datetime = moment(nullable=False)
    message_id: str = word(index=True)


class Mailbox(SQLModel, table=True):
    """A company mailbox. The settings are the config file's; the row holds what changes while it works.

    `lease_fence` grows by one with each new holder; a worker whose number is older can change nothing.
    """

    __tablename__ = "mailbox"

    id: int | None = Field(default=None, primary_key=True)
    name: str = word(unique=True)
    address: str
    domain: str = word(index=True)
    provider: str | None = None
    owner_id: int | None = refers("user.id")
    state: str = word(default="active")
    paused_reason: str | None = None
    paused_until: datetime | None = moment()
    failures: int = 0
    lease_holder: str | None = None
    lease_until: datetime | None = moment()
    lease_fence: int = 0
    pace_factor: float = 1.0
    pace_at: datetime | None = moment()
    ceiling: dict[str, Any] = json_dict()
    recent: dict[str, Any] = json_dict()
    probe: dict[str, Any] = json_dict()
    last_error: str | None = None
    created_at: datetime = moment(nullable=False)


class MailFolder(SQLModel, table=True):
    """How far a folder has been read: the UID high-water mark and the UIDVALIDITY that it belongs to."""

    __tablename__ = "mail_folder"
    __table_args__ = (UniqueConstraint("mailbox_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = refers("mailbox.id", nullable=False)
    name: str
    uidvalidity: int | None = None
    last_uid: int = 0
    read_at: datetime | None = moment()
    quarantine: dict[str, Any] = json_dict()
