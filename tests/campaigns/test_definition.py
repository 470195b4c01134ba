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
    ("text", "told", "chinese"),
    [
        (
            LEAST + 'templat = "x"',
            r"unknown key templat \(did you mean template\?\)",
            "没有 templat 这个键（是不是 template？）",
        ),
        (LEAST.replace('template = "follow-up"\n', ""), "template is missing", "缺少 template"),
        (LEAST + '[schedule]\nwindow = "9 to 5"', "is not of the form", "schedule.window：时段 “9 to 5” 的格式应为"),
        (LEAST + '[schedule]\nwindow = "17:00-09:00"', "ends before it begins", "的结束早于开始"),
        (LEAST + "[pilot]\nshare = 2", "less than or equal to 0.5", "pilot.share：不能大于 0.5（现为 2）"),
        (LEAST + '[[step]]\ntemplate = "x"\nonly_if = "maybe"', "no reply", "只能是 'always', 'no reply'"),
        (LEAST + '[[variant]]\nname = "a"', "one variant alone", "只有一个版本无法比较"),
        (LEAST + "goal = 3", "valid string", "goal：应为文字，写在双引号内（现为 3）"),
        (LEAST.replace('["sales"]', "[]"), "at least 1 item", "mailboxes：至少 1 项"),
        ("name = ", "campaign file: ", "文件格式有误"),
    ],
)
def test_a_wrong_file_is_told_where_and_what_in_both_languages(text: str, told: str, chinese: str) -> None:
    with pytest.raises(DefinitionError, match=told) as refused:
        parse(text)
    assert chinese in refused.value.message("zh")
    assert str(refused.value) == refused.value.message("en")


def test_each_check_of_the_file_has_chinese_words() -> None:
    """Whatever a form or a file may hold where another kind of value is due."""
    raw = to_dict(parse(WHOLE + '[[variant]]\nname = "a"\n[[variant]]\nname = "b"\nhour = 10\n[test]\n'))
    tried = 0
    for table in (raw, raw["schedule"], raw["pilot"], raw["budget"], raw["step"][0], raw["variant"][0], raw["test"]):
        for key, kept in list(table.items()):
            for value in ("", "x", -1, 7, 2.5, float("inf"), [], [1], {}, {"a": 1}, None, "x" * 300):
                table[key] = value
                try:
                    from_dict(raw)
                except DefinitionError as refused:
                    tried += 1
                    for line in refused.message("zh").splitlines():
                        words = line.partition("（现为")[0]
                        assert any("\u4e00" <= char <= "\u9fff" for char in words), line
            table[key] = kept
    assert tried > 200


def test_midnight_ends_a_window() -> None:
    assert str(read_window("00:00-24:00")[1]) == "23:59:59"
