"""Addresses with numbers and words that nothing has: not found, never broken."""

from __future__ import annotations

import re

import pytest

from tests.web.house import House
from tests.web.test_matrix import GAPS, ROUTES

HUGE = "99999999999999999999"
NUMBERED = sorted({path for method, path, _ in ROUTES if method == "GET" and ":int}" in path})
ASKED = (
    "/settings/users/5/hand-over?to=",
    "/follow-ups/plan?of=",
    "/follow-ups/service/new?mail=",
    "/follow-ups/service/new?company=",
    "/settings/audit?before=",
    "/settings/audit?actor=",
)


async def test_a_number_that_no_table_can_hold_finds_nothing(house: House) -> None:
    async with house.visitor("admin") as visitor:
        for path in NUMBERED:
            huge = re.sub(r"\{(\w+)(:int)?\}", lambda gap: HUGE if gap[2] else GAPS[gap[1]], path)
            assert (await visitor.get(huge)).status_code in (403, 404), path


@pytest.mark.parametrize("asked", ASKED)
async def test_a_choice_that_nothing_has_chooses_nothing(house: House, asked: str) -> None:
    for name in ("ma.jun", "sun.qian"):
        async with house.visitor(name) as visitor:
            assert (await visitor.get(asked + HUGE)).status_code in (200, 403)


@pytest.mark.parametrize(
    "path",
    [
        "/greetings/new?kind=wedding",
        "/follow-ups/targets?quarter=0001-Q1",
        "/follow-ups/targets?quarter=9999-Q4",
        "/reports/indicators?period=0001-Q1",
        "/reports/indicators?period=9999-W52",
        "/reports/0001-W01",
    ],
)
async def test_words_and_years_that_no_calendar_has_are_not_found(house: House, path: str) -> None:
    async with house.visitor("admin") as visitor:
        assert (await visitor.get(path)).status_code in (403, 404)
    async with house.visitor("li.na") as visitor:
        assert (await visitor.get(path)).status_code == 404
