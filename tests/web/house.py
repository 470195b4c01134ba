"""The web app over a seeded database, with a clock that stands still and a client that is logged in."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import datetime
from typing import Any

import httpx
from fastapi import FastAPI

import outreach.model  # noqa: F401  (fills SQLModel.metadata)
from outreach.app.build import App, policy_of
from outreach.config.settings import Settings
from outreach.db.session import Database
from outreach.web import create_app
from tests.fakes.browser import running_app
from tests.fakes.schema import make_tables
from tests.web.seed import NOW, PASSWORD, seed

SECRET = b"s" * 32
BASE = "http://outreach.test"


def settings(smtp_port: int = 2525) -> Settings:
    """The sender and three mailboxes, as config.toml would give them."""
    smtp = {"host": "127.0.0.1", "port": smtp_port, "tls": "none"}
    boxes = [
        {"name": name, "address": f"{name}@minxu-lighting.example", "smtp": smtp, "limits": {"per_day": 2000}}
        for name in ("sales", "info", "export")
    ]
    sender = {"company": "明序照明", "postal_address": "18 Guangming Road, Zhongshan"}
    crm = {"rates": {"EUR": 1.08, "CNY": 0.14}, "margin_floor": 12}
    return Settings(mailbox=boxes, sender=sender, crm=crm)  # type: ignore[arg-type]


class House:
    """A running service without its workers. fresh: seconds for which figures are kept; 0: a change shows at once."""

    def __init__(self, db: Database, smtp_port: int = 2525, *, fresh: float = 0.0) -> None:
        self.db = db
        self.now: datetime = NOW
        self.outreach = build(db, smtp_port)
        self.web: FastAPI = create_app(self.outreach, clock=lambda: self.now, fresh=fresh)

    def served(self, app: Any = None) -> AbstractContextManager[str]:
        """The house (or `app`, built around it) over real HTTP → its base URL; its database is closed with the server."""
        return running_app(app or self.web, self.db.close)

    def client(self, **options: Any) -> httpx.AsyncClient:
        """A browser without cookies."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.web), base_url=BASE, **options)

    @asynccontextmanager
    async def visitor(self, name: str, lang: str = "en") -> AsyncIterator[Visitor]:
        """Somebody who is logged in."""
        async with self.client(headers={"accept-language": lang}) as client:
            client.cookies.set("outreach_lang", lang)
            answer = await client.post("/login", data={"name": name, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
            yield Visitor(client)


class Visitor:
    """A logged-in browser: `get` pages, `post` forms with the page's token."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client
        self.token = ""

    async def get(self, path: str, **options: Any) -> httpx.Response:
        answer = await self.client.get(path, **options)
        found = re.search(r'data-form-token="([0-9a-f]+)"', answer.text)
        if found:
            self.token = found[1]
        return answer

    async def post(self, path: str, data: Any = None, **options: Any) -> httpx.Response:
        if not self.token:
            await self.get("/")
        return await self.client.post(path, data={"form_token": self.token, **(data or {})}, **options)


def build(db: Database, smtp_port: int = 2525) -> App:
    """The App as app/build.py builds it, without workers."""
    chosen = settings(smtp_port)
    return App(chosen, db, SECRET, policy_of(chosen), mailbox_ids={"sales": 1, "info": 2, "export": 3})


async def open_house(url: str, *, contacts: int = 120, seeded: bool = True, smtp_port: int = 2525) -> House:
    """Create the tables, seed them and build the app."""
    db = Database(url)
    await make_tables(db)
    if seeded:
        await seed(db, SECRET, contacts=contacts)
    return House(db, smtp_port)
