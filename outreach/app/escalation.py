"""Late work is told to managers: on the page, and by mail from a company mailbox where one is named for it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import select

from outreach.app.build import App
from outreach.app.post import post
from outreach.config import MailboxSettings
from outreach.content.envelope import Identity
from outreach.content.plain import plain_message
from outreach.crm.late import store as late
from outreach.db import instance
from outreach.model import User
from outreach.model.base import table
from outreach.model.task_titles import shown

log = structlog.get_logger(__name__)
USERS = table(User)
#: Lines of one mail; the rest is on the page.
MOST_LINES = 30

WORDS = {
    "zh": ("{n} 项客户邮件逾期未处理", "以下客户还在等待答复：", "在系统中查看："),
    "en": ("{n} customers still wait for an answer", "These customers still wait:", "See them here:"),
}


async def escalate(app: App, now: datetime) -> int:
    """Find what is late, tell the managers on their page; returns how many are new."""
    async with app.db.write() as conn:
        await late.settle(conn, now)
        return await late.escalate(conn, now)


async def mail_managers(app: App, now: datetime) -> int:
    """Mail the managers what is late, each once; returns how many mails left.

    None where no mailbox is named for it, and none while sending is on hold.
    """
    name = app.settings.inbox.escalation_mailbox
    if name is None or await instance.held(app.db):
        return 0
    box = app.settings.mailbox_named(name)
    async with app.db.write() as conn:
        by_manager = await late.claim_notices(conn, now)
        people = {row.id: row for row in await conn.execute(select(USERS).where(USERS.c.id.in_(list(by_manager))))}
    sent = 0
    for manager_id, rows in by_manager.items():
        manager = people.get(manager_id)
        if manager is not None and manager.email:
            data = notice(app, box, manager, [shown(row.title, manager.language) for row in rows], now)
            posted = await post(app, box, [manager.email], data, now)
            sent += posted.outcome == "sent"
            if posted.outcome != "sent":
                log.warning("manager was not mailed", user=manager_id, outcome=posted.outcome)
    return sent


def notice(app: App, box: MailboxSettings, manager: Any, titles: list[str], now: datetime) -> bytes:
    """Return the mail in the manager's language."""
    subject, intro, outro = WORDS["zh" if manager.language.startswith("zh") else "en"]
    base = app.settings.web.base_url or app.settings.tracking.base_url
    lines = [f"- {title}" for title in titles[:MOST_LINES]]
    text = "\n".join((intro, "", *lines, "", f"{outro} {base}/follow-ups"))
    identity = Identity(
        uid=uuid4().hex,
        message_id=f"{uuid4().hex}@{box.domain}",
        from_name=app.settings.sender.company,
        from_address=box.address,
        to_name=manager.display_name or manager.name,
        to_address=manager.email,
        date=now,
    )
    return plain_message(identity, subject.format(n=len(titles)), text)
