"""Finds tags and interests by name, and makes those that are missing."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.bulk import among, chunks, insert_rows
from outreach.model import Tag
from outreach.model.base import table

TAG = table(Tag)


async def learn_labels(conn: AsyncConnection, known: dict[tuple[str, str], int], wanted: set[tuple[str, str]]) -> None:
    """Put the ids of tags (kind, name) into `known`; missing tags are made."""
    missing = sorted(wanted - known.keys())
    if not missing:
        return
    await insert_rows(conn, TAG, ("kind", "name"), missing, ignore=True)
    for part in chunks([name for _, name in missing]):
        rows = await conn.execute(select(TAG.c.kind, TAG.c.name, TAG.c.id).where(among(conn, TAG.c.name, part)))
        known |= {(kind, name): number for kind, name, number in rows}
