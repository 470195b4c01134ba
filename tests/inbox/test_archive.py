"""The archive keeps all mail: the bytes come back as they were, attachments stand once, Chinese is found."""

from __future__ import annotations

import base64
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from outreach.cli.inbox_show import lines_of, save
from outreach.inbox.archive.cutting import cuts_of, put_back, take_out
from outreach.inbox.archive.enclosed import file_name
from outreach.inbox.archive.letters.store import Letter, file_of, letter_of, read_letter
from outreach.inbox.archive.store import archive_sent, prune, raw_mail, raw_of, search
from outreach.inbox.archive.words import phrases_of, words_of
from outreach.inbox.parse import parse
from outreach.inbox.store import Fetched
from outreach.inbox.wire import answer, reading
from outreach.model import ArchivedFile, ArchivedMail, InboundMail, MailFile
from outreach.model.base import table
from tests.inbox.reader import NOW, Reader, new_reader

CATALOGUE = os.urandom(30_000)


@pytest.fixture
async def reader(database_url: str) -> AsyncIterator[Reader]:
    async with new_reader(database_url) as found:
        yield found


def letter(number: int, subject: str = "Re: Lamps", text: str = "Please see the file.", files: int = 1) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Ann Müller <ann@buyer.example>", "sales@us.example"
    mail["Subject"], mail["Message-ID"] = subject, f"<{number}@buyer.example>"
    mail["Date"] = "Tue, 24 Nov 2026 07:00:00 +0000"
    mail.set_content(text)
    for _ in range(files):
        mail.add_attachment(CATALOGUE, maintype="application", subtype="pdf", filename="报价单.pdf")
    return mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


async def take(reader: Reader, *mails: bytes) -> None:
    mark = await reader.store.mark_of(1, "INBOX")
    for uid, raw in enumerate(mails, 1):
        found = reading(answer(raw, summary=True))
        await reader.store.take(1, mark, Fetched("INBOX", uid, raw, NOW), found, NOW)


async def count(reader: Reader, model: Any) -> int:
    async with reader.db.read() as conn:
        return int(await conn.scalar(select(func.count()).select_from(table(model))) or 0)


async def found(reader: Reader, words: str) -> list[str | None]:
    async with reader.db.read() as conn:
        return [row["subject"] for row in await search(conn, words)]


# -- attachments --------------------------------------------------------------------------------------------------------


async def test_an_attachment_is_kept_once_and_the_mail_comes_back_to_the_byte(reader: Reader) -> None:
    mails = [letter(1), letter(2, files=2), letter(3, files=0)]
    await take(reader, *mails)
    assert (await count(reader, ArchivedMail), await count(reader, MailFile), await count(reader, ArchivedFile)) == (
        3,
        3,
        1,
    )
    async with reader.db.read() as conn:
        rows = (await conn.execute(select(table(InboundMail)).order_by(table(InboundMail).c.uid))).all()
        assert [await raw_of(conn, row.id) for row in rows] == mails
        kept = (await conn.execute(select(table(ArchivedMail).c.raw))).scalars()
        assert all(len(raw) < 2_000 for raw in kept)
        name = await conn.scalar(select(table(MailFile).c.name).limit(1))
    assert name == "报价单.pdf"


async def test_attachments_are_never_unpacked(reader: Reader) -> None:
    """What is stored is the text that came, not the file."""
    await take(reader, letter(1))
    async with reader.db.read() as conn:
        stored = await conn.scalar(select(table(ArchivedFile).c.data))
    assert CATALOGUE not in bytes(stored)
    assert base64.b64decode(bytes(stored)) == CATALOGUE


async def test_old_mail_is_pruned_with_attachments_that_nobody_carries_any_more(reader: Reader) -> None:
    await take(reader, letter(1), letter(2, files=0))
    async with reader.db.write() as conn:
        assert await prune(conn, NOW - timedelta(days=1)) == 0
        assert await prune(conn, NOW + timedelta(days=1)) == 2
    assert await count(reader, ArchivedMail) == await count(reader, ArchivedFile) == await count(reader, MailFile) == 0
    assert await count(reader, InboundMail) == 2, "what was understood stays"
    assert await found(reader, "Lamps") == []


@pytest.mark.parametrize("ending", [b"\n", b"\r"])
def test_a_mail_whose_lines_end_otherwise_is_left_whole(ending: bytes) -> None:
    raw = letter(1).replace(b"\r\n", ending)
    assert cuts_of(raw, parse(raw)) == ()


def test_what_is_taken_out_can_be_put_back() -> None:
    raw = letter(1, files=3)
    cuts = cuts_of(raw, parse(raw))
    assert len(cuts) == 3
    files = {cut.sha256: raw[cut.start : cut.end] for cut in cuts}
    rest = take_out(raw, cuts)
    assert len(rest) < 3_000
    assert put_back(rest, [(cut.start, cut.sha256) for cut in cuts], files) == raw


