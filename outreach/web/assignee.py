"""To whom work is given on a page: somebody whose account is there and open. One check for every such form."""

from __future__ import annotations

from sqlalchemy import select

from outreach.model import User
from outreach.model.base import table
from outreach.web.routing import Staff

USER = table(User)
#: Ids have fewer digits: a longer number would not fit the database's integer.
MOST_DIGITS = 9


class NotAssignable(Exception):
    """Nobody of that number works here (any more): the page says so, nothing is changed."""


async def assignee(staff: Staff, given: str) -> int:
    """Return the id of the user that a form names. Raises NotAssignable."""
    number = int(given) if given.isdecimal() and len(given) <= MOST_DIGITS else None
    query = select(USER.c.id).where(USER.c.id == number, USER.c.disabled_at.is_(None))
    async with staff.app.db.read() as conn:
        found = await conn.scalar(query)
    if found is None:
        raise NotAssignable
    return int(found)
