"""What each condition of a segment costs in people: a list of lines, each with the trees to count."""

from __future__ import annotations

from dataclasses import dataclass

from outreach.audience.segment.text import describe, to_text
from outreach.audience.segment.tree import And, Condition, Everyone, Node, Not, Or


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the builder.

    `path` leads to the node in the JSON form ("" is the whole, "0.1" the second item of the first). `alone` counts the
    line by itself; `before` and `after` count the group up to this line: their difference is what the line costs
    (in "all of") or brings (in "any of").
    """

    path: str
    depth: int
    group: str
    text: str
    en: str
    zh: str
    alone: Node
    before: Node
    after: Node


def explain(node: Node) -> tuple[Step, ...]:
    """Return the segment's lines from the top, groups before their items."""
    top = node if isinstance(node, And | Or) else And((node,))
    return tuple(_lines(top, "", 0))


def _lines(group: And | Or, path: str, depth: int) -> list[Step]:
    steps: list[Step] = []
    for index, item in enumerate(group.items):
        here = f"{path}.{index}".lstrip(".")
        before, after = _upto(group, index), _upto(group, index + 1)
        word = "and" if isinstance(group, And) else "or"
        steps.append(Step(here, depth, word, to_text(item), say(item, "en"), say(item, "zh"), item, before, after))
        if isinstance(item, And | Or):
            steps += _lines(item, here, depth + 1)
    return steps


def _upto(group: And | Or, count: int) -> Node:
    items = group.items[:count]
    if not items:  # before its first line, "all of" holds everyone and "any of" nobody
        return Everyone() if isinstance(group, And) else Not(Everyone())
    return items[0] if count == 1 else type(group)(items)


def say(node: Node, language: str = "en") -> str:
    """Say a node in people's words."""
    zh = language.startswith("zh")
    match node:
        case Condition():
            return describe(node, language)
        case Not(item):
            return ("非：" if zh else "not: ") + say(item, language)
        case And():
            return "全部满足" if zh else "all of"
        case Or():
            return "任一满足" if zh else "any of"
        case Everyone():
            return "所有人" if zh else "everyone"
