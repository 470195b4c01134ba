"""The campaign file: what is allowed, and what a wrong one is told."""

import pytest

from outreach.campaigns.definition import DefinitionError, from_dict, parse, read_window, to_dict

WHOLE = """
name = "LED show Frankfurt 2027"
goal = "booth visits"
owner = "li.na"
budget = { amount = 3000, currency = "CNY" }
segment = 'region = Europe'
template = "exhibition-invitation"
mailboxes = ["sales"]
[schedule]
start = 2026-12-01T09:00:00+08:00
window = "09:00-17:00"
local_time = true
skip_holidays = true
[pilot]
share = 0.05
wait_hours = 24
[[step]]
after_days = 4
only_if = "no reply"
template = "follow-up"
"""
LEAST = 'name = "x"\nsegment = "region = Europe"\ntemplate = "follow-up"\nmailboxes = ["sales"]\n'


def test_the_contracts_example_is_read_whole() -> None:
    what = parse(WHOLE)
    assert what.schedule.hours is not None
    assert what.step[0].only_if == "no reply"
    assert what.templates() == ["exhibition-invitation", "follow-up"]


def test_schedule_pilot_and_steps_may_be_left_out() -> None:
    what = parse(LEAST)
    assert (what.schedule.start, what.pilot, what.step) == (None, None, [])


def test_the_stored_form_reads_back_the_same() -> None:
    what = parse(WHOLE)
    assert from_dict(to_dict(what)) == what


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LEAST + 'templat = "x"', r"unknown key templat \(did you mean template\?\)"),
        (LEAST.replace('template = "follow-up"\n', ""), "template is missing"),
        (LEAST + '[schedule]\nwindow = "9 to 5"', "is not of the form"),
        (LEAST + '[schedule]\nwindow = "17:00-09:00"', "ends before it begins"),
        (LEAST + "[pilot]\nshare = 2", "less than or equal to 0.5"),
        (LEAST + '[[step]]\ntemplate = "x"\nonly_if = "maybe"', "no reply"),
        (LEAST + '[[variant]]\nname = "a"', "one variant alone"),
        ("name = ", "campaign file: "),
    ],
)
def test_a_wrong_file_is_told_where_and_what(text: str, told: str) -> None:
    with pytest.raises(DefinitionError, match=told):
        parse(text)


def test_midnight_ends_a_window() -> None:
    assert str(read_window("00:00-24:00")[1]) == "23:59:59"
