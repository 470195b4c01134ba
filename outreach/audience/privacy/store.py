"""Everything that is stored on a person, and its erasure.

Erasure deletes what is personal and keeps what the company must be able to prove: that a mail left, and when. Rows of
the ledger stay without a name and address; of the address a keyed hash remains on the suppression list, so that the
person is never mailed or imported again.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, Table, delete, exists, false, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.session import Database
from outreach.model import (
    Activity,
    ArchivedFile,
    ArchivedMail,
    Attachment,
    Attempt,
    CampaignRecipient,
    Company,
    Consent,
    Contact,
    ContactTag,
    Conversion,
    Deal,
    DynamicLink,
    EmailAddress,
    Enrolment,
    Event,
    InboundMail,
    KeptUndo,
    MailFile,
    Message,
    Occasion,
    Order,
    Preference,
    SignUp,
    StoredFile,
    Suppression,
    Survey,
    Tag,
    Task,
    Ticket,
)
from outreach.model.base import table
from outreach.model.keys import address_key, normalise_address
from outreach.model.merged.store import parts

CONTACT, ADDRESS, COMPANY = table(Contact), table(EmailAddress), table(Company)
MESSAGE, EVENT, INBOUND, ARCHIVE = table(Message), table(Event), table(InboundMail), table(ArchivedMail)
TAG, CONTACT_TAG, SUPPRESSION = table(Tag), table(ContactTag), table(Suppression)

#: Stands where an address stood: RFC 2606 keeps .invalid free.
ERASED = "erased@erased.invalid"


class Suppress(Protocol):
    """Puts a key on the suppression list in the caller's transaction (suppression/store.py's `suppress`)."""

    async def __call__(
        self, conn: AsyncConnection, key: str, reason: str, *, source: str, now: datetime, by_user: int | None = None
    ) -> bool: ...


@dataclass(slots=True)
class Erasure:
    """What was erased: how many rows of which table. `found` False: nothing was stored, the promise is kept anyway."""

    found: bool
    addresses: int = 0
    erased: dict[str, int] = field(default_factory=dict)
    contact_id: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return {"found": self.found, "addresses": self.addresses, "erased": dict(self.erased)}


#: Where a person's rows are found, for the export: table → (name in the export, columns that are ours alone).
_EXPORTED: tuple[tuple[type, str], ...] = (
    (EmailAddress, "addresses"), (Consent, "consents"), (Preference, "preferences"), (Message, "messages"),
    (Event, "events"), (InboundMail, "received"), (Activity, "activities"), (Task, "tasks"), (Deal, "deals"),
    (Order, "orders"), (Conversion, "conversions"), (CampaignRecipient, "campaigns"), (Ticket, "cases"),
    (Survey, "surveys"), (Attachment, "files"), (Enrolment, "sequences"), (Occasion, "occasions"), (SignUp, "signups"),
)  # fmt: skip


async def export_person(conn: AsyncConnection, address: str, secret: bytes) -> dict[str, Any] | None:
    """Return everything stored on the person of an address, plain dicts, a list a kind; None where there is nothing.

    Archived mails come with their text. Who only ever wrote to us is no contact, and is told of the own mails as well.
    """
    return await _told(conn, await _person(conn, address), secret)


async def export_contact(conn: AsyncConnection, contact_id: int, secret: bytes) -> dict[str, Any] | None:
    """Return the same by the person's number: some have no address any more."""
    return await _told(conn, await _with_addresses(conn, contact_id), secret)


