"""The API: tokens, scopes, lists, refusals."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from outreach.access.roles import OPERATOR, Permission
from outreach.model import AuditEntry, Consent, Contact, EmailAddress
from outreach.model.base import table
from tests.web.house import House

ALL = list(Permission)


async def call(house: House, user: str, method: str, path: str, scopes: Any = ALL, **options: Any) -> httpx.Response:
    """Call with a fresh token of a user."""
    row = await house.outreach.access.user(user)
    assert row is not None
    token = await house.web.state.login.add_token(row.id, "test", scopes, actor=OPERATOR, now=house.now)
    async with house.client(headers={"authorization": f"Bearer {token}"}) as client:
        return await client.request(method, f"/api/v1{path}", **options)


async def test_without_a_token_nothing_is_told(house: House) -> None:
    async with house.client() as client:
        for headers in ({}, {"authorization": "Bearer or_wrong"}, {"authorization": "Basic eDp5"}):
            answer = await client.get("/api/v1/contacts", headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"


async def test_the_session_of_the_pages_is_no_token(house: House) -> None:
    async with house.visitor("li.na") as visitor:
        assert (await visitor.client.get("/api/v1/contacts")).status_code == 401


async def test_lists_are_read_to_their_end(house: House) -> None:
    seen: list[int] = []
    after = 0
    while True:
        page = (await call(house, "li.na", "GET", f"/contacts?limit=50&after={after}")).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert seen == list(range(1, 121))


async def test_object_rules_hold(house: House) -> None:
    page = (await call(house, "zhou.yang", "GET", "/contacts?limit=200")).json()
    assert {item["owner_id"] for item in page["items"]} == {5}
    assert (await call(house, "zhou.yang", "GET", "/contacts/2")).status_code == 403
    assert (await call(house, "zhou.yang", "GET", "/campaigns/1")).status_code == 403
    assert (await call(house, "zhou.yang", "GET", "/contacts/5")).json()["addresses"]


async def test_scopes_hold(house: House) -> None:
    only = [Permission.SEGMENTS_VIEW]
    assert (await call(house, "li.na", "GET", "/contacts", only)).status_code == 403
    answer = await call(house, "li.na", "POST", "/segments/count", only, json={"expression": "region = Europe"})
    assert answer.json() == {"count": 42}


async def test_faults_are_told(house: House) -> None:
    answer = await call(house, "li.na", "GET", "/contacts?segment=regoin = Europe")
    assert (answer.status_code, answer.json()["error"]) == (422, "segment")
    assert (await call(house, "li.na", "GET", "/contacts/99999")).status_code == 404
    assert (await call(house, "li.na", "GET", "/contacts?limit=0")).status_code == 422
    assert (await call(house, "li.na", "GET", "/reports/nonsense")).status_code == 404
    text = {"content-type": "text/plain"}
    assert (await call(house, "li.na", "POST", "/contacts", content="{}", headers=text)).status_code == 415


async def test_a_campaigns_counts_and_ledger(house: House) -> None:
    told = (await call(house, "li.na", "GET", "/campaigns/1")).json()
    assert told["state"] == "running"
    assert told["sent"] + told["queued"] + told["deferred"] + told["in_doubt"] == 105
    page = (await call(house, "li.na", "GET", "/campaigns/1/messages?limit=5")).json()
    assert len(page["items"]) == 5


async def test_a_contact_is_added_once(house: House) -> None:
    body = {"email": "new.person@fresh.example", "source": "website", "basis": "inquiry", "first_name": "Ana"}
    one = await call(house, "li.na", "POST", "/contacts", json=body)
    assert one.status_code == 201
    assert (await call(house, "li.na", "POST", "/contacts", json=body)).json() == one.json()
    assert (await call(house, "li.na", "POST", "/contacts", json=body | {"email": "no address"})).status_code == 422
    assert (await call(house, "li.na", "POST", "/contacts", json=body | {"owner": "x"})).status_code == 422


async def test_who_may_be_a_customer_already_is_told_not_entered_twice_in_silence(house: House) -> None:
    body = {"email": "joost@hafenlichter.example", "source": "ERP", "company": "Hafenn Licht B.V.", "country": "NL"}
    told = (await call(house, "li.na", "POST", "/contacts", json=body)).json()
    (near,) = told["near"]
    assert told["company_id"] not in (None, 5)
    assert (near["customer_id"], near["customer"], near["owner"], near["by"]) == (5, "Hafen Licht BV", "周洋", "name")
    again = (await call(house, "li.na", "POST", "/contacts", json=body)).json()
    assert (again["id"], again["company_id"], again["near"]) == (told["id"], told["company_id"], [])
    phone = body | {"email": "a@quite-another.example", "company": "Quarz", "country": "DE", "phone": "030 901820"}
    told = (await call(house, "li.na", "POST", "/contacts", json=phone)).json()
    assert [(one["customer"], one["by"]) for one in told["near"]] == [("Lichtwerk Brandt GmbH", "phone")]


async def test_a_person_is_put_into_the_customer_that_is_named(house: House) -> None:
    body = {"email": "anna@gmail.com", "source": "ERP", "company": "Hafen Licht", "company_id": 5}
    told = (await call(house, "li.na", "POST", "/contacts", json=body)).json()
    assert (told["company_id"], told["near"]) == (5, [])
    assert (await call(house, "li.na", "GET", f"/contacts/{told['id']}")).json()["owner_id"] == 5
    assert (await call(house, "li.na", "POST", "/contacts", json=body | {"company_id": 99_999})).status_code == 404
    assert (await call(house, "li.na", "POST", "/contacts", json=body | {"company_id": 2**40})).status_code == 422
    own = {"email": "c@hafenlichtbv.example", "source": "ERP"}  # the address leads to the customer by itself
    assert (await call(house, "li.na", "POST", "/contacts", json=own)).json()["company_id"] == 5


async def test_a_suppressed_address_is_on_the_list(house: House) -> None:
    answer = await call(house, "li.na", "POST", "/suppression", json={"entry": "stop@me.example"})
    assert answer.status_code == 201
    rows = (await call(house, "li.na", "GET", "/suppression")).json()["items"]
    assert "stop@me.example" in [row["address"] for row in rows]


@pytest.mark.parametrize("scopes", [ALL, [Permission.REPORTS_VIEW]])
async def test_a_report_is_of_the_own_customers_as_the_page_is(house: House, scopes: list[Permission]) -> None:
    told = (await call(house, "zhou.yang", "GET", "/reports/2026-W48", scopes)).json()
    everybody = (await call(house, "li.na", "GET", "/reports/2026-W48", scopes)).json()
    async with house.visitor("zhou.yang", "en") as visitor:
        page = (await visitor.get("/reports/2026-W48/file.json")).json()
    assert told["totals"] == page["totals"]
    assert told["by"] == page["by"]
    assert 0 < told["totals"]["sent"] < everybody["totals"]["sent"]


@pytest.mark.parametrize(
    "path", ["/companies", "/segments", "/campaigns", "/events", "/suppression", "/reports/2026-W47"]
)
async def test_every_list_answers(house: House, path: str) -> None:
    assert (await call(house, "sun.qian", "GET", path)).status_code == 200


async def test_a_conversion_needs_a_signed_token(house: House) -> None:
    async with house.client() as client:
        for body in ({}, {"token": "x", "kind": "order"}, {"token": "A" * 24, "kind": "inquiry"}):
            answer = await client.post("/api/v1/conversions", json=body)
            assert answer.status_code == 422


async def test_the_description_names_every_route(house: House) -> None:
    async with house.client() as client:
        told = (await client.get("/api/v1/openapi.json")).json()
    assert {"/contacts", "/contacts/{contact_id}", "/campaigns/{campaign_id}/messages", "/conversions"} <= set(
        told["paths"]
    )


async def stored(house: House, number: int) -> Any:
    """A contact's row, its consents counted."""
    async with house.db.read() as conn:
        row = (await conn.execute(select(table(Contact)).where(table(Contact).c.id == number))).one()
        given = select(func.count()).select_from(table(Consent)).where(table(Consent).c.contact_id == number)
        return row._asdict() | {"consents": (await conn.execute(given)).scalar_one()}


