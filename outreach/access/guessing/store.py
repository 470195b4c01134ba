"""Attempts are taken before the slow check, so that guesses sent at once are held off like guesses in a row."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from weakref import WeakValueDictionary

from sqlalchemy import Table, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.guessing.strangers import Strangers
from outreach.access.secrets import wait_after
from outreach.access.store import append_audit
from outreach.db.session import Database
from outreach.model import User

USERS: Table = User.__table__  # type: ignore[attr-defined]


class LoginRefused(Exception):
    """A login is refused. `code`: wrong, wait, disabled, second (a code is needed), second_wrong."""

    def __init__(self, code: str, wait_seconds: int = 0) -> None:
        self.code = code
        self.wait_seconds = wait_seconds
        super().__init__(code)


def _hold_off(until: datetime | None, now: datetime) -> None:
    if until is not None and until > now:
        raise LoginRefused("wait", int((until - now).total_seconds()) + 1)


class Guesses:
    """Counts the attempts at each name.

    The database's guarded UPDATE bounds what all processes together let through. Within a process the attempts at one
    name also take turns: whoever logs in from two tabs at once is not held off by his own other tab.
    """

    def __init__(self, db: Database) -> None:
        self.db = db
        self._strangers = Strangers()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def _turn(self, name: str) -> asyncio.Lock:
        return self._turns.setdefault(name, asyncio.Lock())

    @asynccontextmanager
    async def attempt(self, user: Row[Any], now: datetime) -> AsyncIterator[None]:
        """Take an attempt at a user, given back when the block ends well. Raises LoginRefused (wait).

        What the block raises keeps the attempt: a guesser who hangs up early has guessed as well.
        """
        async with self._turn(user.name):
            failures, until = await self._take(user.id, now)
            try:
                yield
            except LoginRefused:
                async with self.db.write() as conn:
                    after = {"failures": failures}
                    await append_audit(conn, None, "login.refused", "user", user.id, now=now, after=after)
                raise
            await self._give_back(user.id, until)

    @asynccontextmanager
    async def attempt_of_stranger(self, name: str, now: datetime) -> AsyncIterator[None]:
        """The same for a name that nobody has, which is always wrong. Raises LoginRefused (wait)."""
        async with self._turn(name.strip()):
            _hold_off(self._strangers.waits_until(name), now)
            self._strangers.count(name, now)
            yield

    async def _take(self, user_id: int, now: datetime) -> tuple[int, datetime | None]:
        """Return the attempts since the last login, this one included, and until when it holds the next ones off."""
        ours, until = USERS.c.id == user_id, select(USERS.c.locked_until).where(USERS.c.id == user_id)
        async with self.db.read() as conn:  # a flood of guesses must not queue for SQLite's one writer
            _hold_off((await conn.execute(until)).scalar_one(), now)
        free = USERS.c.locked_until.is_(None) | (USERS.c.locked_until <= now)
        counted = update(USERS).where(ours, free).values(failed_logins=USERS.c.failed_logins + 1)
        async with self.db.write() as conn:
            failures = (await conn.execute(counted.returning(USERS.c.failed_logins))).scalar_one_or_none()
            if failures is None:
                _hold_off((await conn.execute(until)).scalar_one(), now)
                raise LoginRefused("wait", 1)
            wait = wait_after(failures)
            if wait:
                await conn.execute(update(USERS).where(ours).values(locked_until=now + wait))
        return failures, now + wait if wait else None

    async def _give_back(self, user_id: int, until: datetime | None) -> None:
        """The count before stays: who knows the password alone must not win fresh guesses at the second factor."""
        ours = USERS.c.id == user_id
        async with self.db.write() as conn:
            less = {"failed_logins": USERS.c.failed_logins - 1}
            await conn.execute(update(USERS).where(ours, USERS.c.failed_logins > 0).values(**less))
            if until is not None:
                lifted = update(USERS).where(ours, USERS.c.locked_until == until)
                await conn.execute(lifted.values(locked_until=None))


async def use_step(conn: AsyncConnection, user_id: int, step: int) -> bool:
    """Use up a half minute of the authenticator and all before it; False where that was done already."""
    stored = await conn.execute(select(USERS.c.settings).where(USERS.c.id == user_id).with_for_update())
    settings = stored.scalar_one()
    if step <= int(settings.get("totp_step", 0)):
        return False
    await conn.execute(update(USERS).where(USERS.c.id == user_id).values(settings={**settings, "totp_step": step}))
    return True


async def use_recovery(conn: AsyncConnection, user_id: int, key: str) -> bool:
    """Use up a recovery code; False where there is none such, any more or at all."""
    stored = await conn.execute(select(USERS.c.recovery_codes).where(USERS.c.id == user_id).with_for_update())
    codes = stored.scalar_one()
    if key not in codes:
        return False
    left = [code for code in codes if code != key]
    await conn.execute(update(USERS).where(USERS.c.id == user_id).values(recovery_codes=left))
    return True
