"""From what was written (a field's name, an operator, words) to a checked condition. Text and JSON both come here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import NoReturn

from outreach.audience.regions import COUNTRIES, country_code, country_names, language_code, region_named
from outreach.audience.segment.fields import BY_NAME, Field, Kind, field_named
from outreach.audience.segment.problem import nearest
from outreach.audience.segment.tree import Ago, Condition, Op, Value
from outreach.model.enums import Basis, Region

#: How many values one list may hold: SQLite binds at most 32,766 variables in a statement.
MAX_VALUES = 2000

_AGO = re.compile(r"(\d{1,6})\s*([^\W\d]+?)s?\s*(?:ago|以前|之前|前)?", re.IGNORECASE)
_UNITS = {
    "小时": "hour",
    "天": "day",
    "日": "day",
    "周": "week",
    "星期": "week",
    "个月": "month",
    "月": "month",
    "年": "year",
}
_UNITS |= {unit: unit for unit in ("hour", "day", "week", "month", "year")}
_YES = frozenset({"yes", "true", "1", "是", "有"})
_NO = frozenset({"no", "false", "0", "否", "没有", "无"})
_BASES_ZH = {
    "同意": "consent",
    "客户": "customer",
    "询盘": "inquiry",
    "公开": "public-business",
    "无": "none",
    "没有": "none",
}
_ATTRIBUTE_NAME = re.compile(r'[^"\\\x00-\x1f]{1,80}')
#: A date so many years back does not exist in Python's calendar.
_MOST = {"hour": 8_760_000, "day": 365_000, "week": 52_000, "month": 12_000, "year": 1_000}


@dataclass(frozen=True, slots=True)
class Word:
    """A value as it was written, and where."""

    text: str
    start: int = 0
    end: int = 0


#: Raises the error of this text: (start, end, English, Chinese, suggestion).
Fail = Callable[[int, int, str, str, str | None], NoReturn]


def build(name: Word, op: Op, words: tuple[Word, ...], fail: Fail) -> Condition:
    """Check and normalise one condition. Calls `fail` (which raises SegmentError) on what cannot be asked."""
    field = _field(name, fail)
    if field.kind in (Kind.FLAG, Kind.FLAG_DAY):
        op, words = _flag(field, op, words)
    if op not in field.operators:
        allowed = ", ".join(field.operators)
        fail(name.start, name.end, f"{field.name} cannot be asked “{op}”; it knows {allowed}.",
             f"“{field.name}” 不能用 “{op}”；可用：{allowed}。", None)  # fmt: skip
    if len(words) > MAX_VALUES:
        fail(words[0].start, words[-1].end, f"a list holds at most {MAX_VALUES} values; use a tag instead.",
             f"一个列表最多 {MAX_VALUES} 个值；请改用标签。", None)  # fmt: skip
    values = tuple(_value(field, op, word, fail) for word in words)
    return Condition(field.name, op, values, name.start, words[-1].end if words else name.end)


def _field(name: Word, fail: Fail) -> Field:
    field = field_named(name.text)
    if field is None:
        known = nearest(name.text, BY_NAME)
        fail(name.start, name.end, f"there is no field “{name.text}”.", f"没有 “{name.text}” 这个字段。", known)
    if field.kind is Kind.ATTRIBUTE and not _ATTRIBUTE_NAME.fullmatch(field.en):
        fail(name.start, name.end, "the name of an attribute has 1 to 80 characters, no quotes, no backslash.",
             "自定义字段名为 1 到 80 个字符，不能含引号和反斜杠。", None)  # fmt: skip
    return field


def _flag(field: Field, op: Op, words: tuple[Word, ...]) -> tuple[Op, tuple[Word, ...]]:
    """Read ``bounced = yes`` as ``bounced``, ``bounced != yes`` as ``bounced = no``."""
    if op in (Op.EQ, Op.NE) and len(words) == 1 and words[0].text.lower() in _YES | _NO:
        wanted = (words[0].text.lower() in _YES) == (op is Op.EQ)
        return Op.IS, (Word("yes" if wanted else "no", words[0].start, words[0].end),)
    return op, words


def _value(field: Field, op: Op, word: Word, fail: Fail) -> Value:
    if op is Op.IS:
        return word.text.lower() in _YES
    if field.kind in (Kind.DAY, Kind.FLAG_DAY):
        return _day(op, word, fail)
    if field.kind is Kind.NUMBER:
        return _number(word, fail)
    if field.kind is Kind.ATTRIBUTE and op in (Op.LT, Op.LE, Op.GT, Op.GE):
        return _date(word.text) or _number(word, fail)
    text = clean(word.text)
    if not text:
        fail(word.start, word.end, "a value is missing; for “nothing” write: is empty.",
             "缺少值；要找没有填的，请写：为空。", None)  # fmt: skip
    return _CHOICES[field.name](text, word, fail) if field.name in _CHOICES else _plain(field, text)


def clean(text: str) -> str:
    """Return the value as imports store it: NFKC, one space between words, no control characters."""
    folded = unicodedata.normalize("NFKC", text)
    return " ".join("".join(" " if unicodedata.category(char) == "Cc" else char for char in folded).split())


def _plain(field: Field, text: str) -> str:
    return text.lower() if field.kind is Kind.SET or field.name in ("email", "domain") else text


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if len(text.strip()) == 10 else None
    except ValueError:
        return None


def ago(text: str) -> Ago | None:
    """Read ``180 days ago`` or ``30 天``; None where it is neither."""
    match = _AGO.fullmatch(text.strip())
    unit = _UNITS.get(match[2].lower()) if match else None
    if match is None or unit is None or int(match[1]) > _MOST[unit]:
        return None
    return Ago(int(match[1]), unit)


def _day(op: Op, word: Word, fail: Fail) -> Value:
    value = ago(word.text)
    if op in (Op.WITHIN, Op.NOT_WITHIN):
        if value is not None:
            return value
        fail(word.start, word.end, "within needs a time, such as: within 30 days.",
             "“近”后面要写一段时间，例如：近 30 天。", None)  # fmt: skip
    day = _date(word.text)
    if day is None and value is None:
        fail(word.start, word.end, f"“{word.text}” is no day; write 2026-12-31 or 30 days ago.",
             f"“{word.text}” 不是日期；请写 2026-12-31 或 30 天前。", None)  # fmt: skip
    return day or value or ""


def _number(word: Word, fail: Fail) -> float:
    text = clean(word.text).replace(",", "")
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,6})?", text, re.ASCII):
        fail(word.start, word.end, f"“{word.text}” is no number.", f"“{word.text}” 不是数字。", None)
    return float(text)


def _region(text: str, word: Word, fail: Fail) -> str:
    region = region_named(text)
    if region is None:
        near = nearest(text, [*Region, "欧洲", "美洲", "中东", "亚洲", "非洲", "大洋洲", "其他"])
        names = ", ".join(Region)
        fail(word.start, word.end, f"“{text}” is no region; there are {names}.",
             f"没有 “{text}” 这个地区；可用：欧洲、美洲、中东、亚洲、非洲、大洋洲、其他。", near)  # fmt: skip
    return str(region)


def _country(text: str, word: Word, fail: Fail) -> str:
    code = country_code(text)
    if code is None:
        near = nearest(text, [*country_names("en").values(), *country_names("zh").values(), *COUNTRIES])
        fail(word.start, word.end, f"“{text}” is no country.", f"没有 “{text}” 这个国家。", near)
    return code


def _language(text: str, word: Word, fail: Fail) -> str:
    code = language_code(text)
    if code is None:
        fail(word.start, word.end, f"“{text}” is no language; write a code such as de, or German.",
             f"没有 “{text}” 这种语言；请写代码（如 de）或名称（如 德语）。", None)  # fmt: skip
    return code


def _grade(text: str, word: Word, fail: Fail) -> str:
    if text.upper() not in {"A", "B", "C", "D"}:
        fail(
            word.start,
            word.end,
            f"“{text}” is no grade; there are A, B, C, D.",
            f"等级只有 A、B、C、D，没有 “{text}”。",
            None,
        )
    return text.upper()


def _basis(text: str, word: Word, fail: Fail) -> str:
    basis = _BASES_ZH.get(text, text.lower().replace(" ", "-").replace("_", "-"))
    if basis not in list(Basis):
        names = ", ".join(Basis)
        fail(word.start, word.end, f"“{text}” is no basis; there are {names}.",
             f"没有 “{text}” 这种发信依据；可用：{names}。", nearest(text, list(Basis)))  # fmt: skip
    return basis


_CHOICES: dict[str, Callable[[str, Word, Fail], str]] = {
    "region": _region,
    "country": _country,
    "language": _language,
    "grade": _grade,
    "basis": _basis,
}
