"""Campaigns: what was written, who was chosen, who approved it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from outreach.model.base import json_dict, moment, refers, word


class Segment(SQLModel, table=True):
    """A stored audience (分组): its text form is the truth, the tree is derived."""

    __tablename__ = "segment"

    id: int | None = Field(default=None, primary_key=True)
    name: str = word(unique=True)
    expression: str
    owner_id: int | None = refers("user.id")
    created_at: datetime = moment(nullable=False)
    updated_at: datetime | None = moment()


class TemplateVersion(SQLModel, table=True):
    """One immutable version of a template: every file's text. `sha256` is over name and files."""

    __tablename__ = "template_version"
    __table_args__ = (UniqueConstraint("name", "version"), UniqueConstraint("name", "sha256"))

    id: int | None = Field(default=None, primary_key=True)
    name: str = word(index=True)
    version: int
    sha256: str = word()
    files: dict[str, Any] = json_dict()
    author_id: int | None = refers("user.id", index=False)
    comment: str | None = None
    created_at: datetime = moment(nullable=False)


class ServedPicture(SQLModel, table=True):
    """A picture of a mail that is served: `public` is made from its content. Never changed, never removed."""

    __tablename__ = "served_picture"

    public: str = Field(primary_key=True)
    content: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    created_at: datetime = moment(nullable=False)


class Campaign(SQLModel, table=True):
    """A campaign (营销活动). `definition` is the campaign file as read; the columns are what queries need.

    `approved_hash` is the SHA-256 that the approvals are bound to; any edit makes the current hash differ. `kind`:
    "campaign", or evergreen: "sequence" (steps for who is enrolled) and "occasion" (dates); `looked_at` is when such
    a one last looked for new people. `spent_amount` is what it cost, in the currency of its budget.
    """

    __tablename__ = "campaign"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    kind: str = word(default="campaign")
    goal: str = ""
    state: str = word(default="draft", index=True)
    owner_id: int | None = refers("user.id")
    author_id: int | None = refers("user.id", index=False)
    segment: str
    definition: dict[str, Any] = json_dict()
    budget_amount: float | None = None
    budget_currency: str | None = None
    spent_amount: float | None = None
    start_at: datetime | None = moment()
    submitted_hash: str | None = None
    approved_hash: str | None = None
    paused_reason: str | None = None
    paused_from: str | None = None
    confirm_needed: bool = Field(default=False)
    pilot_until: datetime | None = moment()
    pilot_released: bool = Field(default=False)
    test_until: datetime | None = moment()
    test_verdict: dict[str, Any] = json_dict()
    test_variant: str | None = None
    test_released_at: datetime | None = moment()
    created_at: datetime = moment(nullable=False)
    submitted_at: datetime | None = moment()
    approved_at: datetime | None = moment()
    started_at: datetime | None = moment()
    finished_at: datetime | None = moment()
    looked_at: datetime | None = moment()
    archived: bool = Field(default=False)


class CampaignStep(SQLModel, table=True):
    """A step: 0 is the first mail, the others follow after days and on a condition."""

    __tablename__ = "campaign_step"
    __table_args__ = (UniqueConstraint("campaign_id", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = refers("campaign.id", nullable=False)
    number: int
    template_version_id: int = refers("template_version.id", nullable=False)
    after_days: float = 0
    only_if: str | None = None
    same_thread: bool = True


class CampaignRecipient(SQLModel, table=True):
    """The frozen audience of a submitted campaign: who gets it, from which mailbox, or why not.

    `skip_reason` None: a recipient. The rows are what the approval's hash covers.
    """

    __tablename__ = "campaign_recipient"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id"),
        # how many get it, and why others do not
        Index("ix_campaign_recipient_campaign_skip", "campaign_id", "skip_reason"),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = refers("campaign.id", nullable=False, index=False)
    contact_id: int = refers("contact.id", nullable=False)
    address_id: int | None = refers("email_address.id", index=False)
    address: str
    mailbox_id: int | None = refers("mailbox.id", index=False)
    skip_reason: str | None = None
    is_pilot: bool = Field(default=False)
    variant: str | None = None


class PilotMail(SQLModel, table=True):
    """A pilot's mail to one of the team: outside the outbox, so that no figure counts it.

    `state`: queued, handing_over (committed before it is offered), sent, failed or in_doubt. `hash`: the approved
    version whose words it carries; another version is another mail.
    """

    __tablename__ = "pilot_mail"
    __table_args__ = (UniqueConstraint("campaign_id", "hash", "address", "variant"),)

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = refers("campaign.id", nullable=False)
    hash: str = word()
    address: str
    variant: str = ""
    message_id: str = word(unique=True)
    state: str = word(default="queued")
    attempts: int = 0
    due_at: datetime = moment(nullable=False)
    sent_at: datetime | None = moment()
    text: str | None = None
    language: str = word(default="en")
    links: dict[str, Any] = json_dict()


class Approval(SQLModel, table=True):
    """One role's word on one exact version of a campaign. Never updated, only voided."""

    __tablename__ = "approval"

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = refers("campaign.id", nullable=False)
    role: str = word()
    user_id: int = refers("user.id", nullable=False)
    decision: str = word()
    hash: str = word()
    comment: str | None = None
    at: datetime = moment(nullable=False)
    voided_at: datetime | None = moment()


class Link(SQLModel, table=True):
    """Where a tracked link of a step leads. The destination is stored, never in the URL."""

    __tablename__ = "link"
    __table_args__ = (UniqueConstraint("campaign_id", "step", "language", "number"),)

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = refers("campaign.id", nullable=False)
    step: int = 0
    language: str = word(default="en")
    number: int
    url: str
    label: str | None = None


class Conversion(SQLModel, table=True):
    """An inquiry, quotation or order that a campaign led to."""

    __tablename__ = "conversion"

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int | None = refers("campaign.id")
    message_id: int | None = refers("message.id")
    contact_id: int | None = refers("contact.id")
    kind: str = word()
    amount: float | None = None
    currency: str | None = None
    external_id: str | None = word(nullable=True, unique=True)
    at: datetime = moment(nullable=False, index=True)
