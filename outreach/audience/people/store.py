"""Single contacts and pages of them: find, show, edit, tag, assign. Functions join the caller's transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Table, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.hygiene import AddressRefused, check_address, split_addresses
from outreach.audience.importing.labels.store import learn_labels
from outreach.audience.people.edit import COMPANY_FIELDS, CONTACT_FIELDS, Overtaken, checked
from outreach.audience.people.query import (
    ADDRESS,
    COMPANY,
    CONTACT,
    USER,
    CompanyQuery,
    ContactQuery,
    ContactRow,
    Page,
    company_page,
    contact_filter,
    contact_page,
)
from outreach.audience.values import clean_label
from outreach.db.bulk import chunks, insert_rows
from outreach.model import Activity, Consent, ContactTag, Event, InboundMail, Message, Preference, Tag
from outreach.model.base import table
from outreach.model.keys import normalise_address
from outreach.model.suppressed import is_suppressed

NOTHING: Mapping[str, Any] = MappingProxyType({})
TAG, CONTACT_TAG, CONSENT, PREFERENCE = table(Tag), table(ContactTag), table(Consent), table(Preference)
ACTIVITY, EVENT, MESSAGE, INBOUND = table(Activity), table(Event), table(Message), table(InboundMail)


@dataclass(slots=True)
class AddressView:
    """An address of a contact and what is known of it."""

    address: str
    is_primary: bool
    is_role: bool
    mx: str
    bounced_at: datetime | None
    suppressed: bool


@dataclass(slots=True)
class ContactView:
    """A contact with all that its page shows. `values` holds the columns of the table contact."""

    id: int
    values: dict[str, Any]
    company: dict[str, Any] | None
    owner: str | None
    addresses: list[AddressView] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    interests: list[str] = field(default_factory=list)
    consents: list[dict[str, Any]] = field(default_factory=list)

    @property
    def email(self) -> str | None:
        """Return the primary address."""
        return next((a.address for a in self.addresses if a.is_primary), None)

    @property
    def name(self) -> str:
        """Return the person's name, the address where there is none."""
        parts = (self.values["first_name"], self.values["last_name"])
        return " ".join(filter(None, parts)) or self.email or f"#{self.id}"

    def as_dict(self) -> dict[str, Any]:
        """Return everything for JSON."""
        return asdict(self) | {"email": self.email, "name": self.name}


@dataclass(frozen=True, slots=True)
class TimelineItem:
    """A line of a contact's timeline: what happened when (UTC). `kind` is the source's own word."""

    at: datetime
    kind: str
    text: str
    data: dict[str, Any]


async def find(conn: AsyncConnection, address: str) -> int | None:
    """Return the contact of an address."""
    wanted = normalise_address(address)
    found: int | None = await conn.scalar(select(ADDRESS.c.contact_id).where(ADDRESS.c.normal == wanted))
    return found


async def holders(conn: AsyncConnection, addresses: str) -> list[tuple[int, int | None]]:
    """Return (contact, owner) of who is known by any address of a cell."""
    normals = set()
    for text in split_addresses(addresses):
        with suppress(AddressRefused):  # who enters it is told by the row's check
            normals.add(check_address(text).normal)
    owner = func.coalesce(CONTACT.c.owner_id, COMPANY.c.owner_id)
    joined = CONTACT.join(ADDRESS, ADDRESS.c.contact_id == CONTACT.c.id)
    joined = joined.outerjoin(COMPANY, COMPANY.c.id == CONTACT.c.company_id)
    query = select(CONTACT.c.id, owner).select_from(joined).where(ADDRESS.c.normal.in_(normals)).distinct()
    return [(row[0], row[1]) for row in await conn.execute(query.order_by(CONTACT.c.id))]


