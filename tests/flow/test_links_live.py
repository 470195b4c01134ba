"""The links of a mail live for ever: whatever happens to its campaign, template, company or key, they lead and they act."""

from __future__ import annotations

import re
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from outreach.access.roles import OPERATOR
from outreach.app import campaigns as use
from outreach.app.build import App, open_app
from outreach.app.retention import run_retention
from outreach.config import load
from outreach.model import Company, Contact, EmailAddress
from outreach.model.base import table
from outreach.model.keys import address_key
from outreach.tracking.machine import HONEYPOT
from outreach.tracking.views import PublicApp
from tests.flow.house import Clock, add_people, approved, installed, work

COMPANIES, CONTACTS, ADDRESSES = table(Company), table(Contact), table(EmailAddress)
WHO = "p1@firm1.example"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@dataclass
class Sent:
    """A mail that was delivered, and where its links lead."""

    folder: Path
    clock: Clock
    campaign: int = 0
    unsubscribe: str = ""
    preferences: str = ""
    clicks: list[str] = field(default_factory=list)


def links_of(smtp_sink: Any, sent: Sent) -> None:
    raw = next(m.data for m in smtp_sink.messages() if WHO in m.rcpt_tos)
    mail = message_from_bytes(raw, policy=SMTP)
    body = mail.get_body(("html",))
    assert body is not None
    html = body.get_content()
    header = re.search(r"<https?://[^/>]+(/u/[^>]+)>", str(mail["List-Unsubscribe"]))
    assert header
    sent.unsubscribe = header[1]
    sent.preferences = re.findall(r"(/p/[\w-]+)", html)[0]
    sent.clicks = list(dict.fromkeys(re.findall(r'href="https?://127[^/"]+(/c/[\w-]+)', html)))


async def deliver(app: App, sent: Sent, smtp_sink: Any) -> None:
    await add_people(app, sent.folder, 3)
    sent.campaign = await approved(app, sent.clock, name="First")
    await use.start(app, sent.campaign, OPERATOR, sent.clock())
    await work(app, sent.clock)
    links_of(smtp_sink, sent)
    sent.clock.pass_days(1)


def number_of(app: App, path: str) -> int:
    token = app.signer.verify(path.removeprefix("/c/"))
    assert token is not None, path
    return token.number


# -- what may happen ----------------------------------------------------------------------------------------------------


async def companies_merged(app: App, sent: Sent) -> None:
    async with app.db.read() as conn:
        ids = {row.name: row.id for row in await conn.execute(select(COMPANIES))}
    await app.audience.merge(ids["Firm 0"], ids["Firm 1"], sent.clock())


async def campaign_called_off(app: App, sent: Sent) -> None:
    campaign = await approved(app, sent.clock, name="Second")
    await use.cancel(app, campaign, OPERATOR, sent.clock())


async def template_gone(app: App, sent: Sent) -> None:
    """The company's own templates are thrown away: what was sent has its links in the database."""
    own = sent.folder / "templates"
    own.mkdir(exist_ok=True)
    shutil.rmtree(own)


async def address_changed(app: App, sent: Sent) -> None:
    async with app.db.write() as conn:
        new = {
            "address": "pat@new.example",
            "normal": "pat@new.example",
            "key": address_key("pat@new.example", app.secret),
        }
        await conn.execute(update(ADDRESSES).where(ADDRESSES.c.normal == WHO).values(**new))


async def kept_for_years(app: App, sent: Sent) -> None:
    """Retention forgets the words and the rows of opens and clicks; the person is still a customer."""
    sent.clock.pass_days(3 * 365)
    async with app.db.write() as conn:
        await conn.execute(update(CONTACTS).values(last_order=sent.clock().date()))
    await run_retention(app, sent.clock())


async def key_rotated(app: App, sent: Sent) -> None:
    config = sent.folder / "config.toml"
    config.write_text(config.read_text().replace("[tracking]", "[tracking]\nkey_generation = 3"))


Happening = Callable[[App, Sent], Awaitable[None]]
HAPPENINGS = [companies_merged, campaign_called_off, template_gone, address_changed, kept_for_years, key_rotated]


@asynccontextmanager
async def again(sent: Sent) -> AsyncIterator[tuple[App, httpx.AsyncClient]]:
    """The service after a restart, so that nothing is answered from memory."""
    app = await open_app(load(sent.folder / "config.toml"), now=sent.clock())
    public = PublicApp(None, app.public_services(sent.clock))
    transport = httpx.ASGITransport(app=public)  # type: ignore[arg-type]
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
            yield app, client
        await public.stop()
    finally:
        await app.close()


@pytest.mark.parametrize("happens", [*HAPPENINGS, None], ids=lambda one: one.__name__ if one else "all_of_it")
async def test_links_lead_and_act(tmp_path: Path, smtp_sink: Any, happens: Happening | None) -> None:
    sent = Sent(tmp_path, Clock())
    async with installed(tmp_path, smtp_sink.port) as app:
        await deliver(app, sent, smtp_sink)
        for one in [happens] if happens else HAPPENINGS:
            await one(app, sent)
    async with again(sent) as (app, client):
        trap, *clicks = sorted(sent.clicks, key=lambda path: number_of(app, path))
        assert clicks
        for path in clicks:
            answer = await client.get(path)
            assert answer.status_code == 302, path
            assert answer.headers["location"].startswith("https://"), path
        assert number_of(app, trap) == HONEYPOT
        assert (await client.get(trap)).status_code == 404, "no person sees this link: it leads nowhere, on purpose"
        assert (await client.get(sent.preferences)).status_code == 200
        assert not await app.suppression.check(WHO), "looking changes nothing"
        assert (await client.post(sent.unsubscribe, data=ONE_CLICK)).status_code == 200
        assert await app.suppression.check(WHO), "the address that the mail went to is out"
        async with app.db.read() as conn:
            query = select(ADDRESSES.c.normal).join(CONTACTS, CONTACTS.c.id == ADDRESSES.c.contact_id)
            theirs = list(await conn.scalars(query.where(CONTACTS.c.first_name == "Pat1")))
        for address in theirs:
            assert await app.suppression.check(address), "every address of the person is out"
