"""Role × route × object: where a role reaches only as far as the own or the team's objects, those of others are refused.

Everything in the house is made somebody else's, of another team; then each role walks every route that it is granted in
part. Pages and API routes come from the routers, so that a new one is in the matrix by itself.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import Table, select, update
from sqlmodel import SQLModel

from outreach.access.roles import OPERATOR, Permission, Scope, scope
from outreach.model import EmailAddress, Role, Task, User
from outreach.model.base import table
from outreach.web.api import customers, routes, sequences
from outreach.web.api.app import Bearer
from tests.web.house import House
from tests.web.test_matrix import GAPS, NAME_OF, ROUTES, fingerprint, flatten

P = Permission
PARTLY = (Scope.OWN, Scope.TEAM)
#: Roles that reach less than everything by some permission, the own account aside.
ROLES = [role for role in Role if any(scope([role], p) in PARTLY for p in Permission if p is not P.ACCOUNT)]
#: Whose everything becomes: admin, who is in no team; who looks is in one.
OTHER, TEAM = 10, "elsewhere"
OWNERS = ("owner_id", "author_id", "held_by", "handed_to")

#: What a path's gap must hold, where the form or another part of the path decides what is found.
ACTIONS = {
    "/greetings/{occasion_id:int}/{action}": "decline",
    "/sequences/{sequence_id:int}/people/{contact_id:int}/{action}": "stop",
}
#: Forms without which an act would be refused for another reason; those of paths without a gap name the object.
FORMS: Mapping[str, Mapping[str, Any]] = {
    "/contacts/{contact_id:int}/cell": {"field": "grade", "value-3-grade": "D", "seen": ""},
    "/customers/{company_id:int}/cell": {"field": "grade", "value-3-grade": "D", "seen": ""},
    "/contacts/{contact_id:int}/edit": {"field": "grade", "value": "D"},
    "/sequences/{sequence_id:int}/enrol": {"contact_id": "3"},
    "/contacts/bulk/tag": {"id": ["3"], "tag": "mine"},
    "/customers/deals": {"company": "3", "title": "mine"},
    "/follow-ups/service": {"contact": "3", "kind": "question", "subject": "mine"},
    "/segments/save": {"name": "半年内下单的照明客户", "expression": "grade = A"},
}
#: Why a route shows or does something though the object in its path is another's.
BY_DESIGN = {
    ("GET", "/sequences/{sequence_id:int}"): "one that runs is shown to whoever may enrol the own customers in it",
    ("GET", "/greetings/programmes/{programme_id:int}"): "one that runs is shown; its dates are of the own customers",
    ("GET", "/follow-ups/targets/{figure}"): "the gap is a figure's name; whose figures is asked in the query",
}
#: What is done with a customer belongs to who may edit the customer, whosever the sequence, date or task is.
CUSTOMERS = {
    "/customers/{company_id:int}/tasks", "/follow-ups/calls/{contact_id:int}", "/follow-ups/service",
    "/greetings/{occasion_id:int}/{action}", "/sequences/{sequence_id:int}/enrol", "/cases",
    "/sequences/{sequence_id}/people", "/sequences/{sequence_id}/people/{contact_id}/stop",
}  # fmt: skip
#: Bodies of the API's acts, each about an object of somebody else.
BODIES: Mapping[str, Mapping[str, Any]] = {
    "/contacts": {"email": "{address}", "source": "x"},
    "/deals": {"company_id": 3, "title": "mine"},
    "/deals/{deal_id}/step": {"action": "quote"},
    "/cases": {"kind": "question", "subject": "mine", "contact_id": 3},
    "/sequences/{sequence_id}/people": {"contact_id": 3},
    "/sequences/{sequence_id}/people/{contact_id}/stop": {},
}
#: Lists and acts of the API that have no owner: every reader's, or counts.
NOBODYS = {"/segments", "/segments/count", "/suppression"}
#: Figures: whoever reaches the own objects alone gets those of these.
FIGURES = {"/reports/{label}"}
#: Sequences that run are everybody's to enrol the own customers in.
RUNNING = {"/sequences", "/sequences/{sequence_id}"}


async def estranged(house: House, role: Role) -> str:
    """Make everything somebody else's; return the name of who holds the role."""
    name = NAME_OF[str(role)]
    user, task = table(User), table(Task)
    async with house.db.write() as conn:
        for rows in SQLModel.metadata.sorted_tables:
            values = {column: OTHER for column in OWNERS if column in rows.c}
            if values:
                await conn.execute(update(rows).values(**values))
        await conn.execute(update(user).where(user.c.name == name).values(team=TEAM))
        proposal = {"proposal": {"change": "moved", "address": "k@brandt.example", "name": "K"}}
        await conn.execute(update(task).where(task.c.id == 10).values(kind="address_book", data=proposal))
    return name


