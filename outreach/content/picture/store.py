"""Pictures that are served: written once with the wording that shows them, never changed, never removed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.content.images import Picture
from outreach.db.session import Database
from outreach.model import ServedPicture
from outreach.model.base import table

PICTURES = table(ServedPicture)


async def keep(conn: AsyncConnection, pictures: Iterable[Picture], now: datetime) -> None:
    """Store what is not there yet; a mail that left may be opened in ten years."""
    for picture in pictures:
        known = await conn.scalar(select(PICTURES.c.public).where(PICTURES.c.public == picture.public))
        if known is None:
            values = {"public": picture.public, "content": picture.data, "created_at": now}
            await conn.execute(insert(PICTURES).values(**values))


class PictureStore:
    """Reads them for everybody who asks."""

    def __init__(self, db: Database) -> None:
        self.db = db

    async def read(self, public: str) -> bytes | None:
        """The picture of that name, None where there is none."""
        async with self.db.read() as conn:
            found: bytes | None = await conn.scalar(select(PICTURES.c.content).where(PICTURES.c.public == public))
        return found
