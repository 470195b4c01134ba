"""How many rows an index leads to, for SQLite's planner: without it it takes every index for alike.

PostgreSQL keeps such figures by itself. On SQLite a connection reads them when it opens, or when they are there for the
first time. With a limit to what is looked at SQLite keeps no samples of values: the figures hold nothing of a person.
"""

from __future__ import annotations

from outreach.db.session import Database

#: Rows that are looked at in each index: enough to tell its kind, and milliseconds for a million mails.
LOOKED_AT = 1_000


async def refresh(db: Database) -> None:
    """Count anew, a sample of each index."""
    if not db.is_sqlite:
        return
    async with db.write() as conn:
        await conn.exec_driver_sql(f"PRAGMA analysis_limit={LOOKED_AT}")
        await conn.exec_driver_sql("ANALYZE")
