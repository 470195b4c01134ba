"""Chinese and English. The catalogues are committed as .po files and read at start; nothing is compiled."""

from __future__ import annotations

import gettext
from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).parent / "locale"
#: The language as users and URLs name it → the catalogue and the value of the lang attribute.
CATALOGUES: Mapping[str, str] = {"zh": "zh_CN", "en": "en"}
LANG_ATTRIBUTE: Mapping[str, str] = {"zh": "zh-CN", "en": "en"}
DEFAULT = "zh"

Translate = Callable[[str], str]


def N_(text: str) -> str:
    """Mark a text for the catalogues where it is only stored; it is translated where it is shown."""
    return text


@lru_cache
def translations(lang: str) -> gettext.NullTranslations:
    """Return the catalogue of ``zh`` or ``en``; any other language reads English."""
    name = CATALOGUES.get(lang, "en")
    with (LOCALES / name / "messages.po").open("rb") as file:
        catalog = read_po(file, locale=name)
    compiled = BytesIO()
    write_mo(compiled, catalog)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def translate(lang: str, text: str, **values: object) -> str:
    """Return a marked text in a language, its ``%(name)s`` filled in."""
    told = translations(lang).gettext(text) if text else text
    return told % values if values else told


@lru_cache
def locale(lang: str) -> Locale:
    """Return Babel's locale: names of days, months, cities."""
    return Locale.parse(CATALOGUES.get(lang, "en"))


def choose(wanted: str | None, accept: str | None) -> str:
    """Choose the language: what the person chose, else what the browser asks for first, else Chinese."""
    if wanted in CATALOGUES:
        return str(wanted)
    for part in (accept or "").split(","):
        code = part.split(";")[0].strip().lower()[:2]
        if code in CATALOGUES:
            return code
    return DEFAULT


def in_words(error: Exception, lang: str) -> str:
    """Return what an error says, in the reader's language where it has words in both."""
    return str(error.message(lang)) if hasattr(error, "message") else str(error)
