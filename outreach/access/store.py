"""Users and the audit trail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import Row
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.audit import Entry, Fault, Head, Walk, digest, plain
from outreach.access.roles import OPERATOR, Actor
from outreach.db.session import Database
from outreach.model import AuditEntry, AuditHead, LoginSession, Role, User
from outreach.model.refusal import InTwo

USERS: Table = User.__table__  # type: ignore[attr-defined]
ENTRIES: Table = AuditEntry.__table__  # type: ignore[attr-defined]
HEAD: Table = AuditHead.__table__  # type: ignore[attr-defined]
SESSIONS: Table = LoginSession.__table__  # type: ignore[attr-defined]

#: How long "trained and authorised" lasts when nobody says otherwise: the yearly training (H1).
AUTHORISED_FOR = timedelta(days=365)
#: Entries that are read at once while the chain is walked.
CHUNK = 5_000


class UserError(InTwo):
    """A change to a user is refused. `code` names why: unknown, exists, no_role, last_admin, self."""

    def __init__(self, code: str, text: str, zh: str = "") -> None:
        self.code = code
        super().__init__(text, zh)


@dataclass(frozen=True)
class NewUser:
    """A member of staff to be added. `password_hash` from access/login.py."""

    name: str
    roles: Sequence[Role]
    password_hash: str | None = None
    display_name: str = ""
    email: str | None = None
    language: str = "zh"
    timezone: str = "Asia/Shanghai"
    team: str | None = None
    manager_id: int | None = None
    regions: Sequence[str] = field(default_factory=tuple)


#: The numbers of the entries that the present act has appended; None outside of `watched`.
_NOTED: ContextVar[list[int] | None] = ContextVar("outreach_audit_noted", default=None)


@contextmanager
def watched() -> Iterator[list[int]]:
    """Collect the numbers of the entries appended while the block runs: who acts sees whether the act is on record."""
    noted: list[int] = []
    before = _NOTED.set(noted)
    try:
        yield noted
    finally:
        _NOTED.reset(before)


async def append_audit(
    conn: AsyncConnection,
    actor: Actor | None,
    action: str,
    object_type: str,
    object_id: object,
    *,
    now: datetime,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> int:
    """Add one entry to the trail in the caller's transaction and return its number.

    `actor` None: the system itself. People appear by id only, never by name or address, so that erasing a person
    leaves the chain whole.
    """
    head = await _lock_head(conn)
    entry = Entry(
        number=head.count + 1,
        at=now,
        actor_id=actor.id if actor else None,
        actor="system" if actor is None else "operator" if actor.operator else "user",
        action=action,
        object_type=object_type,
        object_id=str(object_id),
        before=plain(before or {}),
        after=plain(after or {}),
        previous=head.hash,
    )
    hashed = digest(entry)
    values = {name: getattr(entry, name) for name in _COLUMNS if name != "id"}
    await conn.execute(insert(ENTRIES).values(id=entry.number, hash=hashed, **values))
    await conn.execute(update(HEAD).where(HEAD.c.id == 1).values(count=entry.number, hash=hashed))
    noted = _NOTED.get()
    if noted is not None:
        noted.append(entry.number)
    return entry.number


_COLUMNS = ("id", "at", "actor_id", "actor", "action", "object_type", "object_id", "before", "after", "previous")


async def _lock_head(conn: AsyncConnection) -> Head:
    """Read the head and keep others from appending until this transaction ends."""
    upsert = sqlite_insert if conn.dialect.name == "sqlite" else pg_insert
    await conn.execute(upsert(HEAD).values(id=1, count=0).on_conflict_do_nothing())
    row = (await conn.execute(select(HEAD.c.count, HEAD.c.hash).with_for_update())).one()
    return Head(row[0], row[1])


async def _head(conn: AsyncConnection) -> Head:
    row = (await conn.execute(select(HEAD.c.count, HEAD.c.hash))).one_or_none()
    return Head(row[0], row[1]) if row else Head()


async def end_sessions(conn: AsyncConnection, user_id: int, now: datetime) -> int:
    """End every session of a user at once; how many there were."""
    open_ones = (SESSIONS.c.user_id == user_id) & SESSIONS.c.ended_at.is_(None)
    result = await conn.execute(update(SESSIONS).where(open_ones).values(ended_at=now))
    return result.rowcount


def actor_of(user: Row[Any] | User, now: datetime) -> Actor:
    """Return who acts when this user acts. A disabled user has no roles."""
    known = {role.value for role in Role}
    roles = frozenset(Role(r) for r in user.roles if r in known) if user.disabled_at is None else frozenset()
    authorised = user.authorised_until is not None and user.authorised_until > now
    return Actor(id=user.id, name=user.name, roles=roles, team=user.team, authorised=authorised)


class AccessStore:
    """Users, their roles and authorisation, and the trail."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def remember(self, user_id: int, settings: Mapping[str, Any]) -> None:
        """Keep how a user likes the pages: views, columns. Nothing that decides anything."""
        async with self.db.write() as conn:
            stored = await conn.execute(select(USERS.c.settings).where(USERS.c.id == user_id).with_for_update())
            kept = _with_used_code(settings, stored.scalar_one())
            await conn.execute(update(USERS).where(USERS.c.id == user_id).values(settings=kept))

    async def add_user(self, new: NewUser, *, actor: Actor = OPERATOR, now: datetime, authorise: bool = False) -> int:
        """Add a user and return the id. `authorise` also grants "trained and authorised" for a year.

        Raises UserError (exists, no_role).
        """
        if not new.roles:
            raise UserError("no_role", "a user needs at least one role")
        until = now + AUTHORISED_FOR if authorise else None
        values: dict[str, Any] = {
            "name": new.name,
            "display_name": new.display_name or new.name,
            "email": new.email,
            "roles": [Role(role).value for role in new.roles],
            "password_hash": new.password_hash,
            "recovery_codes": [],
            "language": new.language,
            "timezone": new.timezone,
            "team": new.team,
            "manager_id": new.manager_id,
            "regions": list(new.regions),
            "authorised_by": actor.id if authorise else None,
            "authorised_until": until,
            "failed_logins": 0,
            "created_at": now,
            "settings": {},
        }
        try:
            async with self.db.write() as conn:
                result = await conn.execute(insert(USERS).values(**values).returning(USERS.c.id))
                user_id: int = result.scalar_one()
                after = {"roles": values["roles"], "authorised_until": until}
                await append_audit(conn, actor, "user.added", "user", user_id, now=now, after=after)
                if authorise:  # a grant of its own, as a manager's is: the auditors look for these (H1)
                    grant = {"authorised_until": until, "authorised_by": actor.id}
                    before = dict.fromkeys(grant)
                    await append_audit(
                        conn, actor, "user.authorised", "user", user_id, now=now, before=before, after=grant
                    )
        except IntegrityError as error:
            raise UserError("exists", f"there is a user {new.name!r} already") from error
        return user_id

    async def users(self, *, with_disabled: bool = True) -> Sequence[Row[Any]]:
        """Return every user's row, by name."""
        query = select(*USERS.c).order_by(USERS.c.name)
        if not with_disabled:
            query = query.where(USERS.c.disabled_at.is_(None))
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()

    async def user(self, key: int | str) -> Row[Any] | None:
        """Return a user's row by id or name, or None."""
        column = USERS.c.id if isinstance(key, int) else USERS.c.name
        async with self.db.read() as conn:
            query = select(*USERS.c).where(column == key)
            return (await conn.execute(query)).one_or_none()

    async def actor(self, name: str, now: datetime) -> Actor:
        """Return who acts for ``--as NAME``. Raises UserError (unknown)."""
        row = await self.user(name)
        if row is None or row.disabled_at is not None:
            raise UserError("unknown", f"there is no active user {name!r}: see  outreach users list")
        return actor_of(row, now)

    async def change_user(
        self, user_id: int, changes: Mapping[str, Any], *, actor: Actor, now: datetime, action: str = "user.changed"
    ) -> None:
        """Change columns of a user; a change of roles, password or disabled_at ends the sessions in the same moment.

        Raises UserError (unknown, last_admin).
        """
        async with self.db.write() as conn:
            await change_user(conn, user_id, changes, actor=actor, now=now, action=action)

    async def disable(self, user_id: int, *, actor: Actor, now: datetime) -> None:
        """Close a user's account at once. Raises UserError (unknown, last_admin)."""
        await self.change_user(user_id, {"disabled_at": now}, actor=actor, now=now, action="user.disabled")

    async def authorise(self, user_id: int, until: datetime | None, *, actor: Actor, now: datetime) -> None:
        """Grant "trained and authorised" until a date, or take it away (H1). Nobody grants it to himself."""
        if actor.id == user_id:
            raise UserError("self", "nobody can declare himself trained and authorised: ask another manager")
        changes = {"authorised_until": until, "authorised_by": actor.id}
        await self.change_user(user_id, changes, actor=actor, now=now, action="user.authorised")

    async def head(self) -> Head:
        """Return the end of the chain, to be kept elsewhere."""
        async with self.db.read() as conn:
            return await _head(conn)

    async def verify(self, kept: Head | None = None) -> Fault | None:
        """Walk the whole chain and return its first fault, or None. `kept`: a head that was exported before."""
        columns = [ENTRIES.c[name] for name in (*_COLUMNS, "hash")]
        async with self.db.read(snapshot=True) as conn:  # entries that others append meanwhile are no fault
            head, walk = await _head(conn), Walk(kept)
            if kept and head.count < kept.count:
                return Fault(head.count + 1, "cut", f"{kept.count - head.count} entries of the kept head are missing")
            try:
                result = await conn.stream(select(*columns).order_by(ENTRIES.c.id))
                async for row in result.yield_per(CHUNK):
                    fault = walk.fault_at(Entry(row.id, *row[1:10]), row.hash)
                    if fault:
                        return fault
            except (ValueError, DBAPIError):  # a changed byte made a moment, a JSON text or the encoding nonsense
                return await _unreadable(conn, columns, walk)
        return walk.fault_of_end(head)

    async def entries(
        self, *, limit: int = 50, before: int | None = None, where: Mapping[str, Any] | None = None
    ) -> Sequence[Row[Any]]:
        """Return the newest entries first. `where`: column → value; `before`: only numbers below it."""
        query = select(*ENTRIES.c).order_by(ENTRIES.c.id.desc()).limit(limit)
        for name, value in (where or {}).items():
            query = query.where(ENTRIES.c[name] == value)
        if before is not None:
            query = query.where(ENTRIES.c.id < before)
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()

    async def sample(self, count: int) -> Sequence[Row[Any]]:
        """Return a random sample of entries for a spot check, oldest first."""
        async with self.db.read() as conn:
            chosen = select(ENTRIES.c.id).order_by(func.random()).limit(count)
            query = select(*ENTRIES.c).where(ENTRIES.c.id.in_(chosen)).order_by(ENTRIES.c.id)
            return (await conn.execute(query)).all()


