"""How full a mailbox is, asked of a real server (H2)."""

from __future__ import annotations

import dataclasses

import pytest

from outreach.app.mailbox_room import room
from outreach.inbox.client import ImapServer, ImapTrouble
from outreach.inbox.quota.client import Quota, read_quota
from tests.fakes.dovecot import Dovecot


def server(dovecot: Dovecot) -> ImapServer:
    return ImapServer(dovecot.host, dovecot.port, "none", dovecot.user, dovecot.password)


async def test_the_server_tells_how_full_the_mailbox_is(dovecot: Dovecot) -> None:
    dovecot.append(b"Subject: drawings\r\n\r\n" + b"0123456789abcdef\r\n" * 20_000)
    quota = await read_quota(server(dovecot))
    assert quota is not None
    assert quota.limit == 4 * 1024 * 1024
    assert 340 < quota.used < 500
    assert quota.share < 0.001


async def test_a_token_opens_it_too(dovecot: Dovecot) -> None:
    async def token(fresh: bool) -> str:
        return dovecot.token()

    quota = await read_quota(dataclasses.replace(server(dovecot), password=None, token=token))
    assert quota is not None
    assert quota.used < quota.limit


async def test_a_wrong_password_and_a_dead_server_are_told_apart(dovecot: Dovecot) -> None:
    with pytest.raises(ImapTrouble, match="refused") as refused:
        await read_quota(dataclasses.replace(server(dovecot), password='no" such'))
    assert refused.value.auth
    dovecot.stop()
    with pytest.raises(ImapTrouble, match="does not answer") as dead:
        await read_quota(server(dovecot))
    assert not dead.value.auth


async def test_nothing_is_asked_over_starttls(dovecot: Dovecot) -> None:
    dovecot.stop()
    assert await read_quota(dataclasses.replace(server(dovecot), tls="starttls")) is None


def test_an_overflowing_mailbox_is_more_than_full() -> None:
    assert Quota(110, 100).share == pytest.approx(1.1)
    assert Quota(5, 0).share == 0


@pytest.mark.parametrize(("used", "ok"), [(89, True), (90, False), (110, False)])
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_the_doctor_says_when_a_mailbox_is_nearly_full(used: int, ok: bool, lang: str) -> None:
    found = room("sales", Quota(used * 1024**2, 100 * 1024**2), lang)
    assert found["ok"] is ok
    assert bool(found["fix"]) is not ok
    assert f"{used}%" in found["detail"]
    assert "100.0 GB" in found["detail"]
