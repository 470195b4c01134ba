"""Kills readers of a mailbox at random moments and renumbers it again and again: each mail has its effect once.

    python -m benchmarks.inbox_chaos [MAILS] [--resets 20] [--kills 50] [--seed 1]      50,000 mails: make inbox-chaos

Mails of all kinds arrive day by day in a Dovecot of its own. Readers are processes of their own, ended by SIGKILL
wherever they happen to be; between them the server gets a new UIDVALIDITY and new UIDs, as after a restored backup. In
the end the database is counted: mails, events, tasks, lines of the timeline, soft bounces, suppressions, sums. Exit
code 1 if anything is missing or there twice. Prints JSON. Without arguments a small run; figures scale with MAILS.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from outreach.app.build import APPLIERS
from outreach.db.migrate import migrate
from outreach.db.session import Database
from outreach.events.store import EventStore
from outreach.inbox.client import ImapServer
from outreach.inbox.sandbox import Sandbox
from outreach.inbox.store import InboxStore
from outreach.inbox.worker import InboxPass, InboxSetup
from outreach.model import Campaign, Company, Contact, EmailAddress, Mailbox, Message, User
from outreach.model.base import table
from outreach.model.keys import address_key
from tests.fakes.dovecot import Dovecot, running_dovecot

SECRET = b"an installation's secret, 32 byte"
READERS = get_context("forkserver")
READERS.set_forkserver_preload(["outreach.app.build", "outreach.inbox.worker", "outreach.db.migrate"])
START = datetime(2026, 1, 5, 8, tzinfo=UTC)
SMALL = 1_200
#: What arrives, in shares of ten thousand: a campaign to a poor list.
KINDS = {"hard": 3000, "soft": 2500, "reply": 1500, "absent": 1500, "leaving": 500, "forged": 500, "other": 500}

DSN = """\
From: MAILER-DAEMON@mx{n}.example\r
To: sales@us.example\r
Subject: Undelivered Mail Returned to Sender\r
Date: {date}\r
Message-ID: <{n}@mx.example>\r
MIME-Version: 1.0\r
Content-Type: multipart/report; report-type=delivery-status; boundary="b{n}"\r
\r
--b{n}\r
Content-Type: text/plain\r
\r
<{who}>: host mx said: {said}\r
\r
--b{n}\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; mx{n}.example\r
\r
Final-Recipient: rfc822; {who}\r
Action: failed\r
Status: {status}\r
Diagnostic-Code: smtp; {said}\r
\r
--b{n}\r
Content-Type: message/rfc822\r
\r
Message-ID: <{id}>\r
To: {who}\r
Subject: Lamps\r
\r
Dear customer\r
--b{n}--\r
"""
PLAIN = """\
From: Person {n} <{who}>\r
To: sales@us.example\r
Subject: {subject}\r
Date: {date}\r
Message-ID: <{n}@buyer.example>\r
In-Reply-To: <{id}>\r
{more}\r
{text}\r
"""
HARD = ("5.1.1", "550 5.1.1 User unknown (in reply to RCPT TO command)")
FULL = ("5.2.2", "552 5.2.2 mailbox full")
LETTERS = {
    "reply": ("Re: Lamps", "", "Please send us a quotation for 500 pcs."),
    "absent": (
        "Automatic reply: Lamps",
        "Auto-Submitted: auto-replied\r\n",
        "I am out of the office at the moment.",
    ),
    "leaving": ("Re: Lamps", "", "Please unsubscribe me from this mailing list."),
}


def address(number: int) -> str:
    return f"p{number}@buyer{number}.example"


def message_id(number: int) -> str:
    return f"m{number}@us.example"


def mail(number: int, kind: str, moment: datetime) -> bytes:
    """The mail number `number`, about the message of the same number."""
    values: dict[str, Any] = {"n": number, "who": address(number), "id": message_id(number)}
    values["date"] = moment.strftime("%a, %d %b %Y %H:%M:%S +0000")
    if kind in ("hard", "soft", "forged"):
        status, said = FULL if kind == "soft" else HARD
        if kind == "forged":
            values["id"] = f"guess{number}@us.example"
        return DSN.format(**values, status=status, said=said).encode()
    if kind == "other":
        values["id"] = "nothing@known.example"
        values["who"] = f"news@list{number}.example"
        return PLAIN.format(**values, subject="News", more="List-Id: <l.example>\r\n", text="Our news.").encode()
    subject, more, text = LETTERS[kind]
    return PLAIN.format(**values, subject=subject, more=more, text=text).encode()


def kinds(count: int, chance: random.Random) -> list[str]:
    names = list(KINDS)
    return chance.choices(names, [KINDS[name] for name in names], k=count)


# -- the world ----------------------------------------------------------------------------------------------------


async def make_world(url: str, count: int) -> None:
    """A campaign whose `count` messages were sent, each to a person of a company of its own."""
    db = Database(url)
    await migrate(db)
    rows: dict[type, list[dict[str, Any]]] = {Company: [], Contact: [], EmailAddress: [], Message: []}
    for number in range(1, count + 1):
        who, domain = address(number), f"buyer{number}.example"
        made = {"id": number, "created_at": START}
        rows[Company].append({**made, "name": f"Buyer {number}", "domain": domain, "owner_id": 1})
        rows[Contact].append(
            {**made, "company_id": number, "source": "fair", "basis": "public-business", "owner_id": 1}
        )
        known = {"address": who, "normal": who, "domain": domain, "key": address_key(who, SECRET)}
        rows[EmailAddress].append({**made, **known, "contact_id": number})
        sent = {
            "state": "sent",
            "sent_at": START,
            "handed_at": START,
            "due_at": START,
            "campaign_id": 1,
            "mailbox_id": 1,
        }
        sent |= {"id": number, "campaign_id": 1, "mailbox_id": 1, "contact_id": number, "uid": f"u{number}"}
        place = {"company_id": number, "address": who, "address_key": known["key"], "domain": domain}
        rows[Message].append({**sent, **place, "message_id": message_id(number)})
    async with db.write() as conn:
        box = {"id": 1, "name": "sales", "address": "sales@us.example", "domain": "us.example", "created_at": START}
        await conn.execute(insert(table(User)).values(id=1, name="li.na", roles=["salesperson"], created_at=START))
        await conn.execute(insert(table(Mailbox)).values(**box))
        values = {"id": 1, "name": "Spring", "segment": "country = DE", "state": "finished", "created_at": START}
        await conn.execute(insert(table(Campaign)).values(**values))
        for model, found in rows.items():
            for start in range(0, len(found), 2_000):
                await conn.execute(insert(table(model)), found[start : start + 2_000])
    await db.close()


@dataclass
class Post:
    """The mailbox's folder on disk: what arrives is put where Dovecot finds it, with its day of arrival."""

    server: Dovecot
    filed: int = 0

    @property
    def folder(self) -> Path:
        return self.server.folder / "mail" / self.server.user

    def deliver(self, number: int, raw: bytes, moment: datetime) -> None:
        place = self.folder / "new" / f"{int(moment.timestamp())}.M{number}.chaos,S={len(raw)},W={len(raw)}"
        place.write_bytes(raw)
        os.utime(place, (moment.timestamp(), moment.timestamp()))
        owner = self.folder.stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        self.filed += 1


