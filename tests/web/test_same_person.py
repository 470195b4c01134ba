"""Two contacts are made one on their page: searched for, compared, merged, undone, and refused to whom it is not given."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from outreach.access.roles import OPERATOR
from outreach.app.campaigns import limits_in_force
from outreach.app.same_person import merge_contacts
from outreach.campaigns.fingerprint.store import fingerprint
from outreach.model import AuditEntry, Campaign, CampaignRecipient, Contact, EmailAddress
from outreach.model.base import table
from tests.web.house import House

CONTACTS, ADDRESSES, ENTRIES = table(Contact), table(EmailAddress), table(AuditEntry)


async def owner_of(house: House, address_of: int) -> list[int]:
    async with house.db.read() as conn:
        query = select(ADDRESSES.c.id).where(ADDRESSES.c.contact_id == address_of).order_by(ADDRESSES.c.id)
        return list((await conn.execute(query)).scalars())


async def contact(house: House, number: int) -> Any:
    async with house.db.read() as conn:
        return (await conn.execute(select(CONTACTS).where(CONTACTS.c.id == number))).one()


@pytest.mark.parametrize(("lang", "words"), [("en", "what will stand"), ("zh", "合并结果")])
async def test_the_other_is_found_compared_merged_and_undone(house: House, lang: str, words: str) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == 3).values(phone=None, last_name="Zwilling"))
        await conn.execute(
            update(CONTACTS).where(CONTACTS.c.id == 4).values(phone="+49 30 77", last_name="Zwilling", tracking=False)
        )
    before, mine, theirs = await contact(house, 4), await owner_of(house, 3), await owner_of(house, 4)
    async with house.visitor("sun.qian", lang) as sun:
        assert "/contacts/3/merge" in (await sun.get("/contacts/3")).text
        found = (await sun.get("/contacts/3/merge?q=Zwilling")).text
        assert "/contacts/3/merge?other=4" in found
        assert "/contacts/3/merge?other=3" not in found
        both = (await sun.get("/contacts/3/merge?other=4")).text
        assert words in both
        assert "+49 30 77" in both
        assert (await sun.post("/contacts/3/merge", {"other": "4"})).headers["location"] == "/contacts/3"
        assert sorted(await owner_of(house, 3)) == sorted(mine + theirs)
        assert ((await contact(house, 3)).phone, (await contact(house, 3)).tracking) == ("+49 30 77", False)
        async with house.db.read() as conn:
            last = (await conn.execute(select(ENTRIES).order_by(ENTRIES.c.id.desc()).limit(1))).one()
        assert (last.action, last.object_id, last.before) == (
            "contact.merged", "3", {"keep": 3, "drop": 4, "merged_into": None},
        )  # fmt: skip
        assert last.after["merged_into"] == 3
        assert "Zwilling" not in repr(last.after)
        signed = (await sun.get("/contacts/3")).text.split('name="undo" value="')[1].split('"')[0]
        assert (await sun.get("/contacts/4")).headers["location"] == "/contacts/3"
        assert (await sun.get("/contacts/4/merge")).status_code == 404
        assert (await sun.post("/contacts/3/merge", {"other": "4"})).status_code == 404
        assert (await sun.post("/undo", {"undo": signed, "next": "/contacts/3"})).status_code == 303
        assert await owner_of(house, 4) == theirs
        back = dict((await contact(house, 4))._mapping)
        assert back | {"updated_at": None} == dict(before._mapping) | {"updated_at": None}
        assert (await sun.get("/contacts/4")).status_code == 200


async def test_what_was_changed_since_is_told_and_stays(house: House) -> None:
    async with house.visitor("sun.qian") as sun:
        await sun.post("/contacts/3/merge", {"other": "4"})
        page = (await sun.get("/contacts/3")).text
        signed = page.split('name="undo" value="')[1].split('"')[0]
        house.now += timedelta(seconds=1)
        await sun.post("/contacts/3/edit", {"field": "city", "value": "Lyon"})
        answer = await sun.post("/undo", {"undo": signed, "next": "/contacts/3"})
        assert answer.status_code == 409
        assert (await contact(house, 3)).city == "Lyon"


async def test_both_must_be_within_reach(house: House) -> None:
    zhou_yang = await house.outreach.access.user("zhou.yang")
    assert zhou_yang is not None
    async with house.db.write() as conn:
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == 3).values(owner_id=zhou_yang.id))
        await conn.execute(update(CONTACTS).where(CONTACTS.c.id == 4).values(owner_id=10, last_name="Zwilling"))
    async with house.visitor("zhou.yang") as zhou:
        assert (await zhou.get("/contacts/3/merge")).status_code == 200
        assert "other=4" not in (await zhou.get("/contacts/3/merge?q=Zwilling")).text
        assert (await zhou.get("/contacts/3/merge?other=4")).status_code == 403
        assert (await zhou.post("/contacts/3/merge", {"other": "4"})).status_code == 403
        assert (await zhou.post("/contacts/3/merge", {"other": "3"})).status_code == 409
        assert (await zhou.get("/contacts/3/merge?other=x")).status_code == 404
    assert (await contact(house, 4)).erased_at is None


async def test_an_approval_that_held_holds_for_the_audience_without_the_double(house: House) -> None:

    campaigns, recipients = table(Campaign), table(CampaignRecipient)
    limits = limits_in_force(house.outreach)
    async with house.db.write() as conn:
        query = select(recipients.c.campaign_id, recipients.c.contact_id).order_by(recipients.c.id)
        rows = (await conn.execute(query)).all()
        number = rows[0].campaign_id
        one, other = [row.contact_id for row in rows if row.campaign_id == number][:2]
        await conn.execute(update(campaigns).where(campaigns.c.id == number).values(state="scheduled"))
        digest = await fingerprint(conn, number, limits)
        await conn.execute(update(campaigns).where(campaigns.c.id == number).values(approved_hash=digest))
    await merge_contacts(house.outreach, one, other, OPERATOR, house.now)
    async with house.db.read() as conn:
        bound = await conn.scalar(select(campaigns.c.approved_hash).where(campaigns.c.id == number))
        assert bound == await fingerprint(conn, number, limits)
