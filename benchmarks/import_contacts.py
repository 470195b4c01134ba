# ruff: noqa: E501 - statements and tables are read best on one line
"""Importing contacts, against sqlite3's own `.import` in the same run (docs/performance.md).

    .venv/bin/python -m benchmarks.import_contacts [ROWS] [--rounds N] [--json]

Two baselines. `.import` copies the file into one bare table: no validation, no index, no company, no tag. `.import + SQL`
then fills the tables that an import of ours fills (companies by domain, contacts, addresses with a key, tags, all their
indexes) with statements as a database administrator would write them, without validation. Sizes are 1×, 4× and 16×, the
last one ROWS (a million by default); rounds alternate; the figures are medians of the rounds' ratios. Memory is the peak
of our process: it must not grow with the file.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import random
import resource
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine
from sqlmodel import SQLModel

import outreach.model  # noqa: F401 - fills the metadata
from outreach.audience.importing.store import Importer, ImportOptions
from outreach.audience.read import open_source
from outreach.db.session import Database

GOAL = 0.6
NOW = datetime(2026, 11, 22, tzinfo=UTC)
HEADER = [
    "email",
    "first_name",
    "last_name",
    "company",
    "country",
    "city",
    "industry",
    "tags",
    "language",
    "grade",
    "source",
]
COUNTRIES = ["DE", "FR", "US", "BR", "IN", "AE", "KE", "JP", "PL", "TR", "ES", "IT", "GB", "MX", "ZA", "AU"]

#: What fills our tables from a bare one. `lower(hex(randomblob(16)))` stands for the keyed hash, which SQL has not.
FILL = (
    "CREATE TEMP TABLE firm AS SELECT DISTINCT substr(email, instr(email, '@') + 1) AS domain FROM bare",
    "INSERT INTO company (key, name, domain, region, created_at, attributes) "
    "SELECT 'd:' || domain, domain, domain, 'Other', '2026-11-22 00:00:00.000000', '{}' FROM firm",
    "INSERT INTO contact (id, company_id, first_name, last_name, country, region, city, industry, language, grade, source,"
    " basis, tracking, created_at, attributes) SELECT bare.rowid, company.id, first_name, last_name, bare.country,"
    " 'Europe', bare.city, bare.industry, language, bare.grade, bare.source, 'none', 1, '2026-11-22 00:00:00.000000', '{}'"
    " FROM bare JOIN company ON company.domain = substr(email, instr(email, '@') + 1)",
    "INSERT INTO email_address (contact_id, address, normal, domain, key, is_primary, is_role, mx, soft_bounces, created_at)"
    " SELECT rowid, email, lower(email), substr(email, instr(email, '@') + 1), lower(hex(randomblob(16))), 1, 0, 'unknown',"
    " 0, '2026-11-22 00:00:00.000000' FROM bare",
    "INSERT OR IGNORE INTO tag (kind, name) VALUES ('tag', 'led'), ('tag', 'fair'), ('tag', 'vip')",
    "INSERT INTO contact_tag (tag_id, contact_id) SELECT tag.id, bare.rowid FROM bare JOIN tag"
    " ON ';' || bare.tags || ';' LIKE '%;' || tag.name || ';%'",
)


def write_list(path: Path, rows: int) -> None:
    """Write a list: four contacts a company, a country each, one tag or two for most."""
    chance = random.Random(1)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for i in range(rows):
            firm, k = chance.randrange(rows // 4 + 1), i % 4
            writer.writerow([
                f"p{i}@firm{firm}.example", f"First{i % 1000}", f"Last{i % 5000}", f"Firm {firm} GmbH", COUNTRIES[i % 16],
                f"City{i % 300}", ("lighting", "signage", "electrical", "retail")[k], ("led;fair", "led", "", "vip;fair")[k],
                ("en", "de", "fr", "")[k], "ABCD"[k], "fair-2026",
            ])  # fmt: skip


def new_database(path: Path) -> Path:
    """Make our tables in a new file."""
    for old in path.parent.glob(path.name + "*"):
        old.unlink()
    engine = create_engine(f"sqlite:///{path}")
    SQLModel.metadata.create_all(engine)
    engine.dispose()
    return path


def bare_import(source: Path, database: Path) -> None:
    """Run `.import` of the sqlite3 program; without it, the csv module and executemany."""
    if shutil.which("sqlite3"):
        subprocess.run(["sqlite3", str(database), f".import --csv {source} bare"], check=True)
        return
    with sqlite3.connect(database) as conn, source.open(newline="", encoding="utf-8") as file:
        rows = csv.reader(file)
        next(rows)
        conn.execute(f"CREATE TABLE bare ({', '.join(HEADER)})")
        conn.executemany(f"INSERT INTO bare VALUES ({', '.join('?' * len(HEADER))})", rows)  # noqa: S608


def timed_bare(source: Path, folder: Path) -> float:
    """Return the seconds of `.import` into one bare table."""
    database = folder / "bare.db"
    database.unlink(missing_ok=True)
    start = time.perf_counter()
    bare_import(source, database)
    return time.perf_counter() - start


def timed_filled(source: Path, folder: Path) -> float:
    """Return the seconds of `.import` and of the SQL that fills our tables."""
    database = new_database(folder / "filled.db")
    start = time.perf_counter()
    bare_import(source, database)
    conn = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "cache_size=-65536"):
        conn.execute(f"PRAGMA {pragma}")
    conn.execute("BEGIN")
    for statement in FILL:
        conn.execute(statement)
    conn.execute("COMMIT")
    conn.close()
    return time.perf_counter() - start


async def ours(source: Path, database: Path) -> dict[str, float]:
    """Import with validation; return seconds and the peak of memory in MB."""
    db = Database(f"sqlite:///{database}")
    start = time.perf_counter()
    importer = Importer(db, b"benchmark secret", ImportOptions(source="fair"), NOW)
    result = await importer.run(open_source(source), database.with_suffix(".rejects.csv"))
    seconds = time.perf_counter() - start
    await db.close()
    if result.added != result.read:
        raise RuntimeError(f"the benchmark's list is clean, but: {result.as_dict()}")
    return {"seconds": seconds, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def timed_ours(source: Path, folder: Path) -> dict[str, float]:
    """Import in a process of its own, so that its peak of memory is its own."""
    database = new_database(folder / "ours.db")
    command = [sys.executable, "-m", "benchmarks.import_contacts", "--one", str(source), str(database)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(rows: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Measure one size."""
    source = folder / f"{rows}.csv"
    write_list(source, rows)
    runs = []
    for _ in range(rounds):
        mine = timed_ours(source, folder)
        runs.append((timed_bare(source, folder), timed_filled(source, folder), mine["seconds"], mine["megabytes"]))
    source.unlink()
    bare, filled, mine_s = (statistics.median(run[i] for run in runs) for i in range(3))
    return {
        "rows": rows, "import_s": bare, "filled_s": filled, "ours_s": mine_s, "megabytes": max(run[3] for run in runs),
        "microseconds_a_row": mine_s / rows * 1e6,
        "ratio_import": statistics.median(run[0] / run[2] for run in runs),
        "ratio_filled": statistics.median(run[1] / run[2] for run in runs),
    }  # fmt: skip


def report(found: list[dict[str, Any]]) -> None:
    """Print the table."""
    print("rows        .import    + SQL     ours   µs/row   of .import   of .import + SQL   peak MB")
    for f in found:
        print(
            f"{f['rows']:>9,} {f['import_s']:>8.2f} s {f['filled_s']:>6.2f} s {f['ours_s']:>6.2f} s {f['microseconds_a_row']:>7.1f}"
            f"   {f['ratio_import']:>10.2f}   {f['ratio_filled']:>16.2f}   {f['megabytes']:>7.0f}"
        )
    print(
        f"goal: ≥ {GOAL} of .import. The bare table has no index and nothing is checked; “+ SQL” is the same end state."
    )


def main() -> int:
    """Run at 1×, 4× and 16×."""
    parser = argparse.ArgumentParser(description="Importing contacts against sqlite3's own .import.")
    parser.add_argument("rows", nargs="?", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("FILE", "DATABASE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asyncio.run(ours(*map(Path, options.one)))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        found = [measure(max(options.rows // k, 1), options.rounds, Path(folder)) for k in (16, 4, 1)]
    print(json.dumps({"import_contacts": found})) if options.json else report(found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
