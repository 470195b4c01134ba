"""Files in customers' folders. The bytes are stored once, under their hash, however often they are attached."""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, insert, select
from sqlalchemy.engine import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.access.roles import Actor
from outreach.access.store import append_audit
from outreach.crm.store import note
from outreach.db.session import Database
from outreach.model import Attachment, StoredFile
from outreach.model.base import table

FILES, ATTACHMENTS = table(StoredFile), table(Attachment)
#: A drawing or a price list; films belong elsewhere.
MOST_BYTES = 20_000_000


class FileRefused(ValueError):
    """The file is not taken. `code`: empty, large, there."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__({"empty": "the file is empty", "large": "a file has at most 20 MB"}.get(code, "it is there"))


@dataclass(frozen=True)
class Upload:
    """A file as it came."""

    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        """What the name says of it; never a type that a browser would run."""
        return mimetypes.guess_type(self.name)[0] or "application/octet-stream"


class FileStore:
    """The folders of customers."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def attach(
        self,
        company_id: int,
        upload: Upload,
        actor: Actor,
        now: datetime,
        *,
        contact_id: int | None = None,
        deal_id: int | None = None,
    ) -> int:
        """Put a file into a customer's folder, once under one name. Raises FileRefused."""
        if not upload.content:
            raise FileRefused("empty")
        if len(upload.content) > MOST_BYTES:
            raise FileRefused("large")
        name = upload.name.replace("\\", "/").rsplit("/", 1)[-1][:200] or "file"
        async with self.db.write() as conn:
            stored = await _store(conn, upload.content, now)
            same = (ATTACHMENTS.c.company_id == company_id) & (ATTACHMENTS.c.file_id == stored)
            there = await conn.scalar(select(ATTACHMENTS.c.id).where(same, ATTACHMENTS.c.name == name))
            if there is not None:
                return int(there)
            values: dict[str, Any] = {
                "file_id": stored,
                "company_id": company_id,
                "contact_id": contact_id,
                "deal_id": deal_id,
            }
            values |= {"name": name, "media_type": upload.media_type, "user_id": actor.id, "at": now}
            made = insert(ATTACHMENTS).values(**values).returning(ATTACHMENTS.c.id)
            number = int((await conn.execute(made)).scalar_one())
            await note(conn, "file", name, now, company_id=company_id, contact_id=contact_id, user_id=actor.id,
                       data={"attachment_id": number})  # fmt: skip
            await append_audit(conn, actor, "file.added", "attachment", number, now=now)
        return number

    async def get(self, attachment_id: int) -> Row[Any] | None:
        """Return a file with its bytes."""
        joined = ATTACHMENTS.join(FILES, FILES.c.id == ATTACHMENTS.c.file_id)
        query = select(ATTACHMENTS, FILES.c.content, FILES.c.size, FILES.c.sha256).select_from(joined)
        async with self.db.read() as conn:
            return (await conn.execute(query.where(ATTACHMENTS.c.id == attachment_id))).one_or_none()

    async def remove(self, attachment_id: int, actor: Actor, now: datetime) -> None:
        """Take a file out of a folder; the bytes go with the last folder that holds them."""
        async with self.db.write() as conn:
            await conn.execute(delete(ATTACHMENTS).where(ATTACHMENTS.c.id == attachment_id))
            held = exists(select(ATTACHMENTS.c.id).where(ATTACHMENTS.c.file_id == FILES.c.id))
            await conn.execute(delete(FILES).where(~held))
            await append_audit(conn, actor, "file.removed", "attachment", attachment_id, now=now)


async def _store(conn: AsyncConnection, content: bytes, now: datetime) -> int:
    digest = hashlib.sha256(content).hexdigest()
    known = await conn.scalar(select(FILES.c.id).where(FILES.c.sha256 == digest))
    if known is not None:
        return int(known)
    values = {"sha256": digest, "size": len(content), "content": content, "created_at": now}
    return int((await conn.execute(insert(FILES).values(**values).returning(FILES.c.id))).scalar_one())
