"""What people type into a search field, as a condition: letters of any language, large or small, and signs as themselves.

SQLite compares large and small letters of ASCII alone, and so does PostgreSQL in the C locale: "éclairage" would not
find "Éclairage". Words with other letters are therefore looked for in each of their spellings.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from sqlalchemy import ColumnElement, false, func, or_

from outreach.db.alike import alike, like

#: Digits from which on what is typed is looked for among telephone numbers: fewer stand in half of them.
LEAST_DIGITS = 5
#: Digits of a whole number, its country's included; its last ones tell it in whatever way it is dialled.
WHOLE, LAST = 10, 8
_NUMBER = re.compile(r"\+?[\d\s()./-]{5,40}")


def spellings(text: str) -> list[str]:
    """The text as typed, and small, capitalised and large where it has letters that databases do not know to be alike."""
    if text.isascii():
        return [text]
    return list(dict.fromkeys((text, text.lower(), text.title(), text.capitalize(), text.upper())))


def says(text: str, *columns: Any) -> ColumnElement[bool]:
    """Whether any of the columns holds the text."""
    patterns = [like(one) for one in spellings(text)]
    return or_(*(alike(column, pattern) for column in columns for pattern in patterns))


def phones(text: str, *columns: Any) -> ColumnElement[bool]:
    """Whether any of the columns holds the telephone number, or that part of one, however either is written."""
    typed = unicodedata.normalize("NFKC", text).strip()
    digits = re.sub(r"\D", "", typed.replace("(0)", "")).lstrip("0") if _NUMBER.fullmatch(typed) else ""
    if len(digits) < LEAST_DIGITS:
        return false()
    wanted = [f"%{digits}%", *([f"%{digits[-LAST:]}"] if len(digits) >= WHOLE else [])]
    return or_(*(_digits(column).like(pattern) for column in columns for pattern in wanted))


def _digits(column: Any) -> Any:
    """A telephone number without what people write between its digits."""
    for sign in ("(0)", " ", "-", "(", ")", ".", "/", "+"):
        column = func.replace(column, sign, "")
    return column
