"""Reports from marks and roll-ups against a scan of the events (docs/performance.md).

    .venv/bin/python -m benchmarks.reports [EVENTS] [--json]

EVENTS (default 1,000,000; the promise is about 10,000,000) opens and clicks of messages in 20 campaigns over 26 weeks.
DuckDB over parquet comes with the dependency group `bench`.
"""

from __future__ import annotations

import asyncio
import csv
import importlib.util
import json
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from time import process_time
from typing import Any

from sqlalchemy import text
from sqlmodel import SQLModel

from outreach.db.session import Database
from outreach.reports.period import Period
from outreach.reports.store import ReportStore
from outreach.reports.weekly import make_report

CAMPAIGNS, WEEKS, EVENTS_A_MESSAGE = 20, 26, 2.5
FIRST = datetime(2026, 5, 25, tzinfo=UTC)
WEEK = Period.parse("2026-W47")
NOW = datetime(2026, 11, 23, tzinfo=UTC)
GOAL_DUCKDB, GOAL_SCAN = 1.5, 10.0


def stamp(at: datetime) -> str:
    """As SQLAlchemy writes it on SQLite."""
    return at.isoformat(" ", "microseconds")[:26]


async def fill(db: Database, path: str, events: int) -> None:
    """Write the world straight into the tables, and the roll-ups from the events."""
    async with db.engine.begin() as conn:
        await conn.run_sync(SQLModel.metadata.create_all)
    messages = int(events / EVENTS_A_MESSAGE)
    raw = sqlite3.connect(path)
    raw.execute("PRAGMA synchronous=OFF")
    fixed = {"goal": "", "state": "finished", "segment": "", "definition": "{}", "archived": 0}
    flags = {"confirm_needed": 0, "pilot_released": 0, "kind": "campaign", "test_verdict": "{}"}
    names = ("id", "name", "created_at", "started_at", "finished_at")
    put(raw, "campaign", names, fixed | flags, (_campaign(n) for n in range(1, CAMPAIGNS + 1)))
    fixed = {"source": "crm", "basis": "customer", "tracking": 1, "attributes": "{}", "created_at": stamp(FIRST)}
    put(raw, "contact", ("id", "region", "industry"), fixed, _contacts(messages))
    fixed = {"address": "a", "address_key": "k", "domain": "d", "state": "sent", "tz": "Europe/Berlin"}
    flags = {"step": 0, "is_pilot": 0, "attempts": 1}
    put(raw, "message", MESSAGE, fixed | flags, _messages(messages))
    put(raw, "event", EVENT, {"data": "{}", "effects": "[]"}, _events(messages, events))
    hour = "strftime('%Y-%m-%d %H:00:00.000000', at)"
    columns = "campaign_id, hour, kind, machine, count"
    select = f"SELECT campaign_id, {hour}, kind, machine, count(*) FROM event GROUP BY 1, 2, 3, 4"  # noqa: S608
    raw.execute(f"INSERT INTO rollup ({columns}) {select}")
    raw.execute("ANALYZE")
    raw.commit()
    raw.close()


MESSAGE = (
    *("id", "uid", "message_id", "campaign_id", "contact_id", "language", "due_at", "sent_at", "handed_at"),
    *("settled_at", "first_open_at", "first_click_at", "replied_at"),
)
EVENT = ("kind", "key", "at", "recorded_at", "message_id", "contact_id", "campaign_id", "machine")


def put(
    raw: sqlite3.Connection, table: str, names: Sequence[str], fixed: dict[str, Any], rows: Iterator[tuple[Any, ...]]
) -> None:
    """Insert rows; `fixed` columns are the same in each, others have the model's defaults."""
    fixed = _defaults(table, names) | fixed
    places = ",".join("?" * (len(names) + len(fixed)))
    sql = f"INSERT INTO {table} ({','.join((*names, *fixed))}) VALUES ({places})"  # noqa: S608
    tail = tuple(fixed.values())
    raw.executemany(sql, (row + tail for row in rows))
    raw.commit()