async def address_of(house: House, number: int) -> str:
    """Where a contact is written to."""
    address = table(EmailAddress)
    async with house.db.read() as conn:
        query = select(address.c.address).where(address.c.contact_id == number).order_by(address.c.id)
        return str((await conn.execute(query)).scalars().first())


async def test_adding_a_known_person_fills_what_is_empty_and_nothing_else(house: House) -> None:
    contact = table(Contact)
    async with house.db.write() as conn:
        await conn.execute(update(contact).where(contact.c.id == 5).values(phone=None, basis="customer"))
    before = await stored(house, 5)
    body = {"email": await address_of(house, 5), "source": "x", "basis": "consent", "phone": "+86 760 555 0101"}
    body |= {"first_name": "Mallory", "city": "Nowhere"}
    assert (await call(house, "zhou.yang", "POST", "/contacts", json=body)).json()["id"] == 5
    after = await stored(house, 5)
    changed = {name for name in before if before[name] != after[name]} - {"updated_at"}
    assert changed == {"phone"}, "a stronger basis needs its own proof"
    body["evidence"] = "form 17, signed on paper"
    assert (await call(house, "zhou.yang", "POST", "/contacts", json=body)).status_code == 201
    proven = await stored(house, 5)
    assert (proven["basis"], proven["consents"]) == ("consent", before["consents"] + 1)


