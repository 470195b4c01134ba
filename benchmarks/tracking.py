"""The public endpoints against nginx's static file and FastAPI, and what a kill costs (docs/performance.md).

    .venv/bin/python -m benchmarks.tracking [ROUNDS] [--json]

Each server is one process, and one is asked at a time; a generator of our own keeps 32 connections busy. Rates are
requests per second of the server's own CPU time, because the generator needs the second core as much as nginx does.
Rounds alternate A B C A B C; the figure is the median of the rounds' ratios.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import psutil
import uvloop
from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import func, insert, select
from sqlmodel import SQLModel

from outreach.db.session import Database
from outreach.events.store import EventStore
from outreach.model import Campaign, Company, Contact, Event, Link, Message
from outreach.tracking.pages import Sender
from outreach.tracking.tokens import Signer
from outreach.tracking.views import PIXEL, PublicApp, PublicServices

SECRET = b"k" * 32
MESSAGES, LINKS = 2_000, 8
CONNECTIONS, SECONDS = 32, 2.0
#: On a busy machine a server's imports alone take half a minute.
START_SECONDS = 120
#: The kernel counts a process's time in hundredths of a second.
TICK = 0.01
GOAL_NGINX, GOAL_FASTAPI, GOAL_LOST_MS = 0.3, 3.0, 100
NOW = datetime(2026, 11, 18, 9, tzinfo=UTC)
AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0 Safari/537.36"


async def fill(url: str) -> None:
    """A campaign with links and sent messages."""
    db = Database(url)
    async with db.engine.begin() as conn:
        await conn.run_sync(SQLModel.metadata.create_all)
    async with db.write() as conn:
        await conn.execute(insert(Company), [{"name": "Buyer", "created_at": NOW}])
        await conn.execute(insert(Campaign), [{"name": "Show", "segment": "", "state": "running", "created_at": NOW}])
        links = [{"campaign_id": 1, "number": n, "url": f"https://shop.example/{n}"} for n in range(1, LINKS + 1)]
        await conn.execute(insert(Link), links)
        people = [{"source": "bench", "created_at": NOW, "company_id": 1} for _ in range(MESSAGES)]
        await conn.execute(insert(Contact), people)
        await conn.execute(insert(Message), [_message(n) for n in range(1, MESSAGES + 1)])
    await db.close()


def _message(number: int) -> dict[str, Any]:
    address = f"p{number}@buyer.example"
    when = {"due_at": NOW, "sent_at": NOW, "handed_at": NOW}
    ids = {"uid": str(number), "message_id": f"{number}@x.example", "campaign_id": 1, "contact_id": number}
    return ids | when | {"address": address, "address_key": address, "domain": "buyer.example", "state": "sent"}


def tokens() -> tuple[list[str], list[str]]:
    """Paths of pixels and clicks."""
    signer = Signer.from_secret(SECRET)
    every = range(1, MESSAGES + 1)
    opens = [f"/o/{signer.sign('o', n)}.gif" for n in every]
    return opens, [f"/c/{signer.sign('c', n, n % LINKS + 1)}" for n in every]


# -- servers -----------------------------------------------------------------------------------------------------------


def ours(url: str) -> Any:
    """The app as it is served."""
    store = EventStore(SECRET, {})
    return PublicApp(None, PublicServices(Database(url), store, Signer.from_secret(SECRET), Sender("Minxu")))


def fastapi_app(url: str) -> Any:
    """The same answers by FastAPI's means, with the same token check, and no event at all."""
    app, signer = FastAPI(openapi_url=None), Signer.from_secret(SECRET)

    @app.get("/o/{token}.gif")
    async def opened(token: str, request: Request) -> Response:
        signer.verify(token)
        return Response(PIXEL, media_type="image/gif", headers={"Cache-Control": "no-store"})

    @app.get("/c/{token}")
    async def clicked(token: str, request: Request) -> RedirectResponse:
        signer.verify(token)
        return RedirectResponse("https://shop.example/1", 302)

    return app


def bare(url: str) -> Any:
    """What plain ASGI can do at all: the same bytes for every path."""
    head = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(PIXEL))]}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await send(head)
            await send({"type": "http.response.body", "body": PIXEL})

    return app


APPS: dict[str, Callable[[str], Any]] = {"outreach": ours, "fastapi": fastapi_app, "asgi": bare}


def serve(name: str, port: int, url: str) -> None:
    """Serve one of the apps until SIGTERM."""
    import uvicorn

    options = {"access_log": False, "log_level": "error", "proxy_headers": False, "server_header": False}
    uvicorn.run(APPS[name](url), port=port, loop="uvloop", http="httptools", **options)  # type: ignore[arg-type]


