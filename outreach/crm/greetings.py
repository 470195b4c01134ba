"""Which dates of a person are remembered, and with which words (C5). Pure: the day is an argument.

What may be greeted where is data (greetings.toml): only what stands there, never a day of mourning.
"""

from __future__ import annotations

import calendar
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import holidays

from outreach.campaigns.calendar import Hours, is_working_day
from outreach.content.languages import language_of_country

#: What the letter holiday-greeting says about the year's end and the office's days off is left out.
NO_CLOSURE: Mapping[str, str] = {"closed": "", "back": "", "year": ""}
#: Looking for a working day before or after a date ends here: the longest run of days off is about ten.
LONGEST_REST = 21


@dataclass(frozen=True)
class Holiday:
    """A holiday that may be greeted: where, and on which day."""

    id: str
    zh: str
    en: str
    countries: frozenset[str]
    day: str | None = None
    match: tuple[str, ...] = ()


@cache
def _data() -> dict[str, Any]:
    with Path(__file__).with_name("greetings.toml").open("rb") as file:
        return tomllib.load(file)


@cache
def greetable() -> Mapping[str, Holiday]:
    """Every holiday of the list, by its id."""
    return {
        row["id"]: Holiday(
            row["id"], row["zh"], row["en"], frozenset(row["countries"]), row.get("day"), tuple(row.get("match", ()))
        )
        for row in _data()["holiday"]
    }


@lru_cache(maxsize=1024)
def english_holidays(country: str, year: int) -> Mapping[date, str]:
    """A country's public holidays with their English names, as far as the package knows them."""
    for language in ("en_US", None):
        try:
            found = holidays.country_holidays(country, years=year, language=language)
        except NotImplementedError:
            return {}
        if found:
            return dict(found)
    return {}


def is_mourned(day: date, country: str) -> bool:
    """Whether a day of mourning, penance or remembrance falls on it there."""
    name = english_holidays(country, day.year).get(day, "")
    return any(word in name for word in _data()["never"])


@lru_cache(maxsize=8192)
def holiday_on(holiday: Holiday, country: str, year: int) -> date | None:
    """The (first) day of a holiday in a country, None where it is not greeted there that year."""
    if country not in holiday.countries:
        return None
    if holiday.day:
        month, day = (int(part) for part in holiday.day.split("-"))
        found: date | None = date(year, month, day)
    else:
        named = english_holidays(country, year)
        days = sorted(day for day, name in named.items() if name.startswith(holiday.match) and "observed" not in name)
        found = days[0] if days else None
    return None if found is None or is_mourned(found, country) else found


def in_year(birthday: date, year: int) -> date:
    """A birthday's day in a year; 29 February is kept on the 28th where there is none."""
    if (birthday.month, birthday.day) == (2, 29) and not calendar.isleap(year):
        return date(year, 2, 28)
    return birthday.replace(year=year)


def working_day_before(day: date, hours: Hours) -> date:
    """The last working day on or before a date: when its greeting is read."""
    return _search(day, hours, -1)


def working_day_after(day: date, hours: Hours) -> date:
    """The first working day on or after a date."""
    return _search(day, hours, 1)


def _search(day: date, hours: Hours, step: int) -> date:
    for ahead in range(LONGEST_REST):
        candidate = day + timedelta(days=step * ahead)
        if is_working_day(candidate, hours):
            return candidate
    return day


def key_of(day: date) -> int:
    """The number that a remembered day has in the outbox: 20261225."""
    return day.year * 10_000 + day.month * 100 + day.day


def day_of(key: int) -> date:
    """The day of a key."""
    return date(key // 10_000, key // 100 % 100, key % 100)


def months_before(day: date, months: int) -> date:
    """The same day so many months earlier, at most the month's last."""
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def words_for(occasion: str, holidays_wanted: list[str]) -> dict[str, dict[str, str]]:
    """The words that a kind of date may use, by variant (``christmas.de``): what its approval covers."""
    ids = holidays_wanted or list(greetable())
    wanted = ids if occasion == "holiday" else [occasion]
    found = {}
    for name in wanted:
        for language, (greeting, wish) in _data()["greeting"].get(name, {}).items():
            found[f"{name}.{language}"] = {"greeting": greeting, "wish": wish, **NO_CLOSURE}
    return found


def variant_for(words: Mapping[str, Any], name: str, language: str | None, country: str | None) -> str | None:
    """Which words a person is greeted with: those of their language, of their country, English; None for none."""
    for wish in (language, language_of_country(country), "en"):
        for code in _codes(wish):
            if f"{name}.{code}" in words:
                return f"{name}.{code}"
    return None


def _codes(language: str | None) -> tuple[str, ...]:
    plain = (language or "").replace("_", "-").lower()
    return (plain, plain.partition("-")[0]) if plain else ()
