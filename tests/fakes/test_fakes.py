"""The fakes themselves: a test server that lies makes every other test worthless."""

from __future__ import annotations

import imaplib
import smtplib
import socket
import ssl
from typing import Any

import pytest
from sqlalchemy import text

from tests.fakes.smtp import GARBAGE, HALF, Action, close, drip, drop, raw, reply

BODY = b"From: a@x.example\r\nTo: b@y.example\r\nSubject: hi\r\n\r\nhello\r\n.. dot\r\n"


def deliver(server: Any, *recipients: str) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=10) as client:
        client.sendmail("a@x.example", list(recipients), BODY)


def test_smtp_sink_keeps_envelope_and_content(smtp_sink):
    deliver(smtp_sink, "b@y.example", "c@y.example")
    assert smtp_sink.count() == 1
    mail = smtp_sink.messages()[0]
    assert (mail.mail_from, mail.rcpt_tos) == ("a@x.example", ["b@y.example", "c@y.example"])
    assert mail.data.startswith(b"From: a@x.example\n")
    assert mail.data.rstrip() == BODY.replace(b"\r\n", b"\n").rstrip()


def test_scripted_smtp_accepts_and_records(scripted_smtp):
    deliver(scripted_smtp, "b@y.example")
    message = scripted_smtp.messages[0]
    assert (message.mail_from, message.rcpt_tos, message.data) == ("a@x.example", ["b@y.example"], BODY)
    assert scripted_smtp.verbs()[:4] == ["EHLO", "MAIL", "RCPT", "DATA"]


def test_scripted_smtp_marker_refuses_so_many_times(scripted_smtp):
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            deliver(scripted_smtp, "b--rcpt-451_4.7.1-x2@y.example")
        assert next(iter(refused.value.recipients.values()))[0] == 451
    deliver(scripted_smtp, "b--rcpt-451_4.7.1-x2@y.example")
    assert len(scripted_smtp.messages) == 1


def test_scripted_smtp_drops_after_accepting(scripted_smtp):
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        deliver(scripted_smtp, "b--dot-acceptdrop@y.example")
    assert scripted_smtp.recipients() == ["b--dot-acceptdrop@y.example"]
    with pytest.raises((smtplib.SMTPServerDisconnected, ConnectionError)):
        deliver(scripted_smtp, "b--dot-drop@y.example")
    assert len(scripted_smtp.messages) == 1


@pytest.mark.parametrize("verb", ["CONNECT", "EHLO", "MAIL", "RCPT", "DATA", "DOT"])
@pytest.mark.parametrize(
    "action",
    [reply("421 4.3.2 going down", close=True), drop(), close(), raw(GARBAGE, close=True), raw(HALF, close=True)],
    ids=["421", "drop", "close", "garbage", "half"],
)
def test_scripted_smtp_fails_at_every_verb(scripted_smtp, verb: str, action: Action):
    scripted_smtp.on(verb, action, times=1)
    with pytest.raises((smtplib.SMTPException, OSError)):
        deliver(scripted_smtp, "b@y.example")
    assert scripted_smtp.messages == []
    deliver(scripted_smtp, "b@y.example")
    assert scripted_smtp.recipients() == ["b@y.example"]


def test_scripted_smtp_stalls_and_drips(scripted_smtp):
    with (
        pytest.raises(smtplib.SMTPServerDisconnected, match="timed out"),
        smtplib.SMTP(scripted_smtp.host, scripted_smtp.port, timeout=0.3) as client,
    ):
        client.sendmail("a@x.example", ["b--dot-stall@y.example"], BODY)
    scripted_smtp.on("MAIL", drip(b"250 2.1.0 slow\r\n", every=0.001), times=1)
    with smtplib.SMTP(scripted_smtp.host, scripted_smtp.port, timeout=5) as client:
        client.ehlo()
        assert client.mail("a@x.example") == (250, b"2.1.0 slow")


