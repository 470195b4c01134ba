"""Reading inboxes as a service: when, with which token, and whom to tell."""

from __future__ import annotations

import asyncio
import io
import json
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from outreach.app.build import App, open_app
from outreach.app.inbox import InboxHost
from outreach.app.oauth import ConsentNeeded, TokenSource
from outreach.app.watching import Watch
from outreach.config import ConfigError, load
from outreach.config.mailbox import OAuth2Settings, SecretRef
from outreach.inbox.client import ImapTrouble
from outreach.model import Activity, Mailbox
from outreach.model.base import table
from tests.fakes.clock import FakeClock
from tests.fakes.imap import ScriptedIMAP, running_imap
from tests.fakes.schema import prepare
from tests.inbox.reader import letter

CONFIG = """
[database]
url = "sqlite:///outreach.db"
[sender]
company = "Mingxu Lighting"
postal_address = "88 Guangming Road, Ningbo, China"
[[mailbox]]
name = "sales"
address = "sales@mingxu.example"
smtp = {{ host = "127.0.0.1", port = 1, tls = "none" }}
imap = {{ host = "127.0.0.1", port = {port}, tls = "none" }}
{login}
[paths]
data = "."
"""
PASSWORD = 'password = { env = "SALES_PASSWORD" }'
OAUTH = (
    """oauth2 = { token_url = "https://login.example/token", client_id = "c", refresh_token = { env = "REFRESH" } }"""
)


@pytest.fixture
async def server() -> AsyncIterator[ScriptedIMAP]:
    async with running_imap(ScriptedIMAP(mails={1: letter(1)})) as running:
        yield running


async def opened(folder: Path, server: ScriptedIMAP, clock: FakeClock, login: str = PASSWORD) -> App:
    (folder / "config.toml").write_text(CONFIG.format(port=server.port, login=login))
    prepare(folder / "outreach.db")
    return await open_app(load(folder / "config.toml"), now=clock(), migrate_first=True)


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALES_PASSWORD", "letter-box")
    monkeypatch.setenv("REFRESH", "r1")


async def told(app: App) -> list[str]:
    """The warnings that people see."""
    async with app.db.read() as conn:
        found = await conn.execute(select(table(Activity).c.text).where(table(Activity).c.kind == "warning"))
        return [row.text for row in found]


async def mailbox(app: App) -> Any:
    async with app.db.read() as conn:
        return (await conn.execute(select(table(Mailbox)))).one()


async def test_a_mailbox_that_cannot_be_read_is_asked_ever_more_seldom(
    tmp_path: Path, server: ScriptedIMAP, clock: FakeClock
) -> None:
    app = await opened(tmp_path, server, clock)
    host, box = InboxHost(app, clock=clock), app.settings.mailbox[0]
    server.greeting = b"* BYE overloaded"
    waits = []
    for _ in range(7):
        with pytest.raises(ImapTrouble):
            await host.sync(box)
        start = clock()
        while not host.is_due(box, clock()):
            clock.advance(seconds=30)
        waits.append((clock() - start).total_seconds() / 60)
    assert waits == [1, 2, 4, 8, 16, 30, 30]
    assert await told(app) == [], "a server that is away is nobody's task"
    server.greeting = b"* OK"
    assert (await host.sync(box)).fetched == 1
    assert (await mailbox(app)).last_error is None
    await host.stop()
    await app.close()


async def test_a_refused_password_is_told_once(
    tmp_path: Path, server: ScriptedIMAP, clock: FakeClock, monkeypatch: Any
) -> None:
    monkeypatch.setenv("SALES_PASSWORD", "wrong")
    app = await opened(tmp_path, server, clock)
    host, box = InboxHost(app, clock=clock), app.settings.mailbox[0]
    for _ in range(3):
        with pytest.raises(ImapTrouble):
            await host.sync(box)
    assert await told(app) == ["inbox-unread"]
    clock.advance(minutes=29)
    assert not host.is_due(box, clock()), "no hammering with a password that is wrong"
    await host.stop()
    await app.close()


