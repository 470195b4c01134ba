"""Logging in over HTTP: cookies, languages, refusals, the way out."""

from __future__ import annotations

from datetime import timedelta

import pyotp
import pytest

from outreach.access.roles import OPERATOR
from outreach.web import create_app
from tests.web.house import House
from tests.web.seed import PASSWORD


async def test_logged_out_people_are_sent_to_the_login(house: House) -> None:
    async with house.client() as client:
        assert (await client.get("/")).headers["location"] == "/login"
        assert (await client.get("/campaigns")).headers["location"] == "/login?next=/campaigns"
        part = await client.get("/live/campaigns", headers={"hx-request": "true"})
        assert part.headers["hx-redirect"] == "/login?next=/live/campaigns"


async def test_the_cookie_is_hidden_from_scripts_and_other_sites(house: House) -> None:
    async with house.client() as client:
        answer = await client.post("/login", data={"name": "li.na", "password": PASSWORD})
        cookie = answer.headers["set-cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie


async def test_wrong_and_held_off(house: House) -> None:
    async with house.client(headers={"accept-language": "en"}) as client:
        for _ in range(5):
            answer = await client.post("/login", data={"name": "li.na", "password": "wrong"})
            assert (answer.status_code, "Name or password is wrong." in answer.text) == (401, True)
        answer = await client.post("/login", data={"name": "li.na", "password": PASSWORD})
        assert (answer.status_code, "Too many wrong guesses" in answer.text) == (429, True)
        unknown = await client.post("/login", data={"name": "<script>", "password": "x"})
        assert "<script>" not in unknown.text.replace("<script src", "")


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:x", "/a\nb"]
)
async def test_no_way_out_to_other_sites(house: House, target: str) -> None:
    async with house.client() as client:
        answer = await client.post("/login", data={"name": "li.na", "password": PASSWORD, "next": target})
        assert answer.headers["location"] == "/"


async def test_the_second_factor_is_a_second_page(house: House) -> None:
    login = house.web.state.login
    key, _ = login.propose_totp("li.na", "x")
    await login.enable_totp(1, key, pyotp.TOTP(key).at(house.now), actor=OPERATOR, now=house.now)
    async with house.client(headers={"accept-language": "en"}) as client:
        page = await client.post("/login", data={"name": "li.na", "password": PASSWORD})
        assert page.status_code == 200
        assert PASSWORD not in page.text
        checked = page.text.split('name="checked" value="')[1].split('"')[0]
        wrong = await client.post("/login", data={"checked": checked, "code": "000000"})
        assert wrong.status_code == 401
        house.now += timedelta(minutes=1)
        code = pyotp.TOTP(key).at(house.now)
        assert (await client.post("/login", data={"checked": checked, "code": code})).status_code == 303
        forged = await client.post("/login", data={"checked": "bGku.x.y", "code": code})
        assert forged.status_code == 401


async def test_logging_out_ends_the_session(house: House) -> None:
    async with house.visitor("li.na") as visitor:
        assert (await visitor.get("/")).status_code == 200
        assert (await visitor.post("/logout")).headers["location"] == "/login"
    async with house.visitor("li.na") as visitor:
        token = visitor.client.cookies["outreach_session"]
        await visitor.post("/logout")
        visitor.client.cookies.set("outreach_session", token)
        assert (await visitor.get("/")).status_code == 303


async def test_both_languages(house: House) -> None:
    async with house.visitor("li.na", "zh") as visitor:
        page = await visitor.get("/")
        assert '<html lang="zh-CN"' in page.text
        assert "今日" in page.text
        await visitor.get("/language/en")
        assert '<html lang="en"' in (await visitor.get("/")).text


async def test_the_configuration_says_how_long_a_login_holds(house: House) -> None:
    settings = house.outreach.settings
    house.outreach.settings = settings.model_copy(update={"web": settings.web.model_copy(update={"session_hours": 1})})
    house.web = create_app(house.outreach, clock=lambda: house.now)
    async with house.visitor("li.na") as visitor:
        house.now += timedelta(minutes=59)
        assert (await visitor.get("/")).status_code == 200
        house.now += timedelta(minutes=61)
        assert (await visitor.get("/")).headers["location"].startswith("/login")
