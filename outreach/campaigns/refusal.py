"""What a campaign refuses, in both languages: who writes one reads why in the own language, scripts read English.

InTwo                 (model/refusal.py) the words, mixed into an exception
  CampaignError       (store.py) what was asked for cannot be done now
  DefinitionError     (definition.py) the campaign file cannot be used
  IllegalTransition   (state.py) the campaign's state does not allow it
  ApprovalRefused     (approval.py) this person may not approve
  Wrong               one value of a file, while it is checked
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outreach.model.refusal import InTwo


class Wrong(InTwo, ValueError):
    """A value that the file's check refuses."""


CHANGED_SINCE = (
    "the campaign was changed after it was submitted: submit it again, then approve",
    "活动提交后又有改动：请重新提交，再批准",
)
CHANGED_SINCE_SEEN = (
    "this is another version than the one you looked at: read the one that stands here now, then decide",
    "这已不是您看到的那个版本：请先审阅现在的版本，再作决定",
)
CHANGED_MEANWHILE = (
    "somebody changed the campaign at the same moment: look again, then repeat",
    "同一时刻有人改动了该活动：请刷新后重试",
)

#: What pydantic finds (its error types), in Chinese; {names} come from its context. English words are its own.
CHECKS: Mapping[str, str] = {
    "bool_parsing": "应为 true 或 false",
    "bool_type": "应为 true 或 false",
    "datetime_from_date_parsing": "应为日期和时间，例如 2026-12-01T09:00:00+08:00",
    "datetime_parsing": "应为日期和时间，例如 2026-12-01T09:00:00+08:00",
    "datetime_type": "应为日期和时间，例如 2026-12-01T09:00:00+08:00",
    "dict_type": "应为一个表",
    "finite_number": "应为有限的数字",
    "float_parsing": "应为数字",
    "float_type": "应为数字",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "不能小于 {ge}",
    "int_from_float": "应为整数",
    "int_parsing": "应为整数",
    "int_type": "应为整数",
    "less_than": "应小于 {lt}",
    "less_than_equal": "不能大于 {le}",
    "list_type": "应为列表，写在方括号内",
    "literal_error": "只能是 {expected}",
    "model_attributes_type": "应为一个表",
    "model_type": "应为一个表",
    "string_pattern_mismatch": "格式不对，应符合 {pattern}",
    "string_too_long": "最多 {max_length} 个字符",
    "string_too_short": "至少 {min_length} 个字符",
    "string_type": "应为文字，写在双引号内",
    "too_long": "最多 {max_length} 项",
    "too_short": "至少 {min_length} 项",
}


def check_words(problem: Mapping[str, Any]) -> tuple[str, str]:
    """Return what is wrong with one value in English and Chinese. `problem` is one of pydantic's `errors()`."""
    en = str(problem["msg"]).removeprefix("Value error, ")
    context: Mapping[str, Any] = problem.get("ctx") or {}
    said = context.get("error")
    if said is not None and hasattr(said, "message"):
        return en, str(said.message("zh"))
    zh = CHECKS.get(str(problem["type"]), "")
    for name, value in context.items():
        zh = zh.replace("{" + name + "}", str(value).replace(" or ", " 或 "))
    return en, zh or en


__all__ = ["CHANGED_MEANWHILE", "CHANGED_SINCE", "CHECKS", "InTwo", "Wrong", "check_words"]
