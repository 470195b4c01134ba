"""Who writes to us of his own accord becomes a customer with an owner (C2, D2)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.dedupe import company_domain
from outreach.audience.regions import COUNTRIES
from outreach.audience.row import RowRefused
from outreach.audience.store import AudienceStore
from outreach.crm.owners.collide import Collision, Known
from outreach.crm.owners.store import collisions_in
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
    """Registers leads. The owner is the company's, the mailbox's, whose customer it may be, or whom the rule names."""

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
        alike = await _alike(conn, company_id)
        owner_id = await self._owner(conn, contact_id, company_id, mailbox_id, alike)
        await _assign(conn, contact_id, company_id, owner_id)
        data = {"source": SOURCE} | ({"alike": [row.id for _, row in alike]} if alike else {})
        await conn.execute(
            insert(ACTIVITIES).values(
                kind="inquiry", at=now, contact_id=contact_id, company_id=company_id, text="", data=data
            )
        )
        return contact_id, company_id

    async def _owner(
        self,
        conn: AsyncConnection,
        contact_id: int,
        company_id: int | None,
        mailbox_id: int,
        alike: Sequence[tuple[Collision, Any]],
    ) -> int | None:
        own = await conn.scalar(select(MAILBOXES.c.owner_id).where(MAILBOXES.c.id == mailbox_id))
        company = await conn.scalar(select(COMPANIES.c.owner_id).where(COMPANIES.c.id == company_id))
        theirs = next((row.owner_id for _, row in alike if row.owner_id and row.owner_left is None), None)
        return company or own or theirs or await default_owner(conn, contact_id)


async def _alike(conn: AsyncConnection, company_id: int | None) -> list[tuple[Collision, Any]]:
    """Customers that the lead's company may be: two people shall not work one customer without knowing it (C2)."""
    row = (await conn.execute(select(COMPANIES).where(COMPANIES.c.id == company_id))).one_or_none()
    if row is None:
        return []
    phones = (row.phone,) if row.phone else ()
    return await collisions_in(conn, Known(row.id, row.name, row.domain, row.country, phones))


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
