"""H4, over every table there is: what is stored on a person is told, and after erasure nothing of it is left anywhere.

The rows are made from the tables' own columns, so a table that somebody adds tomorrow is in this test tomorrow.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Boolean, Date, DateTime, Float, Integer, LargeBinary, Table, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlmodel import SQLModel

import outreach.model  # noqa: F401  (fills SQLModel.metadata)
from outreach.audience.store import AudienceStore
from outreach.db.session import Database
from outreach.model.keys import address_key
from outreach.suppression.store import is_suppressed, suppress
from tests.fakes.schema import make_tables

NOW = datetime(2026, 11, 29, 9, 0, tzinfo=UTC)
SECRET = b"s" * 32
ADDRESS = "canary@canary.example"
CANARY = "Canary"
#: Columns whose words come from closed lists of ours, or are ids and hashes that name nobody.
CLOSED = frozenset(
    [
        "state",
        "kind",
        "reason",
        "certainty",
        "hash",
        "key",
        "token_hash",
        "sha256",
        "uid",
        "message_id",
        "rfc_message_id",
        "variant",
        "only_if",
        "basis",
        "mx",
        "status",
        "machine",
        "country",
        "region",
        "currency",
        "language",
        "mail_domain",
        "tz",
        "stage",
        "grade",
        "intent",
        "via",
        "folder",
        "number",
        "media_type",
        "external_id",
        "step",
        "department",
        "network",
        "phase",
        "outcome",
        "title",
        "skip_reason",
        "approval",
        "address_key",
        "domain",
    ]
)
#: Tables that hang on a person without naming the contact: table → how its row finds its way to one.
THROUGH = {"attempt": "message_id", "dynamic_link": "message_id", "archived_mail": "inbound_id"}
#: Tables of the company itself: they name staff, customers' firms, campaigns and labels, not a person.
NOBODY = frozenset({"company", "campaign", "mailbox", "user", "tag", "stored_file"})


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    await make_tables(database)
    yield database
    await database.close()


class Maker:
    """Makes a row of any table, with the rows that it needs."""

    def __init__(self, conn: AsyncConnection) -> None:
        self.conn = conn
        self.made: dict[str, int] = {}
        self.serial = 0

    async def make(self, source: Table, **given: Any) -> int:
        if source.name in self.made and not given:
            return self.made[source.name]
        self.made.setdefault(source.name, 0)
        values = dict(given)
        for column in source.c:
            if column.name in values or (column.name == "id" and isinstance(column.type, Integer)):
                continue
            if column.foreign_keys:
                target = next(iter(column.foreign_keys)).column.table
                # every row that can point at another does: erasure must not stumble over a foreign key
                wanted = not column.nullable or target.name in self.made or column.name in ("message_id", "inbound_id")
                if wanted and target.name != source.name:
                    values[column.name] = await self.make(target)
                continue
            values[column.name] = self.fill(source, column)
        result = await self.conn.execute(insert(source).values(**values))
        key = result.inserted_primary_key
        self.made[source.name] = int(key[0]) if key is not None and isinstance(key[0], int) else 1
        return self.made[source.name]

    def fill(self, source: Table, column: Any) -> Any:
        self.serial += 1
        kind, word = column.type, CANARY if source.name not in NOBODY else "Plain"
        if column.name == "pending":  # the step of a deal that waits for a manager
            return "order"
        if column.name == "effects":  # names of changes with one closed word each (events/kinds.py: Change.note)
            return ["MarkMessage:bounced_at"]
        if _is_json(column):
            empty = column.default.arg({}) if column.default is not None and callable(column.default.arg) else {}
            return [f"{word} {source.name}"] if isinstance(empty, list) else {"text": f"{word} {source.name}"}
        if isinstance(kind, Boolean):
            return False
        if isinstance(kind, Integer | Float):
            return min(self.serial, 5) if column.name == "score" else self.serial
        if isinstance(kind, LargeBinary):
            return f"{word} {source.name}".encode()
        if isinstance(kind, Date) and not isinstance(kind, DateTime):
            return date(1980, 1, 1)
        if "DateTime" in type(kind).__name__:
            return NOW
        if column.name in CLOSED:
            return f"w{self.serial}"[: kind.length or 20]
        if column.name in ("address", "normal", "from_address", "successor"):
            return ADDRESS if word == CANARY else f"box{self.serial}@minxu.example"
        return f"{word} {source.name}.{column.name} {self.serial}"[: kind.length or 200]


def personal() -> list[Table]:
    """Every table that names a contact, or hangs on a row that does."""
    return [
        source
        for source in SQLModel.metadata.sorted_tables
        if source.name != "contact" and ("contact_id" in source.c or source.name in THROUGH or source.name == "sign_up")
    ]


async def fill(conn: AsyncConnection) -> int:
    """One row in each of them, all of one contact's; returns the contact."""
    maker = Maker(conn)
    for name in ("user", "company", "mailbox", "campaign"):
        await maker.make(SQLModel.metadata.tables[name], **_plain(name))
    contact = await maker.make(SQLModel.metadata.tables["contact"], erased_at=None, left_at=None)
    for source in personal():
        special = _plain(source.name)
        if "contact_id" in source.c:
            special["contact_id"] = contact
        await maker.make(source, **special)
    return contact


