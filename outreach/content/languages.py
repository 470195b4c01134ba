"""Languages: which one a country reads, which run from right to left."""

from __future__ import annotations

from functools import cache

from babel.core import Locale, UnknownLocaleError
from babel.languages import get_official_languages

RTL = frozenset({"ar", "he", "fa", "ur", "yi", "ps", "ckb", "dv", "sd", "ug"})

# Business mail where CLDR's first official language is not the one an exporter would write in.
_BUSINESS = {"CH": "de", "BE": "nl", "LU": "fr", "CA": "en", "IN": "en", "SG": "en", "HK": "zh", "PH": "en"}


def base_language(language: str) -> str:
    """`zh-Hant` → `zh`."""
    return language.replace("_", "-").partition("-")[0].lower()


def is_rtl(language: str) -> bool:
    """Arabic, Hebrew, Persian and their neighbours."""
    return base_language(language) in RTL


def direction(language: str) -> str:
    """`rtl` or `ltr`, the value of HTML's dir attribute."""
    return "rtl" if is_rtl(language) else "ltr"


@cache
def language_of_country(country: str | None) -> str | None:
    """The language that business mail to an ISO country code is written in (CLDR), None where unknown."""
    code = (country or "").strip().upper()
    if len(code) != 2:
        return None
    if code in _BUSINESS:
        return _BUSINESS[code]
    official = get_official_languages(code, de_facto=True)
    return base_language(official[0]) if official else None


@cache
def babel_locale(language: str) -> Locale:
    """Babel's locale of a language tag; English where CLDR has none."""
    for tag in (language, base_language(language), "en"):
        try:
            return Locale.parse(tag.replace("-", "_"))
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


@cache
def country_name(country: str, language: str) -> str:
    """`DE` → Germany, 德国; the code itself where CLDR has no name."""
    names: dict[str, str] = dict(babel_locale(language).territories)
    return names.get(country.upper(), country)
