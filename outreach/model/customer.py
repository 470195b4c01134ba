"""Customers: companies, their contacts, the contacts' addresses, and what we may write to them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, Column, Date, ForeignKey, Index, Integer, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from outreach.model.base import json_dict, moment, refers, word

MERGED = text("merged_into IS NOT NULL")
REPLIED = text("last_replied IS NOT NULL")


class Company(SQLModel, table=True):
    """A customer (客户). `domain` is its own mail domain; None for free-mail contacts. One owner (C2).

    `key` is how an import finds it again: ``d:`` + domain, or ``n:`` + normalised name + ``|`` + country.
    """

    __tablename__ = "company"
    __table_args__ = (
        # which customers became part of this one: few rows have any
        Index("ix_company_merged_into", "merged_into", sqlite_where=MERGED, postgresql_where=MERGED),
        # a region's customers are counted without a look at their rows
        Index("ix_company_region", "region", "merged_into"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str | None = word(nullable=True, unique=True)
    name: str = Field(index=True)
    domain: str | None = word(nullable=True, unique=True)
    country: str | None = Field(default=None, max_length=2, index=True)
    region: str = word(default="Other")
    city: str | None = None
    industry: str | None = Field(default=None, index=True)
    grade: str | None = Field(default=None, max_length=1)
    intent: str | None = None
    source: str | None = None
    phone: str | None = None
    owner_id: int | None = refers("user.id")
    note: str | None = None
    merged_into: int | None = refers("company.id", index=False)
    created_at: datetime = moment(nullable=False)
    updated_at: datetime | None = moment()
    attributes: dict[str, Any] = json_dict()


class Contact(SQLModel, table=True):
    """A person at a company (联系人). Dates of the last happenings are kept for segments and caps."""

    __tablename__ = "contact"
    __table_args__ = (
        # the list's newest, and names alone: a search walks over an eighth of what the rows hold
        Index("ix_contact_created", "created_at"),
        Index("ix_contact_name", "first_name", "last_name"),
        # whose people answered lately: most never do
        Index("ix_contact_replied", "last_replied", "company_id", sqlite_where=REPLIED, postgresql_where=REPLIED),
    )

    id: int | None = Field(default=None, primary_key=True)
    company_id: int | None = refers("company.id")
    first_name: str | None = None
    last_name: str | None = None
    country: str | None = Field(default=None, max_length=2, index=True)
    region: str = word(default="Other", index=True)
    city: str | None = None
    industry: str | None = Field(default=None, index=True)
    language: str | None = None
    grade: str | None = Field(default=None, max_length=1)
    intent: str | None = None
    phone: str | None = None
    birthday: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    source: str = word(index=True)
    basis: str = word(default="none")
    basis_date: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    owner_id: int | None = refers("user.id")
    last_order: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    orders_total: float | None = None
    note: str | None = None
    tracking: bool = Field(default=True)
    paused_until: datetime | None = moment()
    mailbox_id: int | None = refers("mailbox.id", index=False)
    left_at: datetime | None = moment()
    erased_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)
    updated_at: datetime | None = moment()
    last_contacted: datetime | None = moment()
    last_opened: datetime | None = moment()
    last_clicked: datetime | None = moment()
    last_replied: datetime | None = moment()
    attributes: dict[str, Any] = json_dict()


class EmailAddress(SQLModel, table=True):
    """An address of a contact. `address` is as written, `normal` for comparison, `key` keyed for erasure.

    `mx`: unknown, ok, none (null MX or no such domain); a resolver that did not answer leaves unknown.
    `is_role`: info@, sales@: it belongs to a function, not to a person.
    """

    __tablename__ = "email_address"

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = refers("contact.id", nullable=False)
    address: str
    normal: str = word(unique=True)
    domain: str = word(index=True)
    key: str = word(index=True)
    is_primary: bool = Field(default=True)
    is_role: bool = Field(default=False)
    mx: str = word(default="unknown")
    mx_checked_at: datetime | None = moment()
    soft_bounces: int = Field(default=0)
    soft_bounced_at: datetime | None = moment()
    first_soft_bounce_at: datetime | None = moment()
    bounced_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)


class Tag(SQLModel, table=True):
    """A tag (标签) or an interest: `kind` is ``tag`` or ``interest``."""

    __tablename__ = "tag"
    __table_args__ = (UniqueConstraint("kind", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str = word(default="tag")
    name: str = word(index=True)


class ContactTag(SQLModel, table=True):
    """Who carries which tag. WITHOUT ROWID, keyed (tag, contact): a semi-join reads one index range."""

    __tablename__ = "contact_tag"
    __table_args__ = (Index("ix_contact_tag_contact", "contact_id"), {"sqlite_with_rowid": False})

    tag_id: int = Field(sa_column=Column(Integer, ForeignKey("tag.id"), primary_key=True, autoincrement=False))
    contact_id: int = Field(sa_column=Column(Integer, ForeignKey("contact.id"), primary_key=True, autoincrement=False))


class Consent(SQLModel, table=True):
    """A consent or legal basis as it was given, with its evidence. Append-only."""

    __tablename__ = "consent"

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = refers("contact.id", nullable=False)
    basis: str = word()
    given_on: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    source: str
    evidence: str | None = None
    at: datetime = moment(nullable=False)


class Preference(SQLModel, table=True):
    """What a recipient chose on the preference page: topics left out, at most so many mails a month."""

    __tablename__ = "preference"

    contact_id: int = Field(sa_column=Column(Integer, ForeignKey("contact.id"), primary_key=True, autoincrement=False))
    topics_off: dict[str, Any] = json_dict()
    mails_per_month: int | None = None
    at: datetime = moment(nullable=False)


class Deal(SQLModel, table=True):
    """A deal on its way: inquiry, quotation, sample, order, shipped, paid; or lost (crm/deals/state.py).

    `margin` in percent of the amount; `approval`: none, needed, granted, refused (a quotation under the floor);
    `pending` is the step that waits for it, `asked_by` who asked for it.
    """

    __tablename__ = "deal"
    __table_args__ = (CheckConstraint("amount IS NULL OR amount >= 0"),)

    id: int | None = Field(default=None, primary_key=True)
    company_id: int = refers("company.id", nullable=False)
    contact_id: int | None = refers("contact.id")
    campaign_id: int | None = refers("campaign.id")
    owner_id: int | None = refers("user.id")
    title: str
    stage: str = word(default="inquiry", index=True)
    amount: float | None = None
    currency: str = word(default="USD")
    margin: float | None = None
    approval: str = word(default="none", index=True)
    pending: str | None = word(nullable=True)
    asked_by: int | None = refers("user.id", index=False)
    approved_by: int | None = refers("user.id", index=False)
    approval_note: str | None = None
    lost_reason: str | None = None
    expected_on: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    note: str | None = None
    created_at: datetime = moment(nullable=False)
    stage_at: datetime = moment(nullable=False)


class Order(SQLModel, table=True):
    """An order of a customer. `number` is the company's own."""

    __tablename__ = "customer_order"

    id: int | None = Field(default=None, primary_key=True)
    company_id: int = refers("company.id", nullable=False)
    contact_id: int | None = refers("contact.id")
    deal_id: int | None = refers("deal.id")
    number: str = word(unique=True)
    ordered_on: date = Field(sa_column=Column(Date, nullable=False))
    delivered_on: date | None = Field(default=None, sa_column=Column(Date, nullable=True))
    amount: float = 0.0
    currency: str = word(default="USD")
    note: str | None = None
