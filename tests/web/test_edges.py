"""Addresses that nobody should type, questions of monitors, faults of our own."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy.exc import TimeoutError as PoolTimeout

from outreach.access.roles import OPERATOR, Permission
from outreach.web import create_app
from tests.web.house import BASE, House, open_house

LONG = "9" * 20
PAGES = (
    f"/campaigns/{LONG}",
    f"/contacts/{LONG}",
    f"/customers/{LONG}",
    f"/segments/{LONG}",
    f"/inbox/{LONG}",
    f"/settings/users/{LONG}",
    f"/settings/audit?before={LONG}",
    f"/settings/audit?actor={LONG}",
    f"/contacts?owner={LONG}",
    f"/contacts?page={LONG}",
)


@pytest.mark.parametrize("number", [LONG, "4294967296"])
async def test_a_number_that_no_row_can_have_is_no_fault(database_url: str, number: str) -> None:
    house = await open_house(database_url, contacts=60)
    row = await house.outreach.access.user("admin")
    assert row is not None
    token = await house.web.state.login.add_token(row.id, "t", list(Permission), actor=OPERATOR, now=house.now)
    try:
        async with house.visitor("admin") as visitor:
            for page in PAGES:
                answer = await visitor.get(page.replace(LONG, number))
                assert answer.status_code in (200, 404), page
                assert "<html" in answer.text, page
        async with house.client(headers={"authorization": f"Bearer {token}"}) as client:
            for path in (f"/contacts/{number}", f"/campaigns/{number}", f"/contacts?after={number}"):
                answer = await client.get(f"/api/v1{path}")
                assert answer.status_code in (200, 404, 422), path
                assert answer.json(), path
    finally:
        await house.db.close()


async def test_scripts_get_every_refusal_as_json(house: House) -> None:
    def fail() -> None:
        raise RuntimeError("a fault")

    api = next(route.app for route in house.web.routes if getattr(route, "path", "") == "/api/v1")  # type: ignore[attr-defined]
    api.add_api_route("/fault", fail)
    transport = httpx.ASGITransport(house.web, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=BASE) as client:
        broken = await client.get("/api/v1/fault")
        large = await client.post("/api/v1/contacts", content=b" " * 2_000_001)
    assert (broken.status_code, broken.json()["error"]) == (500, "500")
    assert (large.status_code, large.json()["error"]) == (413, "413")


async def test_the_filter_outlives_the_login(house: House) -> None:
    async with house.client() as client:
        answer = await client.get("/contacts?q=licht&grade=A")
        assert answer.headers["location"] == "/login?next=/contacts%3Fq%3Dlicht%26grade%3DA"
        page = await client.get(answer.headers["location"])
    assert 'value="/contacts?q=licht&amp;grade=A"' in page.text


async def test_a_monitor_may_ask_with_head(house: House) -> None:
    async with house.client() as client:
        for path, status in (("/login", 200), ("/", 303), ("/nowhere", 404), ("/static/mark.svg", 200)):
            answer = await client.head(path)
            assert (answer.status_code, answer.content) == (status, b""), path


@pytest.mark.parametrize(("pages", "secure"), [("https://crm.example", True), ("http://crm.example", False)])
async def test_the_pages_own_address_says_whether_cookies_are_for_https_alone(
    house: House, pages: str, secure: bool
) -> None:
    settings = house.outreach.settings
    house.outreach.settings = settings.model_copy(update={"web": settings.web.model_copy(update={"base_url": pages})})
    house.web = create_app(house.outreach, clock=lambda: house.now)
    async with house.client() as client:
        answer = await client.post("/login", data={"name": "li.na", "password": "a long pass phrase"})
        assert ("strict-transport-security" in answer.headers) is secure


@pytest.mark.parametrize(("lang", "words"), [("zh", "服务繁忙"), ("en", "The service is busy")])
async def test_who_finds_no_connection_is_told_to_come_back(house: House, lang: str, words: str) -> None:
    """Two hundred pages at once: thirty are read, the others wait for half a minute at most."""

    async def starved() -> None:
        raise PoolTimeout("QueuePool limit reached")

    house.web.add_api_route("/starved", starved)
    api = next(route.app for route in house.web.routes if getattr(route, "path", "") == "/api/v1")  # type: ignore[attr-defined]
    api.add_api_route("/starved", starved)
    async with house.client(cookies={"outreach_lang": lang}) as client:
        page, told = await client.get("/starved"), await client.get("/api/v1/starved")
    assert (page.status_code, page.headers["retry-after"]) == (503, "60")
    assert words in page.text
    assert (told.status_code, told.json()["error"]) == (503, "503")
