"""Changes to a segment's tree as the visual builder makes them: on the JSON form, by path. Pure.

A path is what audience.segment.explain gives: "" the whole, "1.0" the first item of the second.
"""

from __future__ import annotations

import copy
from typing import Any

Tree = dict[str, Any]


def as_group(tree: Tree) -> Tree:
    """The whole as a group, so that lines can be added: everyone → all of nothing."""
    if tree.get("op") in ("and", "or"):
        return copy.deepcopy(tree)
    return {"op": "and", "items": [] if tree.get("op") == "all" else [copy.deepcopy(tree)]}


def _group_at(tree: Tree, path: str) -> Tree:
    """The group at a path. Raises LookupError."""
    node = tree
    for part in [p for p in path.split(".") if p]:
        items = node.get("items")
        if not isinstance(items, list) or not part.isdecimal() or int(part) >= len(items):
            raise LookupError(path)
        node = items[int(part)]
    if node.get("op") not in ("and", "or"):
        raise LookupError(path)
    return node


def remove(tree: Tree, path: str) -> Tree:
    """Take a line (or a group) away."""
    grown = as_group(tree)
    parent, _, last = path.rpartition(".")
    group = _group_at(grown, parent)
    if not last.isdecimal() or int(last) >= len(group["items"]):
        raise LookupError(path)
    del group["items"][int(last)]
    return grown


def add(tree: Tree, path: str, condition: Tree) -> Tree:
    """Add a condition to the group at a path."""
    grown = as_group(tree)
    _group_at(grown, path)["items"].append(condition)
    return grown


def add_group(tree: Tree, path: str, condition: Tree) -> Tree:
    """Add a group of the other kind that begins with a condition."""
    grown = as_group(tree)
    group = _group_at(grown, path)
    other = "or" if group["op"] == "and" else "and"
    group["items"].append({"op": other, "items": [condition]})
    return grown


def switch(tree: Tree, path: str) -> Tree:
    """Turn "all of" into "any of" and back."""
    grown = as_group(tree)
    group = _group_at(grown, path)
    group["op"] = "or" if group["op"] == "and" else "and"
    return grown


def negate(tree: Tree, path: str) -> Tree:
    """Turn a line into its opposite and back."""
    grown = as_group(tree)
    parent, _, last = path.rpartition(".")
    group = _group_at(grown, parent)
    if not last.isdecimal() or int(last) >= len(group["items"]):
        raise LookupError(path)
    item = group["items"][int(last)]
    group["items"][int(last)] = item["item"] if item.get("op") == "not" else {"op": "not", "item": item}
    return grown


def ops_at(tree: Tree) -> dict[str, str]:
    """Path of each group → and / or, the whole included."""
    found: dict[str, str] = {}

    def walk(node: Tree, path: str) -> None:
        if node.get("op") in ("and", "or"):
            found[path] = node["op"]
            for number, item in enumerate(node["items"]):
                walk(item, f"{path}.{number}".lstrip("."))

    walk(as_group(tree), "")
    return found
