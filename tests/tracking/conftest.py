"""A database on SQLite and PostgreSQL, and a public app in front of nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from outreach.db.session import Database
from outreach.tracking.pages import Sender
from outreach.tracking.tokens import Signer
from outreach.tracking.views import PublicApp, PublicServices
from tests.events.seeds import SECRET, Taken, add_campaign, add_message, add_person, event_store
from tests.fakes.clock import FakeClock
from tests.fakes.schema import make_tables

SENT = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36"
)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    """An empty database with every table."""
    database = Database(database_url)
    await make_tables(database)
    yield database
    await database.close()


@dataclass
class Site:
    """The public app with one campaign behind it; `messages` are ids of sent mails, one a contact."""

    db: Database
    app: PublicApp
    client: httpx.AsyncClient
    signer: Signer
    clock: FakeClock
    campaign: int
    messages: list[int]
    taken: Taken

    def url(self, kind: str, message: int = 0, number: int = 0) -> str:
        """The path of a genuine token of the first message (or another)."""
        token = self.signer.sign(kind, message or self.messages[0], number)
        return f"/{kind}/{token}" + (".gif" if kind == "o" else "")


async def make_site(db: Database, clock: FakeClock, people: int, **options: object) -> Site:
    """Build a site whose mails left a minute before the clock's time."""
    events, taken = event_store()
    signer = Signer.from_secret(SECRET)
    clock.set(SENT + timedelta(hours=1))
    async with db.write() as conn:
        campaign = await add_campaign(conn, SENT)
        messages = []
        for number in range(people):
            address = f"p{number}@buyer{number}.example"
            contact, company = await add_person(conn, SENT, address)
            messages.append(await add_message(conn, SENT, campaign, contact, address, company_id=company))
    sender = Sender("Minxu Lighting", "18 Guangming Road, Zhongshan, Guangdong, China")
    app = PublicApp(None, PublicServices(db, events, signer, sender, clock=clock, **options))  # type: ignore[arg-type]
    transport = httpx.ASGITransport(app=app)  # type: ignore[arg-type]
    client = httpx.AsyncClient(transport=transport, base_url="http://t.minxu.example", headers={"User-Agent": BROWSER})
    return Site(db, app, client, signer, clock, campaign, messages, taken)


@pytest.fixture
async def site(db: Database, clock: FakeClock) -> AsyncIterator[Site]:
    """A site with three recipients."""
    made = await make_site(db, clock, 3)
    yield made
    await made.client.aclose()
    await made.app.stop()
