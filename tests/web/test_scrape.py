"""/metrics is for this machine, or for who has the token."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI

from outreach.config import ConfigError
from outreach.config.mailbox import SecretRef
from outreach.web import create_app
from tests.web.house import BASE, House


async def ask(web: FastAPI, *, client: str = "127.0.0.1", **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(web, client=(client, 40_000))
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as browser:
        return await browser.get("/metrics", headers=headers)


def with_token(house: House) -> FastAPI:
    """The web app of a house whose configuration names a token."""
    settings = house.outreach.settings
    web = settings.web.model_copy(update={"metrics_token": SecretRef(env="METRICS_TOKEN")})
    house.outreach.settings = settings.model_copy(update={"web": web})
    return create_app(house.outreach, clock=lambda: house.now)


@pytest.fixture
def guarded(house: House, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setenv("METRICS_TOKEN", "open sesame")
    return with_token(house)


async def test_a_scraper_on_this_machine_is_answered(house: House) -> None:
    answer = await ask(house.web)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'outreach_messages{state="in_doubt"}' in answer.text
    assert (await ask(house.web, client="::1")).status_code == 200


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
async def test_what_came_through_a_proxy_is_not_this_machine(house: House, header: str) -> None:
    assert (await ask(house.web, **{header: "for=192.0.2.7"})).status_code == 404


async def test_without_a_token_nobody_else_finds_it(house: House) -> None:
    assert (await ask(house.web, client="192.0.2.7")).status_code == 404
    assert (await ask(house.web, client="192.0.2.7", authorization="Bearer x")).status_code == 404


async def test_the_token_opens_it_from_anywhere(guarded: FastAPI) -> None:
    assert (await ask(guarded, client="192.0.2.7", authorization="Bearer open sesame")).status_code == 200
    proxied = {"x-forwarded-for": "192.0.2.7", "authorization": "Bearer open sesame"}
    assert (await ask(guarded, **proxied)).status_code == 200


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer open", "open sesam", "Bearer open sesame too"])
async def test_a_wrong_token_is_refused(guarded: FastAPI, given: str) -> None:
    answer = await ask(guarded, client="192.0.2.7", authorization=given)
    assert answer.status_code == 401
    assert "outreach_messages" not in answer.text


async def test_a_token_that_is_not_there_stops_the_start(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("METRICS_TOKEN", raising=False)
    with pytest.raises(ConfigError, match="METRICS_TOKEN"):
        with_token(house)