def _defaults(table: str, names: Sequence[str]) -> dict[str, Any]:
    """What the model would put into the columns that nobody names and that may not be empty."""
    found: dict[str, Any] = {}
    for column in SQLModel.metadata.tables[table].columns:
        if column.nullable or column.primary_key or column.name in names or column.default is None:
            continue
        default: Any = column.default
        value = default.arg(None) if default.is_callable else default.arg
        found[column.name] = value if isinstance(value, str | int | float) else json.dumps(value)
    return found


def _campaign(number: int) -> tuple[Any, ...]:
    begun = FIRST + timedelta(weeks=WEEKS * (number - 1) / CAMPAIGNS)
    ended = begun + timedelta(weeks=2)
    return number, f"Campaign {number}", stamp(FIRST), stamp(begun), stamp(ended) if ended < NOW else None


def _contacts(count: int) -> Iterator[tuple[Any, ...]]:
    dice = Random(1)
    for number in range(1, count + 1):
        yield number, dice.choice(["Europe", "Asia", "Americas", "Africa"]), f"industry {number % 12}"


def _sent(number: int, dice: Random) -> datetime:
    campaign = number % CAMPAIGNS
    return FIRST + timedelta(weeks=WEEKS * campaign / CAMPAIGNS, seconds=dice.randrange(7 * 86_400))


def _messages(count: int) -> Iterator[tuple[Any, ...]]:
    dice = Random(2)
    for number in range(1, count + 1):
        sent = _sent(number, dice)
        at = stamp(sent)
        later = stamp(sent + timedelta(hours=dice.randrange(1, 72)))
        opened, clicked, replied = (later if dice.random() < share else None for share in (0.3, 0.07, 0.02))
        ids = (number, str(number), f"{number}@x", number % CAMPAIGNS + 1, number)
        yield (*ids, dice.choice(["en", "de", "es"]), at, at, at, at, opened, clicked, replied)


def _events(messages: int, count: int) -> Iterator[tuple[Any, ...]]:
    dice = Random(3)
    kinds = ["open"] * 8 + ["click"] * 3
    for number in range(count):
        message = number % messages + 1
        after = timedelta(weeks=WEEKS * (message % CAMPAIGNS) / CAMPAIGNS, seconds=dice.randrange(9 * 86_400))
        at = stamp(FIRST + after)
        yield dice.choice(kinds), f"k{number}", at, at, message, message, message % CAMPAIGNS + 1, dice.random() < 0.4


SCAN_CAMPAIGN = (
    "SELECT kind, machine, count(*), count(DISTINCT message_id) FROM event WHERE campaign_id = 7 GROUP BY kind, machine"
)
SCAN_HOURS = "SELECT strftime('%Y-%m-%d %H', at), kind, machine, count(*) FROM event GROUP BY 1, 2, 3"


async def scanned(db: Database, query: str) -> int:
    """Run a query over the events without their indexes: what a report without roll-ups does."""
    plain = query.replace("FROM event", "FROM event NOT INDEXED")
    async with db.read() as conn:
        return len((await conn.execute(text(plain))).all())


TIMES = ("week", "campaign", "campaign_hours", "scan_campaign", "scan_hours", "all_hours", "duckdb_hours")


async def timed(work: Callable[[], Awaitable[Any]], times: int = 3) -> float:
    """The median of the seconds of CPU, the database's thread included: others may be using the machine."""
    spans = []
    for _ in range(times):
        start = process_time()
        await work()
        spans.append(process_time() - start)
    return statistics.median(spans)