def _plain(name: str) -> dict[str, Any]:
    """What the rows of the program itself are called, and keys that must be real."""
    if name == "user":
        return {"name": "li.na", "display_name": "Li Na", "email": None, "settings": {}, "roles": [], "regions": []}
    if name == "company":
        return {
            "name": "Lichtwerk",
            "domain": "canary-gmbh.example",
            "note": None,
            "city": None,
            "attributes": {},
            "phone": None,
        }
    if name == "mailbox":
        return {"name": "sales", "address": "sales@minxu.example"}
    if name == "campaign":
        return {"name": "Show", "definition": {}}
    if name in ("email_address", "sign_up"):
        return {"key": address_key(ADDRESS, SECRET)}
    return {"company_id": None} if name == "deal_without_company" else {}


async def everything(db: Database) -> dict[str, str]:
    """Every table's rows as text, the full-text index's too."""
    async with db.read() as conn:
        found = {
            source.name: repr([tuple(row) for row in (await conn.execute(select(source))).all()])
            for source in SQLModel.metadata.sorted_tables
        }
        if conn.dialect.name == "sqlite":
            rows = (
                await conn.execute(text("SELECT rowid FROM archive_index WHERE archive_index MATCH 'canary'"))
            ).all()
            found["archive_index"] = CANARY if rows else ""
    return found


async def test_what_is_stored_is_told_and_after_erasure_nothing_is_left(db: Database) -> None:
    async with db.write() as conn:
        await fill(conn)
    store = AudienceStore(db, SECRET, suppress=suppress)
    before = await everything(db)
    holding = {name for name, rows in before.items() if CANARY in rows or ADDRESS in rows}
    wanted = {source.name for source in personal() if _has_words(source)}
    assert wanted <= holding, f"the test itself filled nothing into {wanted - holding}"

    told = json.dumps(await store.export_person(ADDRESS), default=str, ensure_ascii=False)
    untold = {name for name in wanted if f"{CANARY} {name}" in before[name] and f"{CANARY} {name}" not in told}
    assert untold - {"contact_tag", "attempt", "dynamic_link"} == set(), "the person's export lacks these tables"

    await store.erase(ADDRESS, now=NOW)
    after = await everything(db)
    left = {name: rows for name, rows in after.items() if CANARY in rows or ADDRESS in rows}
    assert left == {}, f"still named in {left}"
    async with db.read() as conn:
        assert await is_suppressed(conn, [address_key(ADDRESS, SECRET)]), "the keyed hash keeps the promise"


def _is_json(column: Any) -> bool:
    return "JSON" in type(column.type).__name__.upper()


def _has_words(source: Table) -> bool:
    return any(
        _is_json(column) or isinstance(column.type, LargeBinary)
        or ("String" in type(column.type).__name__ and column.name not in CLOSED)
        for column in source.c
    )  # fmt: skip


async def test_who_was_erased_cannot_be_imported_again(db: Database) -> None:
    async with db.write() as conn:
        await fill(conn)
    store = AudienceStore(db, SECRET, suppress=suppress)
    await store.erase(ADDRESS, now=NOW)
    with pytest.raises(ValueError, match=r"."):
        await store.add_contact({"email": ADDRESS}, source="list", basis="consent", now=NOW)
    assert await store.find(ADDRESS) is None
