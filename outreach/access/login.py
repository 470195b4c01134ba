"""Passwords, sessions, second factor and API tokens: everything that needs chance, a clock's word or a slow hash."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import secrets as chance
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NoReturn

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from cryptography.fernet import Fernet
from sqlalchemy import Table, func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.guessing.store import Guesses, use_recovery, use_step
from outreach.access.guessing.store import LoginRefused as LoginRefused
from outreach.access.roles import Actor, Permission
from outreach.access.secrets import password_fault, recovery_key, token_hash
from outreach.access.store import actor_of, append_audit, change_user
from outreach.db.session import Database
from outreach.model import ApiToken, LoginSession, User

USERS: Table = User.__table__  # type: ignore[attr-defined]
SESSIONS: Table = LoginSession.__table__  # type: ignore[attr-defined]
TOKENS: Table = ApiToken.__table__  # type: ignore[attr-defined]

#: A working day and a bit; a session that is used is prolonged, to at most a week after the login.
SESSION_FOR = timedelta(hours=12)
SESSION_AT_MOST = timedelta(days=7)
#: How old a session's use may get before it is written again: a page view must not cost a flush of the disk.
TOUCH_AFTER = timedelta(minutes=5)
#: How long a password that was just typed counts for an approval.
VERIFIED_FOR = timedelta(minutes=5)
RECOVERY_CODES = 10
TOTP_STEP = 30

# RFC 9106 section 4, second recommendation (memory-constrained): 64 MiB, 3 passes, 4 lanes.
HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)
#: Two hashes at once: more would let guessers eat the memory (64 MiB each).
AT_ONCE = 2


@dataclass(frozen=True)
class Visit:
    """A session that holds: who, which row, until when; `user` is the user's row."""

    session_id: int
    token: str
    actor: Actor
    user: Row[Any]
    verified_at: datetime | None


def hash_password(password: str, name: str = "") -> str:
    """Return the argon2id hash of a password. Raises ValueError(fault code) when it is too weak."""
    fault = password_fault(password, name)
    if fault:
        raise ValueError(fault)
    return HASHER.hash(password)


