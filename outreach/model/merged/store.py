"""A contact that became part of another stays as an empty row, which the rows that cannot move still point at.

Its `source` says whose part it is: that column is indexed, and an import or a person never writes such a word there.
"""

from __future__ import annotations

from sqlalchemy import Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.model.base import table
from outreach.model.customer import Contact

_CONTACT: Table = table(Contact)
_MARK = "merged:"


def mark(keep: int) -> str:
    """The source of a contact that is part of `keep`."""
    return f"{_MARK}{keep}"


def part_of(source: str | None, erased: bool) -> int | None:
    """Whose part a contact is; None: nobody's. Only an empty row is one, whatever a list calls its origin."""
    number = (source or "").removeprefix(_MARK)
    return int(number) if erased and number != source and number.isdecimal() else None


async def parts(conn: AsyncConnection, contact_id: int) -> list[int]:
    """The empty rows that are part of a contact."""
    c = _CONTACT.c
    which = select(c.id).where(c.source == mark(contact_id), c.erased_at.is_not(None)).order_by(c.id)
    return list((await conn.execute(which)).scalars())


async def whole(conn: AsyncConnection, contact_id: int | None) -> int | None:
    """The contact whose part this one is, or itself: a wish that comes by an old mail must reach the person."""
    if contact_id is None:
        return None
    c = _CONTACT.c
    row = (await conn.execute(select(c.source, c.erased_at).where(c.id == contact_id))).one_or_none()
    found = None if row is None else part_of(row.source, row.erased_at is not None)
    return contact_id if found is None else found
