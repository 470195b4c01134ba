"""What people do with remembered dates: send it, not this time, take that back; and look at the letter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor, Held, Permission, require
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.composing import compile_for, load_texts
from outreach.app.facts import load_facts, sender_facts
from outreach.app.occasions.advance import due_moment, queue
from outreach.app.sequences.work import load_work, open_desk
from outreach.campaigns import store as campaigns
from outreach.campaigns.state import STATES_ZH
from outreach.campaigns.store import CampaignError
from outreach.content.envelope import PREVIEW_URLS, Rendered
from outreach.content.preview import with_pictures
from outreach.content.template import choose_language
from outreach.crm import greetings
from outreach.crm.occasion import store as occasions
from outreach.db import stops
from outreach.model import CampaignState, Company, Contact, EmailAddress, User
from outreach.model.base import table

CONTACTS, COMPANIES, USERS = table(Contact), table(Company), table(User)
ADDRESSES = table(EmailAddress)


class NotSent(CampaignError):
    """The letter may not leave; `reason` is the code that the message rows know (outbox's skip reasons)."""

    def __init__(self, reason: str) -> None:
        self.reason = reason.partition(":")[0]
        super().__init__(f"not sent: {reason}", f"未发送：{reason}")


async def send(app: App, occasion_id: int, actor: Actor, now: datetime) -> datetime:
    """Say yes: the letter leaves on its day, in the person's hours. Returns when. Raises CampaignError in words."""
    async with app.db.write() as conn:
        await stops.hold(conn)
        row = await occasions.get(conn, occasion_id)
        await _may(conn, row.contact_id, actor)
        campaign = await campaigns.get(conn, row.campaign_id)
        if campaign.state != CampaignState.RUNNING:
            raise CampaignError(
                f"{campaign.name!r} is {campaign.state}: it sends once it is approved and started",
                f"“{campaign.name}” {STATES_ZH[CampaignState(campaign.state)]}：批准并开始后才会发送",
            )
        work = await load_work(app, conn, campaign, now)
        desk = await open_desk(conn, work, [row.contact_id])
        person = desk.people.get(row.contact_id)
        refused = "erased" if person is None else desk.refusal(person, row.key, work.box(person))
        if person is None or refused:
            raise NotSent(refused or "erased")
        due: datetime = max(row.due_at, due_moment(now.date(), work.hours(person.country, person.city), now))
        await occasions.move(conn, row, "send", now, decided_by=actor.id, due_at=due)
        await queue(conn, desk, person, row.key, row.name, due)
        await append_audit(conn, actor, "greeting.sent", "occasion", occasion_id, now=now)
    return due


async def decline(app: App, occasion_id: int, actor: Actor, now: datetime) -> None:
    """Not this time. Raises IllegalDecision."""
    await _decide(app, occasion_id, "decline", actor, now)


async def reconsider(app: App, occasion_id: int, actor: Actor, now: datetime) -> None:
    """Take a "no" back. Raises IllegalDecision."""
    await _decide(app, occasion_id, "propose", actor, now)


async def _decide(app: App, occasion_id: int, action: str, actor: Actor, now: datetime) -> None:
    async with app.db.write() as conn:
        row = await occasions.get(conn, occasion_id)
        await _may(conn, row.contact_id, actor)
        await occasions.move(conn, row, action, now, decided_by=actor.id)
        await append_audit(conn, actor, f"greeting.{action}", "occasion", occasion_id, now=now)


async def _may(conn: AsyncConnection, contact_id: int, actor: Actor) -> None:
    if actor.operator:
        return
    require(actor, Permission.CAMPAIGNS_SEND)
    owner = func.coalesce(CONTACTS.c.owner_id, COMPANIES.c.owner_id).label("owner_id")
    query = select(owner, USERS.c.team).select_from(
        CONTACTS.outerjoin(COMPANIES, COMPANIES.c.id == CONTACTS.c.company_id).outerjoin(USERS, USERS.c.id == owner)
    )
    held = (await conn.execute(query.where(CONTACTS.c.id == contact_id))).one()
    require(actor, Permission.CONTACTS_EDIT, Held(held.owner_id, held.team))


@dataclass(frozen=True)
class Letter:
    """A date with its letter as the person would get it."""

    row: Any
    language: str
    mail: Rendered
    #: The page with its pictures in it, for a frame that may load nothing.
    html: str


async def letter(app: App, occasion_id: int, now: datetime) -> Letter:
    """Render the letter of a date. Raises LookupError, ContentProblem."""
    async with app.db.read() as conn:
        row = await occasions.get(conn, occasion_id)
        texts = await load_texts(conn, row.campaign_id)
        facts = (await load_facts(conn, [row.contact_id]))[row.contact_id]
    source, contact = texts.sources[0], facts.contact
    language = choose_language(source, contact["language"], contact["country"])
    assert texts.definition.occasion is not None
    words = greetings.variant_for(texts.definition.occasion.words, row.name, contact["language"], contact["country"])
    values = facts.context(
        sender=sender_facts(app.settings), today=row.on, language=language, campaign=texts.definition.name
    )
    mail = compile_for(texts, row.key, language, words).render(values, PREVIEW_URLS)
    return Letter(row, language, mail, with_pictures(mail.html, source.files))


async def waiting(app: App, limit: int = 1_000) -> list[dict[str, Any]]:
    """The dates that wait for their owner's word, the nearest first."""
    o = occasions.O
    owner = func.coalesce(CONTACTS.c.owner_id, COMPANIES.c.owner_id)
    query = (
        select(
            o.id, o.campaign_id, o.contact_id, o.kind, o.name, o.on, o.due_at, ADDRESSES.c.address,
            USERS.c.name.label("owner"),
        )
        .join(CONTACTS, CONTACTS.c.id == o.contact_id)
        .outerjoin(COMPANIES, COMPANIES.c.id == CONTACTS.c.company_id)
        .outerjoin(USERS, USERS.c.id == owner)
        .outerjoin(ADDRESSES, (ADDRESSES.c.contact_id == o.contact_id) & ADDRESSES.c.is_primary.is_(True))
        .where(o.state == "proposed")
        .order_by(o.due_at, o.id)
        .limit(limit)
    )  # fmt: skip
    async with app.db.read() as conn:
        return [dict(row._mapping) for row in await conn.execute(query)]
