"""Small facts about people that every page shows: names, places, owners."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from outreach.audience.regions import time_zone
from outreach.web.data.matching import says
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


def word_name(person: FromClause = CONTACT) -> ColumnElement[str]:
    """A contact's name in SQL, for sorting and searching."""
    first, last = func.coalesce(person.c.first_name, ""), func.coalesce(person.c.last_name, "")
    return func.trim(first + " " + last)


def named(text: str, person: FromClause = CONTACT) -> ColumnElement[bool]:
    """Whether a contact's name holds the text, in either order of writing.

    A text without a blank stands in one of the two parts: to put them together takes three times as long.
    """
    first, last = person.c.first_name, person.c.last_name
    if _together(text):
        return says(text, first, last, func.coalesce(last, "") + func.coalesce(first, ""))
    return says(text, word_name(person)) if " " in text else says(text, first, last)


def _together(text: str) -> bool:
    """Whether the text may be a name that is written without a blank, the family's first (full_name)."""
    return len(text) > 1 and all(ord(letter) > 0x2E7F for letter in text)


async def user_names(conn: AsyncConnection) -> Mapping[int, str]:
    """Every user's id and shown name; there are dozens, not thousands."""
    rows = await conn.execute(select(USER.c.id, USER.c.display_name, USER.c.name))
    return {row.id: row.display_name or row.name for row in rows}
