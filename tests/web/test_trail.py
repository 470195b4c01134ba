"""H3: no act of staff without an entry in the trail, whoever wrote the handler."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from outreach.model import AuditEntry
from outreach.model.base import table
from outreach.model.keys import address_key
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


@pytest.mark.parametrize(
    ("path", "form", "before", "after"),
    [
        ("/settings/mailboxes/1/pause", {}, {"state": "active"}, {"state": "paused", "paused_reason": "by hand"}),
        ("/inbox/1/close", {}, {"state": "new"}, {"state": "closed"}),
        ("/customers/3/merge", {"other": "4"}, {"drop": 4, "merged_into": None}, {"drop": 4, "merged_into": 3}),
    ],
)
async def test_an_entry_says_what_was_before(
    house: House, path: str, form: dict[str, Any], before: dict[str, Any], after: dict[str, Any]
) -> None:
    async with house.visitor("admin" if "mailboxes" in path else "sun.qian") as visitor:
        assert (await visitor.post(path, form)).status_code == 303
    last = (await entries(house))[-1]
    assert before.items() <= last.before.items()
    assert after.items() <= last.after.items()


@pytest.mark.parametrize(
    ("path", "action", "number", "after"),
    [
        ("/inbox/archive/77/mail.eml", "mail.exported", "77", {}),
        ("/inbox/archive/77/files/1", "attachment.exported", "77", {"file": 1}),
        ("/customers/files/1", "file.exported", "1", None),
    ],
)
async def test_what_is_saved_is_on_record(
    house: House, path: str, action: str, number: str, after: dict[str, Any] | None
) -> None:
    async with house.visitor("sun.qian") as visitor:
        assert (await visitor.get(path)).status_code == 200
        last = (await entries(house))[-1]
        assert (last.action, last.object_id) == (action, number)
        assert after is None or last.after == after
        assert (await visitor.get(f"{path}9")).status_code in (403, 404)
        assert (await entries(house))[-1].id == last.id


async def test_the_suppression_list_s_entries_are_named_by_their_key(house: House) -> None:
    async with house.visitor("sun.qian") as visitor:
        await visitor.post("/settings/suppression", {"entry": "stop@me.example"})
        await visitor.post("/settings/suppression/remove", {"entry": "stop@me.example", "why": "a slip"})
    added, removed = (await entries(house))[-2:]
    assert (added.action, removed.action) == ("suppression.added", "suppression.removed")
    assert added.object_id == removed.object_id == address_key("stop@me.example", house.outreach.secret)
    assert (removed.before, removed.after["why"]) == ({"reason": "manual"}, "a slip")


async def test_a_refused_act_leaves_no_entry(house: House) -> None:
    async with house.visitor("zhou.yang") as visitor:
        await visitor.get("/")
        known = len(await entries(house))
        assert (await visitor.post("/contacts/2/edit", {"field": "grade", "value": "D"})).status_code == 403
        assert len(await entries(house)) == known


def test_every_action_is_in_the_matrix() -> None:
    posted = {path for method, path, _ in ROUTES if method == "POST"}
    assert {path for path, _ in actions()} == posted
