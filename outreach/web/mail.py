"""Mails as recipients see them: rendered with a real person's facts, shown in a frame that can do nothing."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.content.compose import PREVIEW_URLS, Compiled, compile_content
from outreach.content.context import build_context
from outreach.content.envelope import Rendered
from outreach.content.template import TemplateSource
from outreach.web.data.tables import ADDRESS, COMPANY, CONTACT, CONTACT_TAG, TAG, USER
from outreach.web.security import MAIL_POLICY

if TYPE_CHECKING:
    from outreach.web.routing import Staff

#: Compiled texts kept: compiling takes about 50 ms, and a reviewer looks at one mail with many eyes.
KEPT = 32


class _Keyed:
    """A source whose equality is its digest: files are dictionaries and cannot be hashed."""

    def __init__(self, source: TemplateSource) -> None:
        self.source, self.digest = source, source.digest()

    def __hash__(self) -> int:
        return hash(self.digest)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Keyed) and other.digest == self.digest


@lru_cache(maxsize=KEPT)
def _compile(keyed: _Keyed, language: str) -> Compiled:
    return compile_content(keyed.source, language)


def sender(staff: Staff) -> dict[str, Any]:
    """What every mail says about who writes."""
    told = staff.app.settings.sender
    box = next(iter(staff.app.settings.mailbox), None)
    return {
        "company": told.company or "?",
        "postal_address": told.postal_address or "?",
        "website": told.website,
        "country": told.country,
        "email": box.address if box else "",
    }


async def render_for(
    staff: Staff, source: TemplateSource, language: str, person: Mapping[str, Any] | None, campaign: str = ""
) -> Rendered:
    """Render a template for a person, or for the template's sample when None. Raises ContentProblem."""
    if person is None:
        context = {**source.sample_for(language), "sender": sender(staff)}
    else:
        context = build_context(
            contact=person,
            company={"name": person.get("company_name")} if person.get("company_name") else None,
            owner={"name": person.get("owner_name"), "email": person.get("owner_email")}
            if person.get("owner_name")
            else None,
            sender=sender(staff),
            campaign={"name": campaign},
            today=staff.now.date(),
            language=language,
        )
    return await asyncio.to_thread(lambda: _compile(_Keyed(source), language).render(context, PREVIEW_URLS))


async def person_of(conn: AsyncConnection, contact_id: int) -> dict[str, Any] | None:
    """A contact's facts as a mail's context takes them."""
    query = (
        select(
            CONTACT, COMPANY.c.name.label("company_name"), USER.c.display_name.label("owner_name"), USER.c.email.label("owner_email"),
            ADDRESS.c.address.label("email"),
        )
        .select_from(
            CONTACT.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
            .outerjoin(USER, USER.c.id == CONTACT.c.owner_id)
            .outerjoin(ADDRESS, (ADDRESS.c.contact_id == CONTACT.c.id) & ADDRESS.c.is_primary)
        )
        .where(CONTACT.c.id == contact_id)
        .limit(1)
    )  # fmt: skip
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        return None
    tags = select(TAG.c.kind, TAG.c.name).join(CONTACT_TAG, CONTACT_TAG.c.tag_id == TAG.c.id)
    found: dict[str, list[str]] = {"tags": [], "interests": []}
    for tag in await conn.execute(tags.where(CONTACT_TAG.c.contact_id == contact_id)):
        found["interests" if tag.kind == "interest" else "tags"].append(tag.name)
    return {**row._mapping, **found}


def framed(html: str) -> HTMLResponse:
    """Answer with a mail for a frame: no script, no form, nothing from elsewhere."""
    return HTMLResponse(html, headers={"content-security-policy": MAIL_POLICY, "x-robots-tag": "noindex"})


def framed_text(text: str) -> HTMLResponse:
    """The text part of a mail, in a frame."""
    from markupsafe import escape

    page = f'<!doctype html><meta charset="utf-8"><title>text</title><pre style="font:14px/1.55 monospace;white-space:pre-wrap;margin:20px;color:#222">{escape(text)}</pre>'
    return framed(page)


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
