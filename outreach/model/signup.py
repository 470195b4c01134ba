"""Who asked on a website to be written to, until the confirmation makes a contact of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from outreach.model.base import json_dict, moment, refers, word


class SignUp(SQLModel, table=True):
    """A sign-up (订阅申请) with double opt-in. `key` is the address keyed, so that erasure finds it; `token_hash` is
    what is stored of the link in the confirmation mail. `evidence`: who asked, when, from where, with which words.
    """

    __tablename__ = "sign_up"

    id: int | None = Field(default=None, primary_key=True)
    address: str
    key: str = word(index=True)
    values: dict[str, Any] = json_dict()
    language: str = word(default="en")
    token_hash: str = word(unique=True)
    state: str = word(default="waiting", index=True)
    evidence: dict[str, Any] = json_dict()
    network: str = word(default="", index=True)
    contact_id: int | None = refers("contact.id")
    created_at: datetime = moment(nullable=False, index=True)
    sent_at: datetime | None = moment()
    confirmed_at: datetime | None = moment()
    error: str | None = None