# -- reading ---------------------------------------------------------------------------------------------------------


async def read(url: str, port: int, now: datetime) -> dict[str, int]:
    """One pass, as the service makes it."""
    db = Database(url)
    store = InboxStore(
        db, EventStore(SECRET, APPLIERS), own_addresses=["sales@us.example"], read_token=lambda token: None
    )
    server = ImapServer("127.0.0.1", port, "none", "sales", "letter-box")
    sandbox = Sandbox()
    try:
        setup = InboxSetup(1, "sales", ["INBOX"])
        return (await InboxPass(store, setup, server, sandbox, clock=lambda: now).run()).as_dict()
    finally:
        await sandbox.close()
        await db.close()


def tell(url: str, port: int, now: datetime, telling: Connection) -> None:
    """What a reader's process does."""
    telling.send(asyncio.run(read(url, port, now)))


def start(url: str, port: int, now: datetime) -> tuple[BaseProcess, Connection]:
    """A process that makes one pass, and where it says what it found.

    It comes from a server that was started by exec and has imported everything but opened nothing: this process looks
    at the database too, SQLite must not be carried across a fork, and readers that had it died of bus errors.
    """
    listening, telling = READERS.Pipe(duplex=False)
    reader = READERS.Process(target=tell, args=(url, port, now, telling))
    reader.start()
    telling.close()
    return reader, listening


def filed(path: Path) -> int | None:
    """How far the mailbox has been read; None while the locks of a killed reader are sorted out."""
    try:
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=5) as conn:
            return int(conn.execute("SELECT coalesce(max(last_uid), 0) FROM mail_folder").fetchone()[0])
    except sqlite3.OperationalError:
        return None


def run_and_kill(
    url: str, path: Path, port: int, now: datetime, after: int, limit: float, chance: random.Random
) -> bool:
    """Start a reader and kill it when the mark has moved by `after`; whether it was still alive then."""
    low, began = filed(path) or 0, time.monotonic()
    reader, listening = start(url, port, now)
    while reader.is_alive() and time.monotonic() - began < limit:
        mark = filed(path)
        if mark is not None:
            low = min(low, mark)
            if mark - low >= after:
                break
        time.sleep(chance.uniform(0.001, 0.05))
    alive = reader.is_alive()
    reader.kill()
    reader.join()
    listening.close()
    return alive


def run_to_the_end(url: str, port: int, now: datetime) -> dict[str, int]:
    reader, listening = start(url, port, now)
    with listening:
        try:
            found: dict[str, int] = listening.recv()
        except EOFError:
            found = {}
    reader.join()
    if reader.exitcode != 0 or not found:
        raise RuntimeError(f"a reader failed (exit {reader.exitcode})")
    return found


