"""Making sessions: TLS, login, tokens."""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from outreach.sending.client import Server, SessionTrouble, TokenTrouble, probe
from outreach.sending.phase import Fault, Phase, Timeouts
from outreach.sending.trouble import Step, judge_session
from tests.fakes.smtp import ScriptedSMTP, raw, reply

Factory = Callable[..., ScriptedSMTP]
FAST = Timeouts(greeting=2)


def server(fake: ScriptedSMTP, tls: str, **more: object) -> Server:
    trust = ssl.create_default_context(cafile=str(fake.ca_file)) if fake.ca_file else None
    return Server("localhost" if trust else fake.host, fake.port, tls=tls, trust=trust, timeouts=FAST, **more)  # type: ignore[arg-type]


async def trouble(target: Server) -> SessionTrouble:
    with pytest.raises(SessionTrouble) as caught:
        await probe(target)
    return caught.value


def step(found: SessionTrouble) -> tuple[Step, str]:
    judged = judge_session(found.broken, found.reply, ())
    return judged.step, judged.reason


@pytest.mark.parametrize(("tls", "offer"), [("implicit", "implicit_tls"), ("starttls", "starttls")])
async def test_login_happens_under_tls(scripted_smtp_factory: Factory, tls: str, offer: str) -> None:
    fake = scripted_smtp_factory(**{offer: True}, users={"u": "p"})
    await probe(server(fake, tls, user="u", password="p"))
    assert "AUTH" in fake.verbs()
    assert fake.refused_auth == 0


async def test_a_bad_certificate_ends_it_before_the_login(scripted_smtp_factory: Factory) -> None:
    for tls, offer in (("implicit", "implicit_tls"), ("starttls", "starttls")):
        fake = scripted_smtp_factory(**{offer: True}, users={"u": "p"})
        found = await trouble(Server("localhost", fake.port, tls=tls, user="u", password="p", timeouts=FAST))
        assert found.broken.fault is Fault.TLS
        assert step(found) == (Step.PAUSE, "tls-failed")
        assert "AUTH" not in fake.verbs()


async def test_starttls_that_is_missing_means_no_password(scripted_smtp_factory: Factory) -> None:
    fake = scripted_smtp_factory(users={"u": "p"})
    found = await trouble(Server(fake.host, fake.port, tls="starttls", user="u", password="p", timeouts=FAST))
    assert (found.broken.phase, found.broken.fault) == (Phase.STARTTLS, Fault.UNSUPPORTED)
    assert step(found) == (Step.PAUSE, "tls-failed")
    assert "AUTH" not in fake.verbs()


async def test_plain_text_is_for_loopback() -> None:
    found = await trouble(Server("mail.example", 25, tls="none"))
    assert step(found) == (Step.PAUSE, "tls-failed")


async def test_a_wrong_password_is_tried_once(scripted_smtp_factory: Factory) -> None:
    fake = scripted_smtp_factory(implicit_tls=True, users={"u": "p"})
    found = await trouble(server(fake, "implicit", user="u", password="wrong"))
    assert step(found) == (Step.PAUSE, "auth-failed")
    assert fake.refused_auth == 1


async def test_a_stale_token_is_refreshed_once(scripted_smtp_factory: Factory) -> None:
    fake = scripted_smtp_factory(implicit_tls=True, tokens={"u": "fresh"})
    asked: list[bool] = []

    async def token(anew: bool) -> str:
        asked.append(anew)
        return "fresh" if anew else "stale"

    await probe(server(fake, "implicit", user="u", token=token))
    assert asked == [False, True]
    assert fake.refused_auth == 1


async def test_a_token_that_stays_refused_pauses_the_mailbox(scripted_smtp_factory: Factory) -> None:
    fake = scripted_smtp_factory(implicit_tls=True, tokens={"u": "fresh"})

    async def token(anew: bool) -> str:
        return "stale"

    found = await trouble(server(fake, "implicit", user="u", token=token))
    assert step(found) == (Step.PAUSE, "auth-failed")
    assert fake.refused_auth == 2


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (TokenTrouble("consent withdrawn"), (Step.PAUSE, "token-failed")),
        (TimeoutError("the token server is slow"), (Step.REST, "connect-failed")),
        (OSError("no route"), (Step.REST, "connect-failed")),
    ],
)
async def test_a_token_that_cannot_be_had(
    scripted_smtp_factory: Factory, error: Exception, wanted: tuple[Step, str]
) -> None:
    fake = scripted_smtp_factory(implicit_tls=True, tokens={"u": "fresh"})

    async def token(anew: bool) -> str:
        raise error

    assert step(await trouble(server(fake, "implicit", user="u", token=token))) == wanted


async def test_a_server_without_a_login_that_we_know(scripted_smtp_factory: Factory) -> None:
    fake = scripted_smtp_factory(implicit_tls=True)
    found = await trouble(server(fake, "implicit", user="u", password="p"))
    assert step(found) == (Step.PAUSE, "auth-unsupported")


async def test_an_old_server_is_greeted_with_helo(scripted_smtp_factory: Factory) -> None:
    fake = scripted_smtp_factory()
    fake.on("EHLO", reply("502 5.5.2 what?"))
    await probe(server(fake, "none"))
    assert "HELO" in fake.verbs()


async def test_no_server_at_all() -> None:
    found = await trouble(Server("127.0.0.1", 1, tls="none", timeouts=FAST))
    assert step(found) == (Step.REST, "connect-failed")


async def test_a_greeting_of_garbage(scripted_smtp_factory: Factory) -> None:
    fake = scripted_smtp_factory()
    fake.on("CONNECT", raw(b"\x16\x03\x01 this is no SMTP\r\n"))
    assert step(await trouble(server(fake, "none"))) == (Step.REST, "connect-failed")
