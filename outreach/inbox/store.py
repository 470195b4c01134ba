"""Received mail in the database: one transaction a mail, with its effects and the high-water mark; once only."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.db.session import Database
from outreach.events.store import EventStore
from outreach.inbox.archive.store import archive, archive_raw, clean, forget, off_loop, raw_of
from outreach.inbox.happening import events_of
from outreach.inbox.leads import Lead, asks
from outreach.inbox.match import Match, Writer, own_mail
from outreach.inbox.matching.store import Matcher, TokenReader
from outreach.inbox.own import store as own
from outreach.inbox.summary import Summary
from outreach.inbox.verdict import Kind
from outreach.inbox.wire import Reading
from outreach.model import InboundMail, MailFolder
from outreach.model.base import table
from outreach.model.keys import normalise_address

MAILS, FOLDERS = table(InboundMail), table(MailFolder)


@dataclass(frozen=True)
class Fetched:
    """A mail as it was fetched. `advance`: where the mark may stand once it is filed (None: at its UID).

    `sent`: it lay in the Sent folder, `junk`: in the junk folder. `raw` is empty where the server could not give it.
    """

    folder: str
    uid: int
    raw: bytes
    arrived: datetime | None
    advance: int | None = None
    sent: bool = False
    junk: bool = False

    @property
    def mark(self) -> int:
        return self.uid if self.advance is None else self.advance


@dataclass(frozen=True)
class Mark:
    """How far a folder has been read."""

    id: int
    uidvalidity: int | None
    last_uid: int
    read_at: datetime | None


@dataclass(frozen=True)
class InboundSeen:
    """What became of a fetched mail. new: it was not known before."""

    kind: str
    new: bool
    inbound_id: int | None = None


@dataclass(frozen=True)
class Quarantined:
    """A mail that could not be read. raw: None where the server did not give it."""

    id: int
    mailbox_id: int
    folder: str
    uid: int | None
    received_at: datetime
    error: str
    raw: bytes | None


def mail_key(raw: bytes, summary: Summary) -> str:
    """Return what tells this mail from any other: sha256 over Message-ID, Date, From and body."""
    body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[2]
    head = f"{summary.message_id}\n{summary.date}\n{summary.from_address}\n".encode("utf-8", "replace")
    return hashlib.sha256(head + hashlib.sha256(body).digest()).hexdigest()


class Registrar(Protocol):
    """Enters a lead among the customers and gives it an owner (app/leads.py)."""

    async def register(
        self, conn: AsyncConnection, lead: Lead, mailbox_id: int, now: datetime
    ) -> tuple[int, int | None] | None:
        """Return (contact, company); None where the address may not be entered (an erased person's, for one)."""


class InboxStore:
    """Files received mail. `read_token` turns a signed token into a message's id, None for a forged one.

    `registrar` enters who asks for something and is not known yet; None: strangers are filed only.
    """

    def __init__(
        self,
        db: Database,
        events: EventStore,
        *,
        own_addresses: Sequence[str] = (),
        read_token: TokenReader,
        registrar: Registrar | None = None,
    ) -> None:
        self.db, self.events, self.registrar = db, events, registrar
        self._read_token = read_token
        self.own_are(own_addresses)

    def own_are(self, addresses: Sequence[str]) -> None:
        """Say which addresses are the company's own mailboxes."""
        self.own = frozenset(normalise_address(address) for address in addresses)
        self.own_domains = frozenset(address.rpartition("@")[2] for address in self.own)
        self.matcher = Matcher(self.own, self._read_token)

    async def mark_of(self, mailbox_id: int, folder: str) -> Mark:
        """Return the folder's high-water mark; a folder never read has uidvalidity None."""
        async with self.db.write() as conn:
            dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
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
        key = await off_loop(lambda: mail_key(mail.raw, summary), len(mail.raw))
        async with self.db.write() as conn:
            await _advance(conn, mark.id, mail.mark)
            return await self._file(conn, mailbox_id, mail, reading, key, now)

    async def _file(
        self, conn: AsyncConnection, mailbox_id: int, mail: Fetched, reading: Reading, key: str, now: datetime
    ) -> InboundSeen:
        summary = reading.summary
        assert summary is not None
        if mail.sent or own_mail(summary, self.own):
            return await self._ours(conn, mailbox_id, mail, reading, key, now)
        match = await self.matcher.match(conn, reading.verdict, summary, now)
        inbound_id = await _insert(conn, _row(mailbox_id, mail, reading, match, key, now))
        if inbound_id is None:
            return InboundSeen(kind=reading.verdict.kind, new=False)
        await archive(conn, mail.raw, summary, now, inbound_id=inbound_id, cuts=reading.cuts)
        kind = await self._follow(conn, mailbox_id, inbound_id, mail, reading, match, key, now)
        return InboundSeen(kind=kind, new=True, inbound_id=inbound_id)

    async def _follow(
        self,
        conn: AsyncConnection,
        mailbox_id: int,
        inbound_id: int,
        mail: Fetched,
        reading: Reading,
        match: Match,
        key: str,
        now: datetime,
    ) -> str:
        """Record what follows from a mail that has just been filed; return its kind, which an inquiry changes."""
        verdict, summary = reading.verdict, reading.summary
        assert summary is not None
        lead = None if mail.junk else asks(verdict, summary, match, self.own_domains)
        if lead is not None:
            verdict = verdict.but(kind=Kind.REPLY, intent=lead.intent)
            match = await self._registered(conn, lead, match, mailbox_id, now)
            values = {"kind": Kind.REPLY.value, "intent": lead.intent.value if lead.intent else None}
            place = {"contact_id": _whose(match), "company_id": match.company_id, "certainty": match.certainty}
            await conn.execute(update(MAILS).where(MAILS.c.id == inbound_id).values(**values, **place))
        for event in events_of(verdict, summary, match, key, inbound_id, now, asks=lead is not None):
            await self.events.record(conn, event, now)
        return verdict.kind.value

    async def _registered(
        self, conn: AsyncConnection, lead: Lead, match: Match, mailbox_id: int, now: datetime
    ) -> Match:
        """Enter a stranger among the customers; who is known, or may not be entered, stays as he is."""
        if self.registrar is None or match.contact_id is not None or match.message is not None:
            return match
        who = await self.registrar.register(conn, lead, mailbox_id, now)
        if who is None:
            return match
        writer = Writer(lead.address, lead.name, *who)
        return Match(contact_id=who[0], company_id=who[1], certainty="lead", effective=True, writer=writer)

    async def _ours(
        self, conn: AsyncConnection, mailbox_id: int, mail: Fetched, reading: Reading, key: str, now: datetime
    ) -> InboundSeen:
        """A copy of what we sent, or a letter that staff wrote by hand; neither is ever a reply."""
        summary = reading.summary
        assert summary is not None
        if await own.copy_of_ours(conn, mailbox_id, mail.folder, mail.raw, summary, now):
            return InboundSeen(kind="own", new=False)
        inbound_id = await _insert(conn, _row(mailbox_id, mail, reading, Match(), key, now) | own.COLUMNS)
        if inbound_id is None:
            return InboundSeen(kind="own", new=False)
        direction = "out" if mail.sent else "in"
        await archive(conn, mail.raw, summary, now, inbound_id=inbound_id, direction=direction, cuts=reading.cuts)
        if mail.sent:
            for event in await own.by_hand(conn, summary, key, inbound_id, now):
                await self.events.record(conn, event, now)
        return InboundSeen(kind="own", new=True, inbound_id=inbound_id)

    # -- quarantine ----------------------------------------------------------------------------------------------------

    async def quarantine(self, mailbox_id: int, mark: Mark, mail: Fetched, why: str, now: datetime) -> None:
        """Keep a mail that could not be read, raw, and go on; `inbox reprocess` tries again."""
        known_by = mail.raw or f"{mail.folder}:{mark.uidvalidity}:{mail.uid}".encode()
        key = hashlib.sha256(known_by).hexdigest()
        async with self.db.write() as conn:
            await _advance(conn, mark.id, mail.mark)
            values = {
                "mailbox_id": mailbox_id,
                "folder": mail.folder,
                "uid": mail.uid,
                "key": key,
                "received_at": mail.arrived or now,
                "kind": Kind.OTHER.value,
                "state": "quarantined",
                "error": why[:500],
            }
            inbound_id = await _insert(conn, values)
            if inbound_id is not None and mail.raw:
                await archive_raw(conn, mail.raw, now, inbound_id=inbound_id)

    async def quarantined(self, only: int | None = None) -> Sequence[Quarantined]:
        """Return the mails in quarantine with their bytes (None where there are none), oldest first; or `only` one."""
        wanted = select(MAILS).where(MAILS.c.state == "quarantined").order_by(MAILS.c.id)
        async with self.db.read() as conn:
            rows = (await conn.execute(wanted if only is None else wanted.where(MAILS.c.id == only))).all()
            return [await _quarantined(conn, row) for row in rows]

    async def still_unread(self, inbound_id: int, why: str) -> None:
        """Keep the newest reason why a mail in quarantine cannot be read."""
        here = (MAILS.c.id == inbound_id) & (MAILS.c.state == "quarantined")
        async with self.db.write() as conn:
            await conn.execute(update(MAILS).where(here).values(error=why[:500]))

    async def release(self, row: Quarantined, raw: bytes, reading: Reading, now: datetime) -> None:
        """File a mail from quarantine that can be read now, with its effects; one that is filed already is dropped."""
        mail = Fetched(row.folder, row.uid or 0, raw, row.received_at)
        assert reading.summary is not None
        key = mail_key(raw, reading.summary)
        async with self.db.write() as conn:
            await forget(conn, inbound_id=row.id)
            await conn.execute(delete(MAILS).where(MAILS.c.id == row.id))
            await self._file(conn, row.mailbox_id, mail, reading, key, now)


async def _quarantined(conn: AsyncConnection, row: Row[Any]) -> Quarantined:
    raw = await raw_of(conn, row.id)
    return Quarantined(row.id, row.mailbox_id, row.folder, row.uid, row.received_at, row.error or "", raw)


async def _insert(conn: AsyncConnection, values: dict[str, Any]) -> int | None:
    """Return the new row's id; None for a mail that is known."""
    dialect = postgresql if conn.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(MAILS).values(**values)
    statement = statement.on_conflict_do_nothing(index_elements=["mailbox_id", "key"])
    found: int | None = (await conn.execute(statement.returning(MAILS.c.id))).scalar_one_or_none()
    return found


async def _advance(conn: AsyncConnection, folder_id: int, uid: int) -> None:
    await conn.execute(update(FOLDERS).where(FOLDERS.c.id == folder_id, FOLDERS.c.last_uid < uid).values(last_uid=uid))


def _row(mailbox_id: int, mail: Fetched, reading: Reading, match: Match, key: str, now: datetime) -> dict[str, Any]:
    verdict, summary = reading.verdict, reading.summary
    assert summary is not None
    return {
        "mailbox_id": mailbox_id,
        "folder": mail.folder,
        "uid": mail.uid,
        "key": key,
        "rfc_message_id": clean(summary.message_id) or None,
        "from_address": clean(summary.from_address) or None,
        "from_name": clean(summary.from_name) or None,
        "subject": clean(summary.subject) or None,
        "sent_at": summary.date,
        "received_at": mail.arrived or now,
        "kind": verdict.kind.value,
        "recipients": [clean(address) for address in verdict.recipients],
        "status": verdict.status,
        "hard": verdict.hard,
        "reason": verdict.reason,
        "reply_text": clean(verdict.reply_text or "") or None,
        "intent": verdict.intent.value if verdict.intent else None,
        "return_date": verdict.return_date,
        "successor": verdict.successor,
        "message_id": match.message.id if match.message else None,
        "contact_id": _whose(match),
        "company_id": match.company_id,
        "certainty": match.certainty,
        "state": "new",
        "error": verdict.error,
    }


def _whose(match: Match) -> int | None:
    """In whose file the mail stands: the writer's where it is a contact of ours, else whom we wrote to."""
    known = match.writer.contact_id if match.writer is not None else None
    return known if known is not None else match.contact_id
