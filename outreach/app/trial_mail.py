"""A test mail: a template as a contact would get it, sent to the person who asks, before anything is approved.

It leaves through a company mailbox, is marked in its subject, counts nowhere, and its unsubscribe link is a dummy:
whoever tries it unsubscribes nobody.
"""

from __future__ import annotations

from datetime import datetime
from uuid import uuid4

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.post import Posted, post
from outreach.app.preview import context_for
from outreach.config import MailboxSettings
from outreach.content.compose import compile_content
from outreach.content.envelope import PREVIEW_URLS, Identity
from outreach.content.template import TemplateSource

MARK = {"zh": "【测试】", "en": "[Test] "}


async def send_trial(
    app: App,
    source: TemplateSource,
    to: str,
    actor: Actor,
    now: datetime,
    *,
    contact: str | None = None,
    language: str | None = None,
    lang: str = "en",
) -> Posted:
    """Send it to one address of staff. Raises ContentProblem, LookupError (no such contact), ConfigError."""
    chosen, context = await context_for(app, source, contact, language)
    box = _mailbox(app)
    subject = MARK.get(lang, MARK["en"]) + source.subject(chosen)
    compiled = compile_content(source, chosen, subject=subject)
    identity = Identity(
        uid="test",
        message_id=f"test.{uuid4().hex}@{box.domain}",
        from_name=box.from_name or app.settings.sender.company,
        from_address=box.address,
        to_name="",
        to_address=to,
        date=now,
        list_id=f"test.{box.domain}",
    )
    data = compiled.compose(identity, context, PREVIEW_URLS).data
    posted = await post(app, box, [to], data, now)
    async with app.db.write() as conn:
        after = {"outcome": posted.outcome, "language": chosen}  # never the address: the trail is not erased
        await append_audit(conn, actor, "template.tested", "template", source.name, now=now, after=after)
    return posted


def _mailbox(app: App) -> MailboxSettings:
    if not app.settings.mailbox:
        raise LookupError("no mailbox is configured")
    return app.settings.mailbox[0]