@contextmanager
def running(name: str, url: str, folder: Path) -> Iterator[tuple[psutil.Process, int]]:
    """Start a server of its own; yield the process that does the work, and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.tracking", "serve", name, str(port), url]
    if name == "nginx":
        command = ["nginx", "-e", str(folder / "error.log"), "-c", str(_nginx(folder, port))]
    child = subprocess.Popen(command)
    try:
        _wait(port)
        process = psutil.Process(child.pid)
        yield _worker(process) if name == "nginx" else process, port
    finally:
        if child.poll() is None:
            child.terminate()
        child.wait(30)


def _nginx(folder: Path, port: int) -> Path:
    """One worker, a static file of 43 bytes, a fixed redirect, no log: as fast as a web server is."""
    (folder / "p.gif").write_bytes(PIXEL)
    config = folder / "nginx.conf"
    paths = "".join(f"{kind}_temp_path {folder}/t;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    # as root nginx would turn into a user that cannot enter the temporary folder
    user = "user root;" if os.geteuid() == 0 else ""
    config.write_text(
        f"{user} daemon off; worker_processes 1; pid {folder}/pid; events {{ worker_connections 256; }}"
        f"http {{ access_log off; keepalive_requests 100000000; open_file_cache max=10; {paths}"
        f"server {{ listen 127.0.0.1:{port}; root {folder};"
        f"location /o/ {{ try_files /p.gif =404; }} location /c/ {{ return 302 https://shop.example/1; }} }} }}"
    )
    return config


def _worker(master: psutil.Process) -> psutil.Process:
    """nginx's worker; the master listens before it has one."""
    while not master.children():
        sleep(0.02)
    found: psutil.Process = master.children()[0]
    return found


def _wait(port: int) -> None:
    until = monotonic() + START_SECONDS
    while monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        sleep(0.02)
    raise TimeoutError("the server did not start")


# -- generator ---------------------------------------------------------------------------------------------------------


class Connection(asyncio.Protocol):
    """Asks, waits for the whole answer, asks again."""

    def __init__(self, requests: list[bytes], offset: int) -> None:
        self.requests, self.next, self.answers = requests, offset, 0
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.transport.write(self.requests[self.next % len(self.requests)])
        self.next += 1

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, end, body = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        if len(body) >= int(length or 0):
            if not head.startswith((b"HTTP/1.1 200", b"HTTP/1.1 302")):
                raise RuntimeError(head.decode("latin-1"))
            self.answers += 1
            self.buffer = b""
            self.ask()


async def load(port: int, paths: list[str], seconds: float) -> int:
    """Keep the connections busy for a time; return how many answers came."""
    loop = asyncio.get_running_loop()
    head = f"Host: t.example\r\nUser-Agent: {AGENT}\r\nAccept: image/avif,*/*\r\nAccept-Language: de\r\n\r\n"
    requests = [f"GET {path} HTTP/1.1\r\n{head}".encode() for path in paths]
    made = [
        await loop.create_connection(lambda n=n: Connection(requests, n * 61), "127.0.0.1", port)  # type: ignore[misc]
        for n in range(CONNECTIONS)
    ]
    await asyncio.sleep(seconds)
    count = sum(protocol.answers for _, protocol in made)
    for transport, _ in made:
        transport.abort()
    return count


@dataclass
class Rate:
    """What one run gave: answers per second, and per second of the server's CPU."""

    wall: float
    cpu: float


def measure(process: psutil.Process, port: int, paths: list[str]) -> Rate:
    """Ask one server; the others that run stand idle meanwhile."""
    uvloop.run(load(port, paths, 0.3))  # the first requests fill caches
    before = sum(process.cpu_times()[:2])
    count = uvloop.run(load(port, paths, SECONDS))
    sleep(0.2)  # the last batch is written, and paid for
    spent = sum(process.cpu_times()[:2]) - before
    return Rate(count / SECONDS, count / max(spent, TICK))


# -- what a kill costs -------------------------------------------------------------------------------------------------


def stop_and_count(sign: int, folder: Path) -> tuple[int, int, float]:
    """Load the server, end it by a signal in the middle; return answers, events kept, answers per second."""
    url = f"sqlite:///{folder}/kill-{sign}.db"
    asyncio.run(fill(url))
    opens, _ = tokens()
    with running("outreach", url, folder) as (process, port):
        uvloop.run(load(port, opens, 0.3))  # the first batch compiles its statements: that is not what is measured
        before = _settled(url)
        answers = uvloop.run(_load_until_killed(port, opens, process, sign))
        process.wait(60)
    return answers, asyncio.run(_events(url)) - before, answers / SECONDS


