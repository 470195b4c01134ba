"""In doubt is settled by a copy in Sent, or by a person; what Sent can prove is proven first (a real IMAP server)."""

from __future__ import annotations

import asyncio
import imaplib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update
from typer.testing import CliRunner

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.doubt import doubts, settle_many
from outreach.app.inbox import InboxHost
from outreach.app.sent_probe import ProbeFailed, probe_sent, sent_check
from outreach.cli.main import app as cli
from outreach.model import AuditEntry, Mailbox, MailFolder, Message
from outreach.model.base import table
from tests.fakes.dovecot import PASSWORD, Dovecot
from tests.flow.house import CONFIG, START, Clock, add_people, approved, installed

MESSAGES, MAILBOXES, FOLDERS, AUDIT = table(Message), table(Mailbox), table(MailFolder), table(AuditEntry)
ADDRESS = "sales@mingxu.example"
IMAP = """imap = {{{{ host = "127.0.0.1", port = {port}, tls = "none" }}}}
user = "sales@mingxu.example"
password = {{{{ env = "SALES_PASSWORD" }}}}
folders = {{{{ sent = "Sent" }}}}
connections"""


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def house(
    tmp_path: Path, smtp_sink: Any, dovecot: Dovecot, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[App]:
    """An installation whose mailbox is read, with one message in doubt of three."""
    monkeypatch.setenv("SALES_PASSWORD", PASSWORD)
    config = CONFIG.replace("connections", IMAP.format(port=dovecot.port))
    with imaplib.IMAP4("127.0.0.1", dovecot.port) as client:
        client.login(ADDRESS, PASSWORD)
        client.create("Sent")
    async with installed(tmp_path, smtp_sink.port, config) as app:
        await add_people(app, tmp_path, 3)
        campaign = await approved(app, clock)
        await use.start(app, campaign, OPERATOR, clock())
        lost = {"state": "in_doubt", "handed_at": clock(), "reason": "drop after the final dot"}
        async with app.db.write() as conn:
            await conn.execute(update(MESSAGES).values(state="sent", sent_at=clock(), handed_at=clock()))
            await conn.execute(update(MESSAGES).where(MESSAGES.c.id == 2).values(**lost))
        yield app


async def message(app: App, number: int) -> Any:
    async with app.db.read() as conn:
        return (await conn.execute(select(MESSAGES).where(MESSAGES.c.id == number))).one()


async def probe_of(app: App) -> dict[str, Any]:
    async with app.db.read() as conn:
        return dict(await conn.scalar(select(MAILBOXES.c.probe)) or {})


def copy_of(row: Any, *, header: bool = True, message_id: str | None = None) -> bytes:
    mark = f"X-Outreach-Message: {row.uid}\r\n" if header else ""
    return (
        f"From: {ADDRESS}\r\nTo: {row.address}\r\nSubject: Hello\r\nDate: Tue, 24 Nov 2026 08:00:00 +0000\r\n"
        f"Message-ID: <{message_id or row.message_id}>\r\n{mark}\r\nHello\r\n"
    ).encode()


async def file_copy(dovecot: Dovecot, data: bytes, folder: str = "Sent") -> None:
    def work() -> None:
        with imaplib.IMAP4("127.0.0.1", dovecot.port) as client:
            client.login(ADDRESS, PASSWORD)
            client.append(folder, "", imaplib.Time2Internaldate(START.timestamp()), data)

    await asyncio.to_thread(work)


async def read_mail(app: App, clock: Clock) -> None:
    host = InboxHost(app, clock=clock)
    await host.sync(app.settings.mailbox[0])
    await host.stop()


async def test_a_copy_in_sent_settles_and_teaches(house: App, dovecot: Dovecot, clock: Clock) -> None:
    for number in (1, 2):
        await file_copy(dovecot, copy_of(await message(house, number)))
    await read_mail(house, clock)
    row = await message(house, 2)
    assert (row.state, row.sent_at) == ("sent", clock())
    known = await probe_of(house)
    assert (known["files"], known["folder"], known["keeps_id"], known["keeps_header"]) == (True, "Sent", True, True)


async def test_a_copy_with_one_mark_proves_nothing_before_a_probe(house: App, dovecot: Dovecot, clock: Clock) -> None:
    rewritten = copy_of(await message(house, 2), message_id="other@server.example")
    await file_copy(dovecot, rewritten)
    await read_mail(house, clock)
    assert (await message(house, 2)).state == "in_doubt"


async def test_where_a_probe_showed_that_ids_are_rewritten_the_header_is_enough(
    house: App, dovecot: Dovecot, clock: Clock
) -> None:
    learned = {"files": True, "folder": "Sent", "keeps_id": False, "keeps_header": True}
    async with house.db.write() as conn:
        await conn.execute(update(MAILBOXES).values(probe=learned))
    await file_copy(dovecot, copy_of(await message(house, 2), message_id="other@server.example"))
    await read_mail(house, clock)
    assert (await message(house, 2)).state == "sent"


async def test_a_copy_whose_header_was_stripped_is_known_by_its_id(house: App, dovecot: Dovecot, clock: Clock) -> None:
    await file_copy(dovecot, copy_of(await message(house, 1), header=False))
    await file_copy(dovecot, copy_of(await message(house, 2), header=False))
    await read_mail(house, clock)
    assert (await probe_of(house))["keeps_header"] is False
    assert (await message(house, 2)).state == "sent"


async def test_what_is_known_of_a_doubt(house: App, dovecot: Dovecot, clock: Clock) -> None:
    ((item,), total) = await doubts(house)
    assert (total, item.id, item.copy, item.campaign, item.mailbox) == (1, 2, "unknown", "Trial", "sales")
    await file_copy(dovecot, copy_of(await message(house, 1)))
    await read_mail(house, clock)
    ((item,), _) = await doubts(house)
    assert item.copy == "waiting"  # a provider needs a moment to file a copy
    clock.now += timedelta(minutes=11)
    await read_mail(house, clock)
    ((item,), _) = await doubts(house)
    assert (item.copy, item.sent_read_at) == ("absent", clock())
    assert (await message(house, 2)).state == "in_doubt"  # and is never sent again by itself


def filing(dovecot: Dovecot, smtp_sink: Any, change: Callable[[bytes], bytes]) -> Callable[[float], Awaitable[None]]:
    """The provider: between two looks of the probe, what was sent is filed."""
    filed: set[int] = set()

    async def pause(seconds: float) -> None:
        for number, mail in enumerate(smtp_sink.messages()):
            if number not in filed:
                filed.add(number)
                await file_copy(dovecot, change(mail.data))

    return pause


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        (lambda data: data, (True, True)),
        (lambda data: data.replace(b"X-Outreach-Message", b"X-Gone"), (True, False)),
        (lambda data: data.replace(b"Message-ID: <", b"Message-ID: <new."), (True, True)),
    ],
    ids=["as it is", "no header", "longer id"],
)
async def test_the_probe_finds_its_copy(
    house: App, dovecot: Dovecot, smtp_sink: Any, clock: Clock, change: Any, kept: tuple[bool, bool]
) -> None:
    box = house.settings.mailbox[0]
    found = await probe_sent(house, box, clock(), pause=filing(dovecot, smtp_sink, change))
    assert (found["files"], found["keeps_id"], found["keeps_header"]) == (True, *kept)
    assert await probe_of(house) == found
    (mail,) = smtp_sink.messages()
    assert mail.rcpt_tos == [f"<{ADDRESS}>"] or mail.rcpt_tos == [ADDRESS]


