"""Role × route × scope of the API: what a role, a token's scopes or a missing grant do not give is refused, and no refusal
changes anything.

The routes are those of the running app, so that none is left out; what is granted in part is in test_objects.py.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount

from outreach.access.roles import NEEDS_AUTHORISATION, OPERATOR, Permission, Scope, scope
from outreach.model import Role
from tests.web.house import House
from tests.web.test_matrix import NAME_OF, fingerprint, flatten
from tests.web.test_objects import API, BODIES, permission_of, target

P = Permission
#: Bodies that would do something where they were let through.
WHOLE: Mapping[str, Mapping[str, Any]] = {
    **BODIES,
    "/contacts": {"email": "new@matrix.example", "source": "x"},
    "/segments": {"name": "Matrix", "expression": "grade = A"},
    "/segments/count": {"expression": "grade = A"},
    "/suppression": {"entry": "new@matrix.example"},
    "/orders": {"number": "M-1", "company_id": 3, "ordered_at": "2026-11-01"},
}
GUARDED = [(route, permission) for route in API if (permission := permission_of(route)) is not None]


def act(route: APIRoute) -> str:
    """GET or POST."""
    (method,) = route.methods
    return method


async def ask(client: httpx.AsyncClient, route: APIRoute) -> httpx.Response:
    """The route, with what it needs to find its object."""
    body = None if act(route) == "GET" else WHOLE[route.path]
    return await client.request(act(route), f"/api/v1{target(route.path)}", json=body)


@asynccontextmanager
async def script(
    house: House, role: Role, scopes: Iterable[Permission] = Permission
) -> AsyncIterator[httpx.AsyncClient]:
    """A script with the token of somebody of this role, used once: a token's first use is noted."""
    row = await house.outreach.access.user(NAME_OF[str(role)])
    assert row is not None
    token = await house.web.state.login.add_token(row.id, "matrix", list(scopes), actor=OPERATOR, now=house.now)
    async with house.client(headers={"authorization": f"Bearer {token}"}) as client:
        assert (await client.get("/api/v1/nothing")).status_code == 404
        await client.post("/api/v1/segments/count", json={"expression": "grade = A"})
        yield client


async def refused(house: House, client: httpx.AsyncClient, routes: Iterable[APIRoute], why: str) -> int:
    """Ask each; return how many were refused, each with this reason and without a trace."""
    before = await fingerprint(house)
    number = 0
    for route in routes:
        answer = await ask(client, route)
        told = (answer.status_code, answer.json().get("error"))
        assert told == (403, why), f"{told} from {act(route)} {route.path}"
        assert await fingerprint(house) == before, f"{act(route)} {route.path} was refused and changed something"
        number += 1
    return number


def test_the_matrix_has_every_route_of_the_running_api(house: House) -> None:
    (api,) = [route.app for route in house.web.routes if isinstance(route, Mount) and route.path == "/api/v1"]
    served = {(act(route), route.path) for route in flatten(api.routes)}  # type: ignore[attr-defined]
    assert served == {(act(route), route.path) for route in API}
    assert len(GUARDED) == len(API) - 1 > 20
    assert {route.path for route in API if act(route) == "POST"} <= {*WHOLE, "/conversions"}


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_is_refused_what_its_row_does_not_grant(house: House, role: Role) -> None:
    closed = [route for route, permission in GUARDED if scope([role], permission) is Scope.NONE]
    async with script(house, role) as client:
        assert await refused(house, client, closed, "role") == len(closed)
    assert bool(closed) is (role is not Role.ADMIN)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.MANAGER, Role.MARKETER, Role.SALESPERSON])
async def test_a_token_is_held_to_its_scopes_whatever_the_role(house: House, role: Role) -> None:
    for permission in sorted({permission for _, permission in GUARDED}):
        routes = [route for route, needed in GUARDED if needed is permission]
        async with script(house, role, [one for one in Permission if one is not permission]) as client:
            assert await refused(house, client, routes, "role") == len(routes)


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_may_read_what_its_row_grants(house: House, role: Role) -> None:
    async with script(house, role) as client:
        for route, permission in GUARDED:
            if act(route) == "GET" and scope([role], permission) is Scope.ALL:
                answer = await ask(client, route)
                assert answer.status_code == 200, f"{role} got {answer.status_code} from {route.path}"


async def test_without_the_grant_nothing_that_sends_is_done(house: House) -> None:
    sending = [route for route, permission in GUARDED if permission in NEEDS_AUTHORISATION]
    assert {route.path for route in sending} == {"/sequences/{sequence_id}/people"}
    row = await house.outreach.access.user(NAME_OF["salesperson"])
    assert row is not None
    await house.outreach.access.authorise(row.id, None, actor=OPERATOR, now=house.now)
    async with script(house, Role.SALESPERSON) as client:
        assert await refused(house, client, sending, "authorisation") == 1
