"""Logging in with the company's own accounts: who is a user here comes in, and no forged answer lets anybody in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select, update

from outreach.config.settings import OidcSettings
from outreach.model import AuditEntry, LoginSession, User
from outreach.model.base import table
from tests.fakes.oidc import Provider
from tests.web.house import BASE, House

USERS, SESSIONS, AUDIT = table(User), table(LoginSession), table(AuditEntry)


@pytest.fixture
def provider(serve: Callable[[Any], str]) -> Iterator[Provider]:
    found = Provider(claims={"email": "Li.Na@minxu-lighting.example", "email_verified": True})
    found.base = serve(found.app())
    return found


@pytest.fixture
async def site(house: House, provider: Provider) -> House:
    house.now = datetime.fromtimestamp(time.time(), UTC)  # the provider's tokens are of today
    oidc = OidcSettings(issuer=provider.base, client_id="outreach")
    web = house.outreach.settings.web.model_copy(update={"base_url": BASE})
    house.outreach.settings = house.outreach.settings.model_copy(update={"oidc": oidc, "web": web})
    async with house.db.write() as conn:
        await conn.execute(update(USERS).where(USERS.c.name == "li.na").values(email="li.na@minxu-lighting.example"))
    return house


async def log_in(site: House, *, change: Callable[[str], str] = lambda url: url, next_path: str = "/campaigns") -> Any:
    """Through the provider and back; `change` tampers with the way back."""
    async with site.client(headers={"accept-language": "en"}) as client:
        started = await client.get(f"/login/oidc?next={next_path}")
        if started.status_code != 303:
            return started
        async with httpx.AsyncClient() as browser:
            back = (await browser.get(started.headers["location"])).headers["location"]
        assert back.startswith(f"{BASE}/login/oidc/back?")
        return await client.get(change(back))


async def test_a_user_comes_in_and_it_is_on_record(site: House) -> None:
    async with site.client(headers={"accept-language": "en"}) as client:
        assert 'href="/login/oidc?next=' in (await client.get("/login")).text
    answer = await log_in(site)
    assert (answer.status_code, answer.headers["location"]) == (303, "/campaigns")
    assert "outreach_session=" in answer.headers["set-cookie"]
    async with site.db.read() as conn:
        last = (await conn.execute(select(AUDIT).order_by(AUDIT.c.id.desc()).limit(1))).one()
    assert (last.action, last.after) == ("login", {"via": "oidc"})


async def test_there_is_no_way_to_another_site(site: House) -> None:
    answer = await log_in(site, next_path="//evil.example")
    assert urlsplit(answer.headers["location"]).netloc == ""


@pytest.mark.parametrize(
    ("lie", "claims"),
    [
        ("hs256", {}), ("other_key", {}), ("no_token", {}), ("other_issuer", {}), ("", {"iss": "https://evil.example"}),
        ("", {"aud": "another"}), ("", {"aud": ["outreach", "another"]}), ("", {"exp": 1}), ("", {"nonce": "old"}),
        ("", {"email": None}), ("", {"email": "nobody@minxu-lighting.example"}), ("", {"email_verified": False}),
        ("", {"exp": "soon"}), ("", {"email": ["li.na@minxu-lighting.example"]}),
    ],
)  # fmt: skip
async def test_a_lie_lets_nobody_in(site: House, provider: Provider, lie: str, claims: dict[str, Any]) -> None:
    provider.lie = lie
    provider.claims |= claims
    before = await sessions(site)
    answer = await log_in(site)
    assert answer.status_code == 401
    assert "outreach_session=" not in answer.headers.get("set-cookie", "")
    assert await sessions(site) == before


async def sessions(site: House) -> int:
    async with site.db.read() as conn:
        return len((await conn.execute(select(SESSIONS.c.id))).all())


async def test_a_way_back_that_this_browser_did_not_begin_is_refused(site: House) -> None:
    assert (await log_in(site, change=lambda url: url.replace("state=", "state=x"))).status_code == 401
    async with site.client() as other:
        assert (await other.get("/login/oidc/back?code=code0&state=x")).status_code == 401
    assert (await log_in(site, change=lambda url: url.split("?")[0] + "?error=access_denied")).status_code == 401


async def test_a_closed_account_stays_closed(site: House) -> None:
    async with site.db.write() as conn:
        await conn.execute(update(USERS).where(USERS.c.name == "li.na").values(disabled_at=site.now))
    assert (await log_in(site)).status_code == 401


async def test_two_users_of_one_address_are_nobody(site: House) -> None:
    async with site.db.write() as conn:
        await conn.execute(update(USERS).values(email="li.na@minxu-lighting.example"))
    assert (await log_in(site)).status_code == 401


async def test_a_provider_that_is_away_is_said_in_words(site: House) -> None:
    oidc = OidcSettings(issuer="http://127.0.0.1:9", client_id="outreach")
    site.outreach.settings = site.outreach.settings.model_copy(update={"oidc": oidc})
    answer = await log_in(site)
    assert answer.status_code == 401
    assert "did not work" in answer.text


async def test_without_the_section_there_is_no_such_page(house: House) -> None:
    async with house.client() as client:
        assert (await client.get("/login/oidc")).status_code == 404
        assert "/login/oidc" not in (await client.get("/login")).text


def test_a_provider_without_https_is_refused() -> None:
    with pytest.raises(ValueError, match="https"):
        OidcSettings(issuer="http://login.example.com", client_id="x")