# -- search -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "hits"),
    [
        ("灯具", ["询价：LED灯具"]),
        ("灯具 价格", ["询价：LED灯具"]),
        ("灯价", []),
        ("LED", ["询价：LED灯具"]),
        ("led灯", ["询价：LED灯具"]),
        ("quotation", ["Offer"]),
        ("quot", ["Offer"]),
        ("quotation lamps", ["Offer"]),
        ("ann@buyer.example", ["Offer", "询价：LED灯具"]),
        ("müller", ["Offer", "询价：LED灯具"]),
        ("报价单.pdf", ["Offer", "询价：LED灯具"]),
        ('"; DROP TABLE x; --', []),
        ("NEAR(a b) OR *", []),
        ("", []),
    ],
)
async def test_search_finds_words_of_any_language(reader: Reader, typed: str, hits: list[str]) -> None:
    await take(
        reader,
        letter(1, "询价：LED灯具", "您好，请报LED面板灯的价格。"),
        letter(2, "Offer", "We need a quotation for 500 lamps."),
    )
    assert sorted(await found(reader, typed), key=str) == sorted(hits)


async def test_what_we_sent_is_found_and_comes_back(reader: Reader) -> None:
    raw = letter(9, files=0)
    async with reader.db.write() as conn:
        await archive_sent(
            conn, raw, NOW, subject="Messe Frankfurt", body="我们在法兰克福等您", people="ann@buyer.example"
        )
        mail_id = await conn.scalar(select(table(ArchivedMail).c.id))
        assert await raw_mail(conn, int(mail_id or 0)) == raw
    assert await found(reader, "法兰克福") == ["Messe Frankfurt"]


def test_words_are_cut_by_character_where_a_language_has_no_spaces() -> None:
    assert words_of("Re: LED灯具, 500pcs") == "re led 灯 具 500pcs"
    assert phrases_of("LED灯具 Büro_2") == [["led", "灯", "具"], ["büro", "2"]]


# -- reading one mail -------------------------------------------------------------------------------------------------


async def first_letter(reader: Reader) -> Letter:
    async with reader.db.read() as conn:
        letter = await letter_of(conn, 1)
    assert letter is not None
    return letter


async def test_attachments_are_listed_without_their_bytes_and_come_back_as_they_were(reader: Reader) -> None:
    await take(reader, letter(1, files=2))
    shown = await first_letter(reader)
    assert (shown.sender, shown.subject, shown.direction) == ("Ann Müller <ann@buyer.example>", "Re: Lamps", "in")
    assert [(one.number, one.name, one.content_type) for one in shown.files] == [
        (1, "报价单.pdf", "application/pdf"),
        (2, "报价单.pdf", "application/pdf"),
    ]
    assert all(abs(one.size - len(CATALOGUE)) < 4 for one in shown.files)
    async with reader.db.read() as conn:
        for number in (1, 2):
            found = await file_of(conn, shown.id, number)
            assert found is not None
            assert (found[1], found[0].size) == (CATALOGUE, len(CATALOGUE))
        assert await file_of(conn, shown.id, 3) is None
        assert await file_of(conn, shown.id, 0) is None
        assert await file_of(conn, 999, 1) is None
        assert await read_letter(conn, 999) is None


async def test_an_enclosed_mail_is_one_file_with_what_hangs_on_it(reader: Reader) -> None:
    outer = EmailMessage()
    outer["From"], outer["To"], outer["Subject"] = "ann@buyer.example", "sales@us.example", "Fwd: order"
    outer["Message-ID"] = "<7@buyer.example>"
    outer.set_content("See below.")
    outer.add_attachment(message_from_bytes(letter(2, "The order"), policy=SMTP))
    outer.add_attachment(b"small", maintype="text", subtype="csv", filename="list.csv")
    await take(reader, outer.as_bytes(policy=SMTP))
    shown = await first_letter(reader)
    assert [one.name for one in shown.files] == ["1.eml", "list.csv"]
    assert shown.files[0].size > len(CATALOGUE)
    assert shown.files[1].size == 5
    async with reader.db.read() as conn:
        found = await file_of(conn, shown.id, 1)
    assert found is not None
    inner = message_from_bytes(found[1], policy=SMTP)
    assert inner["Subject"] == "The order"
    assert next(inner.iter_attachments()).get_content() == CATALOGUE


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("报价单.pdf", "报价单.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\order.pdf", "order.pdf"),
        ("..", "1.pdf"),
        ("", "1.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("a\x00b\r\n.pdf", "ab.pdf"),
        ("con.txt", "_con.txt"),
        ("长" * 300 + ".pdf", "长" * 76 + ".pdf"),
    ],
)
def test_names_of_files_are_safe_everywhere(name: str, safe: str) -> None:
    assert file_name(name, "application/pdf", 1) == safe
    assert len(file_name(name, "application/pdf", 1).encode()) <= 255


async def test_what_is_saved_on_disk_overwrites_nothing_and_says_nothing_to_a_terminal(
    reader: Reader, tmp_path: Path
) -> None:
    raw = letter(1, text="Red \x1b[31m alarm", files=2)
    await take(reader, raw)
    shown = await first_letter(reader)
    first, second = save(shown, raw, tmp_path / "out"), save(shown, raw, tmp_path / "out")
    assert [path.name for path in first] == ["1.eml", "报价单.pdf", "报价单-2.pdf"]
    assert not set(first) & set(second)
    assert first[0].read_bytes() == raw
    assert {path.read_bytes() for path in first[1:]} == {CATALOGUE}
    lines = lines_of(shown, [str(path) for path in first])
    assert not any("\x1b" in line for line in lines)
    assert any("报价单.pdf" in line and "application/pdf" in line for line in lines)
