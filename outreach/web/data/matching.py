"""What people type into a search field, as a condition: letters of any language, large or small, and signs as themselves.

SQLite compares large and small letters of ASCII alone, and so does PostgreSQL in the C locale: "éclairage" would not
find "Éclairage". Words with other letters are therefore looked for in each of their spellings.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, or_


def like(text: str) -> str:
    """A LIKE pattern in which what the person typed means itself."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def spellings(text: str) -> list[str]:
    """The text as typed, and small, capitalised and large where it has letters that databases do not know to be alike."""
    if text.isascii():
        return [text]
    return list(dict.fromkeys((text, text.lower(), text.title(), text.capitalize(), text.upper())))


def says(text: str, *columns: Any) -> ColumnElement[bool]:
    """Whether any of the columns holds the text."""
    patterns = [like(one) for one in spellings(text)]
    return or_(*(column.ilike(pattern, escape="\\") for column in columns for pattern in patterns))
