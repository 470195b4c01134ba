"""A template as one contact would see it: for the command line, the editor and test mails."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.app.facts import find_contact, load_facts, sender_facts
from outreach.content.compose import compile_content
from outreach.content.envelope import PREVIEW_URLS, Identity
from outreach.content.preview import with_pictures
from outreach.content.template import TemplateSource, choose_language


async def context_for(
    app: App, source: TemplateSource, address: str | None, language: str | None
) -> tuple[str, dict[str, Any]]:
    """Return (language, context) of a contact, or of the template's sample. Raises LookupError for an unknown one."""
    told = sender_facts(app.settings)
    sender = told | {key: told[key] or "—" for key in ("company", "postal_address")}
    if address is None:
        chosen = language or source.fallback_language
        return chosen, {**source.sample_for(chosen), "sender": sender}
    async with app.db.read() as conn:
        contact = await find_contact(conn, address)
        people = await load_facts(conn, [contact]) if contact is not None else {}
    if contact is None or contact not in people:
        raise LookupError(f"no contact has the address {address}")
    facts = people[contact]
    chosen = language or choose_language(source, facts.contact["language"], facts.contact["country"])
    return chosen, facts.context(sender=sender, today=utc_now().date(), language=chosen, address=address)


async def render_for(app: App, name: str, address: str | None, language: str | None) -> dict[str, bytes]:
    """Return the files of a rendered template by their ending: html, txt, eml."""
    source = app.template(name)
    chosen, context = await context_for(app, source, address, language)
    compiled = compile_content(source, chosen)
    rendered = compiled.render(context, PREVIEW_URLS)
    identity = _identity(app, context, address or "sample@example.com", utc_now())
    whole = compiled.compose(identity, context, PREVIEW_URLS)
    page = with_pictures(rendered.html, source.files)  # a file on disk has no parts beside it
    return {"html": page.encode(), "txt": rendered.text.encode(), "eml": whole.data}


def _identity(app: App, context: dict[str, Any], address: str, now: datetime) -> Identity:
    boxes = app.settings.mailbox
    sender = boxes[0].address if boxes else "sender@example.com"
    return Identity(
        uid="preview",
        message_id=f"preview@{sender.rpartition('@')[2]}",
        from_name=app.settings.sender.company or "Preview",
        from_address=sender,
        to_name=str(context.get("full_name") or ""),
        to_address=address,
        date=now,
        list_id=f"preview.{sender.rpartition('@')[2]}",
    )
