"""Who is in a sequence, and which dates are remembered: evergreen work beside the frozen audiences of campaigns."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Date, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from outreach.model.base import json_dict, moment, refers, word

#: States in which a person is in a sequence (campaigns/enrolment/state.py).
IN_IT = text("state IN ('active', 'waiting', 'paused')")


class Enrolment(SQLModel, table=True):
    """A contact in a sequence. `step` is the number of the next one; its mails are rows of `message`.

    `due_at` None: the last mail has not left yet, the next step counts from when it does. `last_mail`: the step of
    that mail. One person is in one sequence at a time, and never twice in the same one: both are unique indexes.
    """

    __tablename__ = "enrolment"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id"),
        Index("ix_enrolment_one", "contact_id", unique=True, sqlite_where=IN_IT, postgresql_where=IN_IT),
        Index("ix_enrolment_due", "campaign_id", "state", "due_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = refers("campaign.id", nullable=False, index=False)
    contact_id: int = refers("contact.id", nullable=False)
    company_id: int | None = refers("company.id")
    mailbox_id: int = refers("mailbox.id", nullable=False, index=False)
    state: str = word(default="active")
    reason: str | None = None
    via: str = word(default="hand")
    step: int | None = None
    due_at: datetime | None = moment()
    last_mail: int | None = None
    task_id: int | None = refers("task.id")
    paused_until: datetime | None = moment()
    enrolled_by: int | None = refers("user.id", index=False)
    enrolled_at: datetime = moment(nullable=False)
    ended_at: datetime | None = moment()
    notes: dict[str, Any] = json_dict()


class Occasion(SQLModel, table=True):
    """A date that is remembered with a mail: a birthday, a holiday, a delivery. `key` is the day as yyyymmdd.

    The key is the step of its message, so that the same day is never greeted twice.
    """

    __tablename__ = "occasion"
    __table_args__ = (
        UniqueConstraint("campaign_id", "contact_id", "key"),
        Index("ix_occasion_state", "campaign_id", "state", "due_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign_id: int = refers("campaign.id", nullable=False, index=False)
    contact_id: int = refers("contact.id", nullable=False)
    key: int
    kind: str = word()
    name: str = ""
    on: date = Field(sa_column=Column(Date, nullable=False))
    state: str = word(default="proposed")
    reason: str | None = None
    due_at: datetime = moment(nullable=False)
    task_id: int | None = refers("task.id")
    decided_by: int | None = refers("user.id", index=False)
    created_at: datetime = moment(nullable=False)
    decided_at: datetime | None = moment()
