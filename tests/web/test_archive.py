"""Archived mails on the page: who may see them, how their files are saved, and that nothing in them acts."""

from __future__ import annotations

from sqlalchemy import update

from outreach.model import Contact, InboundMail, Message
from outreach.model.base import table
from tests.web.house import House
from tests.web.seed import LEFT, ORDERED

INBOUND, CONTACTS, MESSAGES = table(InboundMail), table(Contact), table(Message)


async def test_an_attachment_is_listed_with_its_mail_and_saved_as_it_came(house: House) -> None:
    async with house.visitor("wu.hao") as visitor:
        for page in ("/inbox/2", "/inbox/archive/77"):
            shown = (await visitor.get(page)).text
            assert 'href="/inbox/archive/77/files/1"' in shown
            assert "order 4711.html" in shown
        file = await visitor.get("/inbox/archive/77/files/1")
        assert file.content == b"<script>alert(2)</script>"
        assert file.headers["content-disposition"] == "attachment; filename*=UTF-8''order%204711.html"
        assert file.headers["content-type"] == "application/octet-stream"
        assert file.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in file.headers["content-security-policy"]
        whole = await visitor.get("/inbox/archive/77/mail.eml")
        assert whole.content == ORDERED
        assert whole.headers["content-disposition"].startswith("attachment")
        assert (await visitor.get("/inbox/archive/77/files/2")).status_code == 404
        assert (await visitor.get("/inbox/archive/999")).status_code == 404


async def test_nothing_acts_and_the_links_of_our_own_mails_lead_nowhere(house: House) -> None:
    async with house.visitor("wu.hao") as visitor:
        came = (await visitor.get("/inbox/archive/77/original")).text
        left = (await visitor.get("/inbox/archive/78/original")).text
        assert "<script" not in came
        assert 'href="https://buyer.example/"' in came
        assert "Unsubscribe" in left
        assert "TOKEN" not in left, "a press here would unsubscribe the customer"
        assert (await visitor.get("/inbox/archive/78/mail.eml")).content == LEFT


async def test_a_sent_campaign_mail_is_found_and_opened(house: House) -> None:
    async with house.visitor("wu.hao") as visitor:
        assert 'href="/inbox/archive/78"' in (await visitor.get("/search?q=frankfurt")).text
        page = (await visitor.get("/inbox/archive/78")).text
        assert "p1@buyer.example" in page
        assert 'href="/campaigns/1"' in page
    async with house.visitor("wu.hao", "zh") as visitor:
        assert "保存整封邮件" in (await visitor.get("/inbox/archive/78")).text


async def test_the_rules_are_those_of_the_mail(house: House) -> None:
    """zhou.yang sees own customers' mail alone."""
    paths = ("", "/original", "/files/1", "/mail.eml")
    async with house.visitor("zhou.yang") as visitor:
        for owner, status in ((5, 200), (7, 403)):
            async with house.db.write() as conn:
                await conn.execute(update(INBOUND).where(INBOUND.c.id == 2).values(owner_id=owner))
            assert (await visitor.get("/inbox/2")).status_code == status
            for path in paths:
                assert (await visitor.get(f"/inbox/archive/77{path}")).status_code == status, path


async def test_a_mail_that_could_not_be_read_is_never_parsed_for_a_page(house: House) -> None:
    async with house.visitor("wu.hao") as visitor:
        assert "not kept any more" in (await visitor.get("/inbox/901/original")).text
        for path in ("", "/original", "/files/1", "/mail.eml"):
            assert (await visitor.get(f"/inbox/archive/1{path}")).status_code == 404
