"""A mail that could not be read when it came: read it again, at a person's request."""

from __future__ import annotations

from datetime import datetime

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.inbox import InboxHost


async def read_again(app: App, inbound_id: int, actor: Actor, now: datetime) -> bool:
    """Try one mail of the quarantine again, and say whether it is filed now.

    What was too large, or broke the connection, is fetched from its mailbox once more. At most one parser child runs,
    for at most the parser's time limit.
    """
    host = InboxHost(app, clock=lambda: now)
    try:
        filed, _ = await host.reprocess(inbound_id)
    finally:
        await host.stop()
    async with app.db.write() as conn:
        await append_audit(
            conn, actor, "inbound.read-again", "inbound_mail", inbound_id, now=now, after={"filed": bool(filed)}
        )
    return bool(filed)
