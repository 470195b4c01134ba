"""Every campaign mail that left is archived (D3), a minute later and not while it is sent: sending stays fast.

The same composer makes the same bytes again. What a contact's erasure has removed meanwhile cannot be made again, and
must not be.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import exists, select

from outreach.app.build import App
from outreach.config import MailboxSettings
from outreach.content.problem import ContentProblem
from outreach.inbox.archive.store import archive_sent
from outreach.inbox.parse import parse
from outreach.inbox.summary import Summary, summarise_mail
from outreach.model import ArchivedMail, Campaign, Message, MessageState
from outreach.model.base import table
from outreach.outbox.message import Claimed

log = structlog.get_logger(__name__)
MESSAGES, CAMPAIGNS, ARCHIVE = table(Message), table(Campaign), table(ArchivedMail)

#: Mails that one transaction archives.
BATCH = 100
#: After a start, mail that left this long ago is looked through once more.
LOOK_BACK = timedelta(days=2)
COLUMNS = (*(MESSAGES.c[name] for name in Claimed.__slots__ if name in MESSAGES.c), CAMPAIGNS.c.approved_hash)


class SentArchive:
    """Archives what the mailboxes have sent; remembers how far it came."""

    def __init__(self, app: App) -> None:
        self.app = app
        self._since: dict[int, datetime] = {}

    async def run(self, now: datetime) -> int:
        """Archive all that left before `now`; returns how many mails."""
        if not self.app.settings.inbox.archive_sent:
            return 0
        return sum([await self._mailbox(box, now) for box in self.app.settings.mailbox])

    async def _mailbox(self, box: MailboxSettings, now: datetime) -> int:
        number, composer = self.app.mailbox_ids[box.name], self.app.composer(box)
        since, count = self._since.get(number, now - LOOK_BACK), 0
        while rows := await self._left(number, since):
            claimed = [Claimed(**{name: getattr(row, name) for name in Claimed.__slots__}) for row in rows]
            await composer.prepare(claimed)
            count += await self._keep(claimed, composer, now)
            since = max(since, rows[-1].handed_at)
            if len(rows) < BATCH:
                break
        self._since[number] = since
        return count

    async def _left(self, mailbox_id: int, since: datetime) -> Sequence[Any]:
        archived = exists(select(ARCHIVE.c.id).where(ARCHIVE.c.message_id == MESSAGES.c.id))
        query = (
            select(*COLUMNS, MESSAGES.c.handed_at)
            .join_from(MESSAGES, CAMPAIGNS, CAMPAIGNS.c.id == MESSAGES.c.campaign_id)
            .where(MESSAGES.c.mailbox_id == mailbox_id, MESSAGES.c.handed_at >= since, ~archived)
            .where(MESSAGES.c.state == MessageState.SENT.value, MESSAGES.c.composed_at.is_not(None))
            .order_by(MESSAGES.c.handed_at, MESSAGES.c.id)
            .limit(BATCH)
        )
        async with self.app.db.read() as conn:
            return (await conn.execute(query)).all()

    async def _keep(self, batch: Sequence[Claimed], composer: Any, now: datetime) -> int:
        letters: list[tuple[Claimed, bytes, Summary]] = []
        for message in batch:
            try:
                data = composer.compose(message).data
            except (ContentProblem, KeyError) as gone:
                log.warning("sent mail cannot be archived", message=message.id, why=type(gone).__name__)
                continue
            letters.append((message, data, summarise_mail(parse(data))))
        async with self.app.db.write() as conn:
            for message, data, summary in letters:
                people = " ".join((summary.from_name, summary.from_address, *summary.to))
                await archive_sent(
                    conn,
                    data,
                    now,
                    subject=summary.subject,
                    body=summary.text,
                    people=people,
                    message_id=message.id,
                    rfc_message_id=message.message_id,
                )
        return len(letters)
