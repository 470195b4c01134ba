"""From which mailbox a person writes to one customer: where the mail came to, unless that mailbox has been closed."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import case, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.model import Mailbox, MailboxState
from outreach.model.base import table

MAILBOXES = table(Mailbox)


async def box_to_answer(
    conn: AsyncConnection, came_to: str | None, people: Sequence[int | None], known: Collection[str]
) -> str | None:
    """Return the mailbox to answer from, None where there is none.

    Nothing leaves from a closed mailbox, as its owner has gone: then the own mailbox of the first of `people` (users)
    who has an active one. `known`: the mailboxes that the configuration still describes.
    """
    if came_to in known:
        state = await conn.scalar(select(MAILBOXES.c.state).where(MAILBOXES.c.name == came_to))
        if state != MailboxState.DISABLED:
            return came_to
    return await own_box(conn, people, known)


async def own_box(conn: AsyncConnection, people: Sequence[int | None], known: Collection[str]) -> str | None:
    """Return the active mailbox of the first of these users who has one of their own."""
    turn = {user: place for place, user in reversed(list(enumerate(people))) if user is not None}
    if not turn:
        return None
    mine = MAILBOXES.c.owner_id.in_(turn) & (MAILBOXES.c.state == MailboxState.ACTIVE) & MAILBOXES.c.name.in_(known)
    query = select(MAILBOXES.c.name).where(mine).order_by(case(turn, value=MAILBOXES.c.owner_id), MAILBOXES.c.id)
    return await conn.scalar(query.limit(1))


async def any_open(conn: AsyncConnection, known: Sequence[str]) -> str | None:
    """Return the first mailbox of the configuration that is not closed: for the first word to a customer."""
    closed = set(await conn.scalars(select(MAILBOXES.c.name).where(MAILBOXES.c.state == MailboxState.DISABLED)))
    return next((name for name in known if name not in closed), None)