async def _told(conn: AsyncConnection, one: _Person, secret: bytes) -> dict[str, Any] | None:
    keys = await _keys(conn, one, secret)
    found: dict[str, Any] = {"contact": None, "company": None, "labels": []}
    if one.contact_id is not None:
        found["contact"] = next(iter(await _rows(conn, select(CONTACT).where(CONTACT.c.id == one.contact_id))), None)
        company = select(COMPANY.c.name, COMPANY.c.domain).join(CONTACT, CONTACT.c.company_id == COMPANY.c.id)
        found["company"] = next(iter(await _rows(conn, company.where(CONTACT.c.id == one.contact_id))), None)
        labels = select(TAG.c.kind, TAG.c.name).join(CONTACT_TAG, CONTACT_TAG.c.tag_id == TAG.c.id)
        found["labels"] = await _rows(conn, labels.where(CONTACT_TAG.c.contact_id == one.contact_id))
    for model, name in _EXPORTED:
        source = table(model)
        found[name] = await _rows(conn, select(source).where(_theirs(source, one, keys)))
    mails = select(ARCHIVE.c.id, ARCHIVE.c.direction, ARCHIVE.c.subject, ARCHIVE.c.text, ARCHIVE.c.at)
    found["archive"] = await _rows(conn, mails.where(_archived(one) | _archived_apart(one)))
    if one.contact_id is None and not any(found.values()):
        return None
    found["suppression"] = await _rows(conn, select(SUPPRESSION).where(SUPPRESSION.c.key.in_(keys)))
    return found


@dataclass(frozen=True)
class _Person:
    """Whose rows are meant: the contact, where there is one, and the addresses, in lower case as mails are filed."""

    contact_id: int | None
    addresses: tuple[str, ...]
    #: The contact and the empty rows that became part of it: a campaign's ledger may still name those.
    ids: tuple[int, ...] = ()


async def _person(conn: AsyncConnection, address: str) -> _Person:
    wanted = normalise_address(address)
    contact_id = await conn.scalar(select(ADDRESS.c.contact_id).where(ADDRESS.c.normal == wanted))
    one = _Person(contact_id, (wanted,))
    return one if contact_id is None else await _with_addresses(conn, contact_id)


async def _with_addresses(conn: AsyncConnection, contact_id: int) -> _Person:
    """A contact with the addresses they have, and those that mails were for and nobody else has now."""
    ids = (contact_id, *await parts(conn, contact_id))
    found = set(await conn.scalars(select(ADDRESS.c.normal).where(ADDRESS.c.contact_id == contact_id)))
    before: set[str] = set()
    for source in (MESSAGE, table(CampaignRecipient)):
        was = select(source.c.address).where(source.c.contact_id.in_(ids), source.c.address != ERASED).distinct()
        before |= {normalise_address(address) for address in await conn.scalars(was) if address}
    others = select(ADDRESS.c.normal).where(ADDRESS.c.normal.in_(before), ADDRESS.c.contact_id != contact_id)
    return _Person(contact_id, tuple(sorted(found | (before - set(await conn.scalars(others))))), ids)


def _of(source: Table, one: _Person) -> ColumnElement[bool]:
    return source.c.contact_id.in_(one.ids) if one.ids else false()


def _theirs(source: Table, one: _Person, keys: Collection[str]) -> ColumnElement[bool]:
    """A person's rows in a table: also the mails of theirs that were filed with nobody or with somebody else."""
    if source is INBOUND:
        return _received(one)
    if source is EVENT:
        return _of(EVENT, one) | EVENT.c.inbound_id.in_(select(INBOUND.c.id).where(_received(one)))
    return _of(source, one) | source.c.key.in_(keys) if source is table(SignUp) else _of(source, one)


def _received(one: _Person) -> ColumnElement[bool]:
    return _of(INBOUND, one) | INBOUND.c.from_address.in_(one.addresses)


async def _rows(conn: AsyncConnection, statement: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in await conn.execute(statement)]


def _archived(one: _Person) -> ColumnElement[bool]:
    received = select(INBOUND.c.id).where(_received(one))
    sent = select(MESSAGE.c.id).where(_of(MESSAGE, one))
    return ARCHIVE.c.inbound_id.in_(received) | ARCHIVE.c.message_id.in_(sent)


def _archived_apart(one: _Person) -> ColumnElement[bool]:
    """Mails in no ledger and no inbox (written by hand, found in Sent) that name an address of the person.

    `words` holds what search looks through, words apart: an address stands there as its parts in a row.
    """
    apart = ARCHIVE.c.inbound_id.is_(None) & ARCHIVE.c.message_id.is_(None)
    padded = literal(" ") + ARCHIVE.c.words + " "
    written = (" ".join(re.findall(r"[^\W_]+", own)) for own in one.addresses)
    return apart & or_(false(), *(padded.contains(f" {row} ", autoescape=True) for row in written))


