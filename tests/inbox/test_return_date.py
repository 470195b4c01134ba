from __future__ import annotations

from datetime import date

import pytest

from outreach.inbox.return_date import dates, return_date

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("I am out until 5 December.", "2026-12-06"),
        ("I will be back on 8 Dec.", "2026-12-08"),
        ("I will not return until December 14th.", "2026-12-14"),
        ("Away 12/21/2026 through 1/1/2027.", "2027-01-02"),
        ("back on 2026-12-08", "2026-12-08"),
        ("back on Monday", "2026-11-23"),
        ("Ich bin bis einschließlich 04.12. nicht da.", "2026-12-05"),
        ("Ab dem 07.01. sind wir wieder da.", "2027-01-07"),
        ("jusqu'au 30 novembre inclus", "2026-12-01"),
        ("de retour le 1er décembre", "2026-12-01"),
        ("hasta el 1 de diciembre", "2026-12-02"),
        ("retorno no dia 14 de dezembro", "2026-12-14"),
        ("rientrerò il 9 dicembre", "2026-12-09"),
        ("вернусь 7 декабря", "2026-12-07"),
        ("在11月30日返回公司", "2026-11-30"),
        ("10月1日至10月7日放假，8日恢复上班", "2027-10-08"),
        ("12月6日まで休暇", "2026-12-07"),
        ("12月7日 복귀 예정", "2026-12-07"),
        ("سأعود يوم ٦ ديسمبر", "2026-12-06"),
        ("7 Aralık'ta ofise döneceğim", "2026-12-07"),
        ("trở lại văn phòng vào ngày 3 tháng 12", "2026-12-03"),
    ],
)
def test_the_first_day_back(text: str, day: str) -> None:
    assert return_date(text, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize(
    "text", ["", "The fair is on 8 December.", "Call +44 20 5550 143.", "until 31.02.2027", "1/2/3"]
)
def test_no_day_back(text: str) -> None:
    assert return_date(text, TODAY) is None


def test_without_a_date_of_the_mail_the_year_must_be_stated() -> None:
    assert return_date("back on 8 December", None) is None
    assert return_date("back on 8 December 2026", None) == date(2026, 12, 8)
    assert return_date("back on Monday", None) is None


def test_the_year_turns() -> None:
    assert return_date("back on 4 January", TODAY) == date(2027, 1, 4)


def test_american_and_european_figures() -> None:
    assert [item.day for item in dates("12/05/2026 and 05.12.2026 and 25/11/2026", TODAY)] == [
        date(2026, 12, 5),
        date(2026, 12, 5),
        date(2026, 11, 25),
    ]


@pytest.mark.parametrize(
    "text", ["out until 31.12.9999", "until 9999-12-31", "back 1 jan 0001", "until 0/0/0", "12月99日まで"]
)
def test_impossible_days_raise_nothing(text: str) -> None:
    assert return_date(text, TODAY) is None


@pytest.mark.parametrize("today", [date.min, date.max])
def test_a_broken_clock_raises_nothing(today: date) -> None:
    assert return_date("back on Monday, until 8 December", today) is None
