"""Tree ⇄ JSON, for the web builder."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, NoReturn

from outreach.audience.segment.build import Word, build
from outreach.audience.segment.parse import MAX_CONDITIONS, MAX_DEPTH
from outreach.audience.segment.problem import SegmentError, nearest
from outreach.audience.segment.text import quoted
from outreach.audience.segment.tree import Ago, And, Condition, Everyone, Node, Not, Op, Or, Value


def to_json(node: Node) -> dict[str, Any]:
    """Return the tree as plain dicts and lists."""
    match node:
        case Everyone():
            return {"op": "all"}
        case Not(item):
            return {"op": "not", "item": to_json(item)}
        case And(items):
            return {"op": "and", "items": [to_json(item) for item in items]}
        case Or(items):
            return {"op": "or", "items": [to_json(item) for item in items]}
        case Condition(field, op, values):
            return {"field": field, "op": str(op), "values": [_value(value) for value in values]}


def _value(value: Value) -> Any:
    match value:
        case Ago(count, unit):
            return {"ago": count, "unit": unit}
        case date():
            return {"date": value.isoformat()}
        case _:
            return value


def from_json(data: Any) -> Node:
    """Read what the web builder sends. Raises SegmentError; its message names the place as a path."""
    return _Reader().node(data, "$", 0)


class _Reader:
    def __init__(self) -> None:
        self.conditions = 0

    def node(self, data: Any, path: str, depth: int) -> Node:
        if not isinstance(data, Mapping):
            _refuse(path, "expected an object", "应为对象")
        if depth > MAX_DEPTH:
            _refuse(path, f"nested deeper than {MAX_DEPTH}", f"嵌套超过 {MAX_DEPTH} 层")
        if "field" in data:
            return self.condition(data, path)
        match data.get("op"):
            case "all":
                return Everyone()
            case "not":
                return Not(self.node(data.get("item"), f"{path}.item", depth + 1))
            case "and" | "or" as op:
                return self.group(str(op), data.get("items"), path, depth)
        return _refuse(f"{path}.op", "expected and, or, not, all, or a field", "应为 and、or、not、all，或带 field")

    def group(self, op: str, items: Any, path: str, depth: int) -> Node:
        if not isinstance(items, list):
            _refuse(f"{path}.items", "expected a list", "应为列表")
        nodes = tuple(self.node(item, f"{path}.items[{i}]", depth + 1) for i, item in enumerate(items))
        if len(nodes) < 2:  # the builder sends groups with one line or none while people still work on them
            return nodes[0] if nodes else Everyone()
        return And(nodes) if op == "and" else Or(nodes)

    def condition(self, data: Mapping[str, Any], path: str) -> Condition:
        self.conditions += 1
        if self.conditions > MAX_CONDITIONS:
            _refuse(path, f"more than {MAX_CONDITIONS} conditions", f"条件超过 {MAX_CONDITIONS} 个")
        values = data.get("values", [])
        if data.get("op") not in list(Op):
            _refuse(
                f"{path}.op", f"no operator {data.get('op')!r}", "没有这个比较", nearest(str(data.get("op")), list(Op))
            )
        op = Op(data["op"])
        if not isinstance(values, list) or not _right_number(op, len(values)):
            _refuse(f"{path}.values", "expected a list of the right length", "值的数量不对")
        words = tuple(Word(_text(value, f"{path}.values[{i}]")) for i, value in enumerate(values))

        def fail(start: int, end: int, en: str, zh: str, suggestion: str | None) -> NoReturn:
            _refuse(path, en, zh, suggestion)

        return build(Word(str(data["field"])), op, words, fail)


def _right_number(op: Op, count: int) -> bool:
    if op in (Op.IN, Op.NOT_IN):
        return count >= 1
    return count == (0 if op in (Op.EMPTY, Op.NOT_EMPTY) else 1)


def _text(value: Any, path: str) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return value
        case int() | float():
            return quoted(float(value))
        case {"date": str(day)}:
            return day
        case {"ago": int(count), "unit": str(unit)}:
            return f"{count} {unit}s ago"
    return _refuse(path, "expected text, a number, {date} or {ago, unit}", "应为文字、数字、{date} 或 {ago, unit}")


def _refuse(path: str, en: str, zh: str, suggestion: str | None = None) -> NoReturn:
    raise SegmentError("", 0, 0, f"{path}: {en}", f"{path}：{zh}", suggestion)