async def test_adding_a_colleagues_customer_is_refused_like_reading_it(house: House) -> None:
    before, address = await stored(house, 2), await address_of(house, 2)
    for email in (address, address.upper(), f"new@x.example; {address}", f"Somebody <{address}>"):
        body = {"email": email, "source": "x", "basis": "consent", "evidence": "y", "phone": "+86 760 555 0101"}
        assert (await call(house, "zhou.yang", "POST", "/contacts", json=body)).status_code == 403, email
    assert await stored(house, 2) == before


async def test_what_a_token_reads_is_on_record_once_a_route_and_day(house: House) -> None:
    row = await house.outreach.access.user("zhou.yang")
    assert row is not None
    token = await house.web.state.login.add_token(row.id, "erp", ALL, actor=OPERATOR, now=house.now)
    entries = table(AuditEntry)

    async def recorded() -> list[tuple[str, str]]:
        async with house.db.read() as conn:
            query = select(entries.c.actor_id, entries.c.object_type, entries.c.after)
            rows = (await conn.execute(query.where(entries.c.action == "api.read").order_by(entries.c.id))).all()
        assert all((entry.actor_id, entry.object_type) == (row.id, "api_token") for entry in rows)
        return [entry.after["path"] for entry in rows]

    async with house.client(headers={"authorization": f"Bearer {token}"}) as client:
        for path in (
            "/contacts?limit=5",
            "/contacts?limit=5&after=5",
            "/suppression",
            "/contacts/2",
            "/contacts/99999",
        ):
            await client.get(f"/api/v1{path}")
        assert await recorded() == ["/contacts", "/suppression"], "a refusal gives nothing away"
        await client.get("/api/v1/contacts/5")
        house.now += timedelta(days=1)
        await client.get("/api/v1/contacts")
    assert await recorded() == ["/contacts", "/suppression", "/contacts/{contact_id}", "/contacts"]


async def test_somebody_is_found_by_an_address(house: House) -> None:
    known = (await call(house, "li.na", "GET", "/contacts/5")).json()
    address = known["addresses"][0]["address"]
    found = (await call(house, "li.na", "GET", "/contacts", params={"email": address.upper()})).json()
    assert [one["id"] for one in found["items"]] == [5]
    theirs = (await call(house, "li.na", "GET", "/contacts/2")).json()["addresses"][0]["address"]
    hidden = (await call(house, "zhou.yang", "GET", "/contacts", params={"email": theirs})).json()
    assert hidden["items"] == [], "a colleague's person is not told"


async def test_one_company(house: House) -> None:
    listed = (await call(house, "zhou.yang", "GET", "/companies?limit=1")).json()["items"][0]
    assert (await call(house, "zhou.yang", "GET", f"/companies/{listed['id']}")).json() == listed
    every = (await call(house, "li.na", "GET", "/companies?limit=200")).json()["items"]
    other = next(one["id"] for one in every if one["owner_id"] not in (5, None))
    assert (await call(house, "zhou.yang", "GET", f"/companies/{other}")).status_code == 403
    assert (await call(house, "li.na", "GET", "/companies/999999")).status_code == 404


async def test_a_segment_is_stored_once_and_listed_by_pages(house: House) -> None:
    body = {"name": "From a script", "expression": "country = DE"}
    made = await call(house, "li.na", "POST", "/segments", json=body)
    assert (made.status_code, made.json()["expression"]) == (201, "country = DE")
    assert (await call(house, "li.na", "POST", "/segments", json=body)).status_code == 409
    wrong = await call(house, "li.na", "POST", "/segments", json=body | {"name": "x", "expression": "country ~ DE"})
    assert (wrong.status_code, wrong.json()["error"]) == (422, "segment")
    first = (await call(house, "li.na", "GET", "/segments?limit=1")).json()
    rest = (await call(house, "li.na", "GET", f"/segments?after={first['next']}")).json()
    assert made.json() == rest["items"][-1]
    assert first["items"][0]["id"] < rest["items"][0]["id"]


async def test_the_description_tells_every_refusal_and_the_shape_of_answers(house: House) -> None:
    described = (await call(house, "li.na", "GET", "/openapi.json")).json()
    for path, methods in described["paths"].items():
        for method, told in methods.items():
            assert {"401", "403", "404", "409", "413", "415", "422"} <= set(told["responses"]) | {"422"}, (path, method)
            (good,) = [answer for code, answer in told["responses"].items() if code.startswith("2")]
            assert good["content"]["application/json"]["schema"], (path, method)
    contact = described["components"]["schemas"]["Contact"]["properties"]
    assert "date-time" in str(contact["created_at"])
    assert {"type": "null"} in contact["owner_id"]["anyOf"]
