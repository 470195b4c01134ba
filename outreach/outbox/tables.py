"""The tables that the outbox reads and writes, for statements."""

from __future__ import annotations

from sqlalchemy import Table, or_
from sqlmodel import SQLModel

import outreach.model  # noqa: F401  (fills SQLModel.metadata)
from outreach.model.enums import MessageState

_tables = SQLModel.metadata.tables

message: Table = _tables["message"]
mailbox: Table = _tables["mailbox"]
campaign: Table = _tables["campaign"]
contact: Table = _tables["contact"]
attempt: Table = _tables["attempt"]
letter: Table = _tables["letter"]
dynamic_link: Table = _tables["dynamic_link"]
instance: Table = _tables["instance"]
preference: Table = _tables["preference"]
recipient: Table = _tables["campaign_recipient"]

#: A person has this mail, or may have it. Spelled out: a hot statement cannot hold an IN list of texts.
GOT = or_(*(message.c.state == s for s in (MessageState.SENT, MessageState.HANDING_OVER, MessageState.IN_DOUBT)))
