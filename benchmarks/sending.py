"""Sending against what a user would pick instead, on the same machine and in the same run (docs/performance.md).

    python -m benchmarks.sending [ROUNDS] [--messages N] [--json]

The sink is Postfix's smtp-sink on one processor, the client on the other; rounds alternate; the figure is the median of
the rounds' ratios to Postfix's smtp-source (C, no state, one message over and over), nodemailer's pool and the others.

prebuilt: bytes that are there already. whole path: claim durably (SQLite, synchronous=FULL), render, sign 16 links,
compose, mark the hand-over durably, send, record the result durably. far: each reply takes 20 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import uvloop

from benchmarks._baselines import (
    CONNECTIONS,
    TOKEN,
    install_django,
    install_go,
    install_nodemailer,
    send_django,
    send_go,
    send_nodemailer,
    send_smtp_source,
    send_smtplib,
)
from benchmarks.compose import content, recipient
from outreach.content.compose import Compiled, Identity, Urls
from outreach.outbox.message import Claimed
from outreach.sending.client import Server, connect
from outreach.sending.link import Envelope, Link
from outreach.sending.phase import Broken, Phase
from outreach.sending.reply_code import Reply
from outreach.sending.setup import MailboxSetup
from outreach.sending.worker import MailboxRun
from outreach.tracking.tokens import Signer, UrlBuilder
from tests.fakes.process import find, free_port
from tests.sending.world import make_world

#: Row → baseline → goal.
GOALS: dict[str, dict[str, float]] = {
    "prebuilt": {"smtp-source": 0.9, "nodemailer": 4.0},
    "whole path": {"smtp-source": 0.5, "nodemailer": 2.0, "go": 1.3, "django-post_office": 9.0},
    "prebuilt far": {"nodemailer": 1.5},
    "whole path far": {"nodemailer": 1.5},
}
#: Some are so slow that a share of the messages tells enough.
SHARES = {"django-post_office": 20, "nodemailer": 10, "smtplib": 2}


# -- the message ------------------------------------------------------------------------------------------------------


def prebuilt() -> bytes:
    """A mail of about 30 kB with the recipient's name in it."""
    who, values, urls = recipient(1)
    return content().compose(who, values, urls).data.replace(b"a1@x.example", TOKEN + b"@x.example")


class Composer:
    """What the program does for each message: context, signed links, compiled content."""

    def __init__(self) -> None:
        self.compiled: Compiled = content()
        self.urls = UrlBuilder("https://t.example.com", Signer.from_secret(b"s" * 32))
        self.values = {n: recipient(n)[1] for n in range(50)}

    async def prepare(self, batch: Sequence[Claimed]) -> None:
        """Nothing to load: the contacts' rows are not what is measured."""

    def compose(self, message: Claimed) -> Any:
        """The letter of one message."""
        who = Identity(
            message.uid,
            message.message_id,
            "Li Na",
            "sales@seller.example",
            "Анна",
            message.address,
            date=message.composed_at,
            list_id="campaign-1.seller.example",
        )
        tracked = self.urls.urls(message.id)
        urls = Urls(tracked.unsubscribe, tracked.preferences, open=tracked.open, click=tracked.click)
        return self.compiled.compose(who, self.values[message.id % 50], urls)


# -- the clients ------------------------------------------------------------------------------------------------------


class Pump:
    """Links without state: each hands over at once, the next envelope with the body."""

    def __init__(self, messages: int) -> None:
        self.parts = prebuilt().split(TOKEN)
        self.left = self.open = messages
        self.done = asyncio.Event()

    def next(self) -> Envelope | None:
        if not self.left:
            return None
        self.left -= 1
        name = b"rcpt%08d" % self.left
        return Envelope("news@seller.example", name.decode() + "@x.example", name.join(self.parts))

    def ready(self, link: Link, envelope: Envelope) -> None:
        link.hand_over(envelope, self.next() if link.can_follow(envelope) else None)

    def answered(self, link: Link, envelope: Envelope, phase: Phase, reply: Reply) -> None:
        assert reply.code == 250, reply
        self.open -= 1
        if not self.open:
            self.done.set()

    def free(self, link: Link) -> None:
        if (envelope := self.next()) is not None:
            link.offer(envelope)

    def lost(self, link: Link, broken: Broken, unfinished: list[Envelope]) -> None:
        assert not unfinished, broken


