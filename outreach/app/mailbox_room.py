"""Whether a mailbox has room left (H2): a full one refuses the replies and bounces that we wait for."""

from __future__ import annotations

from typing import Any

from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.doctor_words import say
from outreach.app.inbox import InboxHost
from outreach.config import ConfigError, MailboxSettings
from outreach.inbox.client import ImapTrouble
from outreach.inbox.quota.client import Quota, read_quota

#: From this share on people are told: at some hundred mails a day the last tenth of a small mailbox lasts a few weeks.
NEARLY_FULL = 0.9


def room(name: str, quota: Quota, lang: str) -> dict[str, Any]:
    """What the doctor says about a quota; not ok from NEARLY_FULL on."""
    ok = quota.share < NEARLY_FULL
    detail = say("room.used", lang, share=f"{quota.share:.0%}", limit=f"{quota.limit / 1024**2:,.1f}")
    return {"name": f"room {name}", "ok": ok, "detail": detail, "fix": "" if ok else say("room.fix", lang)}


async def room_check(app: App, box: MailboxSettings, lang: str) -> list[dict[str, Any]]:
    """The check of one mailbox; none where the server has no limit or does not tell, or cannot be reached at all."""
    if box.imap is None:
        return []
    try:
        quota = await read_quota(InboxHost(app, clock=utc_now).server(box))
    except (ImapTrouble, ConfigError):
        return []  # the check of IMAP itself has said so
    return [room(box.name, quota, lang)] if quota is not None else []
