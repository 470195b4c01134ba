"""A wish that comes by mail (RFC 2369 mailto): sent to the address of the header, read by IMAP, and it holds at once."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App
from outreach.app.inbox import InboxHost
from tests.flow.house import Clock, add_people, approved, drafted, installed, rows, work


async def sent(app: App, tmp_path: Path, clock: Clock) -> None:
    await add_people(app, tmp_path, 3)
    campaign = await approved(app, clock, name="First")
    await use.start(app, campaign, OPERATOR, clock())
    await work(app, clock)


def mailto_of(smtp_sink: Any, recipient: str) -> tuple[str, str]:
    """Address and subject that the mail program's button writes to: from the header of the very mail that arrived."""
    raw = next(m.data for m in smtp_sink.messages() if recipient in m.rcpt_tos)
    header = str(message_from_bytes(raw, policy=SMTP)["List-Unsubscribe"])
    found = re.search(r"<mailto:([^?>]+)\?subject=([^>]+)>", header)
    assert found, header
    assert header.index("<https" if "<https" in header else "<http") < header.index("<mailto"), "one-click comes first"
    return found[1], unquote(found[2])


def wish(clock: Clock, sender: str, to: str, subject: str, text: str = "") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, to, subject
    mail["Date"] = clock().strftime("%a, %d %b %Y %H:%M:%S +0000")
    mail["Message-ID"] = f"<{abs(hash((sender, subject, text)))}@reader.example>"
    mail.set_content(text)
    return mail.as_bytes()


async def read(app: App, clock: Clock) -> None:
    host = InboxHost(app, clock=clock)
    try:
        await host.sync(app.settings.mailbox[0])
    finally:
        await host.stop()


async def left_out(app: App, clock: Clock, name: str) -> dict[str, int]:
    found = await use.preflight(app, await drafted(app, clock, name), clock())
    return dict(found.skipped)


@pytest.mark.parametrize(
    "sender",
    ["Pat1 <p1@firm1.example>", "pat@home.example", "Pat <P1+News@firm1.example>"],
    ids=["the address", "another address", "an alias"],
)
async def test_a_mail_to_the_unsubscribe_address_ends_all_mail(
    tmp_path: Path, smtp_sink: Any, dovecot: Any, sender: str
) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port, imap=dovecot) as app:
        await sent(app, tmp_path, clock)
        waiting = await approved(app, clock, name="Second")  # approved before the wish: it must hold at the hand-over
        await use.start(app, waiting, OPERATOR, clock())
        to, subject = mailto_of(smtp_sink, "p1@firm1.example")
        assert to == "sales@mingxu.example"
        dovecot.append(wish(clock, sender, to, subject))
        await read(app, clock)
        assert await app.suppression.check("p1@firm1.example")
        await work(app, clock)
        states = {row.address: row.state for row in await rows(app, waiting)}  # type: ignore[attr-defined]
        assert states.pop("p1@firm1.example") in ("cancelled", "skipped")
        assert set(states.values()) == {"sent"}
        assert await left_out(app, clock, "Third") == {"suppressed:unsubscribed": 1}
        assert not await app.suppression.check("p0@firm0.example"), "nobody else is touched"


async def test_the_same_wish_twice_and_after_a_restart_is_one(tmp_path: Path, smtp_sink: Any, dovecot: Any) -> None:
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port, imap=dovecot) as app:
        await sent(app, tmp_path, clock)
        to, subject = mailto_of(smtp_sink, "p1@firm1.example")
        for text in ("", "again"):
            dovecot.append(wish(clock, "p1@firm1.example", to, subject, text))
        await read(app, clock)
        dovecot.change_uidvalidity()
        await read(app, clock)
        assert await left_out(app, clock, "Second") == {"suppressed:unsubscribed": 1}


async def test_a_forged_token_unsubscribes_nobody_else(tmp_path: Path, smtp_sink: Any, dovecot: Any) -> None:
    """The token decides whom it means; one that is not ours means at most whoever writes."""
    clock = Clock()
    async with installed(tmp_path, smtp_sink.port, imap=dovecot) as app:
        await sent(app, tmp_path, clock)
        to, subject = mailto_of(smtp_sink, "p1@firm1.example")
        token = subject.rpartition(" ")[2]
        forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
        dovecot.append(wish(clock, "stranger@home.example", to, f"unsubscribe {forged}"))
        await read(app, clock)
        assert await left_out(app, clock, "Second") == {}