async def _unreadable(conn: AsyncConnection, columns: Sequence[ColumnElement[Any]], walk: Walk) -> Fault | None:
    """Find which of the entries that were not walked yet is the first that is wrong or cannot be read."""
    rest = select(ENTRIES.c.id).order_by(ENTRIES.c.id).offset(walk.number)
    for number in (await conn.scalars(rest)).all():
        try:
            row = (await conn.execute(select(*columns).where(ENTRIES.c.id == number))).one()
        except (ValueError, DBAPIError):
            return Fault(walk.number + 1, "edited", f"entry {number} cannot be read any more")
        fault = walk.fault_at(Entry(row.id, *row[1:10]), row.hash)
        if fault:
            return fault
    return None


#: A change of one of these ends the user's sessions in the same transaction (CVE-2026-34828).
ENDS_SESSIONS = frozenset({"roles", "password_hash", "disabled_at", "totp_secret"})
#: Never written to the trail: what they hold is secret; that they changed is recorded.
SECRET_COLUMNS = frozenset({"password_hash", "totp_secret", "recovery_codes", "settings"})
#: Personal data of staff: the trail says that it changed, not what it was.
PERSONAL_COLUMNS = frozenset({"name", "display_name", "email"})


async def change_user(
    conn: AsyncConnection, user_id: int, changes: Mapping[str, Any], *, actor: Actor, now: datetime, action: str
) -> None:
    """Change columns of a user within a transaction. Raises UserError (unknown, last_admin)."""
    query = select(*USERS.c).where(USERS.c.id == user_id).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    if row is None:
        raise UserError("unknown", f"there is no user with id {user_id}")
    await _keep_an_admin(conn, row, changes)
    if "settings" in changes:
        changes = {**changes, "settings": _with_used_code(changes["settings"], row.settings)}
    await conn.execute(update(USERS).where(USERS.c.id == user_id).values(**changes))
    if ENDS_SESSIONS & changes.keys():
        await end_sessions(conn, user_id, now)
    hidden = SECRET_COLUMNS | PERSONAL_COLUMNS
    old = {name: "…" if name in hidden else getattr(row, name) for name in changes}
    new = {name: "…" if name in hidden else value for name, value in changes.items()}
    await append_audit(conn, actor, action, "user", user_id, now=now, before=old, after=new)


def _with_used_code(new: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """A page that was opened before a login must not make that login's code good again by what it saves."""
    return {**new, "totp_step": stored["totp_step"]} if "totp_step" in stored else dict(new)


async def _keep_an_admin(conn: AsyncConnection, row: Row[Any], changes: Mapping[str, Any]) -> None:
    """Refuse to take the last administrator away: nobody could give the role back in the browser."""
    loses = changes.get("disabled_at") is not None or "admin" not in changes.get("roles", ["admin"])
    if "admin" not in row.roles or not loses:
        return
    others = await conn.execute(
        select(USERS.c.id, USERS.c.roles).where(USERS.c.disabled_at.is_(None), USERS.c.id != row.id)
    )
    if not any("admin" in other.roles for other in others):
        raise UserError("last_admin", "this is the last administrator: make somebody else administrator first")
