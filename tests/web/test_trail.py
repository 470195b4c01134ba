"""H3: no act of staff without an entry in the trail, whoever wrote the handler."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from outreach.model import AuditEntry
from outreach.model.base import table
from outreach.web import pages
from tests.web.house import House
from tests.web.test_matrix import ROUTES, concrete, fingerprint, flatten

ENTRIES = table(AuditEntry)


def actions() -> list[tuple[str, bool]]:
    """Path and whether it leaves a trail, of every staff route that is posted to."""
    found = []
    for router in pages.routers():
        for route in flatten(router.routes):
            if "POST" in route.methods and hasattr(route.endpoint, "permission"):
                found.append((route.path, bool(getattr(route.endpoint, "trail", False))))
    return found


async def entries(house: House) -> list[Any]:
    async with house.db.read() as conn:
        return list((await conn.execute(select(ENTRIES).order_by(ENTRIES.c.id))).all())


async def test_every_posted_route_leaves_a_trail_or_changes_nothing(house: House) -> None:
    without = sorted(path for path, trail in actions() if not trail)
    assert len(actions()) > 45
    async with house.visitor("sun.qian") as visitor:
        await visitor.get("/")
        before = await fingerprint(house)
        for path in without:
            answer = await visitor.post(concrete(path))
            assert answer.status_code < 500, path
        assert await fingerprint(house) == before, without


@pytest.mark.parametrize(
    ("path", "form", "action"),
    [
        ("/contacts/5/edit", {"field": "grade", "value": "A"}, "page.contacts.edit"),
        ("/contacts/5/edit", {"field": "first_name", "value": "Canary"}, "page.contacts.edit"),
        ("/customers/5/edit", {"field": "name", "value": "Canary Ltd"}, "page.customers.edit"),
        ("/contacts/bulk/tag", {"id": ["5", "6"], "tag": "vip"}, "page.contacts.bulk.tag"),
        ("/contacts/bulk/assign", {"id": ["5"], "owner": "1"}, "page.contacts.bulk.assign"),
        ("/segments/save", {"name": "Mine", "expression": "region = Europe"}, ""),
        ("/settings/suppression", {"entry": "stop@me.example"}, "suppression.added"),
        ("/inbox/1/close", {}, "inbound.closed"),
    ],
)
async def test_an_act_is_on_record_once_with_who_and_what(
    house: House, path: str, form: dict[str, Any], action: str
) -> None:
    async with house.visitor("li.na" if path.startswith("/segments") else "sun.qian") as visitor:
        await visitor.get("/")
        known = len(await entries(house))
        answer = await visitor.post(path, form)
        assert answer.status_code in (200, 204, 303), answer.text
        new = (await entries(house))[known:]
    assert len(new) == 1, [entry.action for entry in new]
    assert new[0].action.startswith(action)
    assert new[0].actor == "user"
    assert new[0].actor_id is not None
    assert "Canary" not in repr((new[0].before, new[0].after)), "a person's own values stand in the trail"


async def test_what_classes_a_customer_has_before_and_after(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        await visitor.post("/contacts/5/edit", {"field": "grade", "value": "D"})
        await visitor.post("/contacts/5/edit", {"field": "grade", "value": "A"})
    last = (await entries(house))[-1]
    assert (last.object_id, last.before, last.after) == ("5", {"grade": "D"}, {"grade": "A"})


async def test_a_refused_act_leaves_no_entry(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        await visitor.get("/")
        known = len(await entries(house))
        assert (await visitor.post("/contacts/2/edit", {"field": "grade", "value": "D"})).status_code == 403
        assert len(await entries(house)) == known


def test_every_action_is_in_the_matrix() -> None:
    posted = {path for method, path, _ in ROUTES if method == "POST"}
    assert {path for path, _ in actions()} == posted
