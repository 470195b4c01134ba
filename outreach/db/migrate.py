"""Create the database or bring it to the newest revision."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlmodel import SQLModel

import outreach.model  # noqa: F401  (fills SQLModel.metadata)
from outreach.db.session import Database

SCRIPTS = Path(__file__).parent / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    config.attributes["connection"] = connection
    return config


async def migrate(db: Database) -> None:
    """Bring the database to the newest revision, in one transaction; a new database gets every table."""
    async with db.write() as conn:
        await conn.run_sync(lambda c: command.upgrade(_config(c), "head"))


async def revision_of(db: Database) -> str | None:
    """Return the revision that the database stands at, None for an empty one."""
    async with db.read() as conn:
        return await conn.run_sync(lambda c: MigrationContext.configure(c).get_current_revision())


def newest() -> str | None:
    """Return the newest revision that this program knows."""
    return ScriptDirectory.from_config(_config()).get_current_head()


async def differences(db: Database) -> list[object]:
    """Return what the tables of the model and those of the migrated database do not share."""
    async with db.read() as conn:
        found = await conn.run_sync(lambda c: compare_metadata(MigrationContext.configure(c), SQLModel.metadata))
    return [change for change in found if "archive_index" not in str(change)]  # the text index: see ddl.py


async def write_revision(db: Database, message: str) -> None:
    """Write a new migration from what changed in the model since the database's revision (for developers)."""
    async with db.write() as conn:
        await conn.run_sync(lambda c: command.revision(_config(c), message, autogenerate=True, rev_id=_next()))


def _next() -> str:
    count = len(list((SCRIPTS / "versions").glob("[0-9]*.py")))
    return f"{count + 1:04d}"
