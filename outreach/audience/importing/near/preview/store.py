"""The same search for rows that are only looked at: nothing is stored, so their customers have no number yet."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.importing.companies import company_row, first_of, keys_of, named
from outreach.audience.importing.near import Near
from outreach.audience.importing.near.store import COMPANY, NearSearch, last_company
from outreach.audience.row import Draft
from outreach.db.bulk import among


async def nears_of(conn: AsyncConnection, drafts: Sequence[Draft]) -> list[Near]:
    """Return which customers of these rows would be new and may yet be one that is there, or one of an earlier row."""
    first = first_of(keys_of(drafts), drafts)
    there = select(COMPANY.c.key).where(among(conn, COMPANY.c.key, list(first)))
    stored = set((await conn.execute(there)).scalars())
    missing = [(key, draft) for key, draft in first.items() if key not in stored]
    new = [
        (draft.line, named(company_row(-number, key, draft, None)), str(draft.values.get("phone", "")))
        for number, (key, draft) in enumerate(missing, 1)
    ]
    search = NearSearch(await last_company(conn))
    await search.compare(conn, new)
    return search.found.pairs
