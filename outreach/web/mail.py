"""Mails as recipients see them: rendered with a real person's facts, shown in a frame that can do nothing."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app import facts as people
from outreach.content.envelope import PREVIEW_URLS, Rendered
from outreach.content.kept import compiled_once
from outreach.content.template import TemplateSource
from outreach.inbox.parse import parse
from outreach.web.security import MAIL_POLICY

if TYPE_CHECKING:
    from outreach.web.routing import Staff

#: Previews of unsaved texts that are kept.
KEPT = 32


def sender(staff: Staff) -> dict[str, Any]:
    """What every mail says about who writes."""
    facts: dict[str, Any] = people.sender_facts(staff.app.settings)
    return facts | {key: facts[key] or "?" for key in ("company", "postal_address")}


async def render_for(
    staff: Staff,
    source: TemplateSource,
    language: str,
    person: Any = None,
    campaign: str = "",
    subject: str | None = None,
) -> Rendered:
    """Render a template for a person (app's Facts), or for the template's sample when None. Raises ContentProblem.

    `subject`: the campaign's own, where it does not take the template's.
    """
    if person is None:
        context = {**source.sample_for(language), "sender": sender(staff)}
    else:
        context = person.context(sender=sender(staff), today=staff.now.date(), language=language, campaign=campaign)
    return await asyncio.to_thread(lambda: compiled_once(source, language, subject).render(context, PREVIEW_URLS))


async def person_of(conn: AsyncConnection, contact_id: int) -> Any:
    """A contact's facts as a mail's context takes them; None where there is no such contact."""
    return (await people.load_facts(conn, [contact_id])).get(contact_id)


def framed(html: str) -> HTMLResponse:
    """Answer with a mail for a frame: no script, no form, nothing from elsewhere."""
    return HTMLResponse(html, headers={"content-security-policy": MAIL_POLICY, "x-robots-tag": "noindex"})


def framed_text(text: str, lang: str) -> HTMLResponse:
    """The text part of a mail, in a frame. lang: the text's own language, or `und` where nobody knows it."""
    return framed(text_page(text, lang))


def text_page(text: str, lang: str) -> str:
    """The text part of a mail as a page."""
    from markupsafe import escape

    return f'<!doctype html><html lang="{escape(lang)}"><meta charset="utf-8"><title>text</title><main><pre style="font:14px/1.55 monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:20px;color:#222">{escape(text)}</pre></main>'


async def texts_of(raw: bytes) -> tuple[str, str]:
    """HTML and text of a received mail, read in a thread: large ones would hold up the service."""

    def read() -> tuple[str, str]:
        mail = parse(raw)
        return mail.html, mail.text

    return await asyncio.to_thread(read)


class Kept:
    """Previews of unsaved texts, for a frame of their own: a srcdoc would inherit the page's policy and lose its looks."""

    def __init__(self) -> None:
        self._pages: dict[str, str] = {}

    def keep(self, owner: int, html: str) -> str:
        """Keep a page for its owner and return its key; the oldest goes when there are many."""
        key = f"{owner}-{hashlib.sha256(html.encode()).hexdigest()[:32]}"
        self._pages.pop(key, None)
        self._pages[key] = html
        while len(self._pages) > KEPT:
            self._pages.pop(next(iter(self._pages)))
        return key

    def page(self, owner: int, key: str) -> str | None:
        """The page, for its owner alone."""
        return self._pages.get(key) if key.startswith(f"{owner}-") else None
