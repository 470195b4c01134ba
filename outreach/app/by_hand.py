"""Mail that staff send through a mailbox by hand: it spends the provider's quota as well."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from outreach.db.session import Database
from outreach.model import InboundMail, Letter, Mailbox, Message
from outreach.model.base import table

MAILS, MAILBOXES, MESSAGES, LETTERS = table(InboundMail), table(Mailbox), table(Message), table(Letter)


async def sent_by_hand(db: Database, mailboxes: Sequence[int], since: datetime) -> list[datetime]:
    """Return when mail from the mailboxes' own addresses left that is not ours, as far as Sent has been read."""
    ours = select(MESSAGES.c.id).where(MESSAGES.c.message_id == MAILS.c.rfc_message_id).correlate(MAILS).exists()
    letters = select(LETTERS.c.id).where(LETTERS.c.message_id == MAILS.c.rfc_message_id).correlate(MAILS).exists()
    query = (
        select(MAILS.c.sent_at)
        .join_from(MAILS, MAILBOXES, MAILBOXES.c.id == MAILS.c.mailbox_id)
        .where(MAILS.c.mailbox_id.in_(mailboxes), MAILS.c.from_address == MAILBOXES.c.address)
        .where(MAILS.c.received_at > since, MAILS.c.sent_at > since, ~ours, ~letters)
    )
    async with db.read() as conn:
        return list(await conn.scalars(query))
