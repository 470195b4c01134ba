"""The first page shows what is in the database."""

from __future__ import annotations

from tests.web.house import House


async def test_replies_tasks_campaigns_and_mailboxes_are_there(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        text = (await visitor.get("/")).text
        assert "Katrin Vogel" in text
        assert "late by 2 h" in text
        assert "1 reply is late" in text
        assert "报价 Q-2611 已发 5 天" in text
    async with house.visitor("li.na") as visitor:
        text = (await visitor.get("/")).text
        assert "2027 法兰克福照明展邀请" in text
        assert "3 mails in doubt" in text
        assert "waits for Legal" in text
        assert "sales@" in text


async def test_the_live_part_is_a_part(house: House) -> None:
    async with house.visitor("li.na") as visitor:
        part = (await visitor.get("/live/campaigns", headers={"hx-request": "true"})).text
        assert "<html" not in part
        assert 'hx-trigger="every 5s"' in part


async def test_an_empty_house_says_what_to_do_first(sqlite_url: str) -> None:
    from outreach.access.store import NewUser
    from outreach.model import Role
    from tests.web.house import open_house
    from tests.web.seed import password_hash

    house = await open_house(sqlite_url, seeded=False)
    await house.outreach.access.add_user(
        NewUser("li.na", [Role.MARKETER], password_hash()), now=house.now, authorise=True
    )
    async with house.visitor("li.na") as visitor:
        text = (await visitor.get("/")).text
        assert "First steps" in text
        assert 'href="/contacts/import?guide=1"' in text
    await house.db.close()
