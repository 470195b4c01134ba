"""The whole ledger of a stage, lot by lot: a million recipients take no more memory than a lot of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.session import Database
from outreach.web.data.campaigns import NO_MESSAGE, STAGES, begun, with_person
from outreach.web.data.people import PERSON
from outreach.web.data.tables import MESSAGE, RECIPIENT

#: Rows read at once: some 2 MB of them.
LOT = 2_000


@dataclass(frozen=True)
class Wanted:
    """The rows of `table` from `first` to `last` (ids) that are at a stage, `total` of them when they were counted."""

    table: Table
    columns: Sequence[Any]
    condition: ColumnElement[bool]
    first: int
    last: int
    total: int


async def wanted(conn: AsyncConnection, campaign_id: int, stage: str) -> Wanted:
    """Return what an export of a stage takes; rows that are made later are not in it."""
    at: ColumnElement[bool]
    audience = stage == "skipped" or (stage == "planned" and not await begun(conn, campaign_id))
    if audience:
        rows, reason = RECIPIENT, RECIPIENT.c.skip_reason
        at = reason.is_not(None) if stage == "skipped" else reason.is_(None)
        columns: Sequence[Any] = (RECIPIENT.c.id, RECIPIENT.c.address, reason.label("reason"), *NO_MESSAGE, *PERSON)
    else:
        rows, at, M = MESSAGE, STAGES[stage][1], MESSAGE.c
        seen = (M.first_open_at, M.first_click_at)
        columns = (M.id, M.address, M.state, M.reason, M.sent_at, M.reply_code, *seen, *PERSON)
    query = select(func.min(rows.c.id), func.max(rows.c.id), func.count()).where(rows.c.campaign_id == campaign_id, at)
    first, last, total = (await conn.execute(query)).one()
    # as an expression: by the campaign's index every lot would sort all of its rows anew
    mine = and_(rows.c.campaign_id + 0 == campaign_id, at)
    return Wanted(rows, columns, mine, first or 0, last or 0, total)


async def lots(db: Database, what: Wanted) -> AsyncIterator[Sequence[Any]]:
    """Yield the rows in the order of their ids, each lot out of a transaction of its own."""
    number = what.table.c.id
    query = select(*what.columns).select_from(with_person(what.table, what.table.c.contact_id))
    query = query.where(what.condition, number <= what.last).order_by(number).limit(LOT)
    after = what.first - 1
    while True:
        async with db.read() as conn:
            rows = (await conn.execute(query.where(number > after))).all()
        if rows:
            yield rows
        if len(rows) < LOT:
            return
        after = rows[-1].id
