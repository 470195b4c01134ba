# ruff: noqa: E501 - statements and tables are read best on one line
"""Segments with tags, against plain counts of the same table in the same run (docs/performance.md).

    .venv/bin/python -m benchmarks.segments [CONTACTS] [--rounds N] [--json]

The baseline is a count over one column of the table. Beside it stands what an ORM writes for tags (EXISTS over the
m:n table). Materialising compares INSERT … SELECT of our statement with the same one written by hand. Sizes are 1×, 4×
and 16×, the last one CONTACTS (a million by default); rounds alternate; the figures are medians of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.dialects import sqlite
from sqlmodel import SQLModel, create_engine

import outreach.model  # noqa: F401 - fills the metadata
from outreach.audience import segment

NOW = datetime(2026, 11, 22, tzinfo=UTC)
TEXT = "region = Europe and tag = fair and not tag = competitor"
COLUMN = "SELECT count(*) FROM contact NOT INDEXED WHERE region = 'Europe'"
EXISTS = (
    "SELECT count(*) FROM contact WHERE region = 'Europe' AND EXISTS (SELECT 1 FROM contact_tag JOIN tag ON tag.id = tag_id"
    " WHERE contact_id = contact.id AND name = 'fair') AND NOT EXISTS (SELECT 1 FROM contact_tag JOIN tag ON"
    " tag.id = tag_id WHERE contact_id = contact.id AND name = 'competitor')"
)
BY_HAND = (
    "SELECT id FROM contact WHERE erased_at IS NULL AND region = 'Europe' AND id IN (SELECT contact_id FROM contact_tag"
    " WHERE tag_id = 1) AND id NOT IN (SELECT contact_id FROM contact_tag WHERE tag_id = 2)"
)
REGIONS = ("Europe", "Americas", "Asia", "Africa", "Middle East")
GOAL_COUNT, GOAL_MATERIALISE = 5.0, 1.2


def build(path: Path, contacts: int) -> sqlite3.Connection:
    """Make a database of contacts: a fifth in Europe, a fifth with the tag fair, a fiftieth with competitor."""
    engine = create_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    chance = random.Random(1)
    conn = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-262144", "mmap_size=2000000000"):
        conn.execute(f"PRAGMA {pragma}")
    conn.execute("BEGIN")
    conn.execute(
        "INSERT INTO tag (id, kind, name) VALUES (1, 'tag', 'fair'), (2, 'tag', 'competitor'), (3, 'tag', 'vip')"
    )
    conn.executemany(
        "INSERT INTO contact (id, first_name, last_name, country, region, city, source, basis, tracking, created_at,"
        " attributes) VALUES (?, ?, ?, 'DE', ?, ?, 'fair-2026', 'none', 1, '2026-11-22 00:00:00.000000', '{}')",
        (
            (i, f"First{i % 1000}", f"Last{i % 5000}", chance.choice(REGIONS), f"City{i % 300}")
            for i in range(1, contacts + 1)
        ),
    )
    pairs = (
        (tag, i)
        for tag, share in ((1, 0.2), (2, 0.02), (3, 0.3))
        for i in range(1, contacts + 1)
        if chance.random() < share
    )
    conn.executemany("INSERT INTO contact_tag (tag_id, contact_id) VALUES (?, ?)", pairs)
    conn.execute("COMMIT")
    conn.execute("CREATE TEMP TABLE chosen (id INTEGER PRIMARY KEY)")
    return conn


def ours() -> tuple[str, tuple[Any, ...]]:
    """Return the statement of the segment as it is sent, with its values."""
    statement = segment.select_ids(segment.parse(TEXT), NOW)
    compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True})
    names = compiled.positiontup or []
    return str(compiled), tuple(compiled.params[name] for name in names)


def seconds(work: Callable[[], Any]) -> float:
    """Return how long it took."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(contacts: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Measure one size."""
    conn = build(folder / f"{contacts}.db", contacts)
    text, values = ours()

    def count(statement: str, parameters: tuple[Any, ...] = ()) -> int:
        return int(conn.execute(statement, parameters).fetchone()[0])

    def fill(statement: str, parameters: tuple[Any, ...] = ()) -> None:
        conn.execute("DELETE FROM chosen")
        conn.execute(f"INSERT INTO chosen {statement}", parameters)

    mine = f"SELECT count(*) FROM ({text})"  # noqa: S608
    people = count(mine, values)
    if people != count(EXISTS) or people != count(f"SELECT count(*) FROM ({BY_HAND})"):  # noqa: S608
        raise RuntimeError("the statements do not find the same people")
    runs = [
        (
            seconds(lambda: count(COLUMN)),
            seconds(lambda: count(mine, values)),
            seconds(lambda: count(EXISTS)),
            seconds(lambda: fill(BY_HAND)),
            seconds(lambda: fill(text, values)),
        )
        for _ in range(rounds)
    ]
    conn.close()
    return {
        "contacts": contacts, "people": people, "column_ms": statistics.median(r[0] for r in runs) * 1e3,
        "count_ms": statistics.median(r[1] for r in runs) * 1e3,
        "ratio_count": statistics.median(r[1] / r[0] for r in runs),
        "ratio_exists": statistics.median(r[2] / r[0] for r in runs),
        "ratio_materialise": statistics.median(r[4] / r[3] for r in runs),
    }  # fmt: skip


def main() -> int:
    """Run at 1×, 4× and 16×."""
    parser = argparse.ArgumentParser(description="Segments with tags against plain counts.")
    parser.add_argument("contacts", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(max(options.contacts // k, 100), options.rounds, Path(folder)) for k in (16, 4, 1)]
    if options.json:
        print(json.dumps({"segments": found}))
        return 0
    print("contacts      in it   one column   segment   of one column   EXISTS instead   materialise / by hand")
    for f in found:
        print(
            f"{f['contacts']:>9,} {f['people']:>9,} {f['column_ms']:>9.1f} ms {f['count_ms']:>6.1f} ms {f['ratio_count']:>15.2f}"
            f" {f['ratio_exists']:>16.2f} {f['ratio_materialise']:>23.2f}"
        )
    print(f"goals: count ≤ {GOAL_COUNT:g} × one column, materialise ≤ {GOAL_MATERIALISE:g} × by hand")
    return 0


if __name__ == "__main__":
    sys.exit(main())
