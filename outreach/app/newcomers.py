"""A person who is entered one by one, by a card or by a script: whose customer they are, and which ones it may be.

alike   the customers that a new one may be, before anything is stored
enter   stores the person, puts them into the customer that was chosen, and tells what was found
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.app.build import App
from outreach.audience.companies.store import join
from outreach.audience.importing.near.store import last_company
from outreach.audience.regions import country_code
from outreach.crm.owners.collide import Collision, Known
from outreach.model import Company, Contact, User
from outreach.model.base import table

COMPANIES, CONTACTS, USERS = table(Company), table(Contact), table(User)

#: A customer that this one may be: the sign and how sure it is, and the customer's row (id, name, country, owner).
Alike = tuple[Collision, Any]


@dataclass(frozen=True)
class Entered:
    """A person who was stored. `company` has id, name, owner_id and owner, or is None; `new`: it was not there before.

    `near` are customers that a new one may be: two people would work them without knowing.
    """

    contact_id: int
    company: Any | None
    new: bool
    near: list[Alike] = field(default_factory=list)


async def alike(app: App, values: Mapping[str, str], company_id: int = 0) -> list[Alike]:
    """Return the customers that the one of these values (the import's names) may be, the surest first.

    `company_id` is the customer that was made of them; 0 before.
    """
    domain = values.get("email", "").rpartition("@")[2].lower() or None
    country = country_code(values["country"]) if values.get("country") else None
    phones = (values["phone"],) if values.get("phone") else ()
    return await app.owners.find_collisions(Known(company_id, values.get("company", ""), domain, country, phones))


async def enter(
    app: App,
    values: Mapping[str, str],
    *,
    source: str,
    basis: str,
    now: datetime,
    owner_id: int | None = None,
    company_id: int | None = None,
    evidence: str = "",
) -> Entered:
    """Store a person, or fill what is empty of one who is known by the address; `values` has the import's names.

    `evidence` is what the basis rests on; without it the basis of somebody known stays.
    `company_id` is the customer that they belong to, where it is known: its owner works them. Else the address or the
    name decides, and a customer that is made is compared with the others. Raises RowRefused, LookupError where there
    is no such customer.
    """
    given = dict(values)
    async with app.db.write() as conn:
        chosen = None if company_id is None else await _company(conn, company_id)
        if chosen is not None:
            given.pop("company", None)
        last = await last_company(conn)
        kept = {"source": source, "basis": basis, "evidence": evidence}
        contact = await app.audience.add_contact_in(conn, given, **kept, now=now, owner_id=owner_id)
        if chosen is not None:
            await join(conn, contact, chosen.id, chosen.owner_id, now)
        own = await conn.scalar(select(CONTACTS.c.company_id).where(CONTACTS.c.id == contact))
        company = chosen or (await _company(conn, own) if own is not None else None)
    if company is None or company.id <= last:
        return Entered(contact, company, new=False)
    return Entered(contact, company, new=True, near=await alike(app, values, company.id))


async def _company(conn: AsyncConnection, company_id: int) -> Any:
    columns = (COMPANIES.c.id, COMPANIES.c.name, COMPANIES.c.owner_id, USERS.c.display_name.label("owner"))
    joined = COMPANIES.outerjoin(USERS, USERS.c.id == COMPANIES.c.owner_id)
    live = (COMPANIES.c.id == company_id) & COMPANIES.c.merged_into.is_(None)
    row = (await conn.execute(select(*columns).select_from(joined).where(live))).one_or_none()
    if row is None:
        raise LookupError(f"there is no customer {company_id}")
    return row
