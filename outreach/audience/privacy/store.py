"""Everything that is stored on a person, and its erasure.

Erasure deletes what is personal and keeps what the company must be able to prove: that a mail left, and when. Rows of
the ledger stay without a name and address; of the address a keyed hash remains on the suppression list, so that the
person is never mailed or imported again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Select, Table, delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

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

    def as_dict(self) -> dict[str, Any]:
        """Return the counts for JSON."""
        return asdict(self)


#: Where a person's rows are found, for the export: table → (name in the export, columns that are ours alone).
_EXPORTED: tuple[tuple[type, str], ...] = (
    (EmailAddress, "addresses"), (Consent, "consents"), (Preference, "preferences"), (Message, "messages"),
    (Event, "events"), (InboundMail, "received"), (Activity, "activities"), (Task, "tasks"), (Deal, "deals"),
    (Order, "orders"), (Conversion, "conversions"), (CampaignRecipient, "campaigns"), (Ticket, "cases"),
    (Survey, "surveys"), (Attachment, "files"), (Enrolment, "sequences"), (Occasion, "occasions"), (SignUp, "signups"),
)  # fmt: skip


async def export_person(conn: AsyncConnection, contact_id: int) -> dict[str, Any]:
    """Return everything stored on a contact as plain dicts, one list a kind. Archived mails come with their text."""
    person = await _rows(conn, select(CONTACT).where(CONTACT.c.id == contact_id))
    found: dict[str, Any] = {"contact": person[0] if person else None}
    company = select(COMPANY.c.name, COMPANY.c.domain).join(CONTACT, CONTACT.c.company_id == COMPANY.c.id)
    found["company"] = next(iter(await _rows(conn, company.where(CONTACT.c.id == contact_id))), None)
    labels = select(TAG.c.kind, TAG.c.name).join(CONTACT_TAG, CONTACT_TAG.c.tag_id == TAG.c.id)
    found["labels"] = await _rows(conn, labels.where(CONTACT_TAG.c.contact_id == contact_id))
    for model, name in _EXPORTED:
        source = table(model)
        found[name] = await _rows(conn, select(source).where(source.c.contact_id == contact_id))
    keys = [address["key"] for address in found["addresses"]]
    found["suppression"] = await _rows(conn, select(SUPPRESSION).where(SUPPRESSION.c.key.in_(keys)))
    mails = select(ARCHIVE.c.id, ARCHIVE.c.direction, ARCHIVE.c.subject, ARCHIVE.c.text, ARCHIVE.c.at)
    found["archive"] = await _rows(conn, mails.where(_archived(contact_id)))
    return found


async def _rows(conn: AsyncConnection, statement: Select[Any]) -> list[dict[str, Any]]:
    return [dict(row._mapping) for row in await conn.execute(statement)]


def _archived(contact_id: int) -> Any:
    received = select(INBOUND.c.id).where(INBOUND.c.contact_id == contact_id)
    sent = select(MESSAGE.c.id).where(MESSAGE.c.contact_id == contact_id)
    return ARCHIVE.c.inbound_id.in_(received) | ARCHIVE.c.message_id.in_(sent)


async def erase(
    conn: AsyncConnection, address: str, secret: bytes, suppress: Suppress, *, now: datetime, by_user: int | None = None
) -> Erasure:
    """Erase the person of an address, all addresses of theirs with it; the caller's transaction makes it one act."""
    wanted = normalise_address(address)
    contact_id = await conn.scalar(select(ADDRESS.c.contact_id).where(ADDRESS.c.normal == wanted))
    keys = {address_key(wanted, secret)}
    if contact_id is not None:
        keys |= await _keys(conn, contact_id, secret)
    return await _erase(conn, contact_id, keys, suppress, now, by_user)


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
    return await _erase(conn, contact_id, await _keys(conn, contact_id, secret), suppress, now, by_user)


async def _keys(conn: AsyncConnection, contact_id: int, secret: bytes) -> set[str]:
    """The keys of a person's addresses, and of those that mails were for and nobody else has now."""
    keys = set((await conn.execute(select(ADDRESS.c.key).where(ADDRESS.c.contact_id == contact_id))).scalars())
    before: set[str] = set()
    for source in (MESSAGE, table(CampaignRecipient)):
        was = select(source.c.address).where(source.c.contact_id == contact_id, source.c.address != ERASED).distinct()
        before |= {normalise_address(address) for address in await conn.scalars(was) if address}
    others = select(ADDRESS.c.normal).where(ADDRESS.c.normal.in_(before), ADDRESS.c.contact_id != contact_id)
    return keys | {address_key(address, secret) for address in before - set(await conn.scalars(others))}


async def _erase(
    conn: AsyncConnection,
    contact_id: int | None,
    keys: set[str],
    suppress: Suppress,
    now: datetime,
    by_user: int | None,
) -> Erasure:
    for key in sorted(keys):
        await suppress(conn, key, "erased", source="erasure", now=now, by_user=by_user)
    signups = table(SignUp)
    asked = (await conn.execute(delete(signups).where(signups.c.key.in_(keys)))).rowcount
    if contact_id is None:
        return Erasure(found=bool(asked))
    return Erasure(True, len(keys), await _erase_rows(conn, contact_id, now))


async def forget(conn: AsyncConnection, contact_id: int, now: datetime) -> dict[str, int]:
    """Erase a person who was silent for long (retention): unlike `erase`, they may come back one day."""
    return await _erase_rows(conn, contact_id, now)


async def _erase_rows(conn: AsyncConnection, contact_id: int, now: datetime) -> dict[str, int]:
    erased: dict[str, int] = {}
    await conn.execute(delete(table(KeptUndo)))  # what was just changed must not come back with the person's words

    async def run(source: Table, statement: Any) -> None:
        count = (await conn.execute(statement)).rowcount
        if count:
            erased[source.name] = erased.get(source.name, 0) + count

    def of(source: Table) -> Any:
        return source.c.contact_id == contact_id

    sent = select(MESSAGE.c.id).where(of(MESSAGE))
    await run(ARCHIVE, delete(ARCHIVE).where(_archived(contact_id)))
    files, hangs = table(ArchivedFile), table(MailFile)
    await run(
        files, delete(files).where(~exists().where(hangs.c.sha256 == files.c.sha256))
    )  # nobody else's mail has it
    links, attempts = table(DynamicLink), table(Attempt)
    await run(links, delete(links).where(links.c.message_id.in_(sent)))
    await run(attempts, update(attempts).where(attempts.c.message_id.in_(sent)).values(text=None))
    recipients = table(CampaignRecipient)  # before the addresses that they point at
    await run(recipients, update(recipients).where(of(recipients)).values(address=ERASED, address_id=None))
    for source in (table(Activity), table(Consent), table(Preference), CONTACT_TAG, ADDRESS):
        await run(source, delete(source).where(of(source)))
    await run(INBOUND, update(INBOUND).where(of(INBOUND)).values(_blank(INBOUND, _INBOUND_BLANK)))
    await run(EVENT, update(EVENT).where(of(EVENT)).values(data={}, why=None))
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
