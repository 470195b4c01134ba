"""All mail, in and out (D3): its bytes, its attachments once each, and full-text search on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Table, bindparam, column, delete, exists, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.inbox.archive.cutting import Cut, put_back, take_out
from outreach.inbox.archive.words import phrases_of, words_of
from outreach.inbox.summary import Summary
from outreach.model import ArchivedFile, ArchivedMail, InboundMail, MailFile
from outreach.model.base import table

T = TypeVar("T")

ARCHIVE, FILES, HANGS, MAILS = table(ArchivedMail), table(ArchivedFile), table(MailFile), table(InboundMail)

#: Characters of a mail's text that are kept beside its bytes.
LONGEST_TEXT = 200_000
#: Bytes from which on hashing and the like leave the event loop.
LARGE = 1_000_000
#: Mails that one transaction of `prune` deletes: the writer is not held up for long.
BATCH = 500


async def off_loop(work: Callable[[], T], size: int) -> T:
    """Do work over `size` bytes; over many of them in a thread, for the loop must not be held up (25 MB: 100 ms)."""
    return await asyncio.to_thread(work) if size > LARGE else work()


async def archive(
    conn: AsyncConnection,
    raw: bytes,
    summary: Summary,
    now: datetime,
    *,
    inbound_id: int | None = None,
    message_id: int | None = None,
    direction: str = "in",
    cuts: Sequence[Cut] = (),
) -> None:
    """Keep the bytes of a mail once, its attachments apart, with the words that search looks through."""
    names = " ".join(file.name for file in summary.attachments)
    people = " ".join((summary.from_name, summary.from_address, *summary.to, *summary.cc))
    values = {
        "sha256": await off_loop(lambda: hashlib.sha256(raw).hexdigest(), len(raw)),
        "direction": direction,
        "inbound_id": inbound_id,
        "message_id": message_id,
        "rfc_message_id": clean(summary.message_id) or None,
        "subject": clean(summary.subject),
        "text": clean(summary.text[:LONGEST_TEXT]),
        "words": words_of(clean(summary.subject), people, names, clean(summary.text)),
        "packed": False,
        "raw": take_out(raw, cuts) if cuts else raw,
        "at": now,
    }
    mail_id = await _insert(conn, values)
    if mail_id is not None and cuts:
        await _keep_files(conn, mail_id, raw, cuts)


async def archive_raw(conn: AsyncConnection, raw: bytes, now: datetime, *, inbound_id: int) -> None:
    """Keep the bytes of a mail that could not be read."""
    digest = await off_loop(lambda: hashlib.sha256(raw).hexdigest(), len(raw))
    await _insert(conn, {"sha256": digest, "direction": "in", "inbound_id": inbound_id, "raw": raw, "at": now})


async def archive_sent(
    conn: AsyncConnection,
    raw: bytes,
    now: datetime,
    *,
    subject: str,
    body: str,
    people: str,
    inbound_id: int | None = None,
    message_id: int | None = None,
    rfc_message_id: str | None = None,
) -> None:
    """Keep a mail of ours, compressed. `people`: to whom and from whom, for the search."""
    values = {
        "sha256": hashlib.sha256(raw).hexdigest(),
        "direction": "out",
        "inbound_id": inbound_id,
        "message_id": message_id,
        "rfc_message_id": rfc_message_id,
        "subject": clean(subject),
        "text": clean(body[:LONGEST_TEXT]),
        "words": words_of(clean(subject), people, clean(body)),
        "packed": True,
        "raw": zlib.compress(raw),
        "at": now,
    }
    await _insert(conn, values)


async def _insert(conn: AsyncConnection, values: dict[str, Any]) -> int | None:
    statement = _upsert(conn, ARCHIVE).values(**values).on_conflict_do_nothing(index_elements=["sha256"])
    found: int | None = (await conn.execute(statement.returning(ARCHIVE.c.id))).scalar_one_or_none()
    return found


async def _keep_files(conn: AsyncConnection, mail_id: int, raw: bytes, cuts: Sequence[Cut]) -> None:
    for cut in cuts:
        known = select(FILES.c.sha256).where(FILES.c.sha256 == cut.sha256)
        if await conn.scalar(known) is None:
            kept = _upsert(conn, FILES).values(sha256=cut.sha256, data=raw[cut.start : cut.end])
            await conn.execute(kept.on_conflict_do_nothing(index_elements=["sha256"]))
        values = {"mail_id": mail_id, "position": cut.start, "sha256": cut.sha256, "size": cut.end - cut.start}
        await conn.execute(HANGS.insert().values(**values, name=clean(cut.name), content_type=clean(cut.content_type)))


def _upsert(conn: AsyncConnection, rows: Table) -> Any:
    return postgresql.insert(rows) if conn.dialect.name == "postgresql" else sqlite.insert(rows)


# -- reading --------------------------------------------------------------------------------------------------------


async def raw_of(conn: AsyncConnection, inbound_id: int) -> bytes | None:
    """Return the bytes of a received mail, attachments included; None where they are not kept (any more)."""
    query = select(ARCHIVE.c.id).where(ARCHIVE.c.inbound_id == inbound_id, ARCHIVE.c.direction == "in").limit(1)
    mail_id = await conn.scalar(query)
    return await raw_mail(conn, mail_id) if mail_id is not None else None


async def raw_mail(conn: AsyncConnection, mail_id: int) -> bytes | None:
    """Return the bytes of an archived mail as they came or left."""
    row = (await conn.execute(select(ARCHIVE.c.raw, ARCHIVE.c.packed).where(ARCHIVE.c.id == mail_id))).one_or_none()
    if row is None:
        return None
    rest = zlib.decompress(row.raw) if row.packed else bytes(row.raw)
    hangs = select(HANGS.c.position, HANGS.c.sha256).where(HANGS.c.mail_id == mail_id).order_by(HANGS.c.position)
    cuts = [(found.position, found.sha256) for found in await conn.execute(hangs)]
    if not cuts:
        return rest
    wanted = select(FILES.c.sha256, FILES.c.data).where(FILES.c.sha256.in_([digest for _, digest in cuts]))
    files = {found.sha256: bytes(found.data) for found in await conn.execute(wanted)}
    return put_back(rest, cuts, files)


async def search(conn: AsyncConnection, words: str, *, limit: int = 50) -> list[dict[str, Any]]:
    """Return mails that hold all that was typed, newest first: subject, text, people, names of attachments.

    No syntax: what is typed is looked for, the last word also as a beginning.
    """
    phrases = phrases_of(words)
    if not phrases:
        return []
    query = (
        select(
            ARCHIVE.c.id,
            ARCHIVE.c.direction,
            ARCHIVE.c.subject,
            ARCHIVE.c.at,
            ARCHIVE.c.message_id,
            MAILS.c.id.label("inbound_id"),
            MAILS.c.from_address,
            MAILS.c.kind,
            MAILS.c.contact_id,
        )
        .outerjoin(MAILS, MAILS.c.id == ARCHIVE.c.inbound_id)
        .where(_fts5(phrases) if conn.dialect.name == "sqlite" else _tsvector(phrases))
        .order_by(ARCHIVE.c.at.desc())
        .limit(limit)
    )
    return [dict(row._mapping) for row in await conn.execute(query)]


def _fts5(phrases: list[list[str]]) -> Any:
    """Each phrase quoted, so that it is words and never an operator."""
    quoted = " ".join('"' + " ".join(words) + '"' for words in phrases) + "*"
    hits = text("SELECT rowid FROM archive_index WHERE archive_index MATCH :terms")
    return ARCHIVE.c.id.in_(hits.bindparams(bindparam("terms", quoted)).columns(column("rowid")))


def _tsvector(phrases: list[list[str]]) -> Any:
    """Words hold letters and digits alone (words.py), so nothing in them is syntax."""
    typed = " & ".join("(" + " <-> ".join(words) + ")" for words in phrases[:-1])
    last = "(" + " <-> ".join(phrases[-1]) + ":*)"
    document = func.to_tsvector("simple", func.coalesce(ARCHIVE.c.words, ""))
    return document.op("@@")(func.to_tsquery("simple", f"{typed} & {last}" if typed else last))


# -- the end --------------------------------------------------------------------------------------------------------


async def forget(conn: AsyncConnection, *, inbound_id: int) -> None:
    """Drop the bytes of a received mail."""
    await conn.execute(delete(ARCHIVE).where(ARCHIVE.c.inbound_id == inbound_id))


async def prune(conn: AsyncConnection, before: datetime, *, limit: int = BATCH) -> int:
    """Delete up to `limit` mails archived before a moment, and attachments that no mail carries; return how many mails.

    What was understood of them (inbound_mail, events, the timeline) stays: it has a retention period of its own.
    """
    old = select(ARCHIVE.c.id).where(ARCHIVE.c.at < before).limit(limit)
    count = int((await conn.execute(delete(ARCHIVE).where(ARCHIVE.c.id.in_(old)))).rowcount)
    await drop_orphans(conn)
    return count


async def drop_orphans(conn: AsyncConnection) -> None:
    """Delete attachments that no mail carries any more."""
    await conn.execute(delete(FILES).where(~exists().where(HANGS.c.sha256 == FILES.c.sha256)))


def clean(text: str) -> str:
    """Make text that every database takes: PostgreSQL knows no NUL and no lone surrogate."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
