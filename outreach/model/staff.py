"""Staff, their sessions, and the trail of what they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from outreach.model.base import json_dict, json_list, moment, refers, word


class User(SQLModel, table=True):
    """A member of staff. `authorised_until`: trained and authorised (H1); without it nothing can be sent."""

    __tablename__ = "user"

    id: int | None = Field(default=None, primary_key=True)
    name: str = word(unique=True)
    display_name: str = ""
    email: str | None = None
    roles: list[Any] = json_list()
    password_hash: str | None = None
    totp_secret: str | None = None
    recovery_codes: list[Any] = json_list()
    language: str = word(default="zh")
    timezone: str = word(default="Asia/Shanghai")
    team: str | None = None
    # no foreign key: mailbox.owner_id points here already, and a cycle has no order of creation
    mailbox_id: int | None = None
    manager_id: int | None = refers("user.id", index=False)
    regions: list[Any] = json_list()
    authorised_by: int | None = refers("user.id", index=False)
    authorised_until: datetime | None = moment()
    disabled_at: datetime | None = moment()
    failed_logins: int = 0
    locked_until: datetime | None = moment()
    created_at: datetime = moment(nullable=False)
    settings: dict[str, Any] = json_dict()


class LoginSession(SQLModel, table=True):
    """A session in the browser; only the hash of its token is stored."""

    __tablename__ = "login_session"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = word(unique=True)
    user_id: int = refers("user.id", nullable=False)
    created_at: datetime = moment(nullable=False)
    seen_at: datetime = moment(nullable=False)
    expires_at: datetime = moment(nullable=False)
    ended_at: datetime | None = moment()
    verified_at: datetime | None = moment()


class ApiToken(SQLModel, table=True):
    """A token for scripts: scoped, hashed, revocable."""

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    name: str
    token_hash: str = word(unique=True)
    user_id: int = refers("user.id", nullable=False)
    scopes: list[Any] = json_list()
    created_at: datetime = moment(nullable=False)
    expires_at: datetime | None = moment()
    revoked_at: datetime | None = moment()
    used_at: datetime | None = moment()


class AuditEntry(SQLModel, table=True):
    """One link of the audit chain (H3). `hash` covers the row and the previous hash; triggers refuse changes."""

    __tablename__ = "audit_entry"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = moment(nullable=False, index=True)
    actor_id: int | None = refers("user.id")
    actor: str = word(default="system")
    action: str = word(index=True)
    object_type: str = word()
    object_id: str = word()
    before: dict[str, Any] = json_dict()
    after: dict[str, Any] = json_dict()
    previous: str = word()
    hash: str = word(unique=True)


class AuditHead(SQLModel, table=True):
    """The end of the audit chain, one row with id 1: entries that are cut off at the end are missed by it."""

    __tablename__ = "audit_head"

    id: int | None = Field(default=None, primary_key=True)
    count: int = 0
    hash: str = word(default="0" * 64)


class Violation(SQLModel, table=True):
    """A report of a violation (H3). Who reported it is not stored: `receipt_hash` lets the reporter look it up."""

    __tablename__ = "violation"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = moment(nullable=False)
    about: str = word()
    text: str
    receipt_hash: str = word(unique=True)
    state: str = word(default="new")
    answer: str | None = None


class KeptUndo(SQLModel, table=True):
    """The way back from a change of many rows, too long for a cookie: whoever holds the signed key may take it, once.

    Gone when it is too late to undo, and with every erasure, for it may name what a person was called.
    """

    __tablename__ = "kept_undo"

    key: str = Field(primary_key=True)
    at: datetime = moment(nullable=False, index=True)
    told: dict[str, Any] = json_dict()


class Instance(SQLModel, table=True):
    """Which installation this database belongs to: a copy on another machine must be confirmed before it sends.

    One row, id 1. `boot` is written at each start beside a file of the same content next to the configuration.
    """

    __tablename__ = "instance"

    id: int | None = Field(default=None, primary_key=True)
    machine: str = ""
    path: str = ""
    confirmed_at: datetime | None = moment()
    hold_reason: str | None = None
    generation: int = 0
    data: dict[str, Any] = json_dict()


class Worker(SQLModel, table=True):
    """A running process and when it was last heard of."""

    __tablename__ = "worker"

    id: str = Field(primary_key=True)
    machine: str = ""
    started_at: datetime = moment(nullable=False)
    seen_at: datetime = moment(nullable=False)


class StoredReport(SQLModel, table=True):
    """A report as it was written: figures and the rendered page, so that last week's stays what it was."""

    __tablename__ = "stored_report"

    id: int | None = Field(default=None, primary_key=True)
    kind: str = word()
    period: str = word(index=True)
    figures: dict[str, Any] = json_dict()
    created_at: datetime = moment(nullable=False)
    sent_at: datetime | None = moment()
