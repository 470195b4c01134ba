"""Small worlds for the tests of events, tracking and reports: a campaign whose mails were accepted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.session import Database
from outreach.events.kinds import AddActivity, CreateTask
from outreach.events.store import EventStore
from outreach.model import (
    Campaign,
    CampaignStep,
    Company,
    Contact,
    EmailAddress,
    Link,
    Mailbox,
    Message,
    TemplateVersion,
    User,
)
from outreach.model.keys import address_key

SECRET = b"an installation's secret, 32 byte"


@dataclass
class Taken:
    """What the crm was asked for, in place of the crm (its own tests apply these for real)."""

    tasks: list[CreateTask]
    activities: list[AddActivity]

    async def task(self, conn: AsyncConnection, change: CreateTask, event_id: int, now: datetime) -> None:
        self.tasks.append(change)

    async def activity(self, conn: AsyncConnection, change: AddActivity, event_id: int, now: datetime) -> None:
        self.activities.append(change)


def event_store() -> tuple[EventStore, Taken]:
    """An EventStore whose crm changes are taken down in a list."""
    taken = Taken([], [])
    return EventStore(SECRET, {CreateTask: taken.task, AddActivity: taken.activity}), taken


async def add(conn: AsyncConnection, model: Any, **values: Any) -> int:
    """Insert one row and return its id."""
    statement = insert(model).values(**values).returning(model.id)
    return int((await conn.execute(statement)).scalar_one())


async def count(db: Database, model: Any, *where: Any) -> int:
    """How many rows match."""
    async with db.read() as conn:
        return int((await conn.execute(select(func.count()).select_from(model).where(*where))).scalar_one())


async def add_campaign(conn: AsyncConnection, now: datetime, name: str = "LED show", **values: Any) -> int:
    """A running campaign with one step and three links."""
    template = await add(conn, TemplateVersion, name=name, version=1, sha256=name, files={}, created_at=now)
    values = {"state": "running", "definition": {}, "goal": "", "started_at": now, **values}
    campaign = await add(conn, Campaign, name=name, segment="true", created_at=now, **values)
    await add(conn, CampaignStep, campaign_id=campaign, number=0, template_version_id=template, after_days=0)
    for number in (1, 2, 3):
        url = f"https://shop.example/{number}?a=b&c={number}#top"
        await add(conn, Link, campaign_id=campaign, step=0, language="en", number=number, url=url)
    return campaign


async def add_user(conn: AsyncConnection, now: datetime, name: str = "sun.qian", **values: Any) -> int:
    """A salesperson."""
    return await add(conn, User, name=name, display_name=name.title(), roles=["salesperson"], created_at=now, **values)


async def add_mailbox(conn: AsyncConnection, now: datetime, name: str = "sales") -> int:
    """A mailbox."""
    return await add(
        conn, Mailbox, name=name, address=f"{name}@minxu.example", domain="minxu.example", created_at=now, ceiling={}
    )


async def add_person(conn: AsyncConnection, now: datetime, address: str, **values: Any) -> tuple[int, int]:
    """A contact with one address at a company of the address's domain; returns (contact, company)."""
    domain = address.rpartition("@")[2]
    known = (await conn.execute(select(Company.id).where(Company.domain == domain))).scalar_one_or_none()
    company = known or await add(conn, Company, name=domain.partition(".")[0], domain=domain, created_at=now)
    values = {"source": "test", "region": "Europe", "attributes": {}, "company_id": company, **values}
    contact = await add(conn, Contact, created_at=now, **values)
    await add_address(conn, now, contact, address)
    return contact, company


async def add_address(conn: AsyncConnection, now: datetime, contact: int, address: str) -> int:
    """One more address of a contact."""
    return await add(
        conn,
        EmailAddress,
        contact_id=contact,
        address=address,
        normal=address.lower(),
        domain=address.rpartition("@")[2],
        key=address_key(address, SECRET),
        created_at=now,
    )


async def add_message(
    conn: AsyncConnection, now: datetime, campaign: int, contact: int, address: str, **values: Any
) -> int:
    """A message; sent a minute before `now` unless said otherwise."""
    step = values.get("step", 0)
    values = {"state": "sent", "sent_at": now - timedelta(minutes=1), "handed_at": now - timedelta(minutes=1), **values}
    uid = f"{campaign}-{contact}-{step}"
    return await add(
        conn,
        Message,
        uid=uid,
        message_id=f"{uid}@minxu.example",
        campaign_id=campaign,
        contact_id=contact,
        address=address,
        address_key=address_key(address, SECRET),
        domain=address.rpartition("@")[2],
        due_at=now,
        **values,
    )
