"""Surveys in the database: asked, answered once or again, and what follows: a case closes, opens, or somebody calls."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.crm.service.state import IllegalStep
from outreach.crm.service.store import ServiceStore
from outreach.crm.store import add_task, note
from outreach.db.session import Database
from outreach.model import Contact, Order, Survey, Ticket
from outreach.model.base import table
from outreach.model.task_titles import both
from outreach.tracking.tokens import Signer

SURVEYS, TICKETS, CONTACTS, ORDERS = table(Survey), table(Ticket), table(Contact), table(Order)
#: How long an answer may be given or changed: after that it says nothing about the case any more.
OPEN_FOR = timedelta(days=90)
#: A score of so little is a reason to call.
UNHAPPY = 2
MOST_WORDS = 4000


class AskedAlready(Exception):
    """An order is asked after once: whoever is asked again and again answers no more."""


@dataclass(frozen=True)
class Vote:
    """What somebody answered."""

    score: int | None
    helped: bool | None
    text: str = ""


def survey_signer(secret: bytes) -> Signer:
    """The signer of survey links: keys of its own, so that no link of a mail opens a survey."""
    return Signer.from_secret(hashlib.blake2b(b"survey", key=secret[:64], digest_size=32).digest())


class SurveyStore:
    """Surveys and their signed links under `base_url`."""

    def __init__(self, db: Database, service: ServiceStore, secret: bytes, base_url: str) -> None:
        self.db, self.service, self.base_url = db, service, base_url.rstrip("/")
        self.signer = survey_signer(secret)

    async def ask(
        self,
        contact_id: int,
        now: datetime,
        *,
        ticket_id: int | None = None,
        order_id: int | None = None,
        language: str = "en",
    ) -> tuple[int, str]:
        """Make a survey; return its id and the link. For one case or order there is one survey.

        A case may be answered twice and is asked after again. Raises AskedAlready for an order.
        """
        async with self.db.write() as conn:
            known = await _asked(conn, contact_id, ticket_id, order_id)
            if known is None:
                company = await conn.scalar(select(CONTACTS.c.company_id).where(CONTACTS.c.id == contact_id))
                values = {"contact_id": contact_id, "company_id": company, "ticket_id": ticket_id}
                values |= {"order_id": order_id, "language": language, "asked_at": now}
                known = (await conn.execute(insert(SURVEYS).values(**values).returning(SURVEYS.c.id))).scalar_one()
            else:
                await conn.execute(update(SURVEYS).where(SURVEYS.c.id == known).values(asked_at=now))
        return int(known), self.link(int(known))

    async def withdraw(self, survey_id: int) -> None:
        """Forget a survey whose mail never left."""
        async with self.db.write() as conn:
            await conn.execute(delete(SURVEYS).where(SURVEYS.c.id == survey_id, SURVEYS.c.answered_at.is_(None)))

    def link(self, survey_id: int) -> str:
        """Return the signed address of a survey."""
        return f"{self.base_url}/q/{self.signer.sign('p', survey_id)}"

    async def of(self, token: str, now: datetime) -> Row[Any] | None:
        """Return the survey of a genuine token that may still be answered."""
        genuine = self.signer.verify(token)
        columns = (TICKETS.c.subject, TICKETS.c.number, ORDERS.c.number.label("order_number"))
        joined = SURVEYS.outerjoin(TICKETS, TICKETS.c.id == SURVEYS.c.ticket_id)
        query = select(SURVEYS, *columns).select_from(joined.outerjoin(ORDERS, ORDERS.c.id == SURVEYS.c.order_id))
        async with self.db.read() as conn:  # a guessed token is looked up too, so that it takes as long
            row = (await conn.execute(query.where(SURVEYS.c.id == (genuine.message_id if genuine else 0)))).first()
        return row if row is not None and row.asked_at > now - OPEN_FOR else None

    async def answer(self, token: str, vote: Vote, now: datetime) -> bool:
        """Store an answer and do what follows from it; answering again replaces. False: no such survey."""
        row = await self.of(token, now)
        if row is None:
            return False
        values = {"score": vote.score, "helped": vote.helped, "text": vote.text[:MOST_WORDS] or None}
        async with self.db.write() as conn:
            await conn.execute(update(SURVEYS).where(SURVEYS.c.id == row.id).values(answered_at=now, **values))
            same = (row.score, row.helped, row.text) == (values["score"], values["helped"], values["text"])
            if row.answered_at is not None and same:
                return True
            await note(conn, "survey", vote.text[:500], now, company_id=row.company_id, contact_id=row.contact_id,
                       data={"score": vote.score, "helped": vote.helped, "ticket_id": row.ticket_id,
                             "order_id": row.order_id})  # fmt: skip
            reopened = await self._case(conn, row, vote, now)
            if not reopened and vote.score is not None and vote.score <= UNHAPPY and row.answered_at is None:
                owner = await conn.scalar(select(CONTACTS.c.owner_id).where(CONTACTS.c.id == row.contact_id))
                title = both("unhappy", score=vote.score)
                await add_task(conn, "call", title, now, owner_id=owner, company_id=row.company_id,
                               contact_id=row.contact_id)  # fmt: skip
        return True

    async def _case(self, conn: Any, row: Row[Any], vote: Vote, now: datetime) -> bool:
        """Close the case or open it again by the customer's word; True if it is open again."""
        if row.ticket_id is None or vote.helped is None:
            return False
        try:
            action = "helped" if vote.helped else "not_helped"
            await self.service.step_in(conn, row.ticket_id, action, None, now, vote.text[:500])
        except IllegalStep:  # it is closed or under way already: the word stands in the timeline all the same
            return False
        return not vote.helped

    async def figures(self, since: datetime, until: datetime) -> Mapping[str, float | int | None]:
        """Return how many were asked and answered, and the mean score, of surveys asked in a time."""
        within = (SURVEYS.c.asked_at >= since, SURVEYS.c.asked_at < until)
        query = select(func.count(), func.count(SURVEYS.c.answered_at), func.avg(SURVEYS.c.score)).where(*within)
        async with self.db.read() as conn:
            asked, answered, mean = (await conn.execute(query)).one()
        return {"asked": asked, "answered": answered, "mean": float(mean) if mean is not None else None}


async def _asked(conn: AsyncConnection, contact_id: int, ticket_id: int | None, order_id: int | None) -> int | None:
    """The survey of a case. Raises AskedAlready where an order has one: of two presses the second waits here."""
    if order_id:
        await conn.execute(select(ORDERS.c.id).where(ORDERS.c.id == order_id).with_for_update())
        if await conn.scalar(select(SURVEYS.c.id).where(SURVEYS.c.order_id == order_id).limit(1)) is not None:
            raise AskedAlready
    if not ticket_id:
        return None
    mine = (SURVEYS.c.ticket_id == ticket_id) & (SURVEYS.c.contact_id == contact_id)
    known = await conn.scalar(select(SURVEYS.c.id).where(mine))
    return None if known is None else int(known)
