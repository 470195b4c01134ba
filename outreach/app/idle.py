"""Which sequences and remembered dates have something to do at a moment: one query for all of them.

A company keeps fifty of them running for years, and nearly every tick finds nothing to do in any. Without this, each
would take the database's writer, ask five questions and give it back, every two seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.occasions import advance as occasion
from outreach.app.sequences import entry
from outreach.crm.enrolment import store as enrolments
from outreach.crm.occasion import store as occasions
from outreach.model import Campaign
from outreach.model.base import table

CAMPAIGNS = table(Campaign)
#: Who looks around by itself at its own times, and what else can be due in it.
LOOKS = {"sequence": entry.is_due, "occasion": occasion.is_due}


async def idle(conn: AsyncConnection, rows: Sequence[Any], now: datetime) -> set[int]:
    """Return the campaigns of `rows` without an end that a pass at `now` (UTC) would leave as they are."""
    resting = {row.id for row in rows if row.kind in LOOKS and not LOOKS[row.kind](row, now)}
    if not resting:
        return set()
    c = CAMPAIGNS.c
    work = or_(
        and_(c.kind == "sequence", enrolments.has_work(now)),
        and_(c.kind == "occasion", occasions.has_work(now)),
    )
    return resting - set(await conn.scalars(select(c.id).where(c.id.in_(resting), work)))