def test_scripted_smtp_takes_a_pipelined_envelope(scripted_smtp):
    with socket.create_connection((scripted_smtp.host, scripted_smtp.port), timeout=5) as link:
        lines = link.makefile("rb")
        lines.readline()
        link.sendall(b"EHLO me\r\n")
        said = [lines.readline()]
        while said[-1][3:4] == b"-":
            said.append(lines.readline())
        assert b"250-PIPELINING\r\n" in said
        link.sendall(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<no--rcpt-550@y.example>\r\nDATA\r\n")
        assert [lines.readline()[:3] for _ in range(3)] == [b"250", b"550", b"503"]
        lines.close()


def test_scripted_smtp_starttls_and_login(scripted_smtp_factory):
    server = scripted_smtp_factory(starttls=True, users={"sales": "secret"}, size=1000)
    with smtplib.SMTP(server.host, server.port, timeout=10) as client:
        client.ehlo()
        assert client.has_extn("starttls")
        assert not client.has_extn("auth")
        client.starttls(context=ssl.create_default_context(cafile=server.ca_file))
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.login("sales", "wrong")
        client.login("sales", "secret")
        client.sendmail("a@x.example", ["b@y.example"], BODY)
    assert server.messages[0].tls
    assert server.messages[0].login == "sales"
    assert server.refused_auth > 0


def test_scripted_smtp_implicit_tls_and_token(scripted_smtp_factory):
    server = scripted_smtp_factory(implicit_tls=True, tokens={"sales": "tok"})
    context = ssl.create_default_context(cafile=server.ca_file)
    with smtplib.SMTP_SSL(server.host, server.port, timeout=10, context=context) as client:
        client.ehlo()
        good = "user=sales\x01auth=Bearer tok\x01\x01"
        assert client.auth("XOAUTH2", lambda challenge=None: good)[0] == 235
    with smtplib.SMTP_SSL(server.host, server.port, timeout=10, context=context) as client:
        client.ehlo()
        bad = "user=sales\x01auth=Bearer old\x01\x01"
        with pytest.raises(smtplib.SMTPAuthenticationError):
            client.auth("XOAUTH2", lambda challenge=None: "" if challenge else bad)


def test_dovecot_append_expunge_and_new_uidvalidity(dovecot):
    first = dovecot.append(BODY, flags="\\Seen")
    second = dovecot.append(BODY.replace(b"hi", b"ho"))
    stored = dovecot.messages()
    assert [(mail.uid, mail.flags) for mail in stored] == [(first, ("\\Seen",)), (second, ())]
    assert stored[0].raw == BODY
    dovecot.expunge(first)
    assert [mail.uid for mail in dovecot.messages()] == [second]
    before = dovecot.uidvalidity()
    assert dovecot.change_uidvalidity() != before
    assert [mail.uid for mail in dovecot.messages()] == [1]
    dovecot.append(BODY, folder="Sent")
    assert len(dovecot.messages("Sent")) == 1


def test_dovecot_takes_signed_tokens_only(dovecot):
    def login(token: str) -> str:
        with imaplib.IMAP4(dovecot.host, dovecot.port, timeout=10) as link:
            blob = f"user=sales\x01auth=Bearer {token}\x01\x01".encode()
            return link.authenticate("XOAUTH2", lambda challenge: blob if not challenge else b"")[0]

    assert login(dovecot.token()) == "OK"
    with pytest.raises(imaplib.IMAP4.error):
        login(dovecot.token(expires_in=-60))
    with pytest.raises(imaplib.IMAP4.error):
        login(dovecot.token()[:-3] + "abc")


async def test_database_url_is_an_empty_database(database_url):
    from outreach.db.session import Database

    database = Database(database_url)
    async with database.write() as connection:
        await connection.execute(text("CREATE TABLE once (x INTEGER)"))
        count = (await connection.execute(text("SELECT count(*) FROM once"))).scalar()
    assert count == 0
    await database.close()


async def test_clock_moves_only_when_told(clock):
    before = clock()
    await clock.sleep(90)
    assert (clock() - before).total_seconds() == 90
    assert clock.sleeps == [90]


def test_page_sees_a_served_app(page, serve):
    async def app(scope, receive, send):
        if scope["type"] == "lifespan":
            while True:
                event = await receive()
                await send({"type": event["type"] + ".complete"})
                if event["type"] == "lifespan.shutdown":
                    return
        headers = [(b"content-type", b"text/html; charset=utf-8")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": "<link rel=icon href=data:,><h1>你好</h1>".encode()})

    page.goto(serve(app))
    assert page.text_content("h1") == "你好"
