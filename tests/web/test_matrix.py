"""Role × route × object: every route asks for a permission, every refusal leaves the database as it was."""

from __future__ import annotations

import hashlib
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from sqlalchemy import select
from sqlmodel import SQLModel

from outreach.access.roles import GRANTS, NEEDS_AUTHORISATION, Permission, Scope, scope
from outreach.model import LoginSession, Role
from outreach.web import pages
from outreach.web.api import customers as api_customers
from outreach.web.api import routes as api_routes
from outreach.web.api import sequences as api_sequences
from outreach.web.api.app import Bearer
from outreach.web.pages import login as login_page
from tests.web.house import House
from tests.web.seed import USERS

#: Routes that are open to everybody, by design.
OPEN = {
    ("GET", "/login"),
    ("GET", "/login/oidc"),
    ("GET", "/login/oidc/back"), ("POST", "/login"), ("GET", "/language/{code}"),
    ("GET", "/setup"), ("POST", "/setup"),  # only with the code of the console, only while there is no user
}  # fmt: skip
NAME_OF = {role: name for name, _, roles in USERS for role in roles}
#: What stands in a path's gap so that the route finds an object: those of somebody else where there is an owner.
GAPS = {
    "contact_id": "3", "company_id": "3", "campaign_id": "1", "message_id": "1", "inbound_id": "1", "task_id": "10",
    "segment_id": "1", "user_id": "5", "mailbox_id": "1", "token_id": "1", "number": "1", "name": "product-launch",
    "label": "2026-W47", "kind": "json", "key": "0" * 24, "action": "disable", "file": "none.png",
    "unread_id": "901", "deal_id": "1", "order_id": "1", "case_id": "1", "file_id": "1", "rule_id": "1",
    "sequence_id": "91", "programme_id": "92", "occasion_id": "1", "figure": "orders", "address_id": "1",
    "suggestion_id": "1", "mail_id": "77",
}  # fmt: skip


def staff_routes() -> list[tuple[str, str, Permission]]:
    """Method, path and permission of every staff route."""
    found = []
    for router in pages.routers():
        for route in flatten(router.routes):
            method = next(iter(route.methods))
            permission = getattr(route.endpoint, "permission", None)
            if permission is None:
                assert (method, route.path) in OPEN, f"{method} {route.path} asks for no permission"
                continue
            found.append((method, route.path, permission))
    return found


def flatten(routes: Any) -> list[APIRoute]:
    """Routes of a router and of those in it."""
    found: list[APIRoute] = []
    for route in routes:
        if isinstance(route, APIRoute):
            found.append(route)
        elif hasattr(route, "original_router"):
            found += flatten(route.original_router.routes)
        elif hasattr(route, "routes"):
            found += flatten(route.routes)
    return found


ROUTES = staff_routes()


def concrete(path: str) -> str:
    """The path with its gaps filled."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda gap: GAPS[gap[1]], path)


async def fingerprint(house: House) -> str:
    """A digest of every table but the sessions (a visit is noted there)."""
    digest = hashlib.sha256()
    async with house.db.read() as conn:
        for table in SQLModel.metadata.sorted_tables:
            if table.name == LoginSession.__tablename__:
                continue
            for row in (await conn.execute(select(table).order_by(*table.primary_key.columns))).all():
                digest.update(repr(tuple(row)).encode())
    return digest.hexdigest()


def changes(looking: sqlite3.Connection) -> int:
    """A number that is another one after each change that somebody else commits to the database."""
    return int(looking.execute("PRAGMA data_version").fetchone()[0])


def test_every_route_is_in_the_matrix() -> None:
    assert len(ROUTES) > 90
    assert {permission for _, _, permission in ROUTES} <= set(Permission)
    assert all(callable(route.endpoint) for route in flatten(login_page.router.routes))


def test_every_api_route_asks_for_a_permission_but_the_one_with_a_signed_token() -> None:
    without = []
    for route in flatten([*api_routes.router.routes, *api_customers.router.routes, *api_sequences.router.routes]):
        asks = [d.call for d in route.dependant.dependencies if isinstance(d.call, Bearer)]
        if not asks:
            without.append(route.path)
    assert without == ["/conversions"]


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_is_refused_what_its_row_does_not_grant_and_nothing_changes(
    house: House, role: Role, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "house.db")) as looking:
        async with house.visitor(NAME_OF[str(role)]) as visitor:
            await visitor.get("/")
            before = await fingerprint(house)
            refused, unchanged = 0, changes(looking)
            for method, path, permission in ROUTES:
                if scope([role], permission) is not Scope.NONE:
                    continue
                target = concrete(path)
                answer = await (visitor.get(target) if method == "GET" else visitor.post(target))
                assert answer.status_code == 403, f"{role} got {answer.status_code} from {method} {target}"
                assert changes(looking) == unchanged, f"{method} {target} was refused and changed something"
                refused += 1
            assert refused == sum(scope([role], permission) is Scope.NONE for _, _, permission in ROUTES)
            assert await fingerprint(house) == before


@pytest.mark.parametrize("role", list(Role))
async def test_a_role_may_open_what_its_row_grants(house: House, role: Role) -> None:
    async with house.visitor(NAME_OF[str(role)]) as visitor:
        for method, path, permission in ROUTES:
            whole = scope([role], permission) is Scope.ALL or permission is Permission.ACCOUNT
            if method != "GET" or not whole or "doctor" in path:
                continue
            answer = await visitor.get(concrete(path))
            assert answer.status_code in (200, 404), f"{role} got {answer.status_code} from {path}"
            if answer.status_code == 404:
                assert "import/" in path or "previews" in path or "pictures/" in path or "versions/" in path, (
                    f"{path} found nothing"
                )


@pytest.mark.parametrize("permission", sorted(NEEDS_AUTHORISATION))
async def test_without_the_grant_the_routes_that_send_are_refused(house: House, permission: Permission) -> None:
    role = next(role for role in Role if GRANTS[role].get(permission) in (Scope.ALL, Scope.TEAM))
    name = NAME_OF[str(role)]
    row = await house.outreach.access.user(name)
    assert row is not None
    from outreach.access.roles import OPERATOR

    await house.outreach.access.authorise(row.id, None, actor=OPERATOR, now=house.now)
    async with house.visitor(name) as visitor:
        await visitor.get("/")
        before = await fingerprint(house)
        for method, path, needed in ROUTES:
            if needed is permission and method == "POST":
                answer = await visitor.post(concrete(path))
                assert answer.status_code == 403, path
                assert "trained and authorised" in answer.text
        assert await fingerprint(house) == before
