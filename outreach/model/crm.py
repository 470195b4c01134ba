"""What salespeople and customer service work with besides the customer: cases, files, rules, scripts, surveys."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Date, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from outreach.model.base import json_dict, json_list, moment, refers, word


class StoredFile(SQLModel, table=True):
    """The bytes of a file, kept once under the SHA-256 of its content, however often it is attached."""

    __tablename__ = "stored_file"

    id: int | None = Field(default=None, primary_key=True)
    sha256: str = word(unique=True)
    size: int
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = moment(nullable=False)


class Attachment(SQLModel, table=True):
    """A file in a customer's folder (C4): a name and a kind for stored bytes."""

    __tablename__ = "attachment"

    id: int | None = Field(default=None, primary_key=True)
    file_id: int = refers("stored_file.id", nullable=False)
    company_id: int = refers("company.id", nullable=False)
    contact_id: int | None = refers("contact.id")
    deal_id: int | None = refers("deal.id")
    name: str
    media_type: str = word(default="application/octet-stream")
    user_id: int | None = refers("user.id", index=False)
    at: datetime = moment(nullable=False)


class OwnerChange(SQLModel, table=True):
    """Whose customer it was until when, and why it changed (C2, C3). Append-only."""

    __tablename__ = "owner_change"

    id: int | None = Field(default=None, primary_key=True)
    company_id: int = refers("company.id", nullable=False)
    from_id: int | None = refers("user.id", index=False)
    to_id: int | None = refers("user.id", index=False)
    by_id: int | None = refers("user.id", index=False)
    reason: str = word()
    at: datetime = moment(nullable=False)


class AssignmentRule(SQLModel, table=True):
    """Who gets a new customer (C2): the first rule that fits, and of its people the one with the least open work."""

    __tablename__ = "assignment_rule"

    id: int | None = Field(default=None, primary_key=True)
    position: int = Field(default=0, index=True)
    region: str | None = None
    industry: str | None = None
    source: str | None = None
    owners: list[Any] = json_list()
    active: bool = Field(default=True)


class Handover(SQLModel, table=True):
    """Everything of one person passed to another in one step (C3); `moved` takes it back."""

    __tablename__ = "handover"

    id: int | None = Field(default=None, primary_key=True)
    from_id: int = refers("user.id", nullable=False)
    to_id: int = refers("user.id", nullable=False, index=False)
    by_id: int | None = refers("user.id", index=False)
    at: datetime = moment(nullable=False)
    counts: dict[str, Any] = json_dict()
    moved: dict[str, Any] = json_dict()
    undone_at: datetime | None = moment()


class CalendarFeed(SQLModel, table=True):
    """A secret address under which a calendar program reads somebody's tasks; only the token's hash is stored."""

    __tablename__ = "calendar_feed"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int = refers("user.id", nullable=False)
    token_hash: str = word(unique=True)
    created_at: datetime = moment(nullable=False)
    revoked_at: datetime | None = moment()
    used_at: datetime | None = moment()


class CallScript(SQLModel, table=True):
    """What to say on the telephone: a Jinja text; `intent` and `language` say for which calls."""

    __tablename__ = "call_script"
    __table_args__ = (UniqueConstraint("name", "language"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = word()
    language: str = word(default="en")
    intent: str | None = word(nullable=True)
    body: str
    updated_at: datetime = moment(nullable=False)


class Ticket(SQLModel, table=True):
    """A question, complaint or wish of a customer (F1). `number` is what customer and staff quote: S-2026-00012."""

    __tablename__ = "ticket"
    __table_args__ = (Index("ix_ticket_state_deadline", "state", "deadline"),)

    id: int | None = Field(default=None, primary_key=True)
    number: str = word(unique=True)
    kind: str = word(index=True)
    state: str = word(default="new")
    company_id: int | None = refers("company.id")
    contact_id: int | None = refers("contact.id")
    inbound_id: int | None = refers("inbound_mail.id")
    order_id: int | None = refers("customer_order.id", index=False)
    owner_id: int | None = refers("user.id")
    subject: str
    text: str = ""
    department: str | None = word(nullable=True)
    handed_to: int | None = refers("user.id")
    handed_at: datetime | None = moment()
    question: str | None = None
    department_answer: str | None = None
    answer: str | None = None
    answered_at: datetime | None = moment()
    helped: bool | None = None
    deadline: datetime = moment(nullable=False)
    created_at: datetime = moment(nullable=False)
    closed_at: datetime | None = moment()


class Survey(SQLModel, table=True):
    """A question to a customer how content they are (F2): 1 to 5 and words. Answered by a signed link."""

    __tablename__ = "survey"
    __table_args__ = (CheckConstraint("score IS NULL OR (score >= 1 AND score <= 5)"),)

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int | None = refers("contact.id")
    company_id: int | None = refers("company.id")
    ticket_id: int | None = refers("ticket.id")
    order_id: int | None = refers("customer_order.id", index=False)
    language: str = word(default="en")
    asked_at: datetime = moment(nullable=False, index=True)
    score: int | None = None
    helped: bool | None = None
    text: str | None = None
    answered_at: datetime | None = moment()


class Target(SQLModel, table=True):
    """What somebody shall reach in a quarter (G2): `kind` is orders (an amount), quotations, new_customers, replies."""

    __tablename__ = "target"
    __table_args__ = (UniqueConstraint("quarter", "user_id", "kind"),)

    id: int | None = Field(default=None, primary_key=True)
    quarter: str = word(index=True)
    user_id: int = refers("user.id", nullable=False)
    kind: str = word()
    value: float = 0.0
    set_by: int | None = refers("user.id", index=False)


class Suggestion(SQLModel, table=True):
    """A suggestion of staff (G3). `state`: new, adopted or declined; `amount` is what it brought in own money."""

    __tablename__ = "suggestion"

    id: int | None = Field(default=None, primary_key=True)
    user_id: int | None = refers("user.id")
    at: datetime = moment(nullable=False, index=True)
    text: str
    state: str = word(default="new", index=True)
    answer: str | None = None
    amount: float | None = None
    decided_by: int | None = refers("user.id", index=False)
    decided_at: datetime | None = moment()


class GradeReview(SQLModel, table=True):
    """The grade that a quarterly revision gave a customer, and why (B3)."""

    __tablename__ = "grade_review"

    id: int | None = Field(default=None, primary_key=True)
    company_id: int = refers("company.id", nullable=False)
    on: date = Field(sa_column=Column(Date, nullable=False))
    before: str | None = Field(default=None, max_length=1)
    after: str = Field(max_length=1)
    why: str = word()
    by_id: int | None = refers("user.id", index=False)
