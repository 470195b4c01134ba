"""The own account and the administrator's forms: what was typed stays, what is refused says why, nothing breaks."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pyotp
import pytest
from sqlalchemy import update

from outreach.access.roles import OPERATOR
from outreach.model import User
from outreach.model.base import table
from outreach.web.api import customers as api_customers
from outreach.web.api import routes as api_routes
from outreach.web.api import sequences as api_sequences
from outreach.web.api.app import Bearer
from outreach.web.pages.account import API_SCOPES
from tests.web.house import House
from tests.web.seed import PASSWORD
from tests.web.test_matrix import flatten


def values(page: str) -> dict[str, str]:
    """Name → value of a page's text fields."""
    found = {}
    for field in re.findall(r"<input[^>]*>", page):
        name, value = re.search(r'name="([^"]+)"', field), re.search(r'value="([^"]*)"', field)
        if name and value and "checkbox" not in field:
            found[name[1]] = value[1]
    return found


@pytest.mark.parametrize("key", ["!!", "", "ABC", "é" * 20])
async def test_a_key_that_is_none_is_refused_and_a_new_one_is_offered(house: House, key: str) -> None:
    async with house.visitor("zhou.yang") as visitor:
        answer = await visitor.post("/account/second-factor", {"key": key, "code": "123456", "password": PASSWORD})
        assert answer.status_code == 422
        assert "The code does not fit" in answer.text


