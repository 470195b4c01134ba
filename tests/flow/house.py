"""A whole installation in a folder, against a real SMTP sink: for promises that cross every stage."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from outreach.access.store import NewUser
from outreach.app import campaigns as use
from outreach.app.build import App, open_app
from outreach.app.engine import Engine
from outreach.audience.importing.store import ImportOptions
from outreach.campaigns import definition
from outreach.config import load
from outreach.model import Message, Role
from outreach.model.base import table
from tests.fakes.schema import prepare

MESSAGES = table(Message)
START = datetime(2026, 11, 24, 8, tzinfo=UTC)

CONFIG = """
[database]
url = "sqlite:///outreach.db"
[tracking]
base_url = "http://127.0.0.1:8000"
[sender]
company = "Mingxu Lighting"
postal_address = "88 Guangming Road, Ningbo, China"
[[mailbox]]
name = "sales"
address = "sales@mingxu.example"
smtp = {{ host = "127.0.0.1", port = {port}, tls = "none" }}
connections = 2
limits = {{ per_minute = 0, per_hour = 0, per_day = 0 }}
[limits]
per_domain_per_minute = 0
per_contact = {{ mails = 0 }}
per_company = {{ mails = 0 }}
[paths]
data = "."
"""
FILE = """
name = "{name}"
segment = "country = GB"
template = "product-launch"
mailboxes = ["sales"]
{more}
"""
APPROVERS = (("anna", Role.MARKETING_LEAD), ("ben", Role.BUSINESS_LEAD), ("cleo", Role.LEGAL))


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def pass_days(self, days: float) -> None:
        self.now += timedelta(days=days)


@contextlib.asynccontextmanager
async def installed(
    folder: Path, port: int, config: str = CONFIG, *, imap: Any = None, database: str = ""
) -> AsyncIterator[App]:
    """An empty installation with three approvers and a salesperson; `imap`: a Dovecot in which answers arrive."""
    text = config.format(port=port)
    if database:
        text = text.replace("sqlite:///outreach.db", database)
    if imap is not None:
        (folder / "password").write_text(imap.password)
        (folder / "password").chmod(0o600)
        reads = f'imap = {{ host = "127.0.0.1", port = {imap.port}, tls = "none" }}\nuser = "{imap.user}"\n'
        reads += f'password = {{ file = "{folder}/password" }}\nconnections = 2'
        text = text.replace("connections = 2", reads)
    (folder / "config.toml").write_text(text)
    prepare(folder / "outreach.db")  # where the configuration names another, nobody looks at it
    app = await open_app(load(folder / "config.toml"), now=START, migrate_first=True)
    try:
        for name, role in (*APPROVERS, ("zhou", Role.SALESPERSON)):
            await app.access.add_user(NewUser(name, [role]), now=START, authorise=True)
        yield app
    finally:
        await app.close()


async def add_people(app: App, folder: Path, count: int) -> None:
    """Import p0@… of British customers, each of a company of their own."""
    rows = [f"p{n}@firm{n}.example,Pat{n},Firm {n},GB,customer" for n in range(count)]
    (folder / "people.csv").write_text("\n".join(["email,first_name,company,country,basis", *rows]))
    await app.audience.import_file(
        folder / "people.csv", ImportOptions(source="fair"), now=START, rejects=folder / "rejects.csv"
    )


async def approved(app: App, clock: Clock, name: str = "Trial", more: str = "", **fields: str) -> int:
    """A campaign that three people have approved."""
    campaign = await drafted(app, clock, name, more, **fields)
    await use.submit(app, campaign, await actor(app, None), clock())
    for who, _ in APPROVERS:
        await use.approve(app, campaign, await actor(app, who), clock())
    return campaign


async def drafted(app: App, clock: Clock, name: str = "Trial", more: str = "", **fields: str) -> int:
    """A draft; `fields` take the place of the file's own segment or template."""
    lines = [line for line in FILE.splitlines() if line.partition(" =")[0] not in fields]
    own = [f"{key} = {value!r}" for key, value in fields.items()]
    what = definition.parse("\n".join([*own, *lines]).format(name=name, more=more))
    return await use.create(app, what, await actor(app, None), clock())


async def actor(app: App, name: str | None):  # type: ignore[no-untyped-def]
    from outreach.access.roles import OPERATOR

    return OPERATOR if name is None else await app.access.actor(name, START)


async def work(app: App, clock: Clock) -> None:
    """Run the engine until nothing is due at this moment of the clock."""
    totals = await Engine(app, clock=clock).until_idle(60)
    assert totals.idle, totals
    assert not totals.problems


async def rows(app: App, campaign: int) -> list[object]:
    async with app.db.read() as conn:
        query = select(MESSAGES).where(MESSAGES.c.campaign_id == campaign).order_by(MESSAGES.c.id)
        return list((await conn.execute(query)).all())