async def get(conn: AsyncConnection, contact_id: int) -> ContactView | None:
    """Return a contact, None where there is none or where it was erased."""
    row = (await conn.execute(select(CONTACT).where(CONTACT.c.id == contact_id, CONTACT.c.erased_at.is_(None)))).first()
    if row is None:
        return None
    values = dict(row._mapping)
    company = None
    if values["company_id"]:
        found = (await conn.execute(select(COMPANY).where(COMPANY.c.id == values["company_id"]))).first()
        company = dict(found._mapping) if found else None
    owner_id = values["owner_id"] or (company or {}).get("owner_id")
    owner = await conn.scalar(select(USER.c.name).where(USER.c.id == owner_id)) if owner_id else None
    view = ContactView(contact_id, values, company, owner)
    view.addresses = await _addresses(conn, contact_id)
    for kind, name in await conn.execute(_labels_of(contact_id)):
        (view.tags if kind == "tag" else view.interests).append(name)
    consents = await conn.execute(select(CONSENT).where(CONSENT.c.contact_id == contact_id).order_by(CONSENT.c.at))
    view.consents = [dict(consent._mapping) for consent in consents]
    return view


async def _addresses(conn: AsyncConnection, contact_id: int) -> list[AddressView]:
    c = ADDRESS.c
    stopped = is_suppressed(c.key, c.domain).label("stopped")
    columns = (c.address, c.is_primary, c.is_role, c.mx, c.bounced_at, stopped)
    rows = await conn.execute(select(*columns).where(c.contact_id == contact_id).order_by(c.is_primary.desc(), c.id))
    return [AddressView(*row) for row in rows]


def _labels_of(contact_id: int) -> Any:
    joined = CONTACT_TAG.join(TAG, TAG.c.id == CONTACT_TAG.c.tag_id)
    labels = select(TAG.c.kind, TAG.c.name).select_from(joined).where(CONTACT_TAG.c.contact_id == contact_id)
    return labels.order_by(TAG.c.name)


async def timeline(conn: AsyncConnection, contact_id: int, limit: int = 200) -> list[TimelineItem]:
    """Return what happened with a contact, newest first."""
    items: list[TimelineItem] = []
    for rows, kind, text in (
        (_latest(ACTIVITY, contact_id, "at", limit), "activity", "text"),
        (_latest(EVENT, contact_id, "at", limit), "event", "why"),
        (_latest(MESSAGE, contact_id, "sent_at", limit), "mail", "reason"),
        (_latest(INBOUND, contact_id, "received_at", limit), "received", "subject"),
        (_latest(CONSENT, contact_id, "at", limit), "consent", "source"),
    ):
        for row in await conn.execute(rows):
            values = dict(row._mapping)
            own = values.pop("happened")
            items.append(
                TimelineItem(own, str(values.get("kind") or kind), str(values.get(text) or ""), _told(kind, values))
            )
    created = await conn.scalar(select(CONTACT.c.created_at).where(CONTACT.c.id == contact_id))
    if created is not None:
        items.append(TimelineItem(created, "created", "", {}))
    return sorted(items, key=lambda item: item.at, reverse=True)[:limit]


def _latest(source: Table, contact_id: int, moment: str, limit: int) -> Any:
    column = source.c[moment]
    rows = select(source, column.label("happened")).where(source.c.contact_id == contact_id, column.is_not(None))
    return rows.order_by(column.desc()).limit(limit)


_TOLD: dict[str, tuple[str, ...]] = {
    "activity": ("id", "user_id", "event_id", "data"),
    "event": ("id", "message_id", "campaign_id", "machine", "data"),
    "mail": ("id", "campaign_id", "step", "state", "address", "sent_at", "first_open_at", "first_click_at"),
    "received": ("id", "mailbox_id", "reply_text", "intent", "state"),
    "consent": ("id", "basis", "given_on", "evidence"),
}


