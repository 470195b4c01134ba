"""Webhooks: which programs are told what, and how each delivery fared."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from outreach.model.base import json_list, moment, refers, word


class Webhook(SQLModel, table=True):
    """A program that is told of events (B4: on record who set it up). `secret` is encrypted with the installation's.

    `kinds` empty: every kind. `seen_event_id`: up to which event deliveries were made.
    """

    __tablename__ = "webhook"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    url: str
    kinds: list[Any] = json_list()
    secret: str
    old_secret: str | None = None
    old_secret_until: datetime | None = moment()
    state: str = word(default="active", index=True)
    paused_reason: str | None = None
    seen_event_id: int = 0
    failing_since: datetime | None = moment()
    created_by: int | None = refers("user.id", index=False)
    created_at: datetime = moment(nullable=False)


class WebhookDelivery(SQLModel, table=True):
    """One event on its way to one webhook."""

    __tablename__ = "webhook_delivery"
    __table_args__ = (
        UniqueConstraint("webhook_id", "event_id"),
        Index("ix_webhook_delivery_due", "state", "due_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    webhook_id: int = refers("webhook.id", nullable=False, index=False)
    event_id: int = refers("event.id", nullable=False)
    state: str = word(default="waiting")
    attempts: int = 0
    due_at: datetime = moment(nullable=False)
    status: int | None = None
    error: str | None = None
    created_at: datetime = moment(nullable=False)
    done_at: datetime | None = moment()
