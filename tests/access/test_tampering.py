"""A thousand tamperings with a database file itself, by somebody who may write to it, each found by the walk (H3)."""

from __future__ import annotations

import json
import random
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import outreach.model  # noqa: F401  (fills SQLModel.metadata)
from outreach.access.roles import OPERATOR
from outreach.access.store import AccessStore, append_audit
from outreach.db.session import Database
from tests.fakes.schema import make_tables

NOW = datetime(2026, 11, 24, 8, tzinfo=UTC)
ENTRIES = 30
TEXTS = ("at", "actor", "action", "object_type", "object_id", "before", "after", "previous", "hash")
PRINTABLE = "".join(map(chr, range(0x21, 0x7F)))


def one_byte(conn: sqlite3.Connection, chance: random.Random) -> None:
    number, column = chance.randint(1, ENTRIES), chance.choice(TEXTS)
    was = str(conn.execute(f"SELECT {column} FROM audit_entry WHERE id = ?", (number,)).fetchone()[0])  # noqa: S608
    now = was
    while _meaning(column, now) == _meaning(column, was):
        place = chance.randrange(len(was))
        now = was[:place] + chance.choice(PRINTABLE.replace(was[place], "")) + was[place + 1 :]
    conn.execute(f"UPDATE audit_entry SET {column} = ? WHERE id = ?", (now, number))  # noqa: S608


def _meaning(column: str, value: str) -> object:
    """What the text says: the sign between day and time, or a space in JSON, says nothing."""
    read = {"at": datetime.fromisoformat, "before": json.loads, "after": json.loads}.get(column, str)
    try:
        return read(value)
    except ValueError:
        return value


def another_person(conn: sqlite3.Connection, chance: random.Random) -> None:
    conn.execute("UPDATE audit_entry SET actor_id = 99 WHERE id = ?", (chance.randint(1, ENTRIES),))


def delete(conn: sqlite3.Connection, chance: random.Random) -> None:
    conn.execute("DELETE FROM audit_entry WHERE id = ?", (chance.randint(1, ENTRIES),))


def cut(conn: sqlite3.Connection, chance: random.Random) -> None:
    conn.execute("DELETE FROM audit_entry WHERE id > ?", (chance.randint(0, ENTRIES - 1),))


def swap(conn: sqlite3.Connection, chance: random.Random) -> None:
    one, other = chance.sample(range(1, ENTRIES + 1), 2)
    for was, now in ((one, 1000), (other, one), (1000, other)):
        conn.execute("UPDATE audit_entry SET id = ? WHERE id = ?", (now, was))


def forge(conn: sqlite3.Connection, chance: random.Random) -> None:
    row = list(conn.execute("SELECT * FROM audit_entry WHERE id = ?", (chance.randint(1, ENTRIES),)).fetchone())
    row[0], row[-1] = ENTRIES + 1, f"{chance.getrandbits(256):064x}"
    conn.execute(f"INSERT INTO audit_entry VALUES ({','.join('?' * len(row))})", row)  # noqa: S608


def move_the_head(conn: sqlite3.Connection, chance: random.Random) -> None:
    conn.execute("UPDATE audit_head SET count = count + ?", (chance.choice([-2, -1, 1, 2]),))


TAMPERINGS: tuple[Callable[[sqlite3.Connection, random.Random], None], ...] = (
    one_byte, one_byte, one_byte, another_person, delete, cut, swap, forge, move_the_head,
)  # fmt: skip


async def test_a_thousand_tamperings_with_the_file_are_found(tmp_path: Path) -> None:
    path = tmp_path / "outreach.db"
    db = Database(f"sqlite:///{path}")
    await make_tables(db)
    store = AccessStore(db)
    for number in range(ENTRIES):
        async with db.write() as conn:
            before, after = {"owner": number}, {"owner": number + 1, "note": "é 客户"}
            at = NOW + timedelta(seconds=number)
            await append_audit(conn, OPERATOR, "contact.changed", "contact", number, now=at, before=before, after=after)
    with closing(sqlite3.connect(path, timeout=30)) as file:
        tried = await _tamper(file, store)
    await db.close()
    assert min(tried.values()) > 80


async def _tamper(file: sqlite3.Connection, store: AccessStore) -> Counter[str]:
    chance, tried = random.Random(11), Counter[str]()
    for (name,) in file.execute(
        "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'"
    ).fetchall():
        file.execute(f"DROP TRIGGER {name}")
    file.execute("PRAGMA foreign_keys = OFF")
    entries, head = (
        file.execute("SELECT * FROM audit_entry").fetchall(),
        file.execute("SELECT * FROM audit_head").fetchone(),
    )
    file.commit()
    assert await store.verify() is None
    for _ in range(1000):
        tamper = chance.choice(TAMPERINGS)
        tamper(file, chance)
        file.commit()
        assert await store.verify() is not None, f"{tamper.__name__}: {_difference(entries, file)}"
        tried[tamper.__name__] += 1
        file.execute("DELETE FROM audit_entry")
        file.executemany(f"INSERT INTO audit_entry VALUES ({','.join('?' * len(entries[0]))})", entries)  # noqa: S608
        file.execute("UPDATE audit_head SET count = ?, hash = ?", (head[1], head[2]))
        file.commit()
    assert await store.verify() is None, "put back as it was"
    return tried


def _difference(entries: list[tuple[object, ...]], file: sqlite3.Connection) -> str:
    now = file.execute("SELECT * FROM audit_entry").fetchall()
    return str(set(now) ^ set(entries))[:600]
