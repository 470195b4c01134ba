"""Mails that could not be read: who may see them, what their source looks like, and what reading again does."""

from __future__ import annotations

from sqlalchemy import select, update

from outreach.model import ArchivedMail, AuditEntry, InboundMail
from outreach.model.base import table
from outreach.web.pages.quarantine import meaning, visible
from tests.web.house import House

INBOUND, ARCHIVE, AUDIT = table(InboundMail), table(ArchivedMail), table(AuditEntry)
GOOD = (
    b"From: anna@buyer.example\r\nTo: sales@minxu-lighting.example\r\nSubject: Re: LED\r\nMessage-ID: <q1@buyer.example>\r\n"
    b"In-Reply-To: <x@y.example>\r\nDate: Tue, 3 Nov 2026 09:13:02 +0800\r\n\r\nPlease quote 200 pieces.\r\n"
)


async def test_the_list_says_why_and_what_to_do(house: House) -> None:
    async with house.visitor("wu.hao") as visitor:
        page = (await visitor.get("/inbox/quarantine")).text
        assert "Reading it took too long" in page
        assert "Too large: only its headers were read." in page
        assert "hung up three times" in page
        assert page.count('/read"') == 3
        assert page.count("#source") == 2
        assert "3 mails could not be read" in (await visitor.get("/inbox")).text
        assert 'href="/inbox/901' not in (await visitor.get("/inbox?show=other")).text
    async with house.visitor("wu.hao", "zh") as visitor:
        assert "读取超时" in (await visitor.get("/inbox/quarantine")).text


async def test_who_may_not_sees_neither_list_nor_source(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        assert (await visitor.get("/inbox/quarantine")).status_code == 403
        assert (await visitor.get("/inbox/quarantine/901/source")).status_code == 403
        assert (await visitor.post("/inbox/quarantine/901/read")).status_code == 403
        assert "could not be read" not in (await visitor.get("/inbox")).text


async def test_the_source_is_text_in_which_nothing_acts(house: House) -> None:
    async with house.visitor("wu.hao") as visitor:
        page = await visitor.get("/inbox/quarantine/901/source")
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page.text
        assert "<script" not in page.text
        assert "[U+001B]" in page.text
        assert "[U+202E]" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert "no source to look at" in (await visitor.get("/inbox/quarantine/903/source")).text
        assert (await visitor.get("/inbox/quarantine/1/source")).status_code == 404, "a mail that was read has its page"


def test_a_long_source_is_cut_and_odd_bytes_do_not_raise() -> None:
    assert len(visible(b"a" * 300_000)) == 200_000
    assert visible(b"\xff\x00ok\r\n\ttab") == "\ufffd[U+0000]ok\n\ttab"


def test_every_reason_that_the_reader_gives_has_words() -> None:
    assert meaning("something new") == meaning(None)
    assert meaning("could not be filed: DataError") != meaning(None)


async def test_reading_again_files_what_can_be_read_now(house: House) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(ARCHIVE).where(ARCHIVE.c.inbound_id == 901).values(raw=GOOD))
    async with house.visitor("wu.hao") as visitor:
        answer = await visitor.post("/inbox/quarantine/901/read")
        assert answer.headers["location"] == "/inbox/quarantine"
        assert "Read and filed" in (await visitor.get("/inbox/quarantine")).text
        assert (await visitor.post("/inbox/quarantine/901/read")).status_code == 404
    async with house.db.read() as conn:
        mail = (await conn.execute(select(INBOUND).where(INBOUND.c.from_address == "anna@buyer.example"))).one()
        assert (mail.state, mail.kind, mail.intent) == ("new", "reply", "price")
        trail = (await conn.execute(select(AUDIT.c.after).where(AUDIT.c.action == "inbound.read-again"))).all()
        assert [entry.after for entry in trail] == [{"filed": True}]


async def test_what_still_cannot_be_read_stays_and_says_so(house: House) -> None:
    async with house.visitor("wu.hao") as visitor:
        answer = await visitor.post("/inbox/quarantine/903/read")
        assert answer.status_code == 409
        assert "It still cannot be read." in answer.text
    async with house.db.read() as conn:
        assert (await conn.execute(select(INBOUND.c.state).where(INBOUND.c.id == 903))).scalar_one() == "quarantined"
