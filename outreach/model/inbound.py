"""What came back, what it meant, and what followed."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlmodel import Field, SQLModel

from outreach.model.base import json_dict, json_list, moment, refers, word

OF_A_MAIL = text("inbound_id IS NOT NULL")


class InboundMail(SQLModel, table=True):
    """A received mail and what we understood. `key` is sha256 of Message-ID, Date, From and body: once only."""

    __tablename__ = "inbound_mail"
    # what waits for an answer is counted on every page: its stretch of one index
    __table_args__ = (
        UniqueConstraint("mailbox_id", "key"),
        Index("ix_inbound_mail_kind", "kind", "state", "answered_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    mailbox_id: int = refers("mailbox.id", nullable=False)
    folder: str
    uid: int | None = None
    key: str = word()
    rfc_message_id: str | None = word(nullable=True, index=True)
    from_address: str | None = word(nullable=True, index=True)
    from_name: str | None = None
    subject: str | None = None
    sent_at: datetime | None = moment()
    received_at: datetime = moment(nullable=False, index=True)
    kind: str = word()
    recipients: list[Any] = json_list()
    status: str | None = None
    hard: bool | None = None
    reason: str | None = None
    reply_text: str | None = None
    intent: str | None = None
    return_date: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    successor: str | None = None
    message_id: int | None = refers("message.id")
    contact_id: int | None = refers("contact.id")
    company_id: int | None = refers("company.id")
    certainty: str | None = None
    state: str = word(default="new", index=True)
    error: str | None = None
    owner_id: int | None = refers("user.id")
    answered_at: datetime | None = moment()


class ArchivedMail(SQLModel, table=True):
    """A mail, in or out, kept once under the SHA-256 of its bytes (D3).

    `raw` lacks the bodies of its attachments, which stand in ArchivedFile; `packed`: compressed by zlib (our own mail,
    of which there is much). `words` is what search looks through (inbox/archive/words.py).
    """

    __tablename__ = "archived_mail"

    id: int | None = Field(default=None, primary_key=True)
    sha256: str = word(unique=True)
    direction: str = word(default="in")
    inbound_id: int | None = refers("inbound_mail.id")
    message_id: int | None = refers("message.id")
    rfc_message_id: str | None = word(nullable=True, index=True)
    subject: str | None = None
    text: str | None = None
    words: str | None = None
    packed: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, default=False))
    raw: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    at: datetime = moment(nullable=False)


class ArchivedFile(SQLModel, table=True):
    """An attachment as it stands in the mails that carry it, encoded and never unpacked; kept once by its SHA-256."""

    __tablename__ = "archived_file"

    sha256: str = Field(sa_column=Column(String, primary_key=True))
    data: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class MailFile(SQLModel, table=True):
    """Which attachment hangs on which mail, and where in its bytes. size: in the mail, encoded."""

    __tablename__ = "mail_file"

    mail_id: int = Field(
        sa_column=Column(Integer, ForeignKey("archived_mail.id", ondelete="CASCADE"), primary_key=True)
    )
    position: int = Field(sa_column=Column(Integer, primary_key=True))
    sha256: str = Field(sa_column=Column(String, ForeignKey("archived_file.sha256"), nullable=False, index=True))
    size: int
    name: str = ""
    content_type: str = ""


REPLIES = text("kind = 'reply'")


class Event(SQLModel, table=True):
    """What the world told us. Append-only; `key` makes the same happening count once."""

    __tablename__ = "event"
    __table_args__ = (
        UniqueConstraint("key"),
        # replies are hundreds among millions of opens: reports read them without passing the rest
        Index("ix_event_reply", "campaign_id", "at", sqlite_where=REPLIES, postgresql_where=REPLIES),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = word()
    key: str = word()
    at: datetime = moment(nullable=False, index=True)
    recorded_at: datetime = moment(nullable=False)
    message_id: int | None = refers("message.id")
    contact_id: int | None = refers("contact.id")
    campaign_id: int | None = refers("campaign.id")
    inbound_id: int | None = refers("inbound_mail.id", index=False)
    machine: bool = Field(default=False)
    why: str | None = None
    data: dict[str, Any] = json_dict()
    effects: list[Any] = json_list()


class Activity(SQLModel, table=True):
    """One line of a customer's timeline (时间线, C4)."""

    __tablename__ = "activity"

    id: int | None = Field(default=None, primary_key=True)
    kind: str = word(index=True)
    at: datetime = moment(nullable=False, index=True)
    contact_id: int | None = refers("contact.id")
    company_id: int | None = refers("company.id")
    user_id: int | None = refers("user.id", index=False)
    event_id: int | None = refers("event.id", index=False)
    text: str = ""
    data: dict[str, Any] = json_dict()


class Task(SQLModel, table=True):
    """Something that somebody has to do (待办). `event_id` unique: one happening makes one task."""

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("event_id", "kind"),
        # what is to be done soon is counted on every page
        Index("ix_task_state", "state", "due_at", "owner_id"),
        Index("ix_task_inbound", "inbound_id", sqlite_where=OF_A_MAIL, postgresql_where=OF_A_MAIL),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = word(index=True)
    title: str
    contact_id: int | None = refers("contact.id")
    company_id: int | None = refers("company.id")
    owner_id: int | None = refers("user.id")
    event_id: int | None = refers("event.id", index=False)
    inbound_id: int | None = refers("inbound_mail.id", index=False)
    state: str = word(default="open")
    due_at: datetime = moment(nullable=False, index=True)
    escalated_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)
    done_at: datetime | None = moment()
    outcome: str | None = None
    data: dict[str, Any] = json_dict()


class Suppression(SQLModel, table=True):
    """Who must never be mailed. `key` is ``a:``+keyed hash or ``d:``+domain; `address` is gone after erasure."""

    __tablename__ = "suppression"

    id: int | None = Field(default=None, primary_key=True)
    key: str = word(unique=True)
    address: str | None = None
    reason: str = word(index=True)
    source: str = ""
    at: datetime = moment(nullable=False)
    by_user: int | None = refers("user.id", index=False)


class Rollup(SQLModel, table=True):
    """Small sums kept in the transaction of the event batch, so that a report never scans the events.

    One row for campaign, UTC hour, kind and machine.
    """

    __tablename__ = "rollup"
    __table_args__ = (UniqueConstraint("campaign_id", "hour", "kind", "machine"),)

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = refers("campaign.id", nullable=False)
    hour: datetime = moment(nullable=False, index=True)
    kind: str = word()
    machine: bool = Field(default=False)
    count: int = 0
