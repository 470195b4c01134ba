"""Titles of the tasks that the system makes: stored in both languages, shown in the reader's.

A task is made long before anybody looks, and its owner may change: so the stored title holds both. What people wrote
themselves is no title of ours and stays as it is. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

#: Key → Chinese, English. {names} are filled in where the task is made.
TITLES: Mapping[str, tuple[str, str]] = {
    "reply": ("回复客户", "Answer"),
    "challenge": ("对方的过滤系统要求确认", "Their filter asks for a confirmation"),
    "left": ("联系人已离职，请找接手人", "Left the company, find the successor"),
    "complaint": ("客户投诉垃圾邮件，请查明原因", "Complained about our mail, find out why"),
    "bounce": ("邮件送不到，请换渠道联系", "Mail does not arrive, reach them another way"),
    "moved": ("对方邮箱已更换，请核对新地址", "Has a new address, check it"),
    "wrong_person": ("联系人不负责此事，请核对", "Is not the right person, check it"),
    "colleague": ("同一公司的新联系人回信，请核对后添加", "A colleague who is not on record answered, check and add"),
    "another_address": (
        "对方用新地址回信，请核对后添加",
        "Answered from an address that is not on record, check and add",
    ),
    "access": ("客户想知道保存了哪些信息", "Wants to know what is stored"),
    "erase": ("客户要求删除信息", "Asks to be erased"),
    "complain": ("客户投诉", "Complains"),
    "variant": ("为 A/B 测试选择版本", "Choose the variant for the rest"),
    "floor": ("报价低于毛利底线", "Margin under the floor"),
    "not_approved": ("报价未获批准", "Quotation refused"),
    "told": ("部门已答复", "The department has answered"),
    "call": ("跟进电话", "Follow up the call"),
    "unhappy": ("客户不满意（{score}/5），请致电", "Unhappy customer ({score}/5): call"),
    "late": ("逾期未处理（{owner}）", "Late ({owner})"),
    "birthday": ("生日问候", "Birthday greeting"),
    "quality": ("交货后质量回访", "Ask about the quality"),
    "anniversary": ("首单周年致谢", "Anniversary of the first order"),
    "reactivation": ("久未联系，重新问候", "Long silent: write again"),
    "holiday": ("{zh}问候", "{en} greeting"),
}
_NAME = re.compile(r"\\\{(\w+)\\\}")


def both(key: str, **values: object) -> str:
    """Return a title as it is stored: Chinese, then English."""
    zh, en = TITLES[key]
    return f"{zh.format(**values)} / {en.format(**values)}"


def shown(title: str, language: str) -> str:
    """Return a stored title as a reader of `language` ("zh", "en") sees it; one that a person wrote as it is."""
    chinese = language.startswith("zh")
    for pattern, zh, en in _patterns():
        if found := pattern.fullmatch(title):
            words = (zh if chinese else en).format(**found.groupdict())
            rest = found["_rest"]
            if rest is None:
                return f"{found['_case'] or ''}{words}"
            return f"{found['_case'] or ''}{words}{'：' if chinese else ': '}{shown(rest, language)}"
    return title


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[re.Pattern[str], str, str]]:
    """Each title as it is stored: a case's number before, the two languages, what it is about after a colon."""
    return [
        (re.compile(rf"(?P<_case>S-\d{{4}}-\d+ )?{_any(zh)} ?/ {_any(en, zh)}(?:: (?P<_rest>.*))?", re.S), zh, en)
        for zh, en in TITLES.values()
    ]


def _any(words: str, before: str = "") -> str:
    """The words as a pattern; a name that stood in `before` has to say the same again."""
    known = set(_NAME.findall(re.escape(before)))
    return _NAME.sub(lambda name: f"(?P={name[1]})" if name[1] in known else f"(?P<{name[1]}>.*?)", re.escape(words))
