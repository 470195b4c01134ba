"""Who writes to us of his own accord becomes a customer with an owner (C2, D2)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.dedupe import company_domain
from outreach.audience.regions import COUNTRIES
from outreach.audience.row import RowRefused
from outreach.audience.store import AudienceStore
from outreach.crm.store import default_owner
from outreach.inbox.leads import Lead
from outreach.model import Activity, Basis, Company, Contact, Mailbox
from outreach.model.base import table

log = structlog.get_logger(__name__)
COMPANIES, CONTACTS, MAILBOXES, ACTIVITIES = table(Company), table(Contact), table(Mailbox), table(Activity)

SOURCE = "inbox"
#: What the basis "inquiry" of a lead rests on: the letter itself, which the inbox keeps.
PROOF = "the letter in the inbox"
#: Top-level domains that are a country's by name and the world's by use.
EVERYBODYS = frozenset({"AI", "CC", "CO", "FM", "IO", "LY", "ME", "TO", "TV", "WS"})


class LeadDesk:
    """Registers leads. The owner is the mailbox's; of a shared mailbox the company's, else whom the rule names."""

    def __init__(self, audience: AudienceStore) -> None:
        self.audience = audience

    async def register(
        self, conn: AsyncConnection, lead: Lead, mailbox_id: int, now: datetime
    ) -> tuple[int, int | None] | None:
        """Enter company and contact with basis "inquiry"; None where the address may not be entered."""
        try:
            contact_id = await self.audience.add_contact_in(
                conn, values_of(lead), source=SOURCE, basis=Basis.INQUIRY.value, now=now, evidence=PROOF
            )
        except RowRefused as refused:
            log.warning("lead cannot be registered", mailbox=mailbox_id, why=refused.reject.code)
            return None
        company_id = await conn.scalar(select(CONTACTS.c.company_id).where(CONTACTS.c.id == contact_id))
        owner_id = await self._owner(conn, contact_id, company_id, mailbox_id)
        await _assign(conn, contact_id, company_id, owner_id)
        await conn.execute(
            insert(ACTIVITIES).values(
                kind="inquiry", at=now, contact_id=contact_id, company_id=company_id, text="", data={"source": SOURCE}
            )
        )
        return contact_id, company_id

    async def _owner(
        self, conn: AsyncConnection, contact_id: int, company_id: int | None, mailbox_id: int
    ) -> int | None:
        own = await conn.scalar(select(MAILBOXES.c.owner_id).where(MAILBOXES.c.id == mailbox_id))
        company = await conn.scalar(select(COMPANIES.c.owner_id).where(COMPANIES.c.id == company_id))
        return company or own or await default_owner(conn, contact_id)


async def _assign(conn: AsyncConnection, contact_id: int, company_id: int | None, owner_id: int | None) -> None:
    """Give them the owner where they have none."""
    for rows, number in ((CONTACTS, contact_id), (COMPANIES, company_id)):
        unowned = (rows.c.id == number) & rows.c.owner_id.is_(None)
        await conn.execute(update(rows).where(unowned).values(owner_id=owner_id))


def values_of(lead: Lead) -> Mapping[str, str]:
    """What the import would read of the lead: name, company and country as far as the address tells them."""
    first, _, last = lead.name.strip().rpartition(" ")
    domain = company_domain(lead.address.rpartition("@")[2])
    values: dict[str, Any] = {"email": lead.address}
    if lead.name.strip() and "@" not in lead.name:
        values |= {"first_name": first or last, "last_name": last if first else ""}
    if domain is not None:
        values["company"] = domain.partition(".")[0].replace("-", " ").title()
        top = domain.rpartition(".")[2].upper()
        values["country"] = top if top in COUNTRIES and top not in EVERYBODYS else "GB" if top == "UK" else ""
    return {name: value for name, value in values.items() if value}
