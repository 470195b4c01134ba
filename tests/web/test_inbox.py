"""Answering, closing, handing over and unsubscribing, against a real SMTP server on loopback."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from outreach.db import instance
from outreach.model import AuditEntry, Company, Contact, InboundMail, Mailbox, Message, Suppression, Task, Ticket, User
from outreach.model.base import table
from tests.fakes.smtp import ScriptedSMTP, drop, reply
from tests.web.house import House

INBOUND, TASKS, SUPPRESSION, ENTRIES = table(InboundMail), table(Task), table(Suppression), table(AuditEntry)
USERS, BOXES = table(User), table(Mailbox)
COMPANIES = table(Company)


async def one(house: House, model: Any, number: int) -> Any:
    async with house.db.read() as conn:
        return (await conn.execute(select(model).where(model.c.id == number))).one()


async def test_an_answer_leaves_once_in_its_thread(sending: House, scripted_smtp: ScriptedSMTP) -> None:
    async with sending.db.write() as conn:
        await conn.execute(update(INBOUND).where(INBOUND.c.id == 1).values(message_id=1))
    ours = (await one(sending, table(Message), 1)).message_id
    async with sending.visitor("zhou.yang") as visitor:
        answer = await visitor.post("/inbox/1/answer", {"text": "Dear Ms Vogel,\nour price is 3.20 €."})
        assert answer.headers["location"] == "/inbox"
        again = await visitor.post("/inbox/1/answer", {"text": "twice"})
        assert (again.status_code, "answered this mail already" in again.text) == (409, True)
    (sent,) = scripted_smtp.messages
    mail = message_from_bytes(sent.data, policy=default)
    assert mail["In-Reply-To"] == "<in1@x.example>"
    assert mail["References"] == f"<{ours}> <in1@x.example>"
    assert mail["From"].addresses[0].addr_spec == "sales@minxu-lighting.example"
    assert "our price is 3.20 €" in mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    async with sending.db.read() as conn:
        recorded = (
            await conn.execute(select(ENTRIES.c.after).where(ENTRIES.c.action == "inbound.answered"))
        ).scalar_one()
    assert recorded == {"outcome": "sent"}, "what the server said may name the person"
    row, task = await one(sending, INBOUND, 1), await one(sending, TASKS, 1)
    assert (row.state, row.answered_at, task.state, task.outcome) == ("closed", sending.now, "done", "answered")


async def test_a_refused_answer_waits_again_with_its_text(sending: House, scripted_smtp: ScriptedSMTP) -> None:
    scripted_smtp.on("RCPT", reply("550 5.7.1 refused"))
    async with sending.visitor("zhou.yang") as visitor:
        answer = await visitor.post("/inbox/1/answer", {"text": "my careful words"})
        assert answer.status_code == 502
        assert "my careful words" in answer.text
        assert "refused" in answer.text
    row = await one(sending, INBOUND, 1)
    assert (row.state, row.answered_at) == ("new", None)


async def test_a_server_that_hangs_up_after_the_dot_leaves_it_in_doubt(
    sending: House, scripted_smtp: ScriptedSMTP
) -> None:
    scripted_smtp.on("DOT", drop(accept=True))
    async with sending.visitor("zhou.yang") as visitor:
        assert (await visitor.post("/inbox/1/answer", {"text": "hello"})).status_code == 303
        assert "nobody knows whether the answer arrived" in (await visitor.get("/inbox")).text
    assert (await one(sending, INBOUND, 1)).state == "closed"
    assert len(scripted_smtp.messages) == 1


async def test_closing_and_undo(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        await visitor.post("/inbox/2/close")
        assert (await one(house, INBOUND, 2)).state == "closed"
        page = (await visitor.get("/inbox")).text
        undo = page.split('name="undo" value="')[1].split('"')[0]
        await visitor.post("/undo", {"undo": undo, "next": "/inbox"})
        assert (await one(house, INBOUND, 2)).state == "new"
        assert (await one(house, TASKS, 2)).state == "open"


async def test_handing_over_moves_mail_and_task(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        await visitor.post("/inbox/3/hand-over", {"owner": "7", "note": "a complaint"})
        assert (await one(house, INBOUND, 3)).owner_id == 7
        assert (await one(house, TASKS, 3)).owner_id == 7
        assert (await visitor.get("/inbox/3")).status_code == 403, "it is wu.hao's now"


@pytest.mark.parametrize("owner", ["9999", "8", "", "nobody", "9" * 30])
async def test_nothing_is_given_to_who_does_not_work_here(house: House, owner: str) -> None:
    """An account that is not there, a closed one (8), no number at all: said in words, and nothing changes."""
    async with house.db.write() as conn:
        await conn.execute(update(USERS).where(USERS.c.id == 8).values(disabled_at=house.now))
    places = {
        "/inbox/3/hand-over": {}, "/customers/1/assign": {}, "/follow-ups/service/1/take": {},
        "/contacts/bulk/assign": {"id": "1"}, "/customers/bulk/assign": {"id": "1"},
        "/follow-ups/service/1/ask": {"department": "product", "question": "?"}, "/customers/rules": {"owner": owner},
    }  # fmt: skip
    lists = ("/contacts/bulk/assign", "/customers/bulk/assign", "/follow-ups/service/1/take", "/customers/rules")
    async with house.visitor("sun.qian", "zh") as visitor:
        before = await _owners(house)
        for path, form in places.items():
            if not owner and path in lists:
                continue  # nobody chosen there: the list stays, a case is taken by oneself
            answer = await visitor.post(path, {"owner": owner, "user": owner, **form})
            known = path != "/follow-ups/service/1/ask" or owner.isdecimal()
            assert (answer.status_code, "已不在职" in answer.text) == (422, known), (path, answer.text[-800:])
        assert await _owners(house) == before


async def _owners(house: House) -> list[Any]:
    """Whose everything is."""
    columns = (INBOUND.c.owner_id, table(Company).c.owner_id, table(Contact).c.owner_id, table(Ticket).c.owner_id)
    async with house.db.read() as conn:
        return [list(await conn.scalars(select(one).order_by(one.table.c.id))) for one in columns]


async def close_box(house: House, number: int) -> None:
    """Close a mailbox, as a hand-over does."""
    closed = {"state": "disabled", "paused_reason": "handed_over"}
    async with house.db.write() as conn:
        await conn.execute(update(BOXES).where(BOXES.c.id == number).values(**closed))


async def test_nothing_leaves_from_a_closed_mailbox(sending: House, scripted_smtp: ScriptedSMTP) -> None:
    """The answerer's own mailbox writes instead; who has none, and whose customer's owner has none, is told so."""
    await close_box(sending, 1)
    async with sending.visitor("zhou.yang", "zh") as visitor:
        answer = await visitor.post("/inbox/1/answer", {"text": "our price is 3.20"})
        assert (answer.status_code, "收到此邮件的邮箱已停用" in answer.text) == (409, True)
        assert "our price is 3.20" in answer.text
        assert not scripted_smtp.messages
        assert (await one(sending, INBOUND, 1)).answered_at is None
        async with sending.db.write() as conn:
            await conn.execute(update(BOXES).where(BOXES.c.id == 3).values(owner_id=5))
        assert (await visitor.post("/inbox/1/answer", {"text": "our price is 3.20"})).status_code == 303
    (sent,) = scripted_smtp.messages
    assert message_from_bytes(sent.data, policy=default)["From"].addresses[0].username == "export"


async def test_a_case_is_not_answered_from_a_closed_mailbox(sending: House, scripted_smtp: ScriptedSMTP) -> None:
    await close_box(sending, 1)
    async with sending.visitor("wu.hao") as wu:
        made = await wu.post("/follow-ups/service", {"mail": "4", "contact": "4", "company": "4", "kind": "question",
                                                     "subject": "4000 K", "text": "Lead time?"})  # fmt: skip
        path = urlsplit(made.headers["location"]).path
        assert "mailbox they wrote to is closed" in (await wu.get(path)).text
        refused = await wu.post(f"{path}/answer", {"text": "15 days", "how": "mail"})
        assert (refused.status_code, "mailbox they wrote to is closed" in refused.text) == (422, True)
        async with sending.db.write() as conn:
            await conn.execute(update(BOXES).where(BOXES.c.id == 2).values(owner_id=7))
        assert (await wu.post(f"{path}/answer", {"text": "15 days", "how": "mail"})).status_code == 303
    (sent,) = scripted_smtp.messages
    assert message_from_bytes(sent.data, policy=default)["From"].addresses[0].username == "info"


@pytest.mark.parametrize(("lang", "words"), [("en", "This may be the same customer"), ("zh", "可能是同一客户")])
async def test_a_customer_that_may_be_there_already_stands_beside_the_mail(house: House, lang: str, words: str) -> None:
    async with house.visitor("zhou.yang", lang) as visitor:
        assert words not in (await visitor.get("/inbox/1")).text
        async with house.db.write() as conn:
            await conn.execute(update(COMPANIES).where(COMPANIES.c.id == 2).values(phone="+49 30 901820"))
        page = (await visitor.get("/inbox/1")).text
        assert words in page
        assert 'href="/customers/2"' in page
        assert 'action="/customers/1/merge"' in page


async def test_a_stranger_is_compared_by_address_though_nobody_is_registered(house: House) -> None:
    async with house.db.write() as conn:
        await conn.execute(update(COMPANIES).where(COMPANIES.c.id == 2).values(domain="grand-lamps.example"))
        stranger = {
            "contact_id": None,
            "company_id": None,
            "from_address": "ann@mail.grand-lamps.example",
            "owner_id": 5,
        }
        await conn.execute(update(INBOUND).where(INBOUND.c.id == 1).values(**stranger))
    async with house.visitor("zhou.yang") as visitor:
        page = (await visitor.get("/inbox/1")).text
        assert 'href="/customers/2"' in page
        assert "/merge" not in page


async def test_a_wish_to_leave_holds_at_once(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        await visitor.post("/inbox/4/unsubscribe")
    async with house.db.read() as conn:
        rows = (await conn.execute(select(SUPPRESSION.c.reason).where(SUPPRESSION.c.address.like("marta%")))).all()
    assert [row.reason for row in rows] == ["unsubscribed"]


@pytest.mark.parametrize(("lang", "words"), [("zh", "没有发出：发送已暂停"), ("en", "Not sent: sending is on hold")])
async def test_a_copy_answers_nobody_and_keeps_the_text(sending: House, scripted_smtp: ScriptedSMTP, lang: str, words: str) -> None:  # fmt: skip
    await instance.arrive(sending.db, sending.now, instance.Here("machine", "house.db", None))
    async with sending.db.write() as conn:
        await instance.hold(conn, "other_path")
    async with sending.visitor("zhou.yang", lang) as visitor:
        answer = await visitor.post("/inbox/1/answer", {"text": "my careful words"})
    assert answer.status_code == 502
    assert "my careful words" in answer.text
    assert words in answer.text
    assert "confirm-sending" in answer.text
    assert scripted_smtp.messages == []
