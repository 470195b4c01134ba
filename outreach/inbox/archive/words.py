"""Text as the archive's index sees it: words in lower case, and every Chinese or Japanese character a word of its own.

Chinese is written without spaces and its words have two characters as a rule: an index of characters finds them all as
phrases ("灯具" is 灯 followed by 具), on SQLite and PostgreSQL alike.
"""

from __future__ import annotations

import re
import unicodedata

#: Characters of a mail that are looked through. PostgreSQL's index of one document holds a megabyte.
LONGEST = 100_000
_SINGLE = (
    "\u2e80-\u2fdf\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_SINGLE}]|[^\W_{_SINGLE}]{{1,200}}")


def words_of(*texts: str) -> str:
    """Return the words of the texts, separated by spaces."""
    return " ".join(_words(" \n ".join(texts)[:LONGEST]))


def phrases_of(typed: str) -> list[list[str]]:
    """Return what somebody typed as phrases, one for each run without spaces; each is words in their order."""
    return [words for run in typed[:1_000].split() if (words := _words(run))][:20]


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower())
