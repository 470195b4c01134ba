"""Writes on which legal basis a list's contacts may be written to, and does not write the same twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.row import Draft
from outreach.db.bulk import among, bound_moment, chunks, insert_rows
from outreach.model import Consent
from outreach.model.base import table

CONSENT = table(Consent)


async def write_consents(
    conn: AsyncConnection, pairs: Sequence[tuple[int, Draft]], evidence: str, now: datetime
) -> None:
    """Record the basis of each (contact, row); `evidence` and the row's line say where it stands."""
    columns = ("contact_id", "basis", "given_on", "source", "evidence", "at")
    moment = bound_moment(conn, now)
    rows = []
    for number, draft in pairs:
        where = f"{evidence} line {draft.line}".strip()
        values = draft.values
        rows.append((number, values["basis"], values.get("basis_date", ""), values["source"], where, moment))
    await insert_rows(conn, CONSENT, columns, rows)


async def unrecorded(conn: AsyncConnection, pairs: Sequence[tuple[int, Draft]]) -> list[tuple[int, Draft]]:
    """Return the rows whose legal basis, date and source are not on record for their contact yet."""
    c = CONSENT.c
    known: set[tuple[Any, ...]] = set()
    for part in chunks(list({number for number, _ in pairs})):
        rows = await conn.execute(
            select(c.contact_id, c.basis, c.given_on, c.source).where(among(conn, c.contact_id, part))
        )
        known |= {tuple(row) for row in rows}
    fresh = []
    for number, draft in pairs:
        values = draft.values
        this = (number, values["basis"], values.get("basis_date", "") or None, values["source"])
        if this not in known:
            known.add(this)
            fresh.append((number, draft))
    return fresh
