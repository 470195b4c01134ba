# ruff: noqa: E501, S608 - statements are read best on one line; every name in them is ours
"""Every page of the staff at 100,000 contacts and 1,000,000 events: server time, weight, memory (docs/performance.md).

    .venv/bin/python -m benchmarks.pages [CONTACTS] [--rounds N] [--seconds N] [--only NAME …] [--json]

The seeded house of the tests is multiplied by INSERT … SELECT until it holds CONTACTS people with their companies and
mails, and ten events for each of them; the file is kept in the temporary folder between runs. Each page is asked ROUNDS
times in turn, so that a busy moment of the machine meets all of them; after SECONDS no new round begins. Printed are the median and the 95th percentile of the server's
time, the processor's share of it (all threads of the process, and whatever figures it computes off the page meanwhile:
on a busy machine a page waits for its turn, too), the bytes that a first visit loads (gzip, with style sheets, scripts
and icons), and what an open page costs the server in memory.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import multiprocessing
import re
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlmodel import SQLModel

from outreach.db.session import Database
from outreach.db.statistics import refresh
from outreach.web.kept import FRESH
from outreach.web.render import STATIC
from outreach.web.server import settle_heap
from tests.browser.shots import PAGES
from tests.browser.steps import STATUS, STEPS
from tests.fakes.process import free_port
from tests.web.house import House, open_house
from tests.web.seed import PASSWORD

GOAL_MS, GOAL_KB = 150, 350
SEEDED = 120
EVENTS_A_CONTACT = 10
OPEN_PAGES = 200
#: Parts that a page fetches after itself: they must not be where the cost hides.
PARTS = {
    "segments: size": ("/segments/1/size", "li.na"),
    "campaign: preflight": ("/campaigns/5/preflight", "li.na"),
    "campaign: live": ("/campaigns/1/live", "li.na"),
    "contact: sequence": ("/contacts/5/sequence", "sun.qian"),
}
#: Recipients' pages are served by tracking/ (benchmarks/tracking.py); what is pressed or refused costs no page of its own;
#: a template's second version is made for its picture alone.
ELSEWHERE = ("/u/", "/p/", "/c/", "/j/")
STAFF = {
    name: asked
    for name, asked in PAGES.items()
    if not (name in STATUS or name in STEPS or name == "template-version" or asked[0].startswith(ELSEWHERE))
}
ASKED = {**STAFF, **PARTS}
#: What is multiplied, and which columns move with the copy: {k} is the copy's number, {n} its distance in people.
COPIED: dict[str, dict[str, str]] = {
    "company": {"id": "id + {n}", "name": "name || ' ' || {k}", "domain": "{k} || '.' || domain", "key": "key || {k}"},
    "contact": {"id": "id + {n}", "company_id": "company_id + {n}"},
    "email_address": {
        "id": "id + {n}", "contact_id": "contact_id + {n}", "address": "{k} || '.' || address",
        "normal": "{k} || '.' || normal", "key": "key || {k}",
    },
    "contact_tag": {"contact_id": "contact_id + {n}"},
    "campaign_recipient": {"id": "NULL", "contact_id": "contact_id + {n}", "address_id": "address_id + {n}"},
    "message": {
        "id": "NULL", "uid": "uid || '-' || {k}", "message_id": "{k} || '.' || message_id", "contact_id": "contact_id + {n}",
        "company_id": "company_id + {n}", "address": "{k} || '.' || address", "address_key": "address_key || {k}",
        "domain": "{k} || '.' || domain",
    },
    "inbound_mail": {
        "id": "NULL", "uid": "uid + {n}", "key": "key || {k}", "rfc_message_id": "{k} || rfc_message_id",
        "contact_id": "contact_id + {n}", "company_id": "company_id + {n}", "state": "'closed'",
    },
    "activity": {"id": "NULL", "contact_id": "contact_id + {n}", "company_id": "company_id + {n}"},
    "task": {
        "id": "NULL", "contact_id": "contact_id + {n}", "company_id": "company_id + {n}", "inbound_id": "NULL",
        "event_id": "NULL", "state": "CASE WHEN {k} < 20 THEN state ELSE 'done' END",
    },
}  # fmt: skip
#: Every mail was sent and clicked; opens fill up to the wished number. {last} is the last mail that has its events.
EVENTS = """
WITH RECURSIVE kind (name, n) AS (
    SELECT 'sent', 0 UNION ALL SELECT 'click', 0 UNION ALL SELECT 'open', 1
    UNION ALL SELECT 'open', n + 1 FROM kind WHERE name = 'open' AND n < {opens}
)
INSERT INTO event (kind, key, at, recorded_at, message_id, contact_id, campaign_id, machine, data, effects)
SELECT kind.name, message.uid || kind.name || kind.n, message.sent_at, message.sent_at, message.id, contact_id,
       campaign_id, kind.name = 'open' AND (message.id + kind.n) % 3 = 0, '{{}}', '[]'