async def test_a_mailbox_that_files_nothing_is_told_so(house: App, clock: Clock) -> None:
    async def at_once(seconds: float) -> None:
        return None

    box = house.settings.mailbox[0]
    assert (await probe_sent(house, box, clock(), pause=at_once))["files"] is False
    _, ok, detail, _ = await sent_check(house, box, clock(), probe_now=False)
    assert ok
    assert "files no copies" in detail


async def test_a_server_that_refuses_the_probe_teaches_nothing(house: App, clock: Clock) -> None:
    box = house.settings.mailbox[0]
    closed = box.model_copy(update={"smtp": box.smtp.model_copy(update={"port": 1})})
    with pytest.raises(ProbeFailed, match="took no mail"):
        await probe_sent(house, closed, clock())
    assert await probe_of(house) == {}


async def test_people_settle_several_at_once_on_record(house: App, clock: Clock) -> None:
    assert await settle_many(house, [1, 2], "failed", OPERATOR, clock()) == 1
    assert (await message(house, 2)).state == "failed"
    assert (await message(house, 1)).state == "sent"
    async with house.db.read() as conn:
        actions = list(await conn.scalars(select(AUDIT.c.action).where(AUDIT.c.action.like("message.%"))))
    assert actions == ["message.resolved_failed"]


def test_the_command_lists_and_settles(
    tmp_path: Path, smtp_sink: Any, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    monkeypatch.setenv("OUTREACH_STATE_DIR", str(tmp_path / "state"))

    async def prepare() -> None:
        async with installed(tmp_path, smtp_sink.port) as app:
            await add_people(app, tmp_path, 2)
            campaign = await approved(app, clock)
            await use.start(app, campaign, OPERATOR, clock())
            async with app.db.write() as conn:
                await conn.execute(update(MESSAGES).values(state="in_doubt", handed_at=clock()))

    asyncio.run(prepare())

    def run(*words: str) -> Any:
        result = CliRunner().invoke(cli, ["--config", str(tmp_path / "config.toml"), *words])
        assert result.exit_code == 0, result.output
        return result

    listed = json.loads(run("messages", "doubt", "--json").stdout)
    assert [item["copy"] for item in listed] == ["unknown", "unknown"]
    assert "doctor --probe" in run("messages", "doubt", "--campaign", "1").stdout
    assert json.loads(run("messages", "resolve", "1", "--retry", "--json").stdout) == {"id": 1, "state": "queued"}
    assert "message 2: sent" in run("messages", "resolve", listed[1]["uid"], "--sent").stdout
    assert "nothing is in doubt" in run("messages", "doubt").stdout
    wrong = CliRunner().invoke(cli, ["--config", str(tmp_path / "config.toml"), "messages", "resolve", "2", "--sent"])
    assert wrong.exit_code == 1
    assert "not in doubt" in wrong.output
