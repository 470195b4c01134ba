"""Countries, regions, languages and zones."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import holidays
import pytest

from outreach.audience import regions as r
from outreach.model.enums import Region


@pytest.mark.parametrize(("written", "code"), [
    ("de", "DE"), ("Germany", "DE"), ("GERMANY ", "DE"), ("德国", "DE"), ("Deutschland", "DE"), ("uk", "GB"), ("England", "GB"),
    ("USA", "US"), ("美国", "US"), ("Türkiye", "TR"), ("Turkey", "TR"), ("土耳其", "TR"), ("阿联酋", "AE"), ("U.A.E", None), ("UAE", "AE"),
    ("Cote d'Ivoire", None), ("Ivory Coast", "CI"), ("South Korea", "KR"), ("韩国", "KR"), ("Atlantis", None), ("", None), ("ZZ", None), ("EU", None),
])  # fmt: skip
def test_countries_as_people_write_them(written: str, code: str | None) -> None:
    assert r.country_code(written) == code


def test_every_country_is_read_back_by_its_names() -> None:
    for code in r.COUNTRIES:
        assert r.country_code(code) == code
        assert r.country_code(r.country_name(code, "en")) == code
        assert r.country_code(r.country_name(code, "zh")) == code


def test_every_country_with_people_has_a_region_a_language_and_a_zone_that_exists() -> None:
    uninhabited = {"AQ", "BV", "GS", "HM", "TF"}
    for code in set(r.COUNTRIES) - uninhabited:
        assert r.region_of(code) is not Region.OTHER, code
        assert r.language_of(code), code
        zone = r.time_zone(code)
        assert zone, code
        assert datetime(2026, 1, 1, tzinfo=ZoneInfo(zone)).utcoffset() is not None
    assert {code for code in r.COUNTRIES if r.region_of(code) is Region.OTHER} == uninhabited


def test_countries_of_the_holiday_calendar_are_known() -> None:
    known = {code for code in holidays.list_supported_countries() if len(code) == 2}
    assert not known - set(r.COUNTRIES) - {"UK"}  # its alias for GB


def test_regions_are_named_in_both_languages() -> None:
    for region in Region:
        assert r.region_named(r.region_name(region, "zh")) is region
        assert r.region_named(str(region).upper()) is region
    assert r.region_named("中东地区") is Region.MIDDLE_EAST
    assert r.region_named("Mars") is None
    assert r.region_of(None) is Region.OTHER
    assert "DE" in r.countries_of(Region.EUROPE)


def test_cities_choose_among_a_country_s_zones() -> None:
    assert r.time_zone("US", "Denver") == "America/Denver"
    assert r.time_zone("US", "San Francisco") == "America/Los_Angeles"
    assert r.time_zone("BR", "São Paulo") == "America/Sao_Paulo"
    assert r.time_zone("US", "Nowhere") == r.time_zone("US") == "America/New_York"
    assert r.time_zone("CN", "Ürümqi") == "Asia/Urumqi"
    assert r.time_zone(None) is None


def test_languages_as_people_write_them() -> None:
    assert [r.language_code(word) for word in ("German", "德语", "de-DE", "zh_Hant_TW", "英文", "Klingonish")] == [
        "de", "de", "de", "zh-Hant", "en", None]  # fmt: skip
    assert (r.language_of("TW"), r.language_of("IN"), r.language_of("BR"), r.language_of(None)) == (
        "zh-Hant",
        "en",
        "pt",
        "en",
    )
