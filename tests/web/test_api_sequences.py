"""Sequences over the API: listed, looked at, a contact put in and taken out, under the same rules as the pages."""

from __future__ import annotations

from sqlalchemy import select

from outreach.access.roles import Permission
from outreach.model import AuditEntry
from outreach.model.base import table
from tests.web.house import House
from tests.web.seed_sequences import PROGRAMME, SEQUENCE
from tests.web.test_api import call
from tests.web.test_sequences import approved, built

AUDIT = table(AuditEntry)


async def running(house: House) -> int:
    number = await built(house)
    async with house.visitor("admin") as visitor:
        assert (await visitor.post(f"/campaigns/{number}/submit")).status_code == 303
        await approved(house, number)
        assert (await visitor.post(f"/campaigns/{number}/start")).status_code == 303
    return number


async def test_sequences_are_listed_and_looked_at(house: House) -> None:
    listed = (await call(house, "li.na", "GET", "/sequences")).json()["items"]
    assert [item["id"] for item in listed] == [SEQUENCE]
    told = (await call(house, "li.na", "GET", f"/sequences/{SEQUENCE}")).json()
    assert [step["kind"] for step in told["steps"]] == ["mail", "mail", "call", "mail"]
    assert sum(told["people"].values()) == 24
    assert told["ended"]["replied"] == 4
    people = (await call(house, "li.na", "GET", f"/sequences/{SEQUENCE}/people?limit=200")).json()["items"]
    assert [one["contact_id"] for one in people] == list(range(4, 28))
    own = (await call(house, "zhou.yang", "GET", f"/sequences/{SEQUENCE}/people?limit=200")).json()["items"]
    assert 0 < len(own) < 24


async def test_what_is_no_sequence_is_not_found(house: House) -> None:
    for path in ("/sequences/1", f"/sequences/{PROGRAMME}", "/sequences/4711/people"):
        assert (await call(house, "admin", "GET", path)).status_code == 404, path


async def test_a_draft_is_seen_by_its_own_people_alone(house: House) -> None:
    number = await built(house)
    assert (await call(house, "zhou.yang", "GET", f"/sequences/{number}")).status_code == 403
    listed = (await call(house, "zhou.yang", "GET", "/sequences")).json()["items"]
    assert number not in [item["id"] for item in listed]
    refused = await call(house, "admin", "POST", f"/sequences/{number}/people", json={"contact_id": 5})
    assert refused.status_code == 409


async def test_a_contact_is_put_in_and_taken_out(house: House) -> None:
    number = await running(house)
    path = f"/sequences/{number}/people"
    # one person in one sequence at a time: the seeded one has contact 10
    busy = (await call(house, "admin", "POST", path, json={"contact_id": 10})).json()
    assert busy["enrolled"] == []
    assert "10" in busy["refused"]
    told = await call(house, "zhou.yang", "POST", path, json={"contact_id": 5})
    assert told.json() == {"enrolled": [5], "refused": {}}
    assert (await call(house, "zhou.yang", "POST", f"{path}/5/stop")).status_code == 415, "JSON alone"
    assert (await call(house, "zhou.yang", "POST", f"{path}/5/stop", json={})).json() == {"stopped": True}
    assert (await call(house, "zhou.yang", "POST", f"{path}/5/stop", json={})).status_code == 409
    (one,) = (await call(house, "zhou.yang", "GET", path)).json()["items"]
    assert (one["contact_id"], one["state"], one["reason"]) == (5, "stopped", "by_hand")
    async with house.db.read() as conn:
        mine = AUDIT.c.object_id == str(number), AUDIT.c.actor_id == 5
        actions = list(await conn.scalars(select(AUDIT.c.action).where(*mine).order_by(AUDIT.c.id)))
    assert actions == ["sequence.enrolled", "sequence.person_stopped"]


async def test_others_customers_and_missing_scopes_are_refused(house: House) -> None:
    number = await running(house)
    path = f"/sequences/{number}/people"
    assert (await call(house, "zhou.yang", "POST", path, json={"contact_id": 2})).status_code == 403
    assert (await call(house, "zhou.yang", "POST", f"{path}/2/stop", json={})).status_code == 403
    seeing = [Permission.CAMPAIGNS_VIEW, Permission.CONTACTS_VIEW]
    assert (await call(house, "admin", "POST", path, seeing, json={"contact_id": 5})).status_code == 403
    assert (await call(house, "admin", "POST", f"{path}/5/stop", seeing, json={})).status_code == 403
    assert (await call(house, "admin", "POST", path, json={"contact_id": 99_999})).status_code == 404
    assert (await call(house, "admin", "POST", path, json={"contact_id": "all"})).status_code == 422
    assert (await call(house, "admin", "GET", path)).json()["items"] == []