async def send_prebuilt(port: int, messages: int) -> float:
    """Our links alone."""
    pump = Pump(messages)
    started = time.perf_counter()
    for _ in range(CONNECTIONS):
        link, _ = await connect(Server("127.0.0.1", port, tls="none"), pump)
        pump.free(link)
    await pump.done.wait()
    return time.perf_counter() - started


async def send_whole_path(port: int, messages: int) -> float:
    """The program: every state change durable."""
    past = datetime(2026, 1, 1, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/outreach.db"
        world = await make_world(url, [f"p{n}@buyer{n % 50}.example" for n in range(messages)], now=past)
        setup = MailboxSetup(world.mailbox_id, "sales", "sales@seller.example", connections=CONNECTIONS)
        run = MailboxRun(world.store, setup, Server("127.0.0.1", port, tls="none"), Composer())
        started = time.perf_counter()
        result = await run.run(messages, 900)
        seconds = time.perf_counter() - started
        assert result.sent == messages, result
        await world.db.close()
    return seconds


CLIENTS: dict[str, Any] = {
    "smtp-source": lambda port, messages: send_smtp_source(port, messages, prebuilt()),
    "nodemailer": lambda port, messages: send_nodemailer(port, messages, prebuilt()),
    "go": lambda port, messages: send_go(port, messages, prebuilt()),
    "smtplib": lambda port, messages: send_smtplib(port, messages, prebuilt()),
    "django-post_office": lambda port, messages: send_django(port, messages, prebuilt()),
    "prebuilt": lambda port, messages: uvloop.run(send_prebuilt(port, messages)),
    "whole path": lambda port, messages: uvloop.run(send_whole_path(port, messages)),
}


# -- the servers ------------------------------------------------------------------------------------------------------


def pin(processor: int) -> list[str]:
    """The words that keep a command on one processor, where there are two."""
    return ["taskset", "-c", str(processor)] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


@contextmanager
def running(command: list[str], port: int) -> Iterator[int]:
    """A server process on a port."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        with suppress(OSError), __import__("socket").create_connection(("127.0.0.1", port), 1):
            break
        time.sleep(0.05)
    try:
        yield port
    finally:
        process.kill()
        process.wait()


@contextmanager
def sink() -> Iterator[int]:
    """Postfix's smtp-sink."""
    port = free_port()
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    command = [*pin(1), str(find("smtp-sink")), *user, f"127.0.0.1:{port}", "1000"]
    with running(command, port):
        yield port


@contextmanager
def far(target: int) -> Iterator[int]:
    """The sink with its replies held back by 20 ms."""
    port = free_port()
    with running([*pin(1), sys.executable, "-m", "benchmarks.sending", "--delay", f"{port}:{target}"], port):
        yield port


async def hold_back(listen: int, target: int) -> None:
    """Relay to the target; what it answers waits for 20 ms."""
    loop = asyncio.get_running_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection("127.0.0.1", target)

        async def back() -> None:
            while data := await there.read(65_536):
                loop.call_later(0.02, writer.write, data)
            loop.call_later(0.03, writer.close)

        returning = asyncio.ensure_future(back())
        while data := await reader.read(262_144):
            out.write(data)
            await out.drain()
        out.close()
        await returning

    server = await asyncio.start_server(serve, "127.0.0.1", listen)
    await server.serve_forever()


# -- the run ----------------------------------------------------------------------------------------------------------


def measure(client: str, port: int, messages: int) -> float:
    """Messages a second of one client in a process of its own."""
    command = [*pin(0), sys.executable, "-m", "benchmarks.sending", "--one", client]
    command += ["--port", str(port), "--messages", str(messages)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=600)
    return messages / float(done.stdout.strip().splitlines()[-1])


def compare(clients: Sequence[str], port: int, messages: int, rounds: int) -> dict[str, list[float]]:
    """Rates by client, a round after the other."""
    found: dict[str, list[float]] = {client: [] for client in clients}
    for number in range(rounds):
        for client in clients if number % 2 == 0 else reversed(clients):
            found[client].append(measure(client, port, max(messages // SHARES.get(client, 1), 100)))
            print(f"  round {number + 1} of {rounds}: {client} {found[client][-1]:,.0f}/s", file=sys.stderr, flush=True)
    return found


def ratio(rates: dict[str, list[float]], client: str, base: str) -> dict[str, float] | None:
    """Median, least and greatest of the rounds' ratios."""
    if base not in rates:
        return None
    ratios = [own / other for own, other in zip(rates[client], rates[base], strict=True)]
    return {
        "median": round(statistics.median(ratios), 2),
        "least": round(min(ratios), 2),
        "most": round(max(ratios), 2),
    }


def run(rounds: int, messages: int) -> dict[str, Any]:
    """Every row with its baselines."""
    with ExitStack() as stack:
        node = ["nodemailer"] if install_nodemailer(stack) else []
        go = ["go"] if install_go(stack) else []
        django = ["django-post_office"] if install_django(stack) else []
        port = stack.enter_context(sink())
        everybody = ["smtp-source", "prebuilt", "whole path", *go, *node, "smtplib", *django]
        near = compare(everybody, port, messages, rounds)
        slow = stack.enter_context(far(port))
        away = compare([*node, "prebuilt", "whole path"], slow, max(messages // 4, 200), max(rounds - 2, 1))
        linear = grown(port, messages)
    rows: dict[str, Any] = {}
    for name, goals in GOALS.items():
        rates, client = (away, name.removesuffix(" far")) if name.endswith(" far") else (near, name)
        ratios = {base: ratio(rates, client, base) for base in goals}
        met = [found["median"] >= goals[base] for base, found in ratios.items() if found]
        per_second = round(statistics.median(rates[client]))
        rows[name] = {"per_second": per_second, "ratios": ratios, "goals": goals, "goal_met": all(met)}
    names = ("smtp-source", *go, *node, "smtplib", *django)
    baselines = {name: round(statistics.median(near[name])) for name in names}
    return {"name": "sending", "baselines": baselines, "rows": rows, "microseconds_at": linear}


def grown(port: int, messages: int) -> dict[str, float]:
    """What one message of the whole path costs at 1×, 4× and 16×: it must not grow."""
    return {f"{k}x": round(1e6 / measure("whole path", port, messages * k // 4), 1) for k in (1, 4, 16)}


def main() -> int:
    """Measure, print; what was reached stands in the output, not in the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rounds", type=int, nargs="?", default=5)
    parser.add_argument("--messages", type=int, default=3_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--delay", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.delay:
        listen, target = arguments.delay.split(":")
        uvloop.run(hold_back(int(listen), int(target)))
        return 0
    if arguments.one:
        print(CLIENTS[arguments.one](arguments.port, arguments.messages))
        return 0
    found = run(arguments.rounds, arguments.messages)
    if arguments.json:
        print(json.dumps(found))
        return 0
    print("baselines, messages a second:", found["baselines"])
    for name, row in found["rows"].items():
        ratios = ", ".join(f"{r['median']} x {base}" if r else f"no {base} here" for base, r in row["ratios"].items())
        print(f"{name:16} {row['per_second']:6}/s  {ratios}  goal {'met' if row['goal_met'] else 'MISSED'}")
    print("microseconds a message of the whole path:", found["microseconds_at"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
