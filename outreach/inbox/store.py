"""Received mail in the database: one transaction a mail, with its effects and the high-water mark; once only."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.dedupe import company_domain
from outreach.db.session import Database
from outreach.events.store import EventStore
from outreach.inbox.happening import events_of
from outreach.inbox.match import NOTHING, Known, Match, own_mail, prove, referred_ids, settle, tokens_in
from outreach.inbox.summary import Summary
from outreach.inbox.verdict import Kind, Verdict
from outreach.inbox.wire import Reading
from outreach.model import ArchivedMail, Company, Contact, EmailAddress, InboundMail, MailFolder, Message
from outreach.model.base import table
from outreach.model.keys import normalise_address
from outreach.outbox import store as outbox

MAILS, ARCHIVE, FOLDERS = table(InboundMail), table(ArchivedMail), table(MailFolder)
MESSAGES, CONTACTS, ADDRESSES, COMPANIES = table(Message), table(Contact), table(EmailAddress), table(Company)

#: Who writes within this time after our mail, without quoting it, probably answers it.
ANSWERED_WITHIN = timedelta(days=60)
#: Message-IDs looked up for one mail; a long thread's References hold more, the newest count.
MOST_IDS = 50

TokenReader = Callable[[str], int | None]


@dataclass(frozen=True)
class Fetched:
    """A mail as it was fetched."""

    folder: str
    uid: int
    raw: bytes
    arrived: datetime | None


@dataclass(frozen=True)
class Mark:
    """How far a folder has been read."""

    id: int
    uidvalidity: int | None
    last_uid: int
    read_at: datetime | None


def mail_key(raw: bytes, summary: Summary) -> str:
    """Return what tells this mail from any other: sha256 over Message-ID, Date, From and body."""
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    head = f"{summary.message_id}\n{summary.date}\n{summary.from_address}\n".encode()
    return hashlib.sha256(head + hashlib.sha256(body).digest()).hexdigest()


class InboxStore:
    """Files received mail. `read_token` turns a signed token into a message's id, None for a forged one."""

    def __init__(
        self, db: Database, events: EventStore, *, own_addresses: Sequence[str] = (), read_token: TokenReader
    ) -> None:
        self.db, self.events = db, events
        self.own_are(own_addresses)
        self.read_token = read_token

    def own_are(self, addresses: Sequence[str]) -> None:
        """Say which addresses are the company's own mailboxes."""
        self.own = frozenset(normalise_address(address) for address in addresses)

    async def mark_of(self, mailbox_id: int, folder: str) -> Mark:
        """Return the folder's high-water mark; a folder never read has uidvalidity None."""
        async with self.db.write() as conn:
            dialect = _dialect(conn)
            await conn.execute(
                dialect.insert(FOLDERS)
                .values(mailbox_id=mailbox_id, name=folder)
                .on_conflict_do_nothing(index_elements=["mailbox_id", "name"])
            )
            found = select(FOLDERS).where(FOLDERS.c.mailbox_id == mailbox_id, FOLDERS.c.name == folder)
            row = (await conn.execute(found)).one()
        return Mark(row.id, row.uidvalidity, row.last_uid, row.read_at)

    async def reset(self, mark: Mark, uidvalidity: int) -> Mark:
        """Begin a folder again: its UIDs mean other mails now (RFC 3501 2.3.1.1)."""
        async with self.db.write() as conn:
            values = {"uidvalidity": uidvalidity, "last_uid": 0}
            await conn.execute(update(FOLDERS).where(FOLDERS.c.id == mark.id).values(**values))
        return Mark(mark.id, uidvalidity, 0, mark.read_at)

    async def note_read(self, mark: Mark, last_uid: int, now: datetime) -> None:
        """Remember that a pass reached the end of the folder."""
        async with self.db.write() as conn:
            await _advance(conn, mark.id, last_uid)
            await conn.execute(update(FOLDERS).where(FOLDERS.c.id == mark.id).values(read_at=now))

    async def take(self, mailbox_id: int, mark: Mark, mail: Fetched, reading: Reading, now: datetime) -> InboundSeen:
        """File one mail with everything that follows from it, and advance the mark: one transaction.

        A mail that was seen before (in another folder, before a crash, under other UIDs) only advances the mark.
        """
        summary = reading.summary
        assert summary is not None
        async with self.db.write() as conn:
            await _advance(conn, mark.id, mail.uid)
            if own_mail(summary, self.own) and await self._own_copy(conn, mailbox_id, mail.folder, summary, now):
                return InboundSeen(kind="own", new=False)
            match = await self._match(conn, reading.verdict, summary, now)
            values = _row(mailbox_id, mail, reading, match, own_mail(summary, self.own), now)
            inserted = await conn.execute(
                _dialect(conn)
                .insert(MAILS)
                .values(**values)
                .on_conflict_do_nothing(index_elements=["mailbox_id", "key"])
                .returning(MAILS.c.id)
            )
            inbound_id = inserted.scalar_one_or_none()
            if inbound_id is None:
                return InboundSeen(kind=reading.verdict.kind, new=False)
            await archive(conn, mail.raw, summary, now, inbound_id=inbound_id)
            if values["state"] != "own":
                for event in events_of(reading.verdict, summary, match, values["key"], inbound_id, now):
                    await self.events.record(conn, event, now)
            return InboundSeen(kind=reading.verdict.kind, new=True, inbound_id=inbound_id)

    async def quarantine(self, mailbox_id: int, mark: Mark, mail: Fetched, why: str, now: datetime) -> None:
        """Keep a mail that could not be read, raw, and go on; `inbox reprocess` tries again."""
        key = hashlib.sha256(mail.raw).hexdigest()
        async with self.db.write() as conn:
            await _advance(conn, mark.id, mail.uid)
            inserted = await conn.execute(
                _dialect(conn)
                .insert(MAILS)
                .values(
                    mailbox_id=mailbox_id,
                    folder=mail.folder,
                    uid=mail.uid,
                    key=key,
                    received_at=mail.arrived or now,
                    kind=Kind.OTHER.value,
                    state="quarantined",
                    error=why[:500],
                )
                .on_conflict_do_nothing(index_elements=["mailbox_id", "key"])
                .returning(MAILS.c.id)
            )
            inbound_id = inserted.scalar_one_or_none()
            if inbound_id is not None:
                await archive_raw(conn, mail.raw, now, inbound_id=inbound_id)

    async def quarantined(self) -> Sequence[Row[Any]]:
        """Return the mails in quarantine with their bytes, oldest first."""
        query = (
            select(MAILS, ARCHIVE.c.raw)
            .join(ARCHIVE, ARCHIVE.c.inbound_id == MAILS.c.id)
            .where(MAILS.c.state == "quarantined")
            .order_by(MAILS.c.id)
        )
        async with self.db.read() as conn:
            return (await conn.execute(query)).all()

    async def release(self, row: Row[Any], reading: Reading, now: datetime) -> None:
        """File a mail from quarantine that can be read now, with its effects."""
        summary = reading.summary
        assert summary is not None
        async with self.db.write() as conn:
            match = await self._match(conn, reading.verdict, summary, now)
            mail = Fetched(row.folder, row.uid or 0, row.raw, row.received_at)
            values = _row(row.mailbox_id, mail, reading, match, own_mail(summary, self.own), now)
            values["error"] = None
            await conn.execute(update(MAILS).where(MAILS.c.id == row.id).values(**values))
            for event in events_of(reading.verdict, summary, match, values["key"], row.id, now):
                await self.events.record(conn, event, now)

    async def _own_copy(
        self, conn: AsyncConnection, mailbox_id: int, folder: str, summary: Summary, now: datetime
    ) -> bool:
        """Whether it is a copy of a campaign's mail (the Sent folder's): then it proves that it has left."""
        if not summary.own_uid and not summary.message_id:
            return False
        known = await outbox.copy_found(conn, mailbox_id, summary.own_uid, summary.message_id, folder, now)
        return known or bool(summary.own_uid)

    # -- matching ------------------------------------------------------------------------------------------------------

    async def _match(self, conn: AsyncConnection, verdict: Verdict, summary: Summary, now: datetime) -> Match:
        proofs = await self._proofs(conn, verdict, summary)
        proven = prove(verdict, proofs)
        if proven.message is not None:
            return proven
        by_sender = await self._by_sender(conn, verdict, summary, now)
        return settle(verdict, NOTHING, lambda: by_sender)

    async def _proofs(self, conn: AsyncConnection, verdict: Verdict, summary: Summary) -> list[tuple[str, Known]]:
        ids = referred_ids(verdict, summary)[:MOST_IDS]
        proofs: list[tuple[str, Known]] = []
        if ids:
            found = {k.rfc_id: k for k in await _known(conn, MESSAGES.c.message_id.in_(ids))}
            proofs += [("message_id", found[i]) for i in ids if i in found]
        uids = list(verdict.own_uids)[:MOST_IDS]
        if uids:
            proofs += [("header", k) for k in await _known(conn, MESSAGES.c.uid.in_(uids))]
        numbers = [n for n in (self.read_token(token) for token in tokens_in(summary)) if n is not None]
        if numbers:
            proofs += [("token", k) for k in await _known(conn, MESSAGES.c.id.in_(numbers))]
        return proofs

    async def _by_sender(self, conn: AsyncConnection, verdict: Verdict, summary: Summary, now: datetime) -> Match:
        who = verdict.recipients[0] if verdict.kind is Kind.BOUNCE and verdict.recipients else summary.from_address
        if not who or normalise_address(who) in self.own:
            return NOTHING
        found = await _contact_of(conn, who)
        if found is None:
            return await _colleague_of(conn, who, now)
        message = await _last_to(conn, MESSAGES.c.contact_id == found.id, now)
        return Match(message, found.id, found.company_id, "address", effective=True)


