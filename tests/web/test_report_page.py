"""Sending a report from its page, against a real SMTP server on loopback (A10)."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import default

import pytest
from sqlalchemy import select

from outreach.db import instance
from outreach.model import AuditEntry, Letter, StoredReport
from outreach.model.base import table
from tests.fakes.smtp import ScriptedSMTP, reply
from tests.web.house import House

ENTRIES, LETTERS, KEPT = table(AuditEntry), table(Letter), table(StoredReport)
PAGE = "/reports/2026-W47"
READERS = ["boss@minxu-lighting.example", "sun.qian@minxu-lighting.example"]


@pytest.fixture
def reporting(sending: House) -> House:
    settings = sending.outreach.settings
    report = settings.report.model_copy(update={"recipients": READERS})
    sending.outreach.settings = settings.model_copy(update={"report": report})
    return sending


async def test_it_reaches_its_readers_once_and_is_kept(reporting: House, scripted_smtp: ScriptedSMTP) -> None:
    async with reporting.visitor("sun.qian") as visitor:
        answer = await visitor.post(f"{PAGE}/send", {})
        assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
        assert "Sent to 2 readers." in (await visitor.get(PAGE)).text
    assert [sent.rcpt_tos for sent in scripted_smtp.messages] == [[reader] for reader in READERS]
    mail = message_from_bytes(scripted_smtp.messages[0].data, policy=default)
    assert mail["From"].addresses[0].addr_spec == "sales@minxu-lighting.example"
    async with reporting.db.read() as conn:
        assert len((await conn.execute(select(LETTERS.c.id))).all()) == 2, "counted for the mailbox's quota"
        kept = (await conn.execute(select(KEPT.c.sent_at).where(KEPT.c.period == "2026-W47"))).scalars().all()
        recorded = await conn.scalar(select(ENTRIES.c.after).where(ENTRIES.c.action == "report.sent"))
    assert kept == [reporting.now], "so the week's own mail does not send it again"
    assert recorded == {"outcome": "sent", "readers": 2}


async def test_what_the_server_refuses_is_said(reporting: House, scripted_smtp: ScriptedSMTP) -> None:
    scripted_smtp.on("RCPT", reply("550 5.7.1 no reports here"))
    async with reporting.visitor("sun.qian") as visitor:
        assert (await visitor.post(f"{PAGE}/send", {})).status_code == 303
        assert "550 5.7.1 no reports here" in (await visitor.get(PAGE)).text


@pytest.mark.parametrize(("lang", "words"), [("zh", "没有发出：发送已暂停"), ("en", "Not sent: sending is on hold")])
async def test_a_copy_sends_none(reporting: House, scripted_smtp: ScriptedSMTP, lang: str, words: str) -> None:
    await instance.arrive(reporting.db, reporting.now, instance.Here("machine", "house.db", None))
    async with reporting.db.write() as conn:
        await instance.hold(conn, "other_path")
    async with reporting.visitor("sun.qian", lang) as visitor:
        await visitor.post(f"{PAGE}/send", {})
        page = (await visitor.get(PAGE)).text
    assert words in page
    assert "confirm-sending" in page
    assert scripted_smtp.messages == []
