"""Who may do what: one table, deny by default.

The table is the only place that grants anything. The page "Roles" shows it, the tests walk it, and every route and
command asks it. A permission that is not in a role's row is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum

from outreach.model.enums import Role


class Scope(IntEnum):
    """How far a permission reaches. OWN: what the person owns; TEAM: what anybody of the team or nobody owns."""

    NONE = 0
    OWN = 1
    TEAM = 2
    ALL = 3


class Permission(StrEnum):
    """What can be asked for. The value is stored in API tokens and in the audit trail."""

    ACCOUNT = "account"
    CONTACTS_VIEW = "contacts.view"
    CONTACTS_EDIT = "contacts.edit"
    CONTACTS_IMPORT = "contacts.import"
    CONTACTS_ASSIGN = "contacts.assign"
    CONTACTS_EXPORT = "contacts.export"
    CONTACTS_ERASE = "contacts.erase"
    SEGMENTS_VIEW = "segments.view"
    SEGMENTS_EDIT = "segments.edit"
    TEMPLATES_VIEW = "templates.view"
    TEMPLATES_EDIT = "templates.edit"
    CALENDAR_VIEW = "calendar.view"
    CAMPAIGNS_VIEW = "campaigns.view"
    CAMPAIGNS_EDIT = "campaigns.edit"
    CAMPAIGNS_APPROVE = "campaigns.approve"
    CAMPAIGNS_SEND = "campaigns.send"
    CAMPAIGNS_PAUSE = "campaigns.pause"
    MESSAGES_RESOLVE = "messages.resolve"
    INBOX_VIEW = "inbox.view"
    INBOX_ANSWER = "inbox.answer"
    INBOX_QUARANTINE = "inbox.quarantine"
    TASKS_VIEW = "tasks.view"
    TASKS_EDIT = "tasks.edit"
    DEALS_VIEW = "deals.view"
    DEALS_EDIT = "deals.edit"
    DEALS_APPROVE = "deals.approve"
    ORDERS_IMPORT = "orders.import"
    SERVICE_VIEW = "service.view"
    SERVICE_EDIT = "service.edit"
    TARGETS_EDIT = "targets.edit"
    SUPPRESSION_VIEW = "suppression.view"
    SUPPRESSION_ADD = "suppression.add"
    SUPPRESSION_REMOVE = "suppression.remove"
    REPORTS_VIEW = "reports.view"
    REPORTS_SEND = "reports.send"
    MAILBOXES_VIEW = "mailboxes.view"
    MAILBOXES_EDIT = "mailboxes.edit"
    USERS_VIEW = "users.view"
    USERS_EDIT = "users.edit"
    USERS_AUTHORISE = "users.authorise"
    WEBHOOKS_EDIT = "webhooks.edit"
    USERS_TRANSFER = "users.transfer"
    AUDIT_VIEW = "audit.view"
    VIOLATIONS_REPORT = "violations.report"
    VIOLATIONS_READ = "violations.read"


P = Permission
OWN, TEAM, ALL = Scope.OWN, Scope.TEAM, Scope.ALL

#: What every member of staff may do: look after the own account, report a violation (H3), see what all departments
#: plan (A1; sizes and dates, nothing of a customer).
EVERYBODY: dict[Permission, Scope] = {P.ACCOUNT: OWN, P.VIOLATIONS_REPORT: ALL, P.CALENDAR_VIEW: ALL}

_LOOK = {P.SEGMENTS_VIEW: ALL, P.TEMPLATES_VIEW: ALL, P.CAMPAIGNS_VIEW: ALL, P.SUPPRESSION_VIEW: ALL}
_APPROVER = {**_LOOK, P.CAMPAIGNS_APPROVE: ALL, P.CAMPAIGNS_PAUSE: ALL, P.REPORTS_VIEW: ALL}

GRANTS: dict[Role, dict[Permission, Scope]] = {
    Role.MARKETER: {
        **_LOOK,
        P.CONTACTS_VIEW: ALL,
        P.CONTACTS_EDIT: ALL,
        P.CONTACTS_IMPORT: ALL,
        P.CONTACTS_EXPORT: ALL,
        P.SEGMENTS_EDIT: ALL,
        P.TEMPLATES_EDIT: ALL,
        P.CAMPAIGNS_EDIT: TEAM,
        P.CAMPAIGNS_SEND: TEAM,
        P.CAMPAIGNS_PAUSE: ALL,
        P.MESSAGES_RESOLVE: TEAM,
        P.INBOX_VIEW: TEAM,
        P.INBOX_ANSWER: OWN,
        P.TASKS_VIEW: TEAM,
        P.TASKS_EDIT: OWN,
        P.ORDERS_IMPORT: ALL,
        P.SERVICE_VIEW: OWN,
        P.SERVICE_EDIT: OWN,
        P.SUPPRESSION_ADD: ALL,
        P.REPORTS_VIEW: ALL,
        P.REPORTS_SEND: ALL,
        P.MAILBOXES_VIEW: ALL,
    },
    Role.SALESPERSON: {
        P.CONTACTS_VIEW: OWN,
        P.CONTACTS_EDIT: OWN,
        P.SEGMENTS_VIEW: ALL,
        P.SEGMENTS_EDIT: OWN,
        P.TEMPLATES_VIEW: ALL,
        P.CAMPAIGNS_VIEW: OWN,
        P.CAMPAIGNS_EDIT: OWN,
        P.CAMPAIGNS_SEND: OWN,
        P.CAMPAIGNS_PAUSE: OWN,
        P.INBOX_VIEW: OWN,
        P.INBOX_ANSWER: OWN,
        P.TASKS_VIEW: OWN,
        P.TASKS_EDIT: OWN,
        P.DEALS_VIEW: OWN,
        P.DEALS_EDIT: OWN,
        P.SERVICE_VIEW: OWN,
        P.SERVICE_EDIT: OWN,
        P.SUPPRESSION_VIEW: ALL,
        P.SUPPRESSION_ADD: ALL,
        P.REPORTS_VIEW: ALL,
        P.MAILBOXES_VIEW: OWN,
    },
    Role.MARKETING_LEAD: {**_APPROVER, P.CONTACTS_VIEW: ALL, P.INBOX_VIEW: TEAM, P.MAILBOXES_VIEW: ALL},
    Role.BUSINESS_LEAD: {
        **_APPROVER,
        P.CONTACTS_VIEW: TEAM,
        P.INBOX_VIEW: TEAM,
        P.TASKS_VIEW: TEAM,
        P.TASKS_EDIT: OWN,
        P.DEALS_VIEW: TEAM,
        P.SERVICE_VIEW: OWN,
        P.SERVICE_EDIT: OWN,
    },
    Role.LEGAL: {
        **_APPROVER,
        P.CONTACTS_VIEW: ALL,
        P.CONTACTS_EXPORT: ALL,
        P.CONTACTS_ERASE: ALL,
        P.SUPPRESSION_ADD: ALL,
    },
    Role.CUSTOMER_SERVICE: {
        **_LOOK,
        P.CONTACTS_VIEW: ALL,
        P.CONTACTS_EDIT: ALL,
        P.INBOX_VIEW: ALL,
        P.INBOX_ANSWER: ALL,
        P.INBOX_QUARANTINE: ALL,
        P.TASKS_VIEW: ALL,
        P.TASKS_EDIT: ALL,
        P.SERVICE_VIEW: ALL,
        P.SERVICE_EDIT: ALL,
        P.SUPPRESSION_ADD: ALL,
    },
    Role.MANAGER: {
        **_LOOK,
        P.CONTACTS_VIEW: ALL,
        P.CONTACTS_EDIT: ALL,
        P.CONTACTS_ASSIGN: ALL,
        P.CONTACTS_EXPORT: ALL,
        P.CONTACTS_ERASE: ALL,
        P.CAMPAIGNS_PAUSE: ALL,
        P.INBOX_VIEW: ALL,
        P.INBOX_ANSWER: ALL,
        P.INBOX_QUARANTINE: ALL,
        P.TASKS_VIEW: ALL,
        P.TASKS_EDIT: ALL,
        P.DEALS_VIEW: ALL,
        P.DEALS_EDIT: ALL,
        P.DEALS_APPROVE: ALL,
        P.ORDERS_IMPORT: ALL,
        P.SERVICE_VIEW: ALL,
        P.SERVICE_EDIT: ALL,
        P.TARGETS_EDIT: ALL,
        P.SUPPRESSION_ADD: ALL,
        P.SUPPRESSION_REMOVE: ALL,
        P.REPORTS_VIEW: ALL,
        P.REPORTS_SEND: ALL,
        P.MAILBOXES_VIEW: ALL,
        P.USERS_VIEW: ALL,
        P.USERS_AUTHORISE: ALL,
        P.USERS_TRANSFER: ALL,
    },
    Role.AUDITOR: {
        **_LOOK,
        P.REPORTS_VIEW: ALL,
        P.USERS_VIEW: ALL,
        P.MAILBOXES_VIEW: ALL,
        P.AUDIT_VIEW: ALL,
        P.VIOLATIONS_READ: ALL,
    },
    Role.TECHNICIAN: {
        P.CAMPAIGNS_VIEW: ALL,
        P.CAMPAIGNS_PAUSE: ALL,
        P.MESSAGES_RESOLVE: ALL,
        P.INBOX_QUARANTINE: ALL,
        P.MAILBOXES_VIEW: ALL,
        P.MAILBOXES_EDIT: ALL,
        P.WEBHOOKS_EDIT: ALL,
        P.USERS_VIEW: ALL,
        P.SUPPRESSION_VIEW: ALL,
    },
    # Everything but approving: who runs the system must not be able to wave content through (A4).
    Role.ADMIN: {p: ALL for p in Permission if p not in (P.CAMPAIGNS_APPROVE, P.VIOLATIONS_READ)},
}

#: What puts words before a customer needs a dated grant "trained and authorised" besides the role (H1).
NEEDS_AUTHORISATION = frozenset({P.CAMPAIGNS_SEND, P.CAMPAIGNS_APPROVE, P.INBOX_ANSWER})


class AccessDenied(Exception):
    """Somebody asked for what they may not do. `reason` is ``role``, ``object`` or ``authorisation``."""

    def __init__(self, permission: Permission, reason: str) -> None:
        self.permission = permission
        self.reason = reason
        super().__init__(f"not allowed: {permission} ({reason})")


@dataclass(frozen=True)
class Actor:
    """Who acts. `id` None with `operator`: the command line, which may do everything but approve.

    `limits`: the permissions an API token is held to, `token_id` its number; None for a person in the browser.
    """

    id: int | None
    name: str
    roles: frozenset[Role] = frozenset()
    team: str | None = None
    authorised: bool = False
    operator: bool = False
    limits: frozenset[Permission] | None = None
    token_id: int | None = None


@dataclass(frozen=True)
class Held:
    """Whom an object belongs to: its owner's id and team, None when nobody owns it."""

    owner_id: int | None = None
    team: str | None = field(default=None)


