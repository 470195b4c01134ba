"""A customer hears from one of us at a time: asked in the transaction of the hand-over.

Only a mailbox that is somebody's own has a voice. A shared one (sales@) silences nobody and is never silenced; nor does
a closed one: who has left speaks no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select

from outreach.db.hot import HotList, HotStatement
from outreach.model.enums import MailboxState
from outreach.model.types import UtcDateTime
from outreach.outbox.message import Mark
from outreach.outbox.tables import GOT, mailbox, message

OWNER = HotStatement(select(mailbox.c.owner_id).where(mailbox.c.id == bindparam("box", None)))

#: Which other mailboxes wrote to these companies: (company, mailbox).
HEARD = HotList(
    lambda ids: (
        select(message.c.company_id, message.c.mailbox_id)
        .where(
            message.c.company_id.in_(ids),
            message.c.handed_at > bindparam("since", None, type_=UtcDateTime()),
            message.c.mailbox_id != bindparam("box", None),
            GOT,
        )
        .group_by(message.c.company_id, message.c.mailbox_id)
    )
)


class Voices:
    """Whom of us the customers of these marks have heard since a moment. The marks are of one mailbox."""

    def __init__(self, conn: Connection, since: datetime, marks: Sequence[Mark]) -> None:
        self._conn, self._since = conn, since
        self._others: dict[int, list[int]] = {}
        firms = sorted({mark.message.company_id for mark in marks if mark.message.company_id is not None})
        box = marks[0].message.mailbox_id
        mine = OWNER.execute(conn, {"box": box})
        if not firms or not mine or mine[0][0] is None:
            return
        heard = HEARD.execute(conn, firms, {"since": since, "box": box})
        if not heard:
            return
        colleagues = set(
            conn.scalars(
                select(mailbox.c.id).where(
                    mailbox.c.id.in_({row[1] for row in heard}),
                    mailbox.c.owner_id != mine[0][0],
                    mailbox.c.state != MailboxState.DISABLED,
                )
            )
        )
        for firm, other in heard:
            if other in colleagues:
                self._others.setdefault(firm, []).append(other)

    def other(self, mark: Mark) -> datetime | None:
        """When a colleague last wrote to this customer (UTC), None if no other one did."""
        boxes = self._others.get(mark.message.company_id or 0)
        if not boxes:
            return None
        query = select(func.max(message.c.handed_at)).where(
            message.c.company_id == mark.message.company_id,
            message.c.mailbox_id.in_(boxes),
            message.c.handed_at > self._since,
            GOT,
        )
        last: datetime | None = self._conn.scalar(query)
        return last
