"""The suppression list in the database. Adding is idempotent; what a person said cannot be taken back by accident."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.db import stops
from outreach.db.session import Database
from outreach.model import Suppression, SuppressionReason
from outreach.model.base import table
from outreach.model.keys import normalise_address
from outreach.model.refusal import InTwo
from outreach.suppression.match import FOR_EVER, key_of, keys_for, weaker_than

TABLE = table(Suppression)
#: Keys of a list that its entry in the trail names; a list may have 100,000.
NAMED = 100


class Held(InTwo, ValueError):
    """A suppression that a person caused: removing it needs force and a reason."""

    def __init__(self, entry: str, reason: str) -> None:
        self.entry, self.reason = entry, reason
        super().__init__(
            f"{entry} is suppressed because of “{reason}”: that holds for every list and for good. "
            "Only who has the person's new, recorded consent may lift it: --force --why TEXT.",
            f"{entry} 因“{reason}”被禁发：对所有名单永久有效。只有取得本人新的、有记录的同意后才能解除。",
        )


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the suppression list. `entry` is the address or domain; after erasure only the key is left."""

    id: int
    key: str
    entry: str
    reason: str
    source: str
    at: datetime
    by_user: int | None

    def as_dict(self) -> dict[str, Any]:
        """Return the line for JSON; the moment in ISO 8601, UTC."""
        plain = {"entry": self.entry, "key": self.key, "reason": self.reason, "source": self.source}
        return plain | {"at": self.at.isoformat(), "by_user": self.by_user}


#: Source of an entry that stands only because another address of the person is on the list: taking that merge back
#: takes it away, but not where the address has got a word of its own meanwhile.
CARRIED_OVER = "merged"


async def suppress(
    conn: AsyncConnection,
    key: str,
    reason: SuppressionReason | str,
    *,
    source: str,
    now: datetime,
    address: str | None = None,
    by_user: int | None = None,
) -> bool:
    """Put a key on the list in the caller's transaction. Return whether anything changed.

    A key that is there already keeps the stronger reason; erasure takes the readable address away.
    """
    await stops.hold(conn)
    reason = SuppressionReason(reason)
    shown = None if reason is SuppressionReason.ERASED else (address and normalise_address(address))
    row = {"key": key, "reason": str(reason), "source": source, "at": now, "address": shown, "by_user": by_user}
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    added = await conn.execute(insert(TABLE).values(row).on_conflict_do_nothing(index_elements=["key"]))
    if added.rowcount:
        return True
    stronger = update(TABLE).where(TABLE.c.key == key, TABLE.c.reason.in_(weaker_than(reason)))
    if (await conn.execute(stronger.values(row))).rowcount:
        return True
    if source != CARRIED_OVER:
        own = update(TABLE).where(TABLE.c.key == key, TABLE.c.source == CARRIED_OVER)
        return bool((await conn.execute(own.values(source=source, at=now, by_user=by_user))).rowcount)
    return False


async def is_suppressed(conn: AsyncConnection, keys: Iterable[str]) -> dict[str, str]:
    """Return key → reason of those keys that stand on the list."""
    found = await conn.execute(select(TABLE.c.key, TABLE.c.reason).where(TABLE.c.key.in_(list(keys))))
    return {row.key: row.reason for row in found}


def _which(keys: Sequence[str]) -> dict[str, Any]:
    """What the trail's one entry on a whole list says of it: the first keys, and a hash that fits these keys alone."""
    digest = hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()
    return {"added": len(keys), "keys": list(keys[:NAMED]), "sha256": digest}


