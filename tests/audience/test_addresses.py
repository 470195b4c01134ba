"""A person's addresses by hand: one primary, no address of two people, none taken away under a mail's feet."""

from __future__ import annotations

from datetime import datetime

import pytest
from sqlalchemy import insert, select, update

from outreach.audience.addresses.store import AddressTaken
from outreach.audience.hygiene import AddressRefused
from outreach.audience.store import AudienceStore
from outreach.db.session import Database
from outreach.model import Campaign, CampaignRecipient, EmailAddress, Message
from outreach.model.base import table
from outreach.suppression.store import suppress

SECRET = b"k" * 32
ADDRESSES, MESSAGES = table(EmailAddress), table(Message)


def store_of(db: Database) -> AudienceStore:
    return AudienceStore(db, SECRET, roles=frozenset({"info"}), suppress=suppress)


async def person(store: AudienceStore, address: str, now: datetime) -> int:
    return await store.add_contact({"email": address, "company": "Brandt"}, source="fair", now=now)


async def listed(db: Database, contact: int) -> list[tuple[str, bool, bool]]:
    columns = (ADDRESSES.c.address, ADDRESSES.c.is_primary, ADDRESSES.c.is_role)
    query = select(*columns).where(ADDRESSES.c.contact_id == contact).order_by(ADDRESSES.c.id)
    async with db.read() as conn:
        return [tuple(row) for row in await conn.execute(query)]  # type: ignore[misc]


async def id_of(db: Database, address: str) -> int:
    async with db.read() as conn:
        return int((await conn.execute(select(ADDRESSES.c.id).where(ADDRESSES.c.address == address))).scalar_one())


async def test_addresses_are_added_cleaned_and_one_is_primary(db: Database, now: datetime) -> None:
    store = store_of(db)
    kim = await person(store, "kim@brandt.example", now)
    await store.add_address(kim, " Kim Brandt <Kim@home.example> ", now)
    await store.add_address(kim, "info@brandt.example", now)
    assert await listed(db, kim) == [
        ("kim@brandt.example", True, False), ("Kim@home.example", False, False), ("info@brandt.example", False, True),
    ]  # fmt: skip
    was = await store.make_primary(kim, await id_of(db, "Kim@home.example"))
    assert [row[1] for row in await listed(db, kim)] == [False, True, False]
    assert was == await id_of(db, "kim@brandt.example")
    assert await store.find("kim@HOME.example") == kim


@pytest.mark.parametrize(
    ("text", "code"),
    [("", "no_address"), ("kim", "no_at"), ("a@b@c.example", "two_at"), ("kim@nowhere.invalid", "special_domain"),
     ("kim@brandt.example", "address_taken"), ("KIM@Brandt.example", "address_taken")],
)  # fmt: skip
async def test_what_is_no_address_or_somebodys_is_refused(db: Database, now: datetime, text: str, code: str) -> None:
    store = store_of(db)
    await person(store, "kim@brandt.example", now)
    other = await person(store, "lee@other.example", now)
    with pytest.raises(AddressRefused) as refused:
        await store.add_address(other, text, now)
    assert refused.value.code == code
    assert len(await listed(db, other)) == 1


async def test_who_was_erased_does_not_come_back_by_hand(db: Database, now: datetime) -> None:
    store = store_of(db)
    await person(store, "kim@brandt.example", now)
    lee = await person(store, "lee@other.example", now)
    await store.erase("kim@brandt.example", now=now)
    with pytest.raises(AddressRefused) as refused:
        await store.add_address(lee, "Kim@Brandt.example", now)
    assert refused.value.code == "erased"


async def test_a_removed_address_comes_back_with_all_that_was_known_of_it(db: Database, now: datetime) -> None:
    store = store_of(db)
    kim = await person(store, "kim@brandt.example", now)
    await store.add_address(kim, "kim@home.example", now)
    first = await id_of(db, "kim@brandt.example")
    async with db.write() as conn:
        bounced = {"bounced_at": now, "soft_bounces": 2, "mx": "ok"}
        await conn.execute(update(ADDRESSES).where(ADDRESSES.c.id == first).values(**bounced))
    kept = await store.remove_address(kim, first)
    assert await listed(db, kim) == [("kim@home.example", True, False)]  # mail has somewhere to go
    with pytest.raises(LookupError):
        await store.remove_address(kim, first)
    await store.restore_address(kept)
    assert sorted(await listed(db, kim)) == [("kim@brandt.example", True, False), ("kim@home.example", False, False)]
    async with db.read() as conn:
        row = (await conn.execute(select(ADDRESSES).where(ADDRESSES.c.id == first))).one()
    assert (row.bounced_at, row.soft_bounces, row.mx) == (now, 2, "ok")
    kept = await store.remove_address(kim, first)
    lee = await person(store, "kim@brandt.example", now)
    with pytest.raises(AddressTaken) as taken:
        await store.restore_address(kept)
    assert taken.value.contact_id == lee


@pytest.mark.parametrize("state", ["queued", "in_doubt", "sent"])
async def test_an_address_stays_while_mail_to_it_may_leave(db: Database, now: datetime, state: str) -> None:
    store = store_of(db)
    kim = await person(store, "kim@brandt.example", now)
    address = await id_of(db, "kim@brandt.example")
    async with db.write() as conn:
        made = insert(Campaign).values(
            name="x", segment="true", state="approved", created_at=now, definition={}, goal="", kind="campaign"
        )
        campaign = int((await conn.execute(made.returning(Campaign.id))).scalar_one())  # type: ignore[call-overload]
        await conn.execute(insert(CampaignRecipient).values(
            campaign_id=campaign, contact_id=kim, address_id=address, address="kim@brandt.example",
        ))  # fmt: skip
    with pytest.raises(AddressRefused) as refused:  # approved: the audience is frozen
        await store.remove_address(kim, address)
    assert refused.value.code == "address_in_use"
    async with db.write() as conn:
        key = (await conn.execute(select(ADDRESSES.c.key).where(ADDRESSES.c.id == address))).scalar_one()
        await conn.execute(insert(MESSAGES).values(
            uid="u", message_id="m", campaign_id=campaign, contact_id=kim, address="kim@brandt.example",
            address_key=key, domain="brandt.example", state=state, due_at=now,
        ))  # fmt: skip
    if state == "sent":
        await store.remove_address(kim, address)
        async with db.read() as conn:
            row = (await conn.execute(select(table(CampaignRecipient)))).one()
        assert (row.address_id, row.address) == (None, "kim@brandt.example")
        return
    with pytest.raises(AddressRefused):
        await store.remove_address(kim, address)


async def test_an_attribute_is_set_and_taken_away_beside_the_others(db: Database, now: datetime) -> None:
    store = store_of(db)
    kim = await store.add_contact({"email": "kim@brandt.example", "attr.hall": "4"}, source="fair", now=now)
    assert await store.set_attribute(kim, "wechat", "kim_brandt", now) is None
    assert await store.set_attribute(kim, "wechat", "kim-b", now) == "kim_brandt"
    view = await store.get(kim)
    assert view is not None
    assert view.values["attributes"] == {"hall": "4", "wechat": "kim-b"}
    assert await store.set_attribute(kim, "wechat", None, now) == "kim-b"
    view = await store.get(kim)
    assert view is not None
    assert view.values["attributes"] == {"hall": "4"}
    with pytest.raises(LookupError):
        await store.set_attribute(999, "wechat", "x", now)
