"""Tree → text: the one spelling that is stored. `parse(to_text(tree))` is the same tree."""

from __future__ import annotations

import re
from datetime import date

from outreach.audience.segment.fields import ATTRIBUTE_PREFIX, field_named, shown
from outreach.audience.segment.tree import Ago, And, Condition, Everyone, Node, Not, Op, Or, Value

_BARE = re.compile(r"[^\W\d_][\w-]*")
_RESERVED = frozenset(
    [
        "and",
        "or",
        "not",
        "in",
        "is",
        "empty",
        "contains",
        "within",
        "before",
        "after",
        "everyone",
        "ago",
        "且",
        "并且",
        "而且",
        "或",
        "或者",
        "非",
        "不",
        "不是",
        "属于",
        "不属于",
        "包含",
        "不包含",
        "含有",
        "不含有",
        "为空",
        "不为空",
        "早于",
        "晚于",
        "近",
        "所有人",
    ]
)


def to_text(node: Node) -> str:
    """Write a segment so that it reads back as the same tree."""
    match node:
        case Everyone():
            return "everyone"
        case Not(item):
            return f"not {_inner(item, (And, Or))}"
        case And(items):
            return " and ".join(_inner(item, (And, Or)) for item in items)
        case Or(items):
            return " or ".join(_inner(item, (Or,)) for item in items)
        case Condition():
            return _condition(node)


def _inner(node: Node, weaker: tuple[type, ...]) -> str:
    return f"({to_text(node)})" if isinstance(node, weaker) else to_text(node)


def _condition(condition: Condition) -> str:
    name, op, values = _name(condition.field), condition.op, condition.values
    match op:
        case Op.IS:
            return name if values[0] else f"{name} = no"
        case Op.EMPTY:
            return f"{name} is empty"
        case Op.NOT_EMPTY:
            return f"{name} is not empty"
        case Op.IN | Op.NOT_IN:
            return f"{name} {op} ({', '.join(map(quoted, values))})"
        case Op.WITHIN | Op.NOT_WITHIN:
            return f"{name} {op} {quoted(values[0]).removesuffix(' ago')}"
        case _:
            return f"{name} {op} {quoted(values[0])}"


def _name(name: str) -> str:
    if not name.startswith(ATTRIBUTE_PREFIX):
        return name
    own = name.removeprefix(ATTRIBUTE_PREFIX)
    return name if re.fullmatch(r"[\w-]+", own) else f'{ATTRIBUTE_PREFIX}"{own}"'


def quoted(value: Value) -> str:
    """Write one value, in quotes where it could be read as something else."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:.6f}".rstrip("0").rstrip(".")
        case date():
            return value.isoformat()
        case Ago(count, unit):
            return f"{count} {unit}{'' if count == 1 else 's'} ago"
        case str():
            bare = _BARE.fullmatch(value) and value.lower() not in _RESERVED and not value.lower().startswith("attr.")
            return value if bare else '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


_WORDS_ZH = {
    Op.EQ: "是", Op.NE: "不是", Op.IN: "属于", Op.NOT_IN: "不属于", Op.CONTAINS: "包含", Op.NOT_CONTAINS: "不包含",
    Op.EMPTY: "为空", Op.NOT_EMPTY: "不为空", Op.WITHIN: "近", Op.NOT_WITHIN: "不在近",
    Op.BEFORE: "早于", Op.AFTER: "晚于",
}  # fmt: skip
_WORDS_EN = {
    Op.EQ: "is",
    Op.NE: "is not",
    Op.EMPTY: "is empty",
    Op.NOT_EMPTY: "is not empty",
    Op.NOT_WITHIN: "not within",
}
_UNITS_ZH = {"hour": "小时", "day": "天", "week": "周", "month": "个月", "year": "年"}
#: How old compared with "N days ago": fewer days ago is later.
_AGES = {Op.LT: Op.AFTER, Op.LE: Op.AFTER, Op.GT: Op.BEFORE, Op.GE: Op.BEFORE}


def describe(condition: Condition, language: str = "en") -> str:
    """Say a condition in people's words, "en" or "zh"."""
    field = field_named(condition.field)
    zh = language.startswith("zh")
    name = (field.zh if zh else field.en) if field else condition.field
    if condition.op is Op.IS:
        return name if condition.values[0] else (f"没有{name}" if zh else f"Not {name.lower()}")
    op: Op = condition.op
    if condition.values and isinstance(condition.values[0], Ago):
        op = _AGES.get(op, op)
    word = (_WORDS_ZH if zh else _WORDS_EN).get(op, str(op))
    values = ("、" if zh else ", ").join(_said(condition.field, value, language, op) for value in condition.values)
    return f"{name} {word} {values}".strip()


def _said(field_name: str, value: Value, language: str, op: Op) -> str:
    field = field_named(field_name)
    if isinstance(value, Ago):
        within = op in (Op.WITHIN, Op.NOT_WITHIN)
        if language.startswith("zh"):
            return f"{value.count} {_UNITS_ZH[value.unit]}" + ("" if within else "前")
        return quoted(value).removesuffix(" ago") if within else quoted(value)
    if isinstance(value, str):
        return shown(field, value, language) if field else value
    return quoted(value)
