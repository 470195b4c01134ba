"""What a mail may say about its recipient and its sender: contact, company, owner, last order, interests.

One place for the engine, the preflight, previews and test mails, so that they all show the same mail.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.config import MailboxSettings, Settings
from outreach.content.context import build_context
from outreach.model import Company, Contact, ContactTag, Deal, EmailAddress, Order, Tag, User
from outreach.model.base import table

CONTACTS, COMPANIES, USERS, ADDRESSES = table(Contact), table(Company), table(User), table(EmailAddress)
TAGS, CONTACT_TAGS, ORDERS, DEALS = table(Tag), table(ContactTag), table(Order), table(Deal)


@dataclass(frozen=True)
class Facts:
    """What is on record of one contact, as `build_context` takes it."""

    contact: Mapping[str, Any]
    company: Mapping[str, Any] | None
    owner: Mapping[str, Any] | None
    last_order: Mapping[str, Any] | None

    def context(
        self,
        *,
        sender: Mapping[str, Any],
        today: date,
        language: str,
        address: str | None = None,
        campaign: str = "",
    ) -> dict[str, Any]:
        """The values that a template sees; `address` is the one written to."""
        contact = {**self.contact, "email": address} if address else self.contact
        return build_context(
            contact=contact,
            company=self.company,
            owner=self.owner,
            sender=sender,
            last_order=self.last_order,
            campaign={"name": campaign},
            today=today,
            language=language,
        )


def sender_facts(settings: Settings, box: MailboxSettings | None = None) -> dict[str, Any]:
    """What every mail says about its sender (H4); without a mailbox, the first one."""
    sender = settings.sender
    box = box or next(iter(settings.mailbox), None)
    return {
        "company": sender.company,
        "postal_address": sender.postal_address,
        "website": sender.website,
        "phone": sender.phone,
        "country": sender.country,
        "email": box.address if box else "",
    }


async def load_facts(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, Facts]:
    """The facts of some contacts by id; who is not there is left out."""
    rows = (await conn.execute(_people(ids))).all()
    tags = await _tags(conn, ids)
    orders = await _orders(conn, ids, [row.company_id for row in rows if row.company_id is not None])
    return {row.id: _facts(row, tags.get(row.id, {}), orders) for row in rows}


async def find_contact(conn: AsyncConnection, address: str) -> int | None:
    """The contact that an address belongs to."""
    query = select(ADDRESSES.c.contact_id).where(ADDRESSES.c.normal == address.strip().lower())
    return await conn.scalar(query)


def _people(ids: Sequence[int]) -> Select[Any]:
    primary = (ADDRESSES.c.contact_id == CONTACTS.c.id) & ADDRESSES.c.is_primary.is_(True)
    return (
        select(
            CONTACTS,
            COMPANIES.c.name.label("company_name"),
            USERS.c.display_name.label("owner_display"),
            USERS.c.name.label("owner_login"),
            USERS.c.email.label("owner_email"),
            USERS.c.settings.label("owner_settings"),
            ADDRESSES.c.address.label("email"),
        )
        .outerjoin(COMPANIES, COMPANIES.c.id == CONTACTS.c.company_id)
        .outerjoin(USERS, USERS.c.id == func.coalesce(CONTACTS.c.owner_id, COMPANIES.c.owner_id))
        .outerjoin(ADDRESSES, primary)
        .where(CONTACTS.c.id.in_(ids))
    )


def _facts(row: Any, tags: Mapping[str, list[str]], orders: Mapping[tuple[str, int], Mapping[str, Any]]) -> Facts:
    more = row.owner_settings or {}
    owner = None
    if row.owner_login:
        owner = {"name": row.owner_display or row.owner_login, "email": row.owner_email}
        owner |= {"phone": more.get("phone"), "title": more.get("title")}
    order = orders.get(("contact", row.id)) or orders.get(("company", row.company_id or 0))
    if order and row.last_order and row.last_order > order["date"]:
        order = None  # the import knows of a newer one, by its date alone
    company = {"name": row.company_name} if row.company_name else None
    return Facts({"tags": [], "interests": [], **row._mapping, **tags}, company, owner, order)


async def _tags(conn: AsyncConnection, ids: Sequence[int]) -> dict[int, dict[str, list[str]]]:
    query = (
        select(CONTACT_TAGS.c.contact_id, TAGS.c.kind, TAGS.c.name)
        .join(TAGS, TAGS.c.id == CONTACT_TAGS.c.tag_id)
        .where(CONTACT_TAGS.c.contact_id.in_(ids))
        .order_by(TAGS.c.name)
    )
    found: dict[int, dict[str, list[str]]] = {}
    for row in await conn.execute(query):
        name = "interests" if row.kind == "interest" else "tags"
        found.setdefault(row.contact_id, {}).setdefault(name, []).append(row.name)
    return found


async def _orders(
    conn: AsyncConnection, contacts: Sequence[int], companies: Sequence[int]
) -> dict[tuple[str, int], dict[str, Any]]:
    """The newest order of each contact and of each company."""
    query = (
        select(ORDERS, DEALS.c.title)
        .outerjoin(DEALS, DEALS.c.id == ORDERS.c.deal_id)
        .where(or_(ORDERS.c.contact_id.in_(contacts), ORDERS.c.company_id.in_(companies)))
        .order_by(ORDERS.c.ordered_on, ORDERS.c.id)
    )
    found: dict[tuple[str, int], dict[str, Any]] = {}
    for row in await conn.execute(query):
        facts = {"number": row.number, "date": row.ordered_on, "amount": row.amount, "currency": row.currency}
        order = facts | {"product": row.title}
        found[("company", row.company_id)] = order
        if row.contact_id is not None:
            found[("contact", row.contact_id)] = order
    return found