FROM message CROSS JOIN kind WHERE message.id > {last} AND message.sent_at IS NOT NULL LIMIT {missing}
"""
ROLLUPS = """
INSERT OR REPLACE INTO rollup (campaign_id, hour, kind, machine, count)
SELECT campaign_id, substr(at, 1, 13) || ':00:00.000000', kind, machine, count(*) FROM event
WHERE campaign_id IS NOT NULL GROUP BY 1, 2, 3, 4
"""


def folder() -> Path:
    """Where the database is kept: another schema, another file."""
    tables = SQLModel.metadata.sorted_tables
    parts = [CreateTable(table) for table in tables]
    indexes = [index for table in tables for index in sorted(table.indexes, key=lambda one: str(one.name))]
    dialect = sqlite.dialect()
    schema = "".join(str(part.compile(dialect=dialect)) for part in (*parts, *map(CreateIndex, indexes)))
    mark = hashlib.sha256((schema + str(COPIED) + EVENTS).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"outreach-bench-pages-{mark}"


def build(path: Path, contacts: int) -> None:
    """Seed a house and multiply it."""
    asyncio.run(_seed(path))
    conn = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=OFF", "cache_size=-400000", "temp_store=MEMORY"):
        conn.execute(f"PRAGMA {pragma}")
    last = _one(conn, "SELECT max(id) FROM message")
    conn.execute("BEGIN")
    indexes = _plain_indexes(conn)
    for name, _ in indexes:
        conn.execute(f"DROP INDEX {name}")
    for name, moved in COPIED.items():
        _multiply(conn, name, moved, -(-contacts // SEEDED))
    sent = _one(conn, f"SELECT count(*) FROM message WHERE id > {last} AND sent_at IS NOT NULL")
    missing = max(contacts * EVENTS_A_CONTACT - _one(conn, "SELECT count(*) FROM event"), 0)
    conn.execute(EVENTS.format(opens=-(-missing // sent), last=last, missing=missing))
    conn.execute(ROLLUPS)
    for _, statement in indexes:
        conn.execute(statement)
    conn.execute("COMMIT")
    conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    conn.close()
    asyncio.run(_counted(path))


async def _counted(path: Path) -> None:
    """With the statistics that the service would have, no better ones."""
    db = Database(f"sqlite:///{path}")
    await refresh(db)
    await db.close()


def _one(conn: sqlite3.Connection, query: str) -> int:
    return int(conn.execute(query).fetchone()[0] or 0)


def _plain_indexes(conn: sqlite3.Connection) -> list[tuple[str, str]]:
    """Indexes that are no key: a million rows go in many times faster before them than after."""
    names = ", ".join(f"'{name}'" for name in (*COPIED, "event"))
    return conn.execute(
        "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE 'CREATE INDEX%' AND tbl_name IN "
        f"({names})"
    ).fetchall()


async def _seed(path: Path) -> None:
    house = await open_house(f"sqlite:///{path}", contacts=SEEDED)
    await house.db.close()


def _multiply(conn: sqlite3.Connection, name: str, moved: dict[str, str], times: int) -> None:
    columns = [row[1] for row in conn.execute(f"PRAGMA table_info({name})")]
    chosen = ", ".join(
        moved.get(column, f'"{column}"').format(k="copies.k", n=f"copies.k * {SEEDED}") for column in columns
    )
    names = ", ".join(f'"{column}"' for column in columns)
    conn.execute(f"CREATE TEMP TABLE seeded AS SELECT * FROM {name}")
    conn.execute(
        f"WITH RECURSIVE copies (k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM copies WHERE k < {times - 1}) "
        f"INSERT INTO {name} ({names}) SELECT {chosen} FROM copies, seeded"
    )
    conn.execute("DROP TABLE seeded")


def counts(path: Path) -> dict[str, int]:
    """How many rows there are, for the heading."""
    conn = sqlite3.connect(path)
    found = {
        name: conn.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in ("contact", "message", "event")
    }
    conn.close()
    return found


async def timed(
    path: Path, rounds: int, only: list[str], seconds: float
) -> tuple[dict[str, list[tuple[float, float]]], dict[str, int]]:
    """Milliseconds of each page, asked in turn, and of them the processor's; bytes of its HTML as sent.

    A table of fewer rounds is better than none.
    """
    until = time.monotonic() + seconds
    house = House(Database(f"sqlite:///{path}"), fresh=FRESH)
    cookies = {user: await _logged_in(house, user) for user in sorted({user for _, user in ASKED.values() if user})}
    took: dict[str, list[tuple[float, float]]] = {}
    sizes: dict[str, int] = {}
    transport = httpx.ASGITransport(house.web)
    async with httpx.AsyncClient(transport=transport, base_url="http://outreach.test", follow_redirects=True) as client:
        for number in range(rounds + 1):
            if number > 1 and time.monotonic() > until:
                break
            print(f"round {number} of {rounds}", file=sys.stderr, flush=True)
            for name in only or ASKED:
                at, user = ASKED[name]
                begin, worked = time.perf_counter(), time.process_time()
                answer = await client.get(at, headers={"cookie": cookies.get(user, ""), "accept-encoding": "gzip"})
                spent = (time.perf_counter() - begin) * 1000, (time.process_time() - worked) * 1000
                if answer.status_code != 200:
                    raise SystemExit(f"{name} ({at}) answered {answer.status_code}: {answer.text[:200]}")
                sizes[name] = weight(answer)
                if number:  # the first round loads templates and fills caches
                    took.setdefault(name, []).append(spent)
            if not number:  # as where the service starts, with the templates that it will have loaded soon
                settle_heap()
    await house.web.state.kept.settle()
    await house.db.close()
    return took, sizes


async def _logged_in(house: House, user: str) -> str:
    async with house.client() as client:
        await client.post("/login", data={"name": user, "password": PASSWORD})
        return "outreach_lang=zh; " + "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def weight(answer: httpx.Response) -> int:
    """Bytes of a first visit: the page as sent and every file that it names, compressed as the server compresses."""
    import gzip

    names = set(re.findall(r"/static/([\w./-]+)\?v=", answer.text))
    for name in list(names):
        if name.endswith(".js"):
            names |= set(re.findall(r"/static/([\w./-]+\.js)", (STATIC / name).read_text(encoding="utf-8")))
    files = (STATIC / name for name in names if name != "vendor/LICENSES.txt")
    return len(gzip.compress(answer.content, 5)) + sum(len(gzip.compress(file.read_bytes(), 5)) for file in files)


def percentile(values: list[float], share: float) -> float:
    """The value below which so much lies, the next one up."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * len(ordered) + 0.5) - 1)]