async def test_after_a_wrong_code_the_key_in_the_authenticator_app_is_still_good(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        key = values((await visitor.get("/account?second=1")).text)["key"]
        wrong = await visitor.post("/account/second-factor", {"key": key, "code": "000000", "password": PASSWORD})
        assert values(wrong.text)["key"] == key
        code = pyotp.TOTP(key).at(house.now)
        given = {"key": key, "code": f"{code[:3]} {code[3:]}"}
        for password in ({}, {"password": "wrong"}):
            stolen = await visitor.post("/account/second-factor", given | password)
            assert (stolen.status_code, "The password is wrong" in stolen.text) == (422, True)
        done = await visitor.post("/account/second-factor", given | {"password": PASSWORD})
        assert (done.status_code, "recovery codes" in done.text) == (200, True)


async def test_a_second_factor_is_not_replaced_without_the_password(house: House) -> None:
    key = pyotp.random_base32()
    async with house.visitor("zhou.yang") as visitor:
        await visitor.get("/account")
        async with house.db.write() as conn:
            await conn.execute(update(table(User)).values(totp_secret="sealed"))
        answer = await visitor.post("/account/second-factor", {"key": key, "code": pyotp.TOTP(key).at(house.now)})
        assert (answer.status_code, "on already" in answer.text) == (409, True)


def test_every_route_of_the_api_can_be_given_to_a_token() -> None:
    routes = [*api_routes.router.routes, *api_customers.router.routes, *api_sequences.router.routes]
    asked = {
        d.call.permission
        for route in flatten(routes)
        for d in route.dependant.dependencies
        if isinstance(d.call, Bearer)
    }
    assert asked == set(API_SCOPES)


async def test_a_token_of_the_page_reads_deals(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        given = {"name": "ERP", "scope": ["deals.view"]}
        stolen = await visitor.post("/account/tokens", given)
        assert (stolen.status_code, "The password is wrong" in stolen.text, "or_" in stolen.text) == (422, True, False)
        page = await visitor.post("/account/tokens", given | {"password": PASSWORD})
        token = re.findall(r"or_[\w-]+", page.text)[0]
    async with house.client(headers={"authorization": f"Bearer {token}"}) as client:
        assert (await client.get("/api/v1/deals")).status_code == 200
        assert (await client.get("/api/v1/contacts")).status_code == 403


async def test_who_has_no_password_must_have_come_just_now(house: House) -> None:
    """By the company's login: a session that lies open since the morning makes no token."""
    given = {"name": "ERP", "scope": ["deals.view"]}
    async with house.visitor("zhou.yang") as visitor:
        await visitor.get("/account")
        async with house.db.write() as conn:
            await conn.execute(update(table(User)).where(table(User).c.name == "zhou.yang").values(password_hash=None))
        assert 'name="password"' not in (await visitor.get("/account?second=1")).text
        assert "or_" in (await visitor.post("/account/tokens", given)).text
        house.now += timedelta(minutes=6)
        late = await visitor.post("/account/tokens", given)
        assert (late.status_code, "Log out and in again" in late.text) == (422, True)


async def test_two_at_once_switch_one_second_factor_on(house: House) -> None:
    login, keys = house.web.state.login, [pyotp.random_base32() for _ in range(4)]
    codes = (pyotp.TOTP(key).at(house.now) for key in keys)
    pairs = zip(keys, codes, strict=True)
    told = await asyncio.gather(*(login.enable_totp(5, k, c, actor=OPERATOR, now=house.now) for k, c in pairs))
    assert sum(codes is not None for codes in told) == 1


async def test_a_receipt_is_posted_and_stands_in_no_address(house: House) -> None:
    async with house.visitor("zhou.yang", "en") as visitor:
        page = await visitor.post("/violations/new", {"about": "data", "text": "A list was imported."})
        receipt = re.findall(r'mono">([0-9a-f]+)<', page.text)[0]
        assert "Not answered yet" not in (await visitor.get(f"/violations/new?receipt={receipt}")).text
        known = await house.outreach.access.head()
        answer = await visitor.post("/violations/answer", {"receipt": receipt})
        assert (answer.status_code, "Not answered yet" in answer.text) == (200, True)
        assert receipt not in str(answer.url)
        assert await house.outreach.access.head() == known, "who looked would be known as the reporter"
        assert "No report has this receipt" in (await visitor.post("/violations/answer", {"receipt": "x"})).text
        form = re.findall(r"<form[^>]*violations/answer[^>]*>", answer.text)[0]
        assert 'method="post"' in form


async def test_what_was_typed_is_there_after_a_refusal(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        signed = {"email": "no address", "title": "Export", "phone": "+86 1"}
        page = await visitor.post("/account/signature", signed)
        assert page.status_code == 422
        assert signed.items() <= values(page.text).items()
        page = await visitor.post("/account/tokens", {"name": "ERP", "scope": []})
        assert values(page.text)["name"] == "ERP"
        page = await visitor.post("/settings/suppression", {"entry": "no entry"})
        assert values(page.text)["entry"] == "no entry"
        page = await visitor.post("/violations/new", {"about": "data", "text": " "})
        assert (page.status_code, "Write something first" in page.text) == (422, True)


async def test_a_user_that_is_refused_is_not_typed_again(house: House) -> None:
    given = {"name": "zhou.yang", "display_name": "Zhou", "email": "z@minxu-lighting.example", "team": "Export"}
    async with house.visitor("admin") as visitor:
        page = await visitor.post("/settings/users", given | {"role": ["manager"]})
        assert page.status_code == 422
        assert given.items() <= values(page.text).items()
        assert re.search(r'value="manager" checked', page.text)


async def test_taking_off_what_is_not_on_the_list_says_so(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        typo = {"entry": "noor.bedy@maplesignage.example", "why": "asked in writing"}
        page = await visitor.post("/settings/suppression/remove", typo)
        assert (page.status_code, "It is not on the list" in page.text) == (422, True)
        assert values(page.text)["why"] == "asked in writing"
        right = typo | {"entry": "noor.bedi@maplesignage.example"}
        assert (await visitor.post("/settings/suppression/remove", right)).status_code == 303


async def test_nobody_is_authorised_until_a_day_that_is_over(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        page = await visitor.post("/settings/users/5/authorise", {"until": "2026-11-23"})
        assert (page.status_code, "This day is over" in page.text) == (422, True)
        assert (await visitor.post("/settings/users/5/authorise", {"until": "2026-11-24"})).status_code == 303


async def test_an_empty_answer_does_not_wipe_the_one_that_was_given(house: House) -> None:
    await house.outreach.violations.report("conduct", "A list was imported.", house.now)
    async with house.visitor("ma.jun") as visitor:
        await visitor.post("/settings/violations/1", {"answer": "We looked at it.", "close": "1"})
        page = await visitor.post("/settings/violations/1", {"answer": " "})
        assert page.status_code == 422
        assert "We looked at it." in page.text