@dataclass(frozen=True)
class InboundSeen:
    """What became of a fetched mail. new: it was not known before."""

    kind: str
    new: bool
    inbound_id: int | None = None


def _dialect(conn: AsyncConnection) -> Any:
    return postgresql if conn.dialect.name == "postgresql" else sqlite


async def _advance(conn: AsyncConnection, folder_id: int, uid: int) -> None:
    await conn.execute(update(FOLDERS).where(FOLDERS.c.id == folder_id, FOLDERS.c.last_uid < uid).values(last_uid=uid))


async def _known(conn: AsyncConnection, condition: Any) -> list[Known]:
    m = MESSAGES.c
    rows = await conn.execute(
        select(m.id, m.uid, m.message_id, m.address, m.contact_id, m.company_id).where(condition).limit(MOST_IDS)
    )
    return [Known(r.id, r.uid, r.message_id, r.address, r.contact_id, r.company_id) for r in rows]


async def _contact_of(conn: AsyncConnection, address: str) -> Any:
    query = (
        select(CONTACTS.c.id, CONTACTS.c.company_id)
        .join(ADDRESSES, ADDRESSES.c.contact_id == CONTACTS.c.id)
        .where(ADDRESSES.c.normal == normalise_address(address))
    )
    return (await conn.execute(query)).first()


