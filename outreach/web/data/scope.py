"""Object rules as a condition: what of a table the visitor may see."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Table, false, or_, select, true

from outreach.access.roles import Held, Permission, Scope, scope
from outreach.model import Contact, User

if TYPE_CHECKING:
    from outreach.web.api.app import Script
    from outreach.web.routing import Staff

USERS: Table = User.__table__  # type: ignore[attr-defined]
CONTACT: Table = Contact.__table__  # type: ignore[attr-defined]


def owned(staff: Staff | Script, permission: Permission, owner_id: Any) -> ColumnElement[bool]:
    """Return the condition on an owner column: the same rule as access/roles.py `covers`, for lists."""
    return _within(staff, staff.reach(permission), owner_id)


def counted(staff: Staff | Script) -> ColumnElement[bool]:
    """Return the condition on the contacts that a segment's numbers count: by `email = …` a number tells who is there.

    The roles decide, as for `owners`. Who looks after no contacts at all, but checks segments (an auditor), gets the
    numbers of everybody and sees nobody.
    """
    reached = scope(staff.actor.roles, Permission.CONTACTS_VIEW)
    return true() if reached is Scope.NONE else _within(staff, reached, CONTACT.c.owner_id)


def counts_some(staff: Staff | Script) -> bool:
    """Whether the person's numbers leave out what belongs to others: whoever reads them is told."""
    return scope(staff.actor.roles, Permission.CONTACTS_VIEW) in (Scope.OWN, Scope.TEAM)


def _within(staff: Staff | Script, reached: Scope, owner_id: Any) -> ColumnElement[bool]:
    if reached is Scope.ALL:
        return true()
    if reached is Scope.OWN:
        return owner_id == staff.actor.id  # type: ignore[no-any-return]
    if reached is Scope.TEAM:
        team = USERS.c.team.is_(None) if staff.actor.team is None else USERS.c.team == staff.actor.team
        return or_(owner_id.is_(None), owner_id == staff.actor.id, owner_id.in_(select(USERS.c.id).where(team)))
    return false()


def owners(staff: Staff | Script) -> tuple[int, ...] | None:
    """Return whose figures a report may give: None for everybody's. Who sees only own customers gets those of these.

    The roles decide: a token that may read reports and no contacts reaches no further than its owner.
    """
    own = scope(staff.actor.roles, Permission.CONTACTS_VIEW) is Scope.OWN
    return (staff.actor.id,) if own and staff.actor.id is not None else None


async def held(staff: Staff | Script, owner_id: int | None) -> Held:
    """Return whom an object belongs to, the owner's team looked up."""
    if owner_id is None:
        return Held()
    async with staff.app.db.read() as conn:
        team = (await conn.execute(select(USERS.c.team).where(USERS.c.id == owner_id))).scalar_one_or_none()
    return Held(owner_id, team)