def target(path: str) -> str:
    """The path with its gaps filled."""
    gaps = GAPS | ({"action": ACTIONS[path]} if path in ACTIONS else {})
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda gap: gaps[gap[1]], path)


def is_asked(role: Role, method: str, path: str, permission: Permission) -> bool:
    """Whether the route must refuse this role: it is granted in part, and is about an object that has an owner."""
    if permission is P.ACCOUNT or scope([role], permission) not in PARTLY or (method, path) in BY_DESIGN:
        return False
    if path in CUSTOMERS and scope([role], P.CONTACTS_EDIT) is Scope.ALL:
        return False
    return "{" in path or (method == "POST" and path in FORMS)


@pytest.mark.parametrize("role", ROLES)
async def test_pages_refuse_the_objects_of_others_and_nothing_changes(house: House, role: Role) -> None:
    name = await estranged(house, role)
    asked = [(method, path) for method, path, permission in ROUTES if is_asked(role, method, path, permission)]
    async with house.visitor(name) as visitor:
        await visitor.get("/")
        before = await fingerprint(house)
        for method, path in asked:
            at = target(path)
            answer = await (visitor.get(at) if method == "GET" else visitor.post(at, FORMS.get(path)))
            assert answer.status_code == 403, f"{role} got {answer.status_code} from {method} {at}"
        assert await fingerprint(house) == before
    assert len(asked) > {Role.SALESPERSON: 70}.get(role, 1)


API: list[APIRoute] = flatten([*routes.router.routes, *customers.router.routes, *sequences.router.routes])


def permission_of(route: APIRoute) -> Permission | None:
    """What a route of the API asks for; None for the one with a signed token."""
    return next((d.call.permission for d in route.dependant.dependencies if isinstance(d.call, Bearer)), None)


@pytest.mark.parametrize("role", ROLES)
async def test_the_api_refuses_and_lists_none_of_the_objects_of_others(house: House, role: Role) -> None:
    name = await estranged(house, role)
    row = await house.outreach.access.user(name)
    assert row is not None
    token = await house.web.state.login.add_token(row.id, "all", list(Permission), actor=OPERATOR, now=house.now)
    address: Table = table(EmailAddress)
    async with house.db.read() as conn:
        query = select(address.c.address).where(address.c.contact_id == 3).order_by(address.c.id)
        theirs = str((await conn.execute(query)).scalars().first())
    asked = [route for route in API if is_asked_of(role, route)]
    acts = [route for route in asked if "POST" in route.methods]
    async with house.client(headers={"authorization": f"Bearer {token}"}) as client:
        await client.get("/api/v1/segments")  # the token's use is noted once
        before = await fingerprint(house)
        for route in acts:
            body = {key: theirs if value == "{address}" else value for key, value in BODIES[route.path].items()}
            answer = await client.post(f"/api/v1{target(route.path)}", json=body)
            assert answer.status_code == 403, f"{role} got {answer.status_code} {answer.text} from {route.path}"
        assert await fingerprint(house) == before
        for route in asked:
            if route not in acts:
                answer = await client.get(f"/api/v1{target(route.path)}")
                if route.path in FIGURES:
                    assert (answer.status_code, answer.json()["totals"]["sent"]) == (200, 0)
                    continue
                told = (answer.status_code, answer.json().get("items"))
                assert told in ((403, None), (200, [])), f"{role} got {told} from {route.path}"
    assert len(asked) >= {Role.SALESPERSON: 12}.get(role, 0)


def is_asked_of(role: Role, route: APIRoute) -> bool:
    """Whether the API's route must give this role nothing: it is granted in part, and is about what has an owner."""
    if route.path in FIGURES:
        return scope([role], P.CONTACTS_VIEW) is Scope.OWN
    permission = permission_of(route)
    if permission is None or scope([role], permission) not in PARTLY or route.path in NOBODYS | RUNNING:
        return False
    return not (route.path in CUSTOMERS and "POST" in route.methods and scope([role], P.CONTACTS_EDIT) is Scope.ALL)


def test_every_role_that_reaches_less_than_everything_is_asked() -> None:
    assert {Role.MARKETER, Role.SALESPERSON, Role.BUSINESS_LEAD, Role.MARKETING_LEAD} == set(ROLES)
