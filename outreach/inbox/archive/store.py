"""Full-text search over archived mail: FTS5 on SQLite, tsvector on PostgreSQL."""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import bindparam, column, func, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.model import ArchivedMail, InboundMail
from outreach.model.base import table

ARCHIVE, MAILS = table(ArchivedMail), table(InboundMail)
_WORD = re.compile(r"[\w@.+-]+", re.UNICODE)


async def search(conn: AsyncConnection, words: str, *, limit: int = 50) -> list[dict[str, Any]]:
    """Return mails whose subject or text holds all the words, newest first. No syntax: what is typed is looked for."""
    terms = _WORD.findall(words)
    if not terms:
        return []
    matching = _fts5(terms) if conn.dialect.name == "sqlite" else _tsvector(terms)
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
        .where(matching)
        .order_by(ARCHIVE.c.at.desc())
        .limit(limit)
    )
    return [dict(row._mapping) for row in await conn.execute(query)]


def _fts5(terms: list[str]) -> Any:
    """Each word quoted, so that it is a word and never an operator; the last may be a beginning."""
    quoted = " ".join('"' + term.replace('"', '""') + '"' for term in terms) + "*"
    hits = text("SELECT rowid FROM archive_index WHERE archive_index MATCH :terms")
    return ARCHIVE.c.id.in_(hits.bindparams(bindparam("terms", quoted)).columns(column("rowid")))


def _tsvector(terms: list[str]) -> Any:
    document = func.to_tsvector(
        "simple", func.coalesce(ARCHIVE.c.subject, "") + " " + func.coalesce(ARCHIVE.c.text, "")
    )
    return document.op("@@")(func.plainto_tsquery("simple", " ".join(terms)))