# -- counting --------------------------------------------------------------------------------------------------------

COUNTS = {
    "mails": "SELECT count(*) FROM inbound_mail",
    "archived": "SELECT count(*) FROM archived_mail",
    "hard": "SELECT count(*) FROM message WHERE bounce_hard = 1",
    "soft": "SELECT count(*) FROM message WHERE bounce_hard = 0",
    "soft_counted": "SELECT coalesce(sum(soft_bounces), 0) FROM email_address",
    "replied": "SELECT count(*) FROM message WHERE replied_at IS NOT NULL",
    "autoreplied": "SELECT count(*) FROM message WHERE autoreplied_at IS NOT NULL",
    "unsubscribed": "SELECT count(*) FROM message WHERE unsubscribed_at IS NOT NULL",
    "suppressed": "SELECT count(*) FROM suppression",
    "tasks": "SELECT count(*) FROM task",
    "timeline": "SELECT count(*) FROM activity",
    "events": "SELECT count(*) FROM event",
    "summed": "SELECT coalesce(sum(count), 0) FROM rollup",
    "quarantined": "SELECT count(*) FROM inbound_mail WHERE state = 'quarantined'",
}


def expected(of: Counter[str]) -> dict[str, int]:
    people = of["hard"] + of["soft"] + of["reply"] + of["absent"] + of["leaving"]
    total = sum(of.values())
    return {
        "mails": total,
        "archived": total,
        "hard": of["hard"],
        "soft": of["soft"],
        "soft_counted": of["soft"],
        "replied": of["reply"],
        "autoreplied": of["absent"],
        "unsubscribed": of["leaving"],
        "suppressed": of["hard"] + of["leaving"],
        "tasks": of["reply"],
        "timeline": people,
        "events": people,
        "summed": people,
        "quarantined": 0,
    }


def counted(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as conn:
        return {name: int(conn.execute(query).fetchone()[0]) for name, query in COUNTS.items()}


@dataclass
class Outcome:
    """What a run saw. `wrong`: what is not as it should be, name → (expected, found)."""

    mails: int
    resets: int = 0
    kills: int = 0
    passes: int = 0
    fetched: int = 0
    known: int = 0
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    wrong: dict[str, tuple[int, int]] = field(default_factory=dict)


def chaos(count: int, resets: int, kills: int, seed: int, *, quiet: bool = False) -> Outcome:
    """Deliver, read, kill and renumber."""
    began, chance = time.monotonic(), random.Random(seed)
    outcome, of = Outcome(count), kinds(count, chance)
    rounds = max(resets, kills, 1)
    reset_at = set(chance.sample(range(rounds), resets))
    kill_at, owed = Counter(chance.choices(range(rounds), k=kills)), 0
    with tempfile.TemporaryDirectory() as folder, running_dovecot() as server:
        path = Path(folder) / "outreach.db"
        url = f"sqlite:///{path}"
        asyncio.run(make_world(url, count))
        server.expunge(server.append(b"From: a@b.example\n\nfirst"))
        post, share = Post(server), -(-count // rounds)
        for day in range(rounds):
            now = START + timedelta(days=1 + day)
            for number in range(day * share + 1, min((day + 1) * share, count) + 1):
                post.deliver(number, mail(number, of[number - 1], now), now)
            if day in reset_at:
                server.change_uidvalidity()
                outcome.resets += 1
            if chance.random() < 0.3 and day:
                _note(outcome, run_to_the_end(url, server.port, now))
            owed += kill_at[day]
            for tries in range(owed, 0, -1):  # one that came when its reader had ended is made up for the day after
                unread = max(min((day + 1) * share, count) - (filed(path) or 0), 1)
                hit = run_and_kill(url, path, server.port, now, chance.randint(0, unread // tries) // 2, 60, chance)
                outcome.kills, owed = outcome.kills + hit, owed - hit
            if chance.random() < 0.3 or day == rounds - 1:
                _note(outcome, run_to_the_end(url, server.port, now))
            if not quiet:
                print(f"day {day + 1}/{rounds}: {outcome.fetched} read", file=sys.stderr, flush=True)
        found = outcome.counts = counted(path)
    outcome.wrong = {key: (value, found[key]) for key, value in expected(Counter(of)).items() if found[key] != value}
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def _note(outcome: Outcome, found: dict[str, int]) -> None:
    outcome.passes += 1
    outcome.fetched += found["fetched"]
    outcome.known += found["known"]


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mails", nargs="?", type=int, default=SMALL)
    parser.add_argument("--resets", type=int)
    parser.add_argument("--kills", type=int)
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    resets = wanted.resets if wanted.resets is not None else (20 if wanted.mails >= 10_000 else 4)
    kills = wanted.kills if wanted.kills is not None else (50 if wanted.mails >= 10_000 else 8)
    outcome = chaos(wanted.mails, resets, kills, wanted.seed)
    print(json.dumps({"name": "inbox_chaos", "ok": not outcome.wrong, **asdict(outcome)}))
    return 1 if outcome.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
