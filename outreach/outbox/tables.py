"""The tables that the outbox reads and writes, for statements."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

import outreach.model  # noqa: F401  (fills SQLModel.metadata)

_tables = SQLModel.metadata.tables

message: Table = _tables["message"]
mailbox: Table = _tables["mailbox"]
campaign: Table = _tables["campaign"]
contact: Table = _tables["contact"]
attempt: Table = _tables["attempt"]
dynamic_link: Table = _tables["dynamic_link"]
instance: Table = _tables["instance"]
preference: Table = _tables["preference"]
