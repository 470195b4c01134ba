"""Finds the companies of a batch in the table, and makes those that are missing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.importing.companies import (
    COMPANY_COLUMNS,
    REMEMBERED,
    Known,
    company_row,
    first_of,
    keys_of,
    named,
)
from outreach.audience.importing.near import Named
from outreach.audience.row import Draft
from outreach.db.bulk import among, bound_moment, chunks, insert_rows, reserve_ids
from outreach.model import Company
from outreach.model.base import table

COMPANY = table(Company)


class CompanyBook:
    """The companies that an import has met. `users` is name → id of who may own them, `owner_id` the list's owner."""

    def __init__(self, users: Mapping[str, int], owner_id: int | None, now: datetime) -> None:
        self.users, self.owner_id, self.now = users, owner_id, now
        self.known: dict[str, Known] = {}
        #: What the last batch made: line, customer, a telephone number of theirs or "".
        self.made: list[tuple[int, Named, str]] = []

    async def of(self, conn: AsyncConnection, drafts: list[Draft]) -> list[Known | None]:
        """Return the company of each row; missing ones are made."""
        if len(self.known) > REMEMBERED:
            self.known.clear()
        keys = keys_of(drafts)
        first = first_of(keys, drafts)
        self.made.clear()
        await self._learn(conn, [key for key in first if key not in self.known])
        await self._make(conn, {key: draft for key, draft in first.items() if key not in self.known})
        await self._complete(conn, first)
        return [self.known[key] if key else None for key in keys]

    async def _learn(self, conn: AsyncConnection, keys: list[str]) -> None:
        c = COMPANY.c
        for part in chunks(keys):
            rows = await conn.execute(
                select(c.id, c.key, c.owner_id, c.merged_into, c.name, c.domain).where(among(conn, c.key, part))
            )
            merged: dict[str, int] = {}
            for row in rows:
                self.known[row.key] = Known(row.id, row.owner_id, row.name == row.domain)
                if row.merged_into:
                    merged[row.key] = row.merged_into
            if merged:
                owners = await conn.execute(select(c.id, c.owner_id).where(c.id.in_(set(merged.values()))))
                owner_of: dict[int, int | None] = {row.id: row.owner_id for row in owners}
                self.known |= {key: Known(kept, owner_of.get(kept)) for key, kept in merged.items()}

    async def _make(self, conn: AsyncConnection, missing: dict[str, Draft]) -> None:
        ids = await reserve_ids(conn, COMPANY, len(missing))
        rows, moment = [], bound_moment(conn, self.now)
        for number, (key, draft) in zip(ids, missing.items(), strict=True):
            owner = self.users.get(draft.owner.lower()) if draft.owner else self.owner_id
            row = company_row(number, key, draft, owner)
            rows.append((*row, moment, "{}"))
            self.made.append((draft.line, named(row), str(draft.values.get("phone", ""))))
            self.known[key] = Known(number, owner, unnamed=not draft.company)
        await insert_rows(conn, COMPANY, (*COMPANY_COLUMNS, "created_at", "attributes"), rows)

    async def _complete(self, conn: AsyncConnection, first: dict[str, Draft]) -> None:
        """Give a company the name or the owner that it lacked until now."""
        for key, draft in first.items():
            known = self.known[key]
            found: dict[str, Any] = {}
            if known.unnamed and draft.company:
                found["name"], known.unnamed = draft.company, False
            owner = self.users.get(draft.owner.lower()) if draft.owner else None
            if owner and known.owner_id is None:
                found["owner_id"] = known.owner_id = owner
            if found:
                await conn.execute(
                    update(COMPANY).where(COMPANY.c.id == known.id).values(found | {"updated_at": self.now})
                )