class SuppressionStore:
    """The list for people: commands, pages, imports. `secret` keys the hashes of addresses."""

    def __init__(self, db: Database, secret: bytes) -> None:
        self.db, self.secret = db, secret

    async def add(
        self,
        entry: str,
        reason: SuppressionReason | str = SuppressionReason.MANUAL,
        *,
        source: str = "",
        now: datetime,
        actor: Actor | None = None,
    ) -> bool:
        """Suppress an address or domain. Return False where it was there already. Raises ValueError on neither.

        `actor`: who does it, for the trail; it names the entry by its keyed hash, which an erasure leaves whole.
        """
        key = key_of(entry, self.secret)
        by_user = actor.id if actor else None
        async with self.db.write() as conn:
            new = await suppress(conn, key, reason, source=source, now=now, address=_shown(entry), by_user=by_user)
            if actor:
                after = {"reason": str(reason), "source": source, "changed": new}
                await append_audit(conn, actor, "suppression.added", "suppression", key, now=now, after=after)
        return new

    async def import_entries(
        self,
        entries: Iterable[str],
        reason: SuppressionReason | str,
        *,
        source: str,
        now: datetime,
        actor: Actor | None = None,
    ) -> dict[str, Any]:
        """Suppress many, in one transaction. Return {"added", "known", "refused": [entry, …]}."""
        known, refused = 0, []
        keys: list[str] = []
        async with self.db.write() as conn:
            for entry in entries:
                try:
                    key = key_of(entry, self.secret)
                except ValueError:
                    refused.append(entry)
                    continue
                new = await suppress(conn, key, reason, source=source, now=now, address=_shown(entry))
                known += not new
                keys += [key] if new else []
            if actor and keys:
                after = {"reason": str(reason), "source": source, **_which(keys)}
                number = keys[0] if len(keys) == 1 else "list"
                await append_audit(conn, actor, "suppression.added", "suppression", number, now=now, after=after)
        return {"added": len(keys), "known": known, "refused": refused}

    async def remove(
        self, entry: str, *, now: datetime, force: bool = False, why: str = "", actor: Actor | None = None
    ) -> bool:
        """Take an entry off the list. Return False where it is not on it.

        Raises Held where a person's own word would be undone without `force` and `why`.
        """
        key = key_of(entry, self.secret)
        async with self.db.write() as conn:
            reason = await conn.scalar(select(TABLE.c.reason).where(TABLE.c.key == key))
            if reason is None:
                return False
            if SuppressionReason(reason) in FOR_EVER and not (force and why.strip()):
                raise Held(entry, reason)
            await conn.execute(delete(TABLE).where(TABLE.c.key == key))
            if actor:
                told = {"before": {"reason": reason}, "after": {"force": force, "why": why}}
                await append_audit(conn, actor, "suppression.removed", "suppression", key, now=now, **told)
        return True

    async def check(self, entry: str) -> list[Listed]:
        """Return the lines that stop mail to this address or domain; none: it may be mailed."""
        keys = keys_for(entry, self.secret) if "@" in entry.lstrip("@") else (key_of(entry, self.secret),)
        async with self.db.read() as conn:
            rows = await conn.execute(select(TABLE).where(TABLE.c.key.in_(keys)))
            return [_listed(row) for row in rows]

    async def list(
        self, *, reason: str | None = None, search: str = "", after: int = 0, limit: int = 100
    ) -> Sequence[Listed]:
        """Return a page of the list by id, newest entries last; `after` is the last id of the page before."""
        async with self.db.read() as conn:
            rows = await conn.execute(
                select(TABLE).where(TABLE.c.id > after, *_filters(reason, search)).order_by(TABLE.c.id).limit(limit)
            )
            return [_listed(row) for row in rows]

    async def count(self, *, reason: str | None = None, search: str = "") -> int:
        """Return how many lines the filter leaves."""
        async with self.db.read() as conn:
            return await conn.scalar(select(func.count()).select_from(TABLE).where(*_filters(reason, search))) or 0

    async def export(self) -> AsyncIterator[Listed]:
        """Yield every line, a page at a time."""
        after = 0
        while page := await self.list(after=after, limit=1000):
            for listed in page:
                yield listed
            after = page[-1].id


def _filters(reason: str | None, search: str) -> list[ColumnElement[bool]]:
    filters: list[ColumnElement[bool]] = [TABLE.c.reason == reason] if reason else []
    if search:
        wanted = search.strip().lower()
        filters.append(
            TABLE.c.address.contains(wanted, autoescape=True) | TABLE.c.key.contains(wanted, autoescape=True)
        )
    return filters


def _shown(entry: str) -> str | None:
    """A domain is readable in its key already; an address is kept beside it until erasure."""
    return entry if "@" in entry.strip().lstrip("@") else None


def _listed(row: Any) -> Listed:
    entry = row.address or (row.key.removeprefix("d:") if row.key.startswith("d:") else "")
    return Listed(row.id, row.key, entry, row.reason, row.source, row.at, row.by_user)
