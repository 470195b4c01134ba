"""A stop is exact: what commits a stop and what hands a message over wait for each other.

On SQLite there is one writer, so they do anyway. On PostgreSQL a hand-over reads the suppression list and the campaign
and commits a moment later; a stop that commits in between would not be seen. Two halves of one advisory lock keep them
apart: hand-overs share it, a stop holds it alone.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

#: Any number that no other advisory lock of ours uses.
LOCK = 7_305_001


async def hold(conn: AsyncConnection) -> None:
    """Wait for hand-overs that are being committed; call it first in a transaction that stops mail to anybody."""
    if conn.dialect.name == "postgresql":
        await conn.execute(select(func.pg_advisory_xact_lock(LOCK)))


def share(conn: Connection) -> None:
    """Wait for stops that are being committed; the hand-over calls it first in its transaction."""
    if conn.dialect.name == "postgresql":
        conn.execute(select(func.pg_advisory_xact_lock_shared(LOCK)))