def _serve(path: str, port: int) -> None:
    settle_heap()
    uvicorn.run(House(Database(f"sqlite:///{path}"), fresh=FRESH).web, host="127.0.0.1", port=port, log_level="error")


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    found = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) * 1024 if found else 0


def memory(path: Path) -> tuple[float, float]:
    """MB of the serving process when idle, and kB for each of OPEN_PAGES campaign pages that look again."""
    port = free_port()
    server = multiprocessing.get_context("spawn").Process(target=_serve, args=(str(path), port), daemon=True)
    server.start()
    try:
        return asyncio.run(_held(port, int(server.pid or 0)))
    finally:
        server.terminate()
        server.join(10)


async def _held(port: int, pid: int) -> tuple[float, float]:
    base = f"http://127.0.0.1:{port}"
    limits = httpx.Limits(max_connections=OPEN_PAGES, max_keepalive_connections=OPEN_PAGES)
    async with httpx.AsyncClient(base_url=base, limits=limits, timeout=300) as client:
        for _ in range(900):  # a busy machine takes its time to start
            try:
                await client.post("/login", data={"name": "li.na", "password": PASSWORD})
                break
            except httpx.TransportError:
                await asyncio.sleep(0.1)
        for _ in range(20):
            await client.get("/campaigns/1")
        idle = resident(pid)
        for _ in range(2):
            await asyncio.gather(
                *(client.get("/campaigns/1/live", headers={"hx-request": "true"}) for _ in range(OPEN_PAGES))
            )
        return idle / 1e6, (resident(pid) - idle) / OPEN_PAGES / 1000


