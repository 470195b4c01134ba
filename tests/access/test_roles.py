"""The table of roles: deny by default, object rules, the grant of authorisation."""

from __future__ import annotations

import pytest

from outreach.access.roles import (
    GRANTS,
    NEEDS_AUTHORISATION,
    OPERATOR,
    AccessDenied,
    Actor,
    Held,
    Permission,
    Scope,
    covers,
    may,
    reach,
    refusal,
    require,
    scope,
)
from outreach.model import Role


def someone(*roles: Role, team: str | None = None, authorised: bool = True) -> Actor:
    return Actor(id=7, name="li.na", roles=frozenset(roles), team=team, authorised=authorised)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_a_row_and_nothing_else_is_granted(role: Role) -> None:
    for permission in Permission:
        expected = GRANTS[role].get(permission, Scope.NONE)
        if permission is Permission.ACCOUNT:
            expected = max(expected, Scope.OWN)
        if permission in (Permission.VIOLATIONS_REPORT, Permission.CALENDAR_VIEW):
            expected = Scope.ALL
        assert scope([role], permission) is expected


def test_nobody_without_a_role_may_do_anything_but_look_after_himself_and_at_the_calendar() -> None:
    allowed = {p for p in Permission if reach(someone(), p) is not Scope.NONE}
    assert allowed == {Permission.ACCOUNT, Permission.VIOLATIONS_REPORT, Permission.CALENDAR_VIEW}


def test_only_the_three_approver_roles_approve() -> None:
    approving = {role for role in Role if scope([role], Permission.CAMPAIGNS_APPROVE)}
    assert approving == {Role.MARKETING_LEAD, Role.BUSINESS_LEAD, Role.LEGAL}


def test_the_operator_does_everything_but_approve() -> None:
    refused = {p for p in Permission if not may(OPERATOR, p, Held(owner_id=3))}
    assert refused == {Permission.CAMPAIGNS_APPROVE}


def test_several_roles_reach_as_far_as_the_widest() -> None:
    roles = [Role.SALESPERSON, Role.MANAGER]
    assert scope(roles, Permission.CONTACTS_VIEW) is Scope.ALL


@pytest.mark.parametrize(
    ("reached", "held", "expected"),
    [
        (Scope.NONE, Held(7, "north"), False),
        (Scope.OWN, Held(7, "south"), True),
        (Scope.OWN, Held(8, "north"), False),
        (Scope.OWN, Held(None), False),
        (Scope.TEAM, Held(8, "north"), True),
        (Scope.TEAM, Held(8, "south"), False),
        (Scope.TEAM, Held(None), True),
        (Scope.TEAM, Held(7, "south"), True),
        (Scope.ALL, Held(8, "south"), True),
    ],
)
def test_object_rules(reached: Scope, held: Held, expected: bool) -> None:
    assert covers(someone(team="north"), reached, held) is expected


def test_a_salesperson_sees_only_own_customers() -> None:
    actor = someone(Role.SALESPERSON)
    assert may(actor, Permission.CONTACTS_VIEW, Held(7))
    assert refusal(actor, Permission.CONTACTS_VIEW, Held(8)) == "object"
    assert refusal(actor, Permission.CONTACTS_IMPORT) == "role"


@pytest.mark.parametrize("permission", sorted(NEEDS_AUTHORISATION))
def test_without_the_grant_nothing_leaves(permission: Permission) -> None:
    everything = someone(*Role, authorised=False)
    assert refusal(everything, permission, Held(7)) == "authorisation"


def test_a_token_is_held_to_its_scopes() -> None:
    limits = frozenset({Permission.CONTACTS_VIEW, Permission.USERS_EDIT})
    actor = Actor(id=7, name="script", roles=frozenset({Role.MARKETER}), authorised=True, limits=limits)
    assert may(actor, Permission.CONTACTS_VIEW)
    assert refusal(actor, Permission.CONTACTS_EDIT) == "role"
    assert refusal(actor, Permission.USERS_EDIT) == "role", "a scope never gives more than the person's roles"


def test_require_names_the_permission_and_the_reason() -> None:
    with pytest.raises(AccessDenied) as caught:
        require(someone(Role.AUDITOR), Permission.CAMPAIGNS_SEND)
    assert (caught.value.permission, caught.value.reason) == (Permission.CAMPAIGNS_SEND, "role")
