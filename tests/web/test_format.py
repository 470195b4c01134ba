"""How numbers, moments and texts are written for a reader."""

from __future__ import annotations

import pytest

from outreach.model.task_titles import shown


@pytest.mark.parametrize(
    ("title", "zh", "en"),
    [
        ("回复客户 / Answer: Omar Haddad", "回复客户：Omar Haddad", "Answer: Omar Haddad"),
        (
            "逾期未处理（周洋）/ Late (周洋): 回复客户 / Answer: Omar Haddad",
            "逾期未处理（周洋）：回复客户：Omar Haddad",
            "Late (周洋): Answer: Omar Haddad",
        ),
        ("Call about T8 / T5: both", "Call about T8 / T5: both", "Call about T8 / T5: both"),
        ("报价 Q-2611 已发 5 天", "报价 Q-2611 已发 5 天", "报价 Q-2611 已发 5 天"),
        ("24/7 支持：寄样品", "24/7 支持：寄样品", "24/7 支持：寄样品"),
    ],
)
def test_a_title_in_both_languages_is_shown_in_the_readers_alone(title: str, zh: str, en: str) -> None:
    assert shown(title, "zh") == zh
    assert shown(title, "en") == en