async def erase(
    conn: AsyncConnection, address: str, secret: bytes, suppress: Suppress, *, now: datetime, by_user: int | None = None
) -> Erasure:
    """Erase the person of an address, all addresses of theirs with it; the caller's transaction makes it one act."""
    one = await _person(conn, address)
    keys = await _keys(conn, one, secret) | {address_key(normalise_address(address), secret)}
    return await _erase(conn, one, keys, suppress, now, by_user)


async def erase_contact(
    conn: AsyncConnection,
    contact_id: int,
    secret: bytes,
    suppress: Suppress,
    *,
    now: datetime,
    by_user: int | None = None,
) -> Erasure:
    """Erase a person by their number: so one is found who has no address any more."""
    one = await _with_addresses(conn, contact_id)
    return await _erase(conn, one, await _keys(conn, one, secret), suppress, now, by_user)


async def _keys(conn: AsyncConnection, one: _Person, secret: bytes) -> set[str]:
    stored = await conn.execute(select(ADDRESS.c.key).where(_of(ADDRESS, one)))
    return {*stored.scalars(), *(address_key(own, secret) for own in one.addresses)}


async def _erase(
    conn: AsyncConnection, one: _Person, keys: set[str], suppress: Suppress, now: datetime, by_user: int | None
) -> Erasure:
    for key in sorted(keys):
        await suppress(conn, key, "erased", source="erasure", now=now, by_user=by_user)
    signups = table(SignUp)
    asked = (await conn.execute(delete(signups).where(signups.c.key.in_(keys)))).rowcount
    apart = (await conn.execute(delete(ARCHIVE).where(_archived_apart(one)))).rowcount
    if one.contact_id is None:
        erased = await _erase_mail(conn, one)
    else:
        erased = await _erase_rows(conn, one.contact_id, now)
    if apart:
        erased[ARCHIVE.name] = erased.get(ARCHIVE.name, 0) + apart
    found = one.contact_id is not None or bool(asked or erased)
    return Erasure(found, len(keys) if one.contact_id is not None else 0, erased, one.contact_id)


async def forget(conn: AsyncConnection, contact_id: int, now: datetime) -> dict[str, int]:
    """Erase a person who was silent for long (retention): unlike `erase`, they may come back one day."""
    return await _erase_rows(conn, contact_id, now)


async def _erase_mail(conn: AsyncConnection, one: _Person) -> dict[str, int]:
    """Erase what a person wrote to us, whomever it was filed with, and what was kept of it; rows counted by table."""
    erased: dict[str, int] = {}
    written, received = _theirs(EVENT, one, ()), _received(one)
    files, hangs = table(ArchivedFile), table(MailFile)
    for source, statement in (
        (ARCHIVE, delete(ARCHIVE).where(_archived(one))),
        (files, delete(files).where(~exists().where(hangs.c.sha256 == files.c.sha256))),  # nobody else's mail has it
        (EVENT, update(EVENT).where(written).values(data={}, why=None)),
        (INBOUND, update(INBOUND).where(received).values(_blank(INBOUND, _INBOUND_BLANK))),
    ):
        count = (await conn.execute(statement)).rowcount
        if count:
            erased[source.name] = count
    return erased


