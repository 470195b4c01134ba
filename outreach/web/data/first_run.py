"""The steps of the first run: which are done is read from what is there, so nothing has to be ticked off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Permission as P
from outreach.web.data.tables import CAMPAIGN, CONTACT, SEGMENT, USER
from outreach.web.i18n import N_

if TYPE_CHECKING:
    from outreach.web.routing import Staff

#: What stands in the example configuration; a company or mailbox of this name is none yet.
EXAMPLE_COMPANY = "Example Lighting Co., Ltd."
EXAMPLE_DOMAIN = "@example.com"
#: Without these nothing can be sent: the guide stays on the page Today until they are there.
NEEDED = frozenset({"company", "mailbox", "contacts", "campaign"})


@dataclass(frozen=True)
class Step:
    """One step: where it is done (`url`, empty for who may not), and who does it."""

    key: str
    done: bool
    title: str
    text: str
    url: str
    button: str
    who: str


#: Key, title, text, path, button, permission, who does it.
STEPS: tuple[tuple[str, str, str, str, str, P, str], ...] = (
    (
        "company", N_("Say who writes"), N_("Company name and postal address stand in every mail: the law asks for them."),
        "/settings/company?guide=1", N_("Fill in"), P.MAILBOXES_EDIT, "technician",
    ),
    (
        "mailbox", N_("Connect a mailbox"),
        N_("Choose the provider, enter address and password; the connection doctor tests sending, receiving and DNS."),
        "/settings/mailboxes/new?guide=1", N_("Connect"), P.MAILBOXES_EDIT, "technician",
    ),
    (
        "people", N_("Let your colleagues in"),
        N_("Who writes campaigns, who approves them (three different people), who answers replies."),
        "/settings/users?guide=1", N_("Add users"), P.USERS_EDIT, "admin",
    ),
    (
        "contacts", N_("Import your customers"),
        N_("A CSV or XLSX table. Columns are recognised in Chinese and English, the source is kept."),
        "/contacts/import?guide=1", N_("Import a list"), P.CONTACTS_IMPORT, "marketer",
    ),
    (
        "segment", N_("Choose a group"),
        N_("Conditions such as region, industry or last order; the number of people is counted as you go."),
        "/segments/new?guide=1", N_("New segment"), P.SEGMENTS_EDIT, "marketer",
    ),
    (
        "campaign", N_("Write the first campaign"),
        N_("Choose who gets it and a template; three people approve; a pilot goes first."),
        "/campaigns/new?guide=1", N_("New campaign"), P.CAMPAIGNS_EDIT, "marketer",
    ),
)  # fmt: skip


def company_known(settings: Any) -> bool:
    """Whether name and postal address are there and are not those of the example."""
    sender = settings.sender
    return bool(sender.company and sender.postal_address) and sender.company != EXAMPLE_COMPANY


def mailbox_known(settings: Any) -> bool:
    """Whether a mailbox is configured that is not the example's."""
    return any(not box.address.endswith(EXAMPLE_DOMAIN) for box in settings.mailbox)


async def done(conn: AsyncConnection, settings: Any) -> dict[str, bool]:
    """Step → whether it is done."""
    found = {"company": company_known(settings), "mailbox": mailbox_known(settings)}
    users = select(USER.c.id).where(USER.c.disabled_at.is_(None)).limit(2)
    found["people"] = len((await conn.execute(users)).all()) > 1
    for name, table in (("contacts", CONTACT), ("segment", SEGMENT), ("campaign", CAMPAIGN)):
        found[name] = (await conn.execute(select(table.c.id).limit(1))).first() is not None
    # a campaign names its conditions by itself: a stored segment is no must
    found["segment"] = found["segment"] or found["campaign"]
    return found


async def steps(staff: Staff) -> Sequence[Step]:
    """The guide's steps as this person sees them."""
    async with staff.app.db.read() as conn:
        finished = await done(conn, staff.app.settings)
    return [
        Step(key, finished[key], title, text, url if staff.may(permission) else "", button, who)
        for key, title, text, url, button, permission, who in STEPS
    ]
