"""The own account and the administrator's forms: what was typed stays, what is refused says why, nothing breaks."""

from __future__ import annotations

import re

import pyotp
import pytest
from sqlalchemy import update

from outreach.model import User
from outreach.model.base import table
from outreach.web.api import customers as api_customers
from outreach.web.api import routes as api_routes
from outreach.web.api import sequences as api_sequences
from outreach.web.api.app import Bearer
from outreach.web.pages.account import API_SCOPES
from tests.web.house import House
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
        answer = await visitor.post("/account/second-factor", {"key": key, "code": "123456"})
        assert answer.status_code == 422
        assert "The code does not fit" in answer.text


async def test_after_a_wrong_code_the_key_in_the_authenticator_app_is_still_good(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        key = values((await visitor.get("/account?second=1")).text)["key"]
        wrong = await visitor.post("/account/second-factor", {"key": key, "code": "000000"})
        assert values(wrong.text)["key"] == key
        code = pyotp.TOTP(key).at(house.now)
        done = await visitor.post("/account/second-factor", {"key": key, "code": f"{code[:3]} {code[3:]}"})
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
        page = await visitor.post("/account/tokens", {"name": "ERP", "scope": ["deals.view"]})
        token = re.findall(r"or_[\w-]+", page.text)[0]
    async with house.client(headers={"authorization": f"Bearer {token}"}) as client:
        assert (await client.get("/api/v1/deals")).status_code == 200
        assert (await client.get("/api/v1/contacts")).status_code == 403


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