async def _last_to(conn: AsyncConnection, whom: Any, now: datetime) -> Known | None:
    """The newest mail to somebody that they may be answering."""
    m = MESSAGES.c
    query = (
        select(m.id, m.uid, m.message_id, m.address, m.contact_id, m.company_id)
        .where(whom, or_(m.sent_at > now - ANSWERED_WITHIN, m.state == "in_doubt"))
        .order_by(func.coalesce(m.sent_at, m.handed_at).desc())
        .limit(1)
    )
    row = (await conn.execute(query)).first()
    return Known(row.id, row.uid, row.message_id, row.address, row.contact_id, row.company_id) if row else None


async def _colleague_of(conn: AsyncConnection, address: str, now: datetime) -> Match:
    """Somebody we do not know at a company that we wrote to lately: counts as that company's answer."""
    domain = company_domain(address.rpartition("@")[2].lower())
    if domain is None:
        return NOTHING
    company = await conn.scalar(select(COMPANIES.c.id).where(COMPANIES.c.domain == domain))
    if company is None:
        return NOTHING
    message = await _last_to(conn, MESSAGES.c.company_id == company, now)
    if message is None:
        return Match(None, None, company, "company")
    return Match(message, message.contact_id, company, "company", effective=True)


def _row(mailbox_id: int, mail: Fetched, reading: Reading, match: Match, own: bool, now: datetime) -> dict[str, Any]:
    verdict, summary = reading.verdict, reading.summary
    assert summary is not None
    return {
        "mailbox_id": mailbox_id,
        "folder": mail.folder,
        "uid": mail.uid,
        "key": mail_key(mail.raw, summary),
        "rfc_message_id": summary.message_id or None,
        "from_address": summary.from_address or None,
        "from_name": summary.from_name or None,
        "subject": summary.subject or None,
        "sent_at": summary.date,
        "received_at": mail.arrived or now,
        "kind": verdict.kind.value,
        "recipients": list(verdict.recipients),
        "status": verdict.status,
        "hard": verdict.hard,
        "reason": verdict.reason,
        "reply_text": verdict.reply_text,
        "intent": verdict.intent.value if verdict.intent else None,
        "return_date": verdict.return_date,
        "successor": verdict.successor,
        "message_id": match.message.id if match.message else None,
        "contact_id": match.contact_id,
        "company_id": match.company_id,
        "certainty": match.certainty,
        "state": "own" if own else "new",
        "error": verdict.error,
    }


async def archive(
    conn: AsyncConnection,
    raw: bytes,
    summary: Summary,
    now: datetime,
    *,
    inbound_id: int | None = None,
    message_id: int | None = None,
    direction: str = "in",
) -> None:
    """Keep the bytes of a mail once, with the text that search looks through (D3)."""
    await conn.execute(
        _dialect(conn)
        .insert(ARCHIVE)
        .values(
            sha256=hashlib.sha256(raw).hexdigest(),
            direction=direction,
            inbound_id=inbound_id,
            message_id=message_id,
            subject=_clean(summary.subject),
            text=_clean(summary.text),
            raw=raw,
            at=now,
        )
        .on_conflict_do_nothing(index_elements=["sha256"])
    )


def _clean(text: str) -> str:
    """PostgreSQL takes no NUL and no lone surrogate in text."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


async def archive_raw(conn: AsyncConnection, raw: bytes, now: datetime, *, inbound_id: int) -> None:
    """Keep the bytes of a mail that could not be read."""
    await conn.execute(
        _dialect(conn)
        .insert(ARCHIVE)
        .values(sha256=hashlib.sha256(raw).hexdigest(), direction="in", inbound_id=inbound_id, raw=raw, at=now)
        .on_conflict_do_nothing(index_elements=["sha256"])
    )
