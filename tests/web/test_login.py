"""Logging in over HTTP: cookies, languages, refusals, the way out."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

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


async def test_after_logging_in_people_are_where_they_were(house: House) -> None:
    """What was posted and parts of pages have no page of their own: the page that asked is the place."""
    here = {"referer": "http://outreach.test/segments/new?expression=grade%20%3D%20A"}
    part = {"hx-request": "true", "hx-current-url": "http://outreach.test/contacts?q=a&grade=A"}
    async with house.client() as client:
        for method, path, headers, place in (
            ("GET", "/contacts?q=a&grade=A", {}, "/contacts?q=a&grade=A"),
            ("POST", "/segments/save", here, "/segments/new?expression=grade%20%3D%20A"),
            ("POST", "/segments/save", {"referer": "http://elsewhere.example/x"}, "/"),
            ("POST", "/segments/save", {}, "/"),
            ("POST", "/segments/examine", part, "/contacts?q=a&grade=A"),
            ("GET", "/campaigns/1/live", part, "/contacts?q=a&grade=A"),
        ):
            answer = await client.request(method, path, headers=headers)
            to = answer.headers.get("location") or answer.headers["hx-redirect"]
            assert to.partition("?")[0] == "/login"
            assert dict(parse_qsl(urlsplit(to).query)).get("next", "/") == place
            form = {"name": "li.na", "password": PASSWORD, "next": place}
            assert (await client.post("/login", data=form)).headers["location"] == place
            client.cookies.clear()


async def test_the_language_is_changed_without_losing_the_place(house: House) -> None:
    async with house.visitor("sun.qian") as manager:
        text = (await manager.get("/contacts?q=a&grade=A")).text
        to = re.search(r'href="(/language/zh[^"]*)"', text)
        assert to
        assert (await manager.client.get(unescape(to[1]))).headers["location"] == "/contacts?q=a&grade=A"
    async with house.client() as client:
        to = re.search(r'href="(/language/zh[^"]*)"', (await client.get("/login?next=/contacts%3Fq%3Da")).text)
        assert to
        assert (await client.get(unescape(to[1]))).headers["location"] == "/login?next=/contacts%3Fq%3Da"


async def test_who_leaves_in_the_middle_of_a_form_is_no_fault(house: House) -> None:
    """Pressing twice drops the first request: the log has no traceback of it."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    headers = [
        (b"host", b"outreach.test"),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", b"9"),
    ]
    scope = {
        "type": "http", "method": "POST", "path": "/login", "raw_path": b"/login", "root_path": "", "scheme": "http",
        "query_string": b"", "headers": headers, "client": ("127.0.0.1", 9), "server": ("outreach.test", 80),
        "http_version": "1.1", "asgi": {"version": "3.0"},
    }  # fmt: skip
    await house.web(scope, receive, send)
    assert sent[0]["status"] == 400


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


async def test_an_ended_session_is_said_and_leads_back_to_the_page(house: House) -> None:
    """With the page's filter; a part leads to the page it stood on, and a form is not sent again."""
    async with house.client(headers={"accept-language": "en"}) as client:
        client.cookies.set("outreach_session", "gone")
        page = await client.get("/contacts?q=vogel&sort=-grade")
        assert page.headers["location"] == "/login?next=/contacts%3Fq%3Dvogel%26sort%3D-grade&ended=1"
        told = await client.get(page.headers["location"])
        assert "Your session has ended." in told.text
        assert 'value="/contacts?q=vogel&amp;sort=-grade"' in told.text
        here = {"referer": f"{client.base_url}/campaigns?state=running"}
        part = await client.get("/live/campaigns", headers={"hx-request": "true", **here})
        assert part.headers["hx-redirect"] == "/login?next=/campaigns%3Fstate%3Drunning&ended=1"
        form = await client.post("/contacts/1/edit", headers=here)
        assert form.headers["location"] == "/login?next=/campaigns%3Fstate%3Drunning&ended=1"
        elsewhere = await client.post("/contacts/1/edit", headers={"referer": "https://evil.example/x"})
        assert elsewhere.headers["location"] == "/login?ended=1"
        assert "has ended" not in (await client.get("/login")).text
