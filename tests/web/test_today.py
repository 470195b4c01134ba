"""The first page shows what is in the database."""

from __future__ import annotations

import re

import pytest

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


async def test_late_work_corrections_and_unread_mailboxes_are_in_sight(house: House) -> None:
    """The manager sees what is late, an owner takes a correction over by a press, nobody overlooks a dead inbox."""
    from sqlalchemy import insert, select, update

    from outreach.app.escalation import escalate
    from outreach.model import Contact, EmailAddress, Mailbox, Task
    from outreach.model.base import table

    tasks, mailboxes, addresses = table(Task), table(Mailbox), table(EmailAddress)
    await escalate(house.outreach, house.now)
    async with house.db.write() as conn:
        who = (await conn.execute(select(table(Contact)).where(table(Contact).c.owner_id.is_not(None)).limit(1))).one()
        proposal = {"change": "another_address", "address": "new@elsewhere.example", "name": ""}
        values = {"kind": "address_book", "title": "Check the address", "contact_id": who.id, "owner_id": who.owner_id}
        made = insert(tasks).values(
            **values, state="open", due_at=house.now, created_at=house.now, data={"proposal": proposal}
        )
        number = (await conn.execute(made.returning(tasks.c.id))).scalar_one()
        await conn.execute(update(mailboxes).where(mailboxes.c.id == 1).values(last_error="sales was refused"))
    async with house.visitor("sun.qian") as visitor:
        text = (await visitor.get("/?scope=all")).text
        assert "Late (" in text
        assert "sales was refused" in text
        assert f"/follow-ups/{number}/accept" in text
        assert (await visitor.post(f"/follow-ups/{number}/accept")).status_code == 303
        assert (await visitor.post(f"/follow-ups/{number}/accept")).status_code == 409
    async with house.db.read() as conn:
        added = select(addresses.c.contact_id).where(addresses.c.normal == "new@elsewhere.example")
        assert await conn.scalar(added) == who.id


async def test_what_sending_warned_of_is_on_the_first_page_once_with_its_remedy(house: House) -> None:
    from datetime import timedelta

    from sqlalchemy import insert

    from outreach.model import Activity
    from outreach.model.base import table

    def warned(reason: str, hours: float, box: int, detail: str = "") -> dict[str, object]:
        data = {"mailbox_id": box, "mailbox": "sales", "reason": reason, "detail": detail, "campaign_id": None}
        return {"kind": "warning", "at": house.now - timedelta(hours=hours), "text": reason, "data": data}

    rows = [warned("throttled", 1, 1), warned("throttled", 2, 1), warned("link-lost", 90, 1), warned("new-code", 1, 2, "451 odd")]  # fmt: skip
    async with house.db.write() as conn:
        await conn.execute(insert(table(Activity)), rows)
    async with house.visitor("li.na", "zh") as visitor:
        text = (await visitor.get("/")).text
        assert text.count("服务商要求放慢发送") == 1, "twice is one line"
        assert "2 次" in text
        assert "451 odd" in text, "a code without words is told by its detail"
        assert "连接连续多次中断" not in text, "older than two days"
    async with house.visitor("zhou.yang") as visitor:
        text = (await visitor.get("/")).text
        assert "451 odd" not in text, "not the salesperson's mailbox"


@pytest.mark.parametrize(
    ("path", "entry"),
    [("/", "/"), ("/contacts/1", "/customers"), ("/template-layout", "/templates"), ("/doubt", "/campaigns")],
)
async def test_the_side_bar_shows_where_one_is(house: House, path: str, entry: str) -> None:
    async with house.visitor("li.na") as visitor:
        page = (await visitor.get(path)).text
    assert re.findall(r'class="nav-link" href="([^"]+)" aria-current="page"', page) == [entry]
