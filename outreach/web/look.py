"""How a template is looked at: in which language, through whose eyes, under which conditions of a mail client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from sqlalchemy import select

from outreach.access.roles import AccessDenied, Permission
from outreach.app import facts as people
from outreach.content.envelope import Rendered
from outreach.content.preview import in_scheme, with_pictures, without_images
from outreach.content.template import TemplateSource, choose_language
from outreach.web import mail
from outreach.web.data.scope import held, owned
from outreach.web.data.tables import ADDRESS, CONTACT
from outreach.web.i18n import N_

if TYPE_CHECKING:
    from outreach.web.routing import Staff

#: View → what people call it.
VIEWS = {"light": N_("Light"), "dark": N_("Dark"), "off": N_("Images off"), "text": N_("Plain text")}
#: Names that the field for a contact offers; any other address may be typed.
OFFERED = 40


@dataclass(frozen=True)
class Look:
    """What was chosen; an empty language or contact is the template's own."""

    language: str = ""
    view: str = "light"
    contact: str = ""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Look:
        """From a query or a form."""
        view = str(given.get("view", ""))
        contact = str(given.get("contact", "")).strip()[:254]
        return cls(str(given.get("language", ""))[:16], view if view in VIEWS else "light", contact)

    def query(self, **more: str) -> dict[str, str]:
        """The parameters of an address that leads here, some of them changed."""
        values = {"language": self.language, "view": self.view, "contact": self.contact, **more}
        return {key: value for key, value in values.items() if value and (key, value) != ("view", "light")}


@dataclass(frozen=True)
class Looked:
    """The mail as it is looked at; `missing`: the contact was not found, the sample is shown."""

    look: Look
    mail: Rendered
    html: str
    missing: bool = False

    def page(self) -> HTMLResponse:
        """For a frame."""
        return (
            mail.framed_text(self.mail.text, self.look.language) if self.look.view == "text" else mail.framed(self.html)
        )


async def look_at(staff: Staff, source: TemplateSource, look: Look) -> Looked:
    """Render a template as it is wished. Raises ContentProblem."""
    person = await _person(staff, look.contact) if look.contact else None
    language = look.language if look.language in source.languages else _language(staff, source, person)
    told = await mail.render_for(staff, source, language, person)
    chosen = replace(look, language=language)
    return Looked(chosen, told, _seen(told.html, source, look.view), bool(look.contact) and person is None)


def _language(staff: Staff, source: TemplateSource, person: Any) -> str:
    if person is not None:
        return choose_language(source, person.contact["language"], person.contact["country"])
    return staff.lang if staff.lang in source.languages else source.fallback_language


def _seen(html: str, source: TemplateSource, view: str) -> str:
    if view == "off":
        return without_images(in_scheme(html, "light"))
    return with_pictures(in_scheme(html, "dark" if view == "dark" else "light"), source.files)


async def _person(staff: Staff, address: str) -> Any:
    """A contact that this person may see; others are as unknown as those that are not there."""
    async with staff.app.db.read() as conn:
        contact = await people.find_contact(conn, address)
        facts = await mail.person_of(conn, contact) if contact is not None else None
    if facts is None:
        return None
    try:
        staff.need(Permission.CONTACTS_VIEW, await held(staff, facts.contact["owner_id"]))
    except AccessDenied:
        return None
    return facts


async def offered(staff: Staff) -> list[str]:
    """Addresses of contacts that the person may see, for the field's suggestions."""
    query = (
        select(ADDRESS.c.address)
        .join(CONTACT, CONTACT.c.id == ADDRESS.c.contact_id)
        .where(ADDRESS.c.is_primary.is_(True), CONTACT.c.erased_at.is_(None))
        .where(owned(staff, Permission.CONTACTS_VIEW, CONTACT.c.owner_id))
        .order_by(ADDRESS.c.contact_id)
        .limit(OFFERED)
    )
    async with staff.app.db.read() as conn:
        return list(await conn.scalars(query))