OPERATOR = Actor(id=None, name="operator", operator=True, authorised=True)


def scope(roles: Iterable[Role], permission: Permission) -> Scope:
    """Return how far these roles together reach."""
    granted = [GRANTS[role].get(permission, Scope.NONE) for role in roles]
    return max([*granted, EVERYBODY.get(permission, Scope.NONE)])


def reach(actor: Actor, permission: Permission) -> Scope:
    """Return how far this actor reaches: for lists, before any object is known."""
    if actor.limits is not None and permission not in actor.limits:
        return Scope.NONE
    if actor.operator:
        return Scope.NONE if permission is P.CAMPAIGNS_APPROVE else Scope.ALL
    return scope(actor.roles, permission)


def covers(actor: Actor, reached: Scope, held: Held) -> bool:
    """Return whether a reach takes in an object. People without a team are one team together."""
    if reached is Scope.ALL:
        return True
    mine = held.owner_id is not None and held.owner_id == actor.id
    if reached is Scope.OWN:
        return mine
    return reached is Scope.TEAM and (mine or held.owner_id is None or held.team == actor.team)


def refusal(actor: Actor, permission: Permission, held: Held | None = None) -> str | None:
    """Return why an action is refused (``role``, ``object``, ``authorisation``), or None if it is allowed.

    `held` None asks for the action as such: whether there is anything at all that the actor may do it to.
    """
    reached = reach(actor, permission)
    if reached is Scope.NONE:
        return "role"
    if permission in NEEDS_AUTHORISATION and not actor.authorised:
        return "authorisation"
    if held is not None and not covers(actor, reached, held):
        return "object"
    return None


def may(actor: Actor, permission: Permission, held: Held | None = None) -> bool:
    """Return whether an action is allowed."""
    return refusal(actor, permission, held) is None


def require(actor: Actor, permission: Permission, held: Held | None = None) -> None:
    """Raise AccessDenied unless the action is allowed."""
    reason = refusal(actor, permission, held)
    if reason:
        raise AccessDenied(permission, reason)
