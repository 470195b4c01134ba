"""What sending and reading told people of lately: the lines of the first page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.web.data.tables import ACTIVITY
from outreach.web.data.today import MailboxLine

if TYPE_CHECKING:
    from outreach.web.routing import Staff

#: A warning is shown for so long, and at most so many: what still holds is told again, or stands at the mailbox.
WARNED_FOR, WARNINGS = timedelta(days=2), 5


@dataclass
class Warned:
    """Something that people were told of: the newest of its kind, and how often it came."""

    at: datetime
    reason: str
    detail: str
    mailbox: MailboxLine
    campaign_id: int | None
    times: int = 1


async def warnings(conn: AsyncConnection, staff: Staff, boxes: Sequence[MailboxLine]) -> list[Warned]:
    """What sending and reading told people of lately, newest first, each kind once a mailbox.

    Only of mailboxes that may be seen; what a mailbox's own line says already is left out.
    """
    seen = {box.id: box for box in boxes}
    query = (
        select(ACTIVITY.c.at, ACTIVITY.c.text, ACTIVITY.c.data)
        .where(ACTIVITY.c.kind == "warning", ACTIVITY.c.at > staff.now - WARNED_FOR)
        .order_by(ACTIVITY.c.at.desc())
        .limit(200)
    )
    found: dict[tuple[int, str], Warned] = {}
    for row in await conn.execute(query):
        box = seen.get(row.data.get("mailbox_id", 0))
        if box is None or row.text == (box.reason if box.state == "paused" else "inbox-unread" if box.unread else None):
            continue
        told = found.get((box.id, row.text))
        if told:
            told.times += 1
        else:
            detail = str(row.data.get("detail") or "")
            found[box.id, row.text] = Warned(row.at, row.text, detail, box, row.data.get("campaign_id"))
    return list(found.values())[:WARNINGS]
