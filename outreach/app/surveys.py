"""Asks customers how content they are with what was delivered: a short mail with a signed link, once an order (F2)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.app.build import App
from outreach.app.customers import Way, way_of
from outreach.app.post import Posted, identity_of, post
from outreach.content.plain import plain_message
from outreach.crm.survey.page import words
from outreach.inbox.archive.store import archive_sent
from outreach.model import Company, Contact, Order
from outreach.model.base import table

ORDERS, COMPANIES, CONTACTS = table(Order), table(Company), table(Contact)
#: People of a customer who are tried, the one who ordered first.
MOST_TRIED = 20


class AskRefused(Exception):
    """Nobody can be asked; `code`: not_delivered, suppressed, no_address, no_mailbox."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


async def ask_after_order(app: App, order_id: int, actor: Actor, now: datetime, *, sender: str = "") -> Posted:
    """Mail the survey of a delivered order to who ordered, else to the customer's first person who can be written to.

    The survey is made first, so that two presses never ask twice; a refused mail takes it back. `sender`: the name in
    From. Raises LookupError, AskRefused, AskedAlready (crm/survey).
    """
    order, people = await _order(app, order_id)
    if order.delivered_on is None or order.delivered_on > now.date():
        raise AskRefused("not_delivered")
    contact_id, way = await _first_way(app, people, order.owner_id)
    survey_id, link = await app.surveys.ask(contact_id, now, order_id=order_id, language=way.language)
    assert way.mailbox is not None
    assert way.address is not None
    box = app.settings.mailbox_named(way.mailbox)
    subject, text = _words(way, order.number, link, sender, app.settings.sender.company)
    name = sender or box.from_name or app.settings.sender.company
    data = plain_message(identity_of(box, way.name, way.address, now, name), subject, text)
    posted = await post(app, box, [way.address], data, now)
    if posted.outcome == "refused":
        await app.surveys.withdraw(survey_id)
        return posted
    async with app.db.write() as conn:
        await archive_sent(
            conn, data, now, subject=subject, body=text, people=f"{box.address} {way.name} {way.address}"
        )
        told = {"order": order_id, "survey": survey_id, "outcome": posted.outcome}
        await append_audit(conn, actor, "survey.asked", "order", order_id, now=now, after=told)
    return posted


async def _order(app: App, order_id: int) -> tuple[Any, list[int]]:
    """The order with its customer's owner, and the people to try in their turn."""
    o, c = ORDERS.c, CONTACTS.c
    columns = (o.number, o.company_id, o.contact_id, o.delivered_on, COMPANIES.c.owner_id)
    query = select(*columns).join(COMPANIES, COMPANIES.c.id == o.company_id).where(o.id == order_id)
    async with app.db.read() as conn:
        order = (await conn.execute(query)).one_or_none()
        if order is None:
            raise LookupError(f"there is no order {order_id}")
        here = select(c.id).where(c.company_id == order.company_id, c.erased_at.is_(None), c.left_at.is_(None))
        people = list(await conn.scalars(here.order_by(c.id).limit(MOST_TRIED)))
    return order, sorted(people, key=lambda number: number != order.contact_id)


async def _first_way(app: App, people: list[int], owner_id: int | None) -> tuple[int, Way]:
    why = "no_address"
    for place, contact_id in enumerate(people):
        way = await way_of(app, contact_id, owner_id)
        if way.address is not None and way.mailbox is not None:
            return contact_id, way
        why = way.why if place == 0 else why
    raise AskRefused(why)


def _words(way: Way, number: str, link: str, sender: str, company: str) -> tuple[str, str]:
    said = words()[way.language]
    parts = [said["hello"].format(name=way.name)] if way.name else []
    parts.append(f"{said['order_mail'].format(number=number)}\n{link}")
    parts.append("\n".join(part for part in (sender, company) if part))
    return said["order_subject"].format(number=number), "\n\n".join(parts) + "\n"
