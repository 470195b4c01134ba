"""Countries: code from what people write, region, language of business, time zones.

Names, zones and official languages are Babel's (CLDR); regions and what CLDR leaves open stand in data/regions.toml.
"""

from __future__ import annotations

import tomllib
import unicodedata
from functools import lru_cache
from importlib.resources import files
from typing import Any

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages

from outreach.model.enums import Region

_DATA: dict[str, Any] = tomllib.loads(files("outreach.audience.data").joinpath("regions.toml").read_text("utf-8"))

#: CLDR lists these beside countries: parts of one, or outlying islands that nobody trades with.
_NOT_COUNTRIES = frozenset({"AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"})

_REGION_OF: dict[str, Region] = {
    code: Region(name) for name, codes in _DATA["countries"].items() for code in codes.split()
}

#: Every ISO 3166-1 country that CLDR names, sorted.
COUNTRIES: tuple[str, ...] = tuple(
    sorted(
        code
        for code in (str(territory) for territory in Locale("en").territories)
        if len(code) == 2 and code.isalpha() and code not in _NOT_COUNTRIES
    )
)


def _fold(text: str) -> str:
    """Return the text for comparison: NFKC, lower case, without accents, one space between words."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", text))
    without_marks = "".join(char for char in plain if not unicodedata.combining(char))
    return " ".join(without_marks.lower().replace("&", "and").split())


def country_name(code: str, language: str = "en") -> str:
    """Return the country's name in that language ("zh", "en", …); the code itself where Babel has none."""
    try:
        name = Locale.parse(language.replace("-", "_")).territories.get(code)
    except (UnknownLocaleError, ValueError):
        name = None
    return str(name or code)


@lru_cache(maxsize=1)
def _countries_by_name() -> dict[str, str]:
    names = {_fold(alias): code for alias, code in _DATA["country_aliases"].items()}
    for code in COUNTRIES:
        for language in {"en", "zh", "zh_Hant", *_official_languages(code)[:2]}:
            names.setdefault(_fold(country_name(code, language)), code)
    return names


@lru_cache(maxsize=4096)
def country_code(text: str) -> str | None:
    """Return the ISO code of what somebody wrote for a country (code, English, Chinese or own name), or None."""
    stripped = text.strip()
    if len(stripped) == 2 and (upper := stripped.upper()) in COUNTRIES:
        return upper
    return _countries_by_name().get(_fold(stripped))


def country_names(language: str = "en") -> dict[str, str]:
    """Return code → name of every country, sorted by name."""
    return dict(sorted(((code, country_name(code, language)) for code in COUNTRIES), key=lambda pair: pair[1]))


def region_of(code: str | None) -> Region:
    """Return the region of a country; Other where the country is unknown."""
    return _REGION_OF.get(code or "", Region.OTHER)


def countries_of(region: Region) -> tuple[str, ...]:
    """Return the codes of a region's countries, sorted."""
    return tuple(sorted(code for code, its in _REGION_OF.items() if its is region))


@lru_cache(maxsize=1)
def _regions_by_name() -> dict[str, Region]:
    names = {_fold(region): region for region in Region}
    names |= {_fold(chinese): Region(english) for english, chinese in _DATA["names_zh"].items()}
    return names | {_fold(alias): Region(english) for alias, english in _DATA["aliases"].items()}


def region_named(text: str) -> Region | None:
    """Return the region that somebody wrote in English or Chinese, or None."""
    return _regions_by_name().get(_fold(text))


def region_name(region: Region | str, language: str = "en") -> str:
    """Return a region's name for people ("zh" or "en")."""
    return str(_DATA["names_zh"][str(region)]) if language.startswith("zh") else str(region)


def _official_languages(code: str) -> tuple[str, ...]:
    return tuple(get_official_languages(code, de_facto=True))


@lru_cache(maxsize=512)
def language_of(code: str | None) -> str:
    """Return the language (ISO 639, "zh-Hant" for Taiwan) in which business there is written; "en" where unknown."""
    if not code:
        return "en"
    chosen = _DATA["languages"].get(code) or next(iter(_official_languages(code)), "en")
    return str(chosen).replace("_", "-")


@lru_cache(maxsize=1)
def _languages_by_name() -> dict[str, str]:
    names: dict[str, str] = {}
    for language in ("en", "zh"):
        for code, name in Locale(language).languages.items():
            if len(code) <= 3:
                names.setdefault(_fold(name), code)
    names |= {
        "中文": "zh",
        "汉语": "zh",
        "简体中文": "zh",
        "繁体中文": "zh-Hant",
        "英文": "en",
        "日文": "ja",
        "韩文": "ko",
    }
    names |= {
        "德文": "de",
        "法文": "fr",
        "西班牙文": "es",
        "俄文": "ru",
        "葡文": "pt",
        "葡萄牙文": "pt",
        "阿拉伯文": "ar",
    }
    return names


@lru_cache(maxsize=1024)
def language_code(text: str) -> str | None:
    """Return the language code of what somebody wrote ("German", "德语", "de-DE"), or None."""
    stripped = text.strip().replace("_", "-")
    if (code := _languages_by_name().get(_fold(stripped))) is not None:
        return code
    try:
        locale = Locale.parse(stripped, sep="-")
    except (UnknownLocaleError, ValueError):
        return None
    return "-".join(part for part in (locale.language, locale.script) if part)


def time_zones(code: str | None) -> tuple[str, ...]:
    """Return the IANA zones of a country, the usual one first; empty where the country is unknown."""
    zones = tuple(get_global("territory_zones").get(code or "", ()))
    usual = _DATA["zones"].get(code or "", zones[0] if zones else None)
    return (usual, *(zone for zone in zones if zone != usual)) if usual else ()


@lru_cache(maxsize=1)
def wide_countries() -> tuple[str, ...]:
    """Return the countries of several time zones: only there a city says more about the hour than the country."""
    return tuple(sorted(code for code in get_global("territory_zones") if len(time_zones(code)) > 1))


@lru_cache(maxsize=8192)
def time_zone(code: str | None, city: str | None = None) -> str | None:
    """Return the zone of a city in a country; the country's usual one where the city tells nothing."""
    zones = time_zones(code)
    if not zones:
        return None
    if city and len(zones) > 1:
        wanted = _fold(city)
        if (known := _DATA["cities"].get(f"{code}|{wanted}")) is not None:
            return str(known)
        for zone in zones:
            if zone.rsplit("/", 1)[-1].replace("_", " ").lower() == wanted:
                return zone
    return zones[0]
