"""Ways back that are too long for a cookie, kept in the database: a restart between the act and its undo loses none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert

from outreach.db.session import Database
from outreach.model import KeptUndo
from outreach.model.base import table

KEPT = table(KeptUndo)


async def keep(db: Database, ways: Mapping[str, Mapping[str, Any]], now: datetime, lasts: timedelta) -> None:
    """Keep each under its key; those that are older than `lasts` are forgotten."""
    rows = [{"key": key, "at": now, "told": json.loads(json.dumps(told, default=str))} for key, told in ways.items()]
    async with db.write() as conn:
        await conn.execute(delete(KEPT).where(KEPT.c.at < now - lasts))
        await conn.execute(insert(KEPT), rows)


async def take(db: Database, key: str) -> dict[str, Any] | None:
    """Return what was kept under a key and forget it; None: it was taken already, or it is too late."""
    async with db.write() as conn:
        found = await conn.execute(delete(KEPT).where(KEPT.c.key == key).returning(KEPT.c.told))
        told: dict[str, Any] | None = found.scalar_one_or_none()
    return told