def new_password() -> str:
    """Return a random password that can be read out: five groups of four."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(chance.choice(alphabet) for _ in range(4)) for _ in range(5))


@cache
def _nobody() -> str:
    """Checked when the user does not exist, so that known and unknown names take the same time."""
    return HASHER.hash("nobody has this password")


def _check(stored: str | None, password: str) -> bool:
    nobody = _nobody()  # for known names too: the first one after the start makes it, whoever that is
    try:
        return HASHER.verify(stored or nobody, password)
    except (Argon2Error, InvalidHashError):
        return False


def _digits(code: str) -> str:
    """A code as people type it: apps show it in two groups."""
    return "".join(char for char in code if char.isascii() and char.isdigit())


class Login:
    """Logs people and scripts in. `secret` (32 bytes) encrypts what must be readable again: the TOTP keys."""

    def __init__(self, db: Database, secret: bytes, *, session_for: timedelta = SESSION_FOR) -> None:
        self.db = db
        self.session_for = session_for
        key = hashlib.blake2b(b"totp", key=secret[:64], digest_size=32).digest()
        self._box = Fernet(base64.urlsafe_b64encode(key))
        self._guesses = Guesses(db)
        self._slow = asyncio.Semaphore(AT_ONCE)

    # -- password and session ------------------------------------------------------------------------------------

    async def log_in(self, name: str, password: str, code: str | None, *, now: datetime) -> str:
        """Check name, password and second factor; return a new session's token. Raises LoginRefused."""
        user = await self._user(name)
        if user is None:
            await self._refuse_stranger(name, password, now)
        await self.check_password(user, password, now=now)
        return await self.finish(name, code, now=now)

    async def finish(self, name: str, code: str | None, *, now: datetime) -> str:
        """Log in somebody whose password was just checked: second factor, then a session. Raises LoginRefused."""
        user = await self._user(name)
        if user is None or user.disabled_at is not None:
            raise LoginRefused("disabled")
        await self._second(user, code, now)
        token = chance.token_urlsafe(32)
        async with self.db.write() as conn:
            await self._start(conn, user, token, now)
        return token

    async def vouched(self, column: str, value: str, *, now: datetime) -> str:
        """Log in somebody whom the company's own login vouches for; return a new session's token.

        `column`: ``email`` or ``name``. Raises LoginRefused: only who is a user here already may come in.
        """
        async with self.db.read() as conn:
            same = func.lower(USERS.c[column]) == value.lower()
            rows = (await conn.execute(select(*USERS.c).where(same).limit(2))).all()
        if len(rows) != 1:
            raise LoginRefused("wrong")
        user = rows[0]
        if user.disabled_at is not None:
            raise LoginRefused("disabled")
        token = chance.token_urlsafe(32)
        async with self.db.write() as conn:
            await self._start(conn, user, token, now, via="oidc")
        return token

    async def _refuse_stranger(self, name: str, password: str, now: datetime) -> NoReturn:
        """A name that nobody has: the same answers after the same time as a real one's."""
        async with self._guesses.attempt_of_stranger(name, now):
            await self._fits(None, password)
        raise LoginRefused("wrong")

    async def check_password(self, user: Row[Any], password: str, *, now: datetime) -> None:
        """Raise LoginRefused unless the password fits; wrong ones are counted and hold the next one off."""
        async with self._guesses.attempt(user, now):
            if not await self._fits(user.password_hash, password):
                raise LoginRefused("wrong")
        if user.disabled_at is not None:
            raise LoginRefused("disabled")

    async def _fits(self, stored: str | None, password: str) -> bool:
        async with self._slow:
            return await asyncio.to_thread(_check, stored, password) and stored is not None

    async def _start(
        self, conn: AsyncConnection, user: Row[Any], token: str, now: datetime, *, via: str = "password"
    ) -> None:
        row = {
            "token_hash": token_hash(token),
            "user_id": user.id,
            "created_at": now,
            "seen_at": now,
            "expires_at": now + self.session_for,
            "verified_at": now,
        }
        await conn.execute(insert(SESSIONS).values(**row))
        cleared = {"failed_logins": 0, "locked_until": None}
        await conn.execute(update(USERS).where(USERS.c.id == user.id).values(**cleared))
        await append_audit(conn, actor_of(user, now), "login", "user", user.id, now=now, after={"via": via})

    async def visit(self, token: str, *, now: datetime) -> Visit | None:
        """Return the session of a token, or None when it is unknown, ended or expired."""
        query = (
            select(
                SESSIONS.c.id.label("session_id"),
                SESSIONS.c.created_at.label("began"),
                SESSIONS.c.seen_at,
                SESSIONS.c.verified_at,
                *USERS.c,
            )
            .join(USERS, USERS.c.id == SESSIONS.c.user_id)
            .where(SESSIONS.c.token_hash == token_hash(token))
            .where(SESSIONS.c.ended_at.is_(None), SESSIONS.c.expires_at > now, USERS.c.disabled_at.is_(None))
        )
        async with self.db.read() as conn:
            row = (await conn.execute(query)).one_or_none()
        if row is None:
            return None
        if now - row.seen_at > TOUCH_AFTER:
            await self._touch(row, now)
        return Visit(row.session_id, token, actor_of(row, now), row, row.verified_at)

    async def _touch(self, row: Row[Any], now: datetime) -> None:
        until = min(now + self.session_for, row.began + SESSION_AT_MOST)
        async with self.db.write() as conn:
            ours = SESSIONS.c.id == row.session_id
            await conn.execute(update(SESSIONS).where(ours).values(seen_at=now, expires_at=until))

    async def verify_again(self, visit: Visit, password: str, *, now: datetime) -> None:
        """Ask for the password once more before an approval. Raises LoginRefused."""
        await self.check_password(visit.user, password, now=now)
        async with self.db.write() as conn:
            ours = SESSIONS.c.id == visit.session_id
            await conn.execute(update(SESSIONS).where(ours).values(verified_at=now))

    async def log_out(self, token: str, *, now: datetime) -> None:
        """End a session."""
        async with self.db.write() as conn:
            ours = SESSIONS.c.token_hash == token_hash(token)
            await conn.execute(update(SESSIONS).where(ours).values(ended_at=now))

    async def set_password(self, user_id: int, password: str, *, actor: Actor, now: datetime) -> None:
        """Set a password; every session of the user ends. Raises ValueError(fault code)."""
        hashed = await asyncio.to_thread(hash_password, password, actor.name if actor.id == user_id else "")
        changes = {"password_hash": hashed, "failed_logins": 0, "locked_until": None}
        async with self.db.write() as conn:
            await change_user(conn, user_id, changes, actor=actor, now=now, action="user.password")

    async def _user(self, name: str) -> Row[Any] | None:
        async with self.db.read() as conn:
            query = select(*USERS.c).where(USERS.c.name == name.strip())
            return (await conn.execute(query)).one_or_none()

    # -- second factor -------------------------------------------------------------------------------------------

    async def _second(self, user: Row[Any], code: str | None, now: datetime) -> None:
        if not user.totp_secret:
            return
        if not code:
            raise LoginRefused("second")
        async with self._guesses.attempt(user, now):
            if not await self._use_totp(user, code, now) and not await self._use_recovery(user, code, now):
                raise LoginRefused("second_wrong")

    async def _use_totp(self, user: Row[Any], code: str, now: datetime) -> bool:
        """Accept the code of this half minute or its neighbours (RFC 6238 section 5.2), each only once."""
        key = self._box.decrypt(user.totp_secret.encode()).decode()
        step = int(now.timestamp()) // TOTP_STEP
        given = _digits(code)
        fitting = [s for s in (step - 1, step, step + 1) if pyotp.TOTP(key).at(s * TOTP_STEP) == given]
        if not fitting:
            return False
        async with self.db.write() as conn:
            return await use_step(conn, user.id, fitting[-1])

    async def _use_recovery(self, user: Row[Any], code: str, now: datetime) -> bool:
        async with self.db.write() as conn:
            used = await use_recovery(conn, user.id, recovery_key(code))
            if used:
                await append_audit(conn, actor_of(user, now), "login.recovery", "user", user.id, now=now)
        return used

    def propose_totp(self, name: str, issuer: str, key: str = "") -> tuple[str, str]:
        """Return a new key and the otpauth:// address that an authenticator app reads; of `key` where that is one."""
        try:
            pyotp.TOTP(key).at(0)
        except ValueError:
            key = pyotp.random_base32()
        return key, pyotp.TOTP(key).provisioning_uri(name=name, issuer_name=issuer)

    async def enable_totp(self, user_id: int, key: str, code: str, *, actor: Actor, now: datetime) -> list[str] | None:
        """Switch the second factor on once its first code fits; return the recovery codes, shown once. None: wrong.

        The key comes back from a form, so it may be anything: one that is none has no code that fits.
        """
        try:
            fits = pyotp.TOTP(key).verify(_digits(code), for_time=now, valid_window=1)
        except ValueError:
            return None
        if not fits:
            return None
        codes = [f"{chance.token_hex(3)}-{chance.token_hex(3)}" for _ in range(RECOVERY_CODES)]
        changes = {
            "totp_secret": self._box.encrypt(key.encode()).decode(),
            "recovery_codes": [recovery_key(code) for code in codes],
        }
        async with self.db.write() as conn:
            present = select(USERS.c.totp_secret).where(USERS.c.id == user_id).with_for_update()
            if (await conn.execute(present)).scalar_one():  # nobody replaces one that is on
                return None
            await change_user(conn, user_id, changes, actor=actor, now=now, action="user.second_factor_on")
        return codes

    async def disable_totp(self, user_id: int, *, actor: Actor, now: datetime) -> None:
        """Switch the second factor off."""
        changes: dict[str, Any] = {"totp_secret": None, "recovery_codes": []}
        async with self.db.write() as conn:
            await change_user(conn, user_id, changes, actor=actor, now=now, action="user.second_factor_off")

    # -- API tokens ----------------------------------------------------------------------------------------------

    async def add_token(
        self,
        user_id: int,
        name: str,
        scopes: Sequence[Permission],
        *,
        actor: Actor,
        now: datetime,
        days: int | None = 365,
    ) -> str:
        """Make an API token and return it, for the only time."""
        token = "or_" + chance.token_urlsafe(32)
        row = {
            "name": name,
            "token_hash": token_hash(token),
            "user_id": user_id,
            "scopes": [str(scope) for scope in scopes],
            "created_at": now,
            "expires_at": now + timedelta(days=days) if days else None,
        }
        async with self.db.write() as conn:
            added = await conn.execute(insert(TOKENS).values(**row).returning(TOKENS.c.id))
            after = {"user_id": user_id, "scopes": row["scopes"]}
            await append_audit(conn, actor, "token.added", "api_token", added.scalar_one(), now=now, after=after)
        return token

    async def tokens(self, user_id: int) -> Sequence[Row[Any]]:
        """Return a user's tokens, newest first, without their hashes."""
        shown = [column for column in TOKENS.c if column.name != "token_hash"]
        query = select(*shown).where(TOKENS.c.user_id == user_id).order_by(TOKENS.c.id.desc())
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()

    async def revoke_token(self, token_id: int, user_id: int, *, actor: Actor, now: datetime) -> bool:
        """Revoke a token of a user; False when there is none."""
        ours = (TOKENS.c.id == token_id) & (TOKENS.c.user_id == user_id) & TOKENS.c.revoked_at.is_(None)
        async with self.db.write() as conn:
            done = await conn.execute(update(TOKENS).where(ours).values(revoked_at=now))
            if done.rowcount:
                await append_audit(conn, actor, "token.revoked", "api_token", token_id, now=now)
        return bool(done.rowcount)

    async def bearer(self, token: str, *, now: datetime) -> Actor | None:
        """Return who acts with an API token, held to its scopes; None when it does not hold."""
        query = (
            select(TOKENS.c.id.label("token_id"), TOKENS.c.scopes, TOKENS.c.used_at, *USERS.c)
            .join(USERS, USERS.c.id == TOKENS.c.user_id)
            .where(TOKENS.c.token_hash == token_hash(token), TOKENS.c.revoked_at.is_(None))
            .where(TOKENS.c.expires_at.is_(None) | (TOKENS.c.expires_at > now), USERS.c.disabled_at.is_(None))
        )
        async with self.db.read() as conn:
            row = (await conn.execute(query)).one_or_none()
        if row is None:
            return None
        if row.used_at is None or now - row.used_at > TOUCH_AFTER:
            async with self.db.write() as conn:
                await conn.execute(update(TOKENS).where(TOKENS.c.id == row.token_id).values(used_at=now))
        who = actor_of(row, now)
        known = {permission.value for permission in Permission}
        limits = frozenset(Permission(s) for s in row.scopes if s in known)
        return Actor(who.id, who.name, who.roles, who.team, who.authorised, limits=limits, token_id=row.token_id)
