"""H4 and A4 together: erasing one person stops nothing for the others, and hides no change of the audience."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from outreach.access.roles import OPERATOR
from outreach.app.campaigns import demand_approval, limits_in_force
from outreach.app.erasure import erase_person
from outreach.campaigns.fingerprint.store import fingerprint
from outreach.campaigns.store import CampaignError
from outreach.db.session import Database
from outreach.model import Campaign, CampaignRecipient, EmailAddress
from outreach.model.base import table
from tests.web.conftest import seeded as seeded
from tests.web.house import House

CAMPAIGNS, RECIPIENTS, ADDRESSES = table(Campaign), table(CampaignRecipient), table(EmailAddress)


@pytest.fixture
async def house(seeded: Path, tmp_path: Path) -> AsyncIterator[House]:
    """A running campaign whose approval holds."""
    path = tmp_path / "house.db"
    shutil.copy(seeded, path)
    built = House(Database(f"sqlite:///{path}"))
    async with built.db.write() as conn:
        digest = await fingerprint(conn, 1, limits_in_force(built.outreach))
        await conn.execute(update(CAMPAIGNS).where(CAMPAIGNS.c.id == 1).values(approved_hash=digest))
    yield built
    await built.db.close()


async def somebody(house: House) -> Any:
    query = (
        select(ADDRESSES.c.address, ADDRESSES.c.contact_id)
        .join(RECIPIENTS, RECIPIENTS.c.contact_id == ADDRESSES.c.contact_id)
        .where(RECIPIENTS.c.campaign_id == 1)
        .order_by(ADDRESSES.c.id)
        .limit(1)
    )
    async with house.db.read() as conn:
        return (await conn.execute(query)).one()


async def test_the_others_still_get_what_was_approved(house: House) -> None:
    person = await somebody(house)
    assert (await erase_person(house.outreach, person.address, OPERATOR, house.now)).found
    (entry,) = await house.outreach.access.entries(limit=1, where={"action": "contact.erased"})
    assert entry.object_id == str(person.contact_id), "the trail says who, by number"
    async with house.db.write() as conn:
        await demand_approval(house.outreach, conn, 1)
        left = (
            await conn.execute(select(RECIPIENTS.c.address).where(RECIPIENTS.c.contact_id == person.contact_id))
        ).all()
    assert person.address not in {row.address for row in left}


async def test_it_hides_no_edit(house: House) -> None:
    person = await somebody(house)
    async with house.db.write() as conn:
        other = (RECIPIENTS.c.campaign_id == 1) & (RECIPIENTS.c.contact_id != person.contact_id)
        await conn.execute(update(RECIPIENTS).where(other).values(address="smuggled@elsewhere.example"))
    await erase_person(house.outreach, person.address, OPERATOR, house.now)
    async with house.db.write() as conn:
        with pytest.raises(CampaignError, match="changed after it was approved"):
            await demand_approval(house.outreach, conn, 1)


async def test_who_has_no_address_any_more_is_told_everything_and_erased_all_the_same(house: House) -> None:
    person = await somebody(house)
    async with house.db.write() as conn:
        await conn.execute(
            update(RECIPIENTS).where(RECIPIENTS.c.contact_id == person.contact_id).values(address_id=None)
        )
        await conn.execute(delete(ADDRESSES).where(ADDRESSES.c.contact_id == person.contact_id))
    async with house.visitor("zhao.min") as visitor:
        told = await visitor.post(f"/contacts/{person.contact_id}/export")
        assert told.json()["contact"]["id"] == person.contact_id
        assert (await visitor.post(f"/contacts/{person.contact_id}/erase")).status_code == 303
        assert (await visitor.post(f"/contacts/{person.contact_id}/export")).status_code == 404, "nobody is left"
    assert await house.outreach.suppression.check(person.address), "where mails went is never mailed again"
    async with house.db.write() as conn:
        await demand_approval(house.outreach, conn, 1)
