"""Small facts about people that every page shows: names, places, owners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.regions import time_zone
from outreach.web.data.tables import COMPANY, CONTACT, USER

#: Columns of a person's line, to be selected together with contact and company joined.
PERSON: tuple[Any, ...] = (
    CONTACT.c.id.label("person_id"),
    CONTACT.c.first_name,
    CONTACT.c.last_name,
    CONTACT.c.country,
    CONTACT.c.city,
    CONTACT.c.language,
    CONTACT.c.grade,
    COMPANY.c.id.label("firm_id"),
    COMPANY.c.name.label("company"),
)


def full_name(first: str | None, last: str | None, otherwise: str = "") -> str:
    """A person's name as it is written where they live: Chinese characters without a blank."""
    first, last = (first or "").strip(), (last or "").strip()
    if first and last and ord(last[0]) > 0x2E7F:
        return last + first
    return " ".join(part for part in (first, last) if part) or otherwise


def zone_of(country: str | None, city: str | None) -> str:
    """The person's time zone as far as it is known; UTC otherwise."""
    return (time_zone(country, city) if country else None) or "UTC"


def word_name() -> ColumnElement[str]:
    """A contact's name in SQL, for sorting and searching."""
    first, last = func.coalesce(CONTACT.c.first_name, ""), func.coalesce(CONTACT.c.last_name, "")
    return func.trim(first + " " + last)


async def user_names(conn: AsyncConnection) -> Mapping[int, str]:
    """Every user's id and shown name; there are dozens, not thousands."""
    rows = await conn.execute(select(USER.c.id, USER.c.display_name, USER.c.name))
    return {row.id: row.display_name or row.name for row in rows}
