"""How a person is reached, changed by hand: validated in the reader's language, with a way back, on record."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from outreach.model import Contact, EmailAddress
from outreach.model.base import table
from tests.web.house import House
from tests.web.test_customer_file import undo

ADDRESSES, CONTACTS = table(EmailAddress), table(Contact)


async def addresses(house: House, contact: int = 1) -> list[tuple[str, bool]]:
    query = select(ADDRESSES.c.address, ADDRESSES.c.is_primary).where(ADDRESSES.c.contact_id == contact)
    async with house.db.read() as conn:
        return [(row.address, row.is_primary) for row in await conn.execute(query.order_by(ADDRESSES.c.id))]


async def attributes(house: House, contact: int = 1) -> dict[str, Any]:
    async with house.db.read() as conn:
        query = select(CONTACTS.c.attributes, CONTACTS.c.phone).where(CONTACTS.c.id == contact)
        row = (await conn.execute(query)).one()
    return {**row.attributes, "phone": row.phone}


async def test_an_address_is_added_made_primary_removed_and_each_taken_back(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        before = await addresses(house)
        await zhou.post("/contacts/1/addresses", {"address": "katrin@home.example"})
        assert await addresses(house) == [*before, ("katrin@home.example", False)]
        await undo(zhou, "/contacts/1")
        assert await addresses(house) == before
        await zhou.post("/contacts/1/addresses", {"address": "katrin@home.example"})
        async with house.db.read() as conn:
            new = await conn.scalar(select(ADDRESSES.c.id).where(ADDRESSES.c.address == "katrin@home.example"))
        await zhou.post(f"/contacts/1/addresses/{new}/primary")
        assert await addresses(house) == [(before[0][0], False), ("katrin@home.example", True)]
        await undo(zhou, "/contacts/1")
        assert await addresses(house) == [*before, ("katrin@home.example", False)]
        await zhou.post(f"/contacts/1/addresses/{new}/remove")
        assert await addresses(house) == before
        await undo(zhou, "/contacts/1")
        assert await addresses(house) == [*before, ("katrin@home.example", False)]
        for path in (f"/contacts/5/addresses/{new}/remove", "/contacts/1/addresses/99999/primary"):
            assert (await zhou.post(path)).status_code == 404, path
        assert (await zhou.post("/contacts/2/addresses", {"address": "x@home.example"})).status_code == 403


@pytest.mark.parametrize(
    ("lang", "address", "said"),
    [("en", "katrin", "no @ in the address"), ("zh", "katrin", "地址里没有 @"), ("en", "omar.haddad@alsafalumenllc.example",
      "an address belongs to one person"), ("zh", "omar.haddad@alsafalumenllc.example", "一个地址只属于一个人")],
)  # fmt: skip
async def test_an_address_that_cannot_be_says_why(house: House, lang: str, address: str, said: str) -> None:
    async with house.visitor("zhou.yang", lang) as zhou:
        answer = await zhou.post("/contacts/1/addresses", {"address": address})
        assert answer.status_code == 422
        assert said in answer.text
        assert f'value="{address}"' in answer.text  # what was typed is not lost


async def test_an_address_with_mail_under_way_stays(house: House) -> None:
    async with house.visitor("li.na") as li:
        async with house.db.read() as conn:
            from outreach.model import Message

            messages = table(Message)
            query = select(messages.c.contact_id, ADDRESSES.c.id.label("address")).join(
                ADDRESSES,
                (ADDRESSES.c.contact_id == messages.c.contact_id) & (ADDRESSES.c.key == messages.c.address_key),
            )
            row = (await conn.execute(query.where(messages.c.state == "queued").limit(1))).one()
        answer = await li.post(f"/contacts/{row.contact_id}/addresses/{row.address}/remove")
        assert answer.status_code == 409
        assert "under way" in answer.text


@pytest.mark.parametrize(
    ("channel", "typed", "stored"),
    [("whatsapp", "030 901820", "+49 30 901820"), ("wechat", " vogel-licht ", "vogel-licht"),
     ("linkedin", "https://de.linkedin.com/in/katrin-vogel/?x=1", "katrin-vogel"), ("wechat", "", None)],
)  # fmt: skip
async def test_an_account_is_stored_the_way_it_is_used_and_put_back(
    house: House, channel: str, typed: str, stored: str | None
) -> None:
    async with house.visitor("zhou.yang") as zhou:
        before = await attributes(house)
        assert (await zhou.post("/contacts/1/channels", {"channel": channel, "value": typed})).status_code == 303
        assert (await attributes(house)).get(channel) == stored
        await undo(zhou, "/contacts/1")
        assert await attributes(house) == before


@pytest.mark.parametrize(
    ("channel", "typed", "en", "zh"),
    [
        ("whatsapp", "call me", "no telephone number", "无法拨通"),
        ("wechat", "no spaces here", "A WeChat ID", "微信号"),
        ("linkedin", "https://evil.example/in/x", "linkedin.com/in/NAME", "linkedin.com/in/"),
    ],
)
async def test_an_account_that_cannot_be_says_why(house: House, channel: str, typed: str, en: str, zh: str) -> None:
    for lang, said in (("en", en), ("zh", zh)):
        async with house.visitor("zhou.yang", lang) as zhou:
            answer = await zhou.post("/contacts/1/channels", {"channel": channel, "value": typed})
            assert answer.status_code == 422
            assert said in answer.text
    assert (await zhou_post(house, {"channel": "fax", "value": "1"})) == 404


async def zhou_post(house: House, form: dict[str, str]) -> int:
    async with house.visitor("zhou.yang") as zhou:
        return (await zhou.post("/contacts/1/channels", form)).status_code


async def test_one_persons_opens_and_clicks_are_not_counted_any_more(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        assert "Do not count them any more" in (await zhou.get("/contacts/1")).text
        for counted in (False, True):
            assert (await zhou.post("/contacts/1/tracking", {"counted": "1" if counted else ""})).status_code == 303
            async with house.db.read() as conn:
                assert await conn.scalar(select(CONTACTS.c.tracking).where(CONTACTS.c.id == 1)) is counted
            assert ("are not counted" in (await zhou.get("/contacts/1")).text) is not counted
        assert (await zhou.post("/contacts/2/tracking", {"counted": ""})).status_code == 403


async def test_a_telephone_number_is_normalised_or_refused_on_both_pages(house: House) -> None:
    async with house.visitor("zhou.yang") as zhou:
        await zhou.post("/contacts/1/edit", {"field": "phone", "value": "(030) 90 18-21"})
        assert (await attributes(house))["phone"] == "+49 30 901821"
        assert 'href="tel:+49-30-901821"' in (await zhou.get("/contacts/1")).text
        for path in ("/contacts/1/edit", "/customers/1/edit"):
            answer = await zhou.post(path, {"field": "phone", "value": "call me"})
            assert answer.status_code == 422
            assert "no telephone number" in answer.text
        answer = await zhou.post("/contacts/1/edit", {"field": "country", "value": "Atlantis"})
        assert answer.status_code == 422
        assert "no country of this name" in answer.text
