"""Versions of templates in the database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import update

import outreach.model  # noqa: F401 - fills the metadata
from outreach.content.problem import ContentProblem
from outreach.content.store import VERSIONS, snapshot, version_label, version_source
from outreach.content.template import TemplateSource
from outreach.db.session import Database
from tests.fakes.schema import make_tables

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
BODY = "<mjml><mj-body></mj-body></mjml>"


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await make_tables(database)
    yield database
    await database.close()


def source(subject: str = "Hi 您好 😀") -> TemplateSource:
    return TemplateSource.from_files("offer", {"body.mjml": BODY, "template.toml": f'[subject]\nen = "{subject}"\n'})


async def test_a_wording_is_stored_once_and_rebuilt_as_it_was(db: Database) -> None:
    async with db.write() as conn:
        first, digest = await snapshot(conn, source(), NOW)
        again, _ = await snapshot(conn, source(), NOW)
        second, other = await snapshot(conn, source("Another"), NOW)
    assert first == again != second
    assert digest == source().digest() != other
    async with db.read() as conn:
        rebuilt = await version_source(conn, first)
        assert rebuilt == source()
        assert rebuilt.digest() == digest
        assert await version_label(conn, second) == "offer v2"


async def test_a_version_that_somebody_changed_in_the_database_is_refused(db: Database) -> None:
    async with db.write() as conn:
        number, _ = await snapshot(conn, source(), NOW)
        await conn.execute(update(VERSIONS).values(files=dict(source("Changed").files)))
    async with db.read() as conn:
        with pytest.raises(ContentProblem) as caught:
            await version_source(conn, number)
    assert caught.value.code == "template.tampered"


async def test_there_is_no_such_version(db: Database) -> None:
    async with db.read() as conn:
        with pytest.raises(LookupError):
            await version_source(conn, 7)