async def test_withdrawn_consent_pauses_the_mailbox_and_tells_people(
    tmp_path: Path, server: ScriptedIMAP, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(request: Any, timeout: float) -> Any:
        raise urllib.error.HTTPError(request.full_url, 400, "invalid_grant", None, io.BytesIO(b"{}"))  # type: ignore[arg-type]

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    app = await opened(tmp_path, server, clock, OAUTH)
    host = InboxHost(app, clock=clock)
    with pytest.raises(ImapTrouble) as caught:
        await host.sync(app.settings.mailbox[0])
    assert caught.value.auth
    row = await mailbox(app)
    assert (row.state, row.paused_reason) == ("paused", "token-failed")
    assert await told(app) == ["inbox-unread"]
    await host.stop()
    await app.close()


class Provider:
    """Answers for access tokens; each is new."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, life: int = 1000) -> None:
        self.asked: list[str] = []
        self.away: Exception | None = None
        self.life = life
        monkeypatch.setattr(urllib.request, "urlopen", self)

    def __call__(self, request: Any, timeout: float) -> Any:
        if self.away is not None:
            raise self.away
        self.asked.append(request.data.decode().partition("refresh_token=r")[2][:1])
        number = len(self.asked)
        answer = {"access_token": f"t{number}", "refresh_token": f"r{number + 1}", "expires_in": self.life}
        return io.BytesIO(json.dumps(answer).encode())


async def test_tokens_are_renewed_when_four_fifths_of_their_life_are_over(monkeypatch: pytest.MonkeyPatch) -> None:
    provider, now = Provider(monkeypatch), [0.0]
    settings = OAuth2Settings(token_url="https://login.example", client_id="c", refresh_token=SecretRef(env="REFRESH"))
    source = TokenSource(settings, clock=lambda: now[0])
    assert await source.token() == "t1"
    now[0] = 799
    assert await source.token() == "t1"
    now[0] = 800
    assert await source.token() == "t2"
    assert provider.asked == ["1", "2"], "the refresh token that came with the first is used for the second"
    provider.away, now[0] = urllib.error.URLError("away"), 1700
    assert await source.token() == "t2", "the provider is away, but the token still lives"
    now[0] = 1801
    with pytest.raises(ConfigError, match="no access token"):
        await source.token()
    provider.away = urllib.error.HTTPError("https://login.example", 400, "invalid_grant", None, io.BytesIO())  # type: ignore[arg-type]
    with pytest.raises(ConsentNeeded):
        await source.token()


async def test_news_are_told_at_once_and_a_broken_watch_begins_again(
    tmp_path: Path, server: ScriptedIMAP, clock: FakeClock
) -> None:
    app = await opened(tmp_path, server, clock)
    news: asyncio.Queue[str] = asyncio.Queue()
    rests: list[float] = []

    async def rest(seconds: float) -> None:
        rests.append(seconds)

    watch = Watch(InboxHost(app, clock=clock), news.put_nowait, rest=rest)
    watch.start()
    assert await news.get() == "sales"
    await server.idles.wait()
    server.idles.clear()
    server.push(2, letter(2))
    assert await news.get() == "sales"
    await server.idles.wait()
    server.idling[0].close()  # the connection dies
    assert await news.get() == "sales", "a new watch looks at what came meanwhile"
    assert rests == [5.0]
    await watch.stop()
    assert not watch.active
    await app.close()


async def test_a_server_without_idle_is_polled_alone(tmp_path: Path, server: ScriptedIMAP, clock: FakeClock) -> None:
    server.capabilities = "IMAP4rev1"
    app = await opened(tmp_path, server, clock)
    host = InboxHost(app, clock=clock)
    assert not await Watch(host, lambda name: None).once(app.settings.mailbox[0])
    assert app.settings.inbox.poll_seconds <= 120
    await app.close()
