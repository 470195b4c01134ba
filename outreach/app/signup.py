"""Sends the confirmation mails of sign-ups, from the mailbox that config.toml names."""

from __future__ import annotations

import uuid
from datetime import datetime

import structlog

from outreach.app.build import App
from outreach.app.post import post
from outreach.content.envelope import Identity
from outreach.content.plain import plain_message
from outreach.content.problem import ContentProblem
from outreach.db import instance
from outreach.tracking.signup.store import Ready

log = structlog.get_logger(__name__)


async def send_confirmations(app: App, now: datetime) -> int:
    """Send what waits; returns how many were taken. A copy that may not send sends none of these either."""
    if app.signups is None or app.settings.signup.mailbox is None or await instance.held(app.db):
        return 0
    taken = 0
    for ready in await app.signups.claim(now):
        taken += await _send(app, ready, now)
    return taken


async def _send(app: App, ready: Ready, now: datetime) -> bool:
    assert app.signups is not None
    box = app.settings.mailbox_named(str(app.settings.signup.mailbox))
    base = box.tracking_base_url or app.settings.tracking.base_url
    subject, text = app.signup_pages().mail(ready.language, f"{base}/j/{ready.token}?lang={ready.language}")
    uid = uuid.uuid4().hex
    identity = Identity(
        uid=uid, message_id=f"{uid}@{box.domain}", from_name=box.from_name or app.settings.sender.company,
        from_address=box.address, to_name=ready.name, to_address=ready.address, date=now,
    )  # fmt: skip
    try:
        posted = await post(app, box, [ready.address], plain_message(identity, subject, text), now)
    except ContentProblem as problem:
        await app.signups.settle(ready.id, False, str(problem))
        return False
    # in doubt counts as taken: nobody gets two of these by themselves
    await app.signups.settle(ready.id, posted.outcome != "refused", posted.text)
    if posted.outcome == "refused":
        log.warning("sign-up not confirmed: the mail was refused", signup=ready.id)
    return posted.outcome == "sent"
