"""A template as one contact would see it: for the command line, the editor and test mails."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from outreach.app.build import App
from outreach.app.clock import utc_now
from outreach.content.compose import compile_content
from outreach.content.context import build_context
from outreach.content.envelope import PREVIEW_URLS, Identity
from outreach.content.template import TemplateSource, choose_language
from outreach.model import Company, Contact, EmailAddress
from outreach.model.base import table

CONTACTS, ADDRESSES, COMPANIES = table(Contact), table(EmailAddress), table(Company)


async def context_for(
    app: App, source: TemplateSource, address: str | None, language: str | None
) -> tuple[str, dict[str, Any]]:
    """Return (language, context) of a contact, or of the template's sample. Raises LookupError for an unknown one."""
    sender = app.settings.sender
    facts = {"company": sender.company or "—", "postal_address": sender.postal_address or "—"}
    facts |= {"website": sender.website or "", "country": sender.country}
    if address is None:
        chosen = language or source.fallback_language
        return chosen, {**source.sample_for(chosen), "sender": facts}
    async with app.db.read() as conn:
        query = (
            select(CONTACTS, COMPANIES.c.name.label("company_name"))
            .join(ADDRESSES, ADDRESSES.c.contact_id == CONTACTS.c.id)
            .outerjoin(COMPANIES, COMPANIES.c.id == CONTACTS.c.company_id)
            .where(ADDRESSES.c.normal == address.strip().lower())
        )
        row = (await conn.execute(query)).first()
    if row is None:
        raise LookupError(f"no contact has the address {address}")
    chosen = language or choose_language(source, row.language, row.country)
    contact = {**row._mapping, "email": address}
    company = {"name": row.company_name} if row.company_name else None
    context = build_context(contact=contact, company=company, sender=facts, today=utc_now().date(), language=chosen)
    return chosen, context


async def render_for(app: App, name: str, address: str | None, language: str | None) -> dict[str, bytes]:
    """Return the files of a rendered template by their ending: html, txt, eml."""
    source = app.template(name)
    chosen, context = await context_for(app, source, address, language)
    compiled = compile_content(source, chosen)
    rendered = compiled.render(context, PREVIEW_URLS)
    identity = _identity(app, context, address or "sample@example.com", utc_now())
    whole = compiled.compose(identity, context, PREVIEW_URLS)
    return {"html": rendered.html.encode(), "txt": rendered.text.encode(), "eml": whole.data}


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