def rows(took: dict[str, list[tuple[float, float]]], sizes: dict[str, int]) -> list[dict[str, Any]]:
    """Each page's figures, the slowest first."""
    found = [
        {"page": name, "median_ms": round(statistics.median(waited for waited, _ in values), 1),
         "late_ms": round(percentile([waited for waited, _ in values], 0.95), 1),
         "work_ms": round(statistics.median(worked for _, worked in values), 1), "kb": round(sizes[name] / 1000)}
        for name, values in took.items()
    ]  # fmt: skip
    return sorted(found, key=lambda row: -row["late_ms"])


def measured(path: Path, rounds: int, only: list[str], seconds: float) -> dict[str, Any]:
    """All that is printed: the pages, how many keep to the goals, the memory."""
    took, sizes = asyncio.run(timed(path, rounds, only, seconds))
    pages = rows(took, sizes)
    idle, each = memory(path)
    return {
        **counts(path), "rounds": min(map(len, took.values())), "pages": pages, "goal_ms": GOAL_MS, "goal_kb": GOAL_KB,
        "over": [row["page"] for row in pages if row["late_ms"] > GOAL_MS],
        "heavy": [row["page"] for row in pages if row["kb"] > GOAL_KB],
        "idle_mb": round(idle), "open_page_kb": round(each), "open_pages": OPEN_PAGES,
    }  # fmt: skip


def report(found: dict[str, Any]) -> Iterator[str]:
    """The table for people."""
    yield f"{found['contact']:,} contacts, {found['message']:,} mails, {found['event']:,} events; {found['rounds']} rounds"
    yield f"{'page':20} {'median':>11} {'95 %':>11} {'processor':>11} {'first visit':>11}"
    for row in found["pages"]:
        marks = (" over" if row["page"] in found["over"] else "") + (" heavy" if row["page"] in found["heavy"] else "")
        waited = f"{row['median_ms']:8.1f} ms {row['late_ms']:8.1f} ms {row['work_ms']:8.1f} ms"
        yield f"{row['page']:20} {waited} {row['kb']:8} kB{marks}"
    number = len(found["pages"])
    yield (
        f"{number - len(found['over'])} of {number} pages within {found['goal_ms']} ms at the 95th percentile; "
        f"{number - len(found['heavy'])} within {found['goal_kb']} kB"
    )
    yield f"memory: {found['idle_mb']} MB idle, {found['open_page_kb']} kB for each of {found['open_pages']} open pages"


def prepared(contacts: int) -> Path:
    """The database of so many contacts: made once for a schema."""
    path = folder() / f"{contacts}.db"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        begin = time.monotonic()
        partial = path.with_suffix(".partial")
        for old in partial.parent.glob(partial.name + "*"):
            old.unlink()
        build(partial, contacts)
        partial.replace(path)
        print(f"built {path} in {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
    return path


def main() -> int:
    """Build what is missing, ask every page, print."""
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("contacts", nargs="?", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=20)
    arguments.add_argument("--seconds", type=float, default=3600)
    arguments.add_argument("--only", nargs="*", default=[])
    arguments.add_argument("--json", action="store_true")
    given = arguments.parse_args()
    found = measured(prepared(given.contacts), given.rounds, given.only, given.seconds)
    print(json.dumps(found) if given.json else "\n".join(report(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
