"""Which day is greeted where, and that no day of mourning ever is."""

from __future__ import annotations

from datetime import date

import pytest

from outreach.campaigns.calendar import Hours
from outreach.crm import greetings as g

YEARS = range(2026, 2032)


def days() -> list[tuple[str, str, date]]:
    return [
        (one.id, country, day)
        for one in g.greetable().values()
        for country in sorted(one.countries)
        for year in YEARS
        if (day := g.holiday_on(one, country, year))
    ]


def test_no_day_of_mourning_is_ever_greeted() -> None:
    found = days()
    print(f"\n{len(found)} greetings in {len({country for _, country, _ in found})} countries looked at")
    assert len(found) > 1_000
    assert not [one for one in found if g.is_mourned(one[2], one[1])]
    assert g.is_mourned(date(2027, 3, 26), "DE")
    assert g.is_mourned(date(2027, 6, 16), "IR")


@pytest.mark.parametrize(
    ("name", "country", "day"),
    [
        ("christmas", "DE", date(2026, 12, 25)),
        ("orthodox-christmas", "RS", date(2026, 1, 7)),
        ("diwali", "IN", date(2026, 11, 8)),
        ("national-day", "US", date(2026, 7, 4)),
        ("national-day", "FR", date(2026, 7, 14)),
        ("spring-festival", "KR", date(2026, 2, 17)),
        ("thanksgiving", "US", date(2026, 11, 26)),
        ("nowruz", "KZ", date(2026, 3, 21)),
    ],
)
def test_a_known_day(name: str, country: str, day: date) -> None:
    assert g.holiday_on(g.greetable()[name], country, 2026) == day


@pytest.mark.parametrize(("name", "country"), [("christmas", "SA"), ("eid-al-fitr", "DE"), ("thanksgiving", "GB")])
def test_a_holiday_is_only_greeted_where_it_is_kept(name: str, country: str) -> None:
    assert g.holiday_on(g.greetable()[name], country, 2026) is None


def test_words_are_those_of_the_person_then_of_the_country_then_english() -> None:
    words = g.words_for("holiday", ["christmas"])
    assert g.variant_for(words, "christmas", "de", "US") == "christmas.de"
    assert g.variant_for(words, "christmas", None, "FR") == "christmas.fr"
    assert g.variant_for(words, "christmas", "fi", None) == "christmas.en"
    assert g.variant_for(words, "diwali", "en", "IN") is None


def test_every_greeting_has_english_and_chinese_words() -> None:
    for name in (*g.greetable(), "birthday", "anniversary"):
        kind = "holiday" if name in g.greetable() else name
        words = g.words_for(kind, [name])
        assert {f"{name}.en", f"{name}.zh"} <= set(words), name


def test_days_without_a_counterpart() -> None:
    assert g.in_year(date(1988, 2, 29), 2027) == date(2027, 2, 28)
    assert g.in_year(date(1988, 2, 29), 2028) == date(2028, 2, 29)
    assert g.months_before(date(2027, 8, 31), 6) == date(2027, 2, 28)


def test_the_working_day_before_a_holiday_looks_at_their_weekend() -> None:
    emirates = Hours("Asia/Riyadh", "SA", None)
    assert g.working_day_before(date(2026, 9, 23), emirates) == date(2026, 9, 22)
    germany = Hours("Europe/Berlin", "DE", None)
    assert g.working_day_before(date(2026, 12, 25), germany) == date(2026, 12, 24)
    assert g.working_day_after(date(2026, 12, 25), germany) == date(2026, 12, 28)


def test_a_key_is_a_day() -> None:
    assert g.day_of(g.key_of(date(2026, 12, 25))) == date(2026, 12, 25)