def _told(kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    return {"of": kind} | {name: values[name] for name in _TOLD[kind] if values.get(name) is not None}


async def page(conn: AsyncConnection, query: ContactQuery, now: datetime) -> Page:
    """Return a page of contacts. Raises SegmentError, QueryError."""
    if query.search.strip():  # a search reads every row: once is enough, the window counts along
        found = (await conn.execute(contact_page(query, now).add_columns(func.count().over()))).all()
        if found:
            return Page(await rows_of(conn, [row[0] for row in found]), found[0][1])
    ids = list((await conn.execute(contact_page(query, now))).scalars())
    total = await conn.scalar(select(func.count()).select_from(CONTACT).where(contact_filter(query, now))) or 0
    return Page(await rows_of(conn, ids), total)


async def rows_of(conn: AsyncConnection, ids: Sequence[int]) -> list[ContactRow]:
    """Return the lines of these contacts, in this order."""
    if not ids:
        return []
    c = CONTACT.c
    primary = ADDRESS.alias("primary_address")
    columns = (
        c.id, c.first_name, c.last_name, primary.c.address, c.company_id, COMPANY.c.name, c.country, c.region, c.city,
        c.industry, c.language, c.grade, c.intent, func.coalesce(c.owner_id, COMPANY.c.owner_id), USER.c.name, c.source,
        c.basis, c.created_at, c.last_contacted, c.last_replied, primary.c.bounced_at.is_not(None),
        is_suppressed(primary.c.key, primary.c.domain),
    )  # fmt: skip
    joined = (
        CONTACT.outerjoin(primary, (primary.c.contact_id == c.id) & primary.c.is_primary)
        .outerjoin(COMPANY, COMPANY.c.id == c.company_id)
        .outerjoin(USER, USER.c.id == func.coalesce(c.owner_id, COMPANY.c.owner_id))
    )
    found: dict[int, ContactRow] = {}
    for row in await conn.execute(select(*columns).select_from(joined).where(c.id.in_(ids))):
        found[row[0]] = ContactRow(*tuple(row))
    labels = CONTACT_TAG.join(TAG, TAG.c.id == CONTACT_TAG.c.tag_id)
    wanted = select(CONTACT_TAG.c.contact_id, TAG.c.name).select_from(labels)
    tagged = wanted.where(CONTACT_TAG.c.contact_id.in_(ids), TAG.c.kind == "tag").order_by(TAG.c.name)
    for contact_id, name in await conn.execute(tagged):
        found[contact_id].tags.append(name)
    return [found[number] for number in ids if number in found]


async def companies(conn: AsyncConnection, query: CompanyQuery) -> Page:
    """Return a page of companies as dicts: the table's columns, `owner`, `contacts`. Raises QueryError."""
    statement, wanted = company_page(query)
    rows = [dict(row._mapping) for row in await conn.execute(statement)]
    return Page(rows, await conn.scalar(select(func.count()).select_from(COMPANY).where(wanted)) or 0)


async def edit(
    conn: AsyncConnection, contact_id: int, changes: Mapping[str, Any], now: datetime, seen: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Change fields of a contact; return what they held before. `seen`: what they must still hold.

    Raises EditRefused, Overtaken, LookupError.
    """
    return await _edit(conn, CONTACT, contact_id, checked(CONTACT_FIELDS, changes), now, seen)


async def edit_company(
    conn: AsyncConnection, company_id: int, changes: Mapping[str, Any], now: datetime, seen: Mapping[str, Any] = NOTHING
) -> dict[str, Any]:
    """Change fields of a company; return what they held before. `seen`: what they must still hold.

    Raises EditRefused, Overtaken, LookupError.
    """
    return await _edit(conn, COMPANY, company_id, checked(COMPANY_FIELDS, changes), now, seen)


async def _edit(
    conn: AsyncConnection, which: Table, number: int, found: dict[str, Any], now: datetime, seen: Mapping[str, Any]
) -> dict[str, Any]:
    row = (await conn.execute(select(which).where(which.c.id == number))).first()
    if row is None:
        raise LookupError(f"there is no {which.name} {number}")
    for name, value in seen.items():
        if row._mapping[name] != value:
            raise Overtaken(name, row._mapping[name])
    before = {name: row._mapping[name] for name in found}
    if found:
        # a writer between our reading and this statement is seen here (PostgreSQL; SQLite has one writer)
        unchanged = [which.c[name].is_not_distinct_from(value) for name, value in seen.items()]
        changed = update(which).where(which.c.id == number, *unchanged).values(found | {"updated_at": now})
        if (await conn.execute(changed)).rowcount == 0:
            raise Overtaken(next(iter(seen), ""), None)
    return before


async def tag(conn: AsyncConnection, ids: Iterable[int], names: Iterable[str], kind: str = "tag") -> int:
    """Give contacts tags; return how many contacts × tags are new."""
    labels: dict[tuple[str, str], int] = {}
    wanted = {(kind, name) for name in map(clean_label, names) if name}
    await learn_labels(conn, labels, wanted)
    numbers = list(dict.fromkeys(ids))
    before = await _count_labels(conn, numbers, labels.values())
    rows = sorted((tag_id, number) for tag_id in labels.values() for number in numbers)
    await insert_rows(conn, CONTACT_TAG, ("tag_id", "contact_id"), rows, ignore=True)
    return await _count_labels(conn, numbers, labels.values()) - before


async def untag(conn: AsyncConnection, ids: Iterable[int], names: Iterable[str], kind: str = "tag") -> int:
    """Take tags from contacts; return how many were there."""
    wanted = select(TAG.c.id).where(TAG.c.kind == kind, TAG.c.name.in_([clean_label(name) for name in names]))
    removed = 0
    for part in chunks(list(ids)):
        gone = delete(CONTACT_TAG).where(CONTACT_TAG.c.contact_id.in_(part), CONTACT_TAG.c.tag_id.in_(wanted))
        removed += (await conn.execute(gone)).rowcount
    return removed


async def tagged(
    conn: AsyncConnection, ids: Iterable[int], names: Iterable[str], kind: str = "tag"
) -> dict[str, list[int]]:
    """Return which of these contacts have each of these tags; the tags as they are stored."""
    found: dict[str, list[int]] = {label: [] for label in map(clean_label, names) if label}
    joined = select(TAG.c.name, CONTACT_TAG.c.contact_id).join(CONTACT_TAG, CONTACT_TAG.c.tag_id == TAG.c.id)
    wanted = joined.where(TAG.c.kind == kind, TAG.c.name.in_(list(found)))
    for part in chunks(sorted(set(ids))):
        for name, number in await conn.execute(wanted.where(CONTACT_TAG.c.contact_id.in_(part))):
            found[name].append(number)
    return found


async def _count_labels(conn: AsyncConnection, ids: list[int], tags: Iterable[int]) -> int:
    total = 0
    for part in chunks(ids):
        where = (CONTACT_TAG.c.contact_id.in_(part), CONTACT_TAG.c.tag_id.in_(list(tags)))
        total += await conn.scalar(select(func.count()).select_from(CONTACT_TAG).where(*where)) or 0
    return total


async def assign(conn: AsyncConnection, which: Table, ids: Iterable[int], owner_id: int | None, now: datetime) -> int:
    """Give contacts or companies an owner (None: nobody); return how many changed."""
    changed = 0
    for part in chunks(list(ids)):
        others = which.c.owner_id.is_distinct_from(owner_id)
        change = update(which).where(which.c.id.in_(part), others).values(owner_id=owner_id, updated_at=now)
        changed += (await conn.execute(change)).rowcount
    return changed


async def assign_companies(conn: AsyncConnection, ids: Iterable[int], owner_id: int | None, now: datetime) -> int:
    """Give companies an owner, and their contacts with them: one owner works a whole customer (C2)."""
    numbers = list(ids)
    changed = await assign(conn, COMPANY, numbers, owner_id, now)
    for part in chunks(numbers):
        theirs = select(CONTACT.c.id).where(CONTACT.c.company_id.in_(part), CONTACT.c.erased_at.is_(None))
        await assign(conn, CONTACT, (await conn.execute(theirs)).scalars(), owner_id, now)
    return changed


async def set_preference(
    conn: AsyncConnection,
    contact_id: int,
    now: datetime,
    *,
    topics_off: Mapping[str, Any] | None = None,
    mails_per_month: int | None = None,
    tracking: bool | None = None,
) -> None:
    """Store what a recipient chose on the preference page; it replaces what stood there."""
    values = {"topics_off": dict(topics_off or {}), "mails_per_month": mails_per_month, "at": now}
    known = update(PREFERENCE).where(PREFERENCE.c.contact_id == contact_id).values(values)
    if not (await conn.execute(known)).rowcount:
        await conn.execute(PREFERENCE.insert().values(contact_id=contact_id, **values))
    if tracking is not None:
        await conn.execute(update(CONTACT).where(CONTACT.c.id == contact_id).values(tracking=tracking))
