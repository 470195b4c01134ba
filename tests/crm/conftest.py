"""A small company: three salespeople, a manager, customer service, three customers. On SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from outreach.access.roles import Actor, Role
from outreach.db.session import Database
from outreach.model import Company, Contact, EmailAddress, User
from outreach.model.keys import address_key
from tests.events.seeds import SECRET, add
from tests.fakes.schema import make_tables

NOW = datetime(2026, 11, 24, 2, 0, tzinfo=UTC)  # Tuesday, 10:00 in Shanghai
STAFF = {
    "zhou": ["salesperson"],
    "wang": ["salesperson"],
    "sun": ["manager"],
    "wu": ["customer_service"],
    "he": ["manager"],
}


@dataclass
class Firm:
    """Ids by name, and who acts."""

    db: Database
    users: dict[str, int]
    companies: dict[str, int]
    contacts: dict[str, int]

    def actor(self, name: str) -> Actor:
        return Actor(self.users[name], name, frozenset(Role(role) for role in STAFF[name]), authorised=True)


@pytest.fixture
async def firm(database_url: str) -> AsyncIterator[Firm]:
    db = Database(database_url)
    await make_tables(db)
    built = Firm(db, {}, {}, {})
    async with db.write() as conn:
        for name, roles in STAFF.items():
            built.users[name] = await add(
                conn, User, name=name, display_name=name, roles=roles, regions=[], created_at=NOW,
                authorised_until=datetime(2027, 1, 1, tzinfo=UTC),
            )  # fmt: skip
        for name, country, region, owner in (
            ("Brandt", "DE", "Europe", "zhou"),
            ("Safa", "AE", "Middle East", "wang"),
            ("Aurora", "BR", "Americas", None),
        ):
            domain = f"{name.lower()}.example"
            company = await add(
                conn, Company, name=f"{name} Lighting GmbH", domain=domain, key=f"d:{domain}", country=country,
                region=region, industry="lighting", owner_id=built.users.get(owner or ""), created_at=NOW,
                source="Canton Fair 2026 hall 4", attributes={},
            )  # fmt: skip
            contact = await add(
                conn, Contact, company_id=company, first_name="Kim", last_name=name, country=country, region=region,
                source="Canton Fair 2026 hall 4", owner_id=built.users.get(owner or ""), created_at=NOW, attributes={},
                language="de" if country == "DE" else "en",
            )  # fmt: skip
            address = f"kim@{domain}"
            await add(
                conn, EmailAddress, contact_id=contact, address=address, normal=address, domain=domain,
                key=address_key(address, SECRET), created_at=NOW,
            )  # fmt: skip
            built.companies[name], built.contacts[name] = company, contact
    yield built
    await db.close()