async def _erase_rows(conn: AsyncConnection, contact_id: int, now: datetime) -> dict[str, int]:
    one = await _with_addresses(conn, contact_id)
    erased = await _erase_mail(conn, one)
    await conn.execute(delete(table(KeptUndo)))  # what was just changed must not come back with the person's words

    async def run(source: Table, statement: Any) -> None:
        count = (await conn.execute(statement)).rowcount
        if count:
            erased[source.name] = erased.get(source.name, 0) + count

    def of(source: Table) -> Any:
        return source.c.contact_id.in_(one.ids)

    sent = select(MESSAGE.c.id).where(of(MESSAGE))
    links, attempts = table(DynamicLink), table(Attempt)
    await run(links, delete(links).where(links.c.message_id.in_(sent)))
    await run(attempts, update(attempts).where(attempts.c.message_id.in_(sent)).values(text=None))
    recipients = table(CampaignRecipient)  # before the addresses that they point at
    await run(recipients, update(recipients).where(of(recipients)).values(address=ERASED, address_id=None))
    for source in (table(Activity), table(Consent), table(Preference), CONTACT_TAG, ADDRESS):
        await run(source, delete(source).where(of(source)))
    await run(MESSAGE, update(MESSAGE).where(of(MESSAGE)).values(address=ERASED, reply_text=None))
    tasks = table(Task)
    open_tasks: dict[str, Any] = {"title": "erased", "data": {}, "outcome": None, "state": "dropped", "done_at": now}
    await run(tasks, update(tasks).where(of(tasks)).values(open_tasks))
    cases, surveys = table(Ticket), table(Survey)
    told = {"subject": "erased", "text": "", "question": None, "department_answer": None, "answer": None}
    await run(cases, update(cases).where(of(cases)).values(told | {"contact_id": None}))
    await run(surveys, update(surveys).where(of(surveys)).values(contact_id=None, text=None))
    files, stored = table(Attachment), table(StoredFile)
    await run(files, delete(files).where(of(files)))
    await run(stored, delete(stored).where(stored.c.id.not_in(select(files.c.file_id))))
    enrolments, occasions = table(Enrolment), table(Occasion)
    ended = {"state": "stopped", "reason": "erased", "due_at": None, "ended_at": now}
    under_way = of(enrolments) & enrolments.c.state.not_in(("stopped", "finished"))
    await run(enrolments, update(enrolments).where(under_way).values(ended))
    await run(enrolments, update(enrolments).where(of(enrolments)).values(notes={}))
    await run(occasions, delete(occasions).where(of(occasions)))
    for source in (table(Deal), table(Order), table(Conversion)):
        written = {name: None for name in ("note", "approval_note", "lost_reason") if name in source.c}
        await run(source, update(source).where(of(source)).values(contact_id=None, **written))
    blank = {column.name: None for column in CONTACT.c if column.nullable and column.name != "region"}
    fixed = {"source": "erased", "basis": "none", "attributes": {}, "tracking": False, "region": "Other"}
    await run(CONTACT, update(CONTACT).where(CONTACT.c.id == contact_id).values(blank | fixed | {"erased_at": now}))
    return erased


_INBOUND_BLANK = ("from_address", "from_name", "subject", "reply_text", "successor", "rfc_message_id", "error")


def _blank(source: Table, names: tuple[str, ...]) -> dict[str, Any]:
    empty: dict[str, Any] = {name: None for name in names if source.c[name].nullable}
    return empty | {"recipients": []}


class Rights:
    """A person's rights, as the audience's store offers them. `_suppress`: puts a key on the suppression list."""

    db: Database
    secret: bytes
    _suppress: Suppress | None

    async def export_person(self, address: str) -> dict[str, Any] | None:
        """Return everything that is stored on the person of an address; None where there is nothing."""
        async with self.db.read() as conn:
            return await export_person(conn, address, self.secret)

    async def export_contact(self, contact_id: int) -> dict[str, Any] | None:
        """Return the same by the person's number: some have no address any more."""
        async with self.db.read() as conn:
            return await export_contact(conn, contact_id, self.secret)

    async def erase(self, address: str, *, now: datetime, by_user: int | None = None) -> Erasure:
        """Erase the person of an address for good; a keyed hash keeps them from coming back."""
        async with self.db.write() as conn:
            return await self.erase_in(conn, address, now=now, by_user=by_user)

    async def erase_in(
        self, conn: AsyncConnection, address: str, *, now: datetime, by_user: int | None = None
    ) -> Erasure:
        """Do the same in the caller's transaction, so that the trail's entry is part of it."""
        return await erase(conn, address, self.secret, self._list(), now=now, by_user=by_user)

    async def erase_contact_in(
        self, conn: AsyncConnection, contact_id: int, *, now: datetime, by_user: int | None = None
    ) -> Erasure:
        """Do the same by the person's number."""
        return await erase_contact(conn, contact_id, self.secret, self._list(), now=now, by_user=by_user)

    def _list(self) -> Suppress:
        if self._suppress is None:
            raise RuntimeError("this store was built without the suppression list: nobody can be erased through it")
        return self._suppress