def _settled(url: str) -> int:
    """How many events are kept when no more arrive."""
    before, now = -1, 0
    while now == 0 or now != before:
        sleep(1)
        before, now = now, asyncio.run(_events(url))
    return now


async def _load_until_killed(port: int, paths: list[str], process: psutil.Process, sign: int) -> int:
    loop = asyncio.get_running_loop()
    requests = [f"GET {path} HTTP/1.1\r\nHost: t\r\nUser-Agent: {AGENT}\r\n\r\n".encode() for path in paths]
    made = [
        await loop.create_connection(lambda n=n: Connection(requests, n * 61), "127.0.0.1", port)  # type: ignore[misc]
        for n in range(CONNECTIONS)
    ]
    await asyncio.sleep(SECONDS)
    process.send_signal(sign)
    await asyncio.sleep(1.0)
    for transport, _ in made:
        transport.abort()
    return sum(protocol.answers for _, protocol in made)


async def _events(url: str) -> int:
    db = Database(url)
    async with db.read() as conn:
        found = (await conn.execute(select(func.count()).select_from(Event))).scalar_one()
    await db.close()
    return int(found)


# -- report ------------------------------------------------------------------------------------------------------------


def run(rounds: int = 3) -> dict[str, Any]:
    """Measure everything; return the figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/bench.db"
        asyncio.run(fill(url))
        found: dict[str, Any] = {}
        with ExitStack() as stack:
            names = [*(["nginx"] if _has_nginx() else []), "asgi", "outreach", "fastapi"]
            servers = {name: stack.enter_context(running(name, url, folder)) for name in names}
            for kind, paths in zip(("open", "click"), tokens(), strict=True):
                table: dict[str, list[Rate]] = {name: [] for name in names}
                for _ in range(rounds):
                    for name, server in servers.items():
                        table[name].append(measure(*server, paths))
                found[kind] = _ratios(table)
        for word, sign in (("SIGTERM", signal.SIGTERM), ("SIGKILL", signal.SIGKILL)):
            answers, kept, rate = stop_and_count(sign, folder)
            lost = max(answers - kept, 0)
            found[word] = {"answered": answers, "kept": kept, "lost": lost, "lost_ms": round(1000 * lost / rate, 1)}
        found["linear"] = _linear(url, folder)
        return found


def _ratios(table: dict[str, list[Rate]]) -> dict[str, Any]:
    mine = table["outreach"]
    result: dict[str, Any] = {
        server: {
            "per_cpu_second": round(statistics.median(r.cpu for r in rates)),
            "per_second": round(statistics.median(r.wall for r in rates)),
        }
        for server, rates in table.items()
    }
    for other in set(table) - {"outreach"}:
        ratios = [a.cpu / b.cpu for a, b in zip(mine, table[other], strict=True)]
        result[f"times_{other}"] = round(statistics.median(ratios), 2)
    return result


def _linear(url: str, folder: Path) -> dict[str, float]:
    """CPU per request with 1, 4 and 16 times as many different messages."""
    opens, _ = tokens()
    cost = {}
    for times in (1, 4, 16):
        with running("outreach", url, folder) as server:
            rate = measure(*server, opens[: len(opens) * times // 16])
        cost[f"{times}x"] = round(1e6 / rate.cpu, 1)
    return cost


def _has_nginx() -> bool:
    from shutil import which

    return which("nginx") is not None


def show(found: dict[str, Any]) -> None:
    """Print the figures with their goals."""
    for kind in ("open", "click"):
        part = found[kind]
        for server in ("nginx", "asgi", "outreach", "fastapi"):
            if server in part:
                rate = part[server]
                print(f"{kind:6} {server:9} {rate['per_cpu_second']:>8,} /CPU s  {rate['per_second']:>8,} /s")
        print(f"{kind:6} × nginx {part.get('times_nginx', 'no nginx here')} (goal ≥ {GOAL_NGINX})", end="")
        print(f"   × FastAPI {part['times_fastapi']} (goal ≥ {GOAL_FASTAPI})")
    for word in ("SIGTERM", "SIGKILL"):
        part = found[word]
        goal = "exact" if word == "SIGTERM" else f"≤ {GOAL_LOST_MS} ms"
        print(f"{word}: {part['answered']:,} answered, {part['kept']:,} kept, lost {part['lost_ms']} ms (goal {goal})")
    print("µs of CPU an open, by number of messages:", found["linear"])


def main() -> None:
    """Run from the command line."""
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]), sys.argv[4])
        return
    numbers = [int(word) for word in sys.argv[1:] if word.isdigit()]
    found = run(*numbers[:1])
    print(json.dumps(found, indent=2)) if "--json" in sys.argv else show(found)


if __name__ == "__main__":
    main()