async def measure(events: int) -> dict[str, Any]:
    """Measure everything with so many events."""
    with tempfile.TemporaryDirectory() as folder:
        db = Database(f"sqlite:///{folder}/reports.db")
        await fill(db, f"{folder}/reports.db", events)
        store = ReportStore(db)
        found = {
            "events": events,
            "week": await timed(lambda: make_report(store, WEEK, NOW)),
            "campaign": await timed(lambda: store.campaign(7)),
            "campaign_hours": await timed(lambda: store.campaign_hours(7)),
            "scan_campaign": await timed(lambda: scanned(db, SCAN_CAMPAIGN)),
            "scan_hours": await timed(lambda: scanned(db, SCAN_HOURS)),
            "all_hours": await timed(lambda: _all_hours(db)),
        }
        found["times_scan"] = found["scan_campaign"] / found["campaign_hours"]
        found["marks_times_scan"] = found["scan_campaign"] / found["campaign"]
        if importlib.util.find_spec("duckdb"):
            found["duckdb_hours"] = _duckdb(folder)
            found["of_duckdb"] = found["all_hours"] / found["duckdb_hours"]
        await db.close()
        return found


async def _all_hours(db: Database) -> int:
    """Every hour of every campaign, from the roll-ups: what the scan of all events gives."""
    async with db.read() as conn:
        query = "SELECT hour, kind, machine, sum(count) FROM rollup GROUP BY 1, 2, 3"
        return len((await conn.execute(text(query))).all())


def _duckdb(folder: str) -> float:
    import duckdb  # type: ignore[import-not-found, unused-ignore]

    conn, path = duckdb.connect(), Path(folder, "events.parquet")
    table = Path(folder, "events.csv")
    columns = "kind, machine, campaign_id, message_id, at"
    with sqlite3.connect(f"{folder}/reports.db") as source, table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns.split(", "))
        writer.writerows(source.execute(f"SELECT {columns} FROM event"))  # noqa: S608
    types = "{'kind': 'VARCHAR', 'machine': 'TINYINT', 'campaign_id': 'INT', 'message_id': 'INT', 'at': 'TIMESTAMP'}"
    conn.execute(f"COPY (SELECT * FROM read_csv('{table}', columns = {types})) TO '{path}'")  # noqa: S608
    table.unlink()
    spans = []
    for _ in range(3):
        start = process_time()
        query = f"SELECT date_trunc('hour', \"at\"), kind, machine, count(*) FROM '{path}' GROUP BY 1, 2, 3"  # noqa: S608
        conn.execute(query).fetchall()
        spans.append(process_time() - start)
    return statistics.median(spans)


def run(events: int = 1_000_000) -> dict[str, Any]:
    """Measure at 1/16, 1/4 and all of `events`: the cost of a week must not grow with what is older."""
    return {f"{times}x": asyncio.run(measure(events * times // 16)) for times in (1, 4, 16)}


def show(found: dict[str, Any]) -> None:
    """Print the figures with their goals."""
    for part in found.values():
        ms = {name: f"{1000 * value:,.1f} ms" for name, value in part.items() if name in TIMES}
        print(f"{part['events']:>10,} events: week {ms['week']}, campaign {ms['campaign']}", end="")
        print(f", its hours {ms['campaign_hours']}; scanned {ms['scan_campaign']}")
        print(f"{'':19}all hours {ms['all_hours']}; scanned {ms['scan_hours']}")
    last = found["16x"]
    print(f"one campaign from roll-ups: {last['times_scan']:,.0f} × a scan (goal ≥ {GOAL_SCAN})")
    if "of_duckdb" in last:
        print(f"all hours: {last['of_duckdb']:.2f} × DuckDB over parquet (goal ≤ {GOAL_DUCKDB})")
    else:
        print(f"all hours: no duckdb package here (goal ≤ {GOAL_DUCKDB} × DuckDB)")


def main() -> None:
    """Run from the command line."""
    numbers = [int(word.replace(",", "")) for word in sys.argv[1:] if word.replace(",", "").isdigit()]
    found = run(*numbers[:1])
    print(json.dumps(found, indent=2)) if "--json" in sys.argv else show(found)


if __name__ == "__main__":
    main()
