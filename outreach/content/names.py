"""What a template names: variables, filters, tests; which of them exist and may be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from difflib import get_close_matches
from typing import Any

from jinja2 import nodes

from outreach.content.problem import ContentProblem, Where
from outreach.content.sandbox import ALLOWED, Sandbox

RESERVED = frozenset({"_h", "_dyn", "_open", "_trap"})  # what links.py and compose.py write into a template
_FORBIDDEN = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)


def check(
    tree: nodes.Template, sandbox: Sandbox, known: frozenset[str], where: Callable[[int], Where]
) -> Iterator[ContentProblem]:
    """What an author may not write, each with its place."""
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    own |= {macro.name for macro in tree.find_all(nodes.Macro)} | set(sandbox.globals)
    own |= {"loop"} if tree.find(nodes.For) else set()
    own |= {"caller", "varargs", "kwargs"} if tree.find(nodes.Macro) else set()
    for node in tree.find_all(nodes.Node):
        place = where(getattr(node, "lineno", 0) or 0)
        if isinstance(node, _FORBIDDEN):
            yield ContentProblem("include.jinja", place, tag=type(node).__name__.lower())
        elif isinstance(node, nodes.Name) and node.name.startswith("_") and node.name not in RESERVED:
            yield ContentProblem("jinja.forbidden", place, what=node.name)
        elif isinstance(node, nodes.Name) and node.ctx == "load" and node.name not in own | known | RESERVED:
            yield _unknown("jinja.unknown_variable", node.name, known, place)
        elif isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            yield ContentProblem("jinja.forbidden", place, what=node.attr)
        elif (name := dotted(node)) and _unknown_part(name, known, own):
            yield _unknown("jinja.unknown_variable", name, _parts(name, known), place)
        elif isinstance(node, (nodes.Filter, nodes.Test)):
            allowed = sandbox.filters if isinstance(node, nodes.Filter) else sandbox.tests
            if node.name not in allowed or (node.name.startswith("_") and node.name not in RESERVED):
                yield _unknown("jinja.unknown_filter", node.name, allowed, place)


def _parts(name: str, known: frozenset[str]) -> list[str]:
    """The documented parts of a table: `owner.name`, `owner.phone` for `owner.anything`."""
    return [other for other in known if other.startswith(name.partition(".")[0] + ".")]


def _unknown_part(name: str, known: frozenset[str], own: set[str]) -> bool:
    head, dot, rest = name.partition(".")
    if not dot or head in own or rest.partition(".")[0] in ALLOWED[dict]:
        return False
    parts = _parts(name, known)
    return bool(parts) and name not in known


def _unknown(code: str, name: str, known: Any, place: Where) -> ContentProblem:
    names = [item for item in known if not item.startswith("_")]
    close = get_close_matches(name, names, n=3, cutoff=0.6) or sorted(names)
    return ContentProblem(code, place, name=name, suggestion=", ".join(close))


def used(tree: nodes.Template) -> frozenset[str]:
    """Dotted names of the variables that a template reads: `first_name`, `owner.phone`."""
    stored = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    names = {dotted(node) for node in tree.find_all((nodes.Getattr, nodes.Getitem, nodes.Name))}
    skipped = stored | RESERVED | {"loop", "range", "namespace", "cycler", "joiner", "spin", "varargs", "kwargs"}
    found = {name for name in names if name and name.partition(".")[0] not in skipped}
    return frozenset(name for name in found if not any(other.startswith(name + ".") for other in found))


def dotted(node: nodes.Node) -> str:
    """`owner.phone` for that expression, "" for one that is no chain of names."""
    if isinstance(node, nodes.Name):
        return node.name if node.ctx == "load" else ""
    if isinstance(node, nodes.Getattr):
        base = dotted(node.node)
        return f"{base}.{node.attr}" if base else ""
    if isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str):
        base = dotted(node.node)
        return f"{base}.{node.arg.value}" if base else ""
    return ""


def exposed(tree: nodes.Template) -> frozenset[str]:
    """Of the variables used, those that are printed where nothing asks first whether they have a value."""
    return frozenset(_exposed(tree, frozenset()))


def _exposed(node: nodes.Node, asked: frozenset[str]) -> Iterator[str]:
    """Asked for: by a surrounding condition or loop, by `or`, by a default."""
    if name := dotted(node):
        if name not in asked and f"{name.partition('.')[0]}." not in asked:
            yield name
        return
    if isinstance(node, (nodes.If, nodes.CondExpr)):
        asked |= _names(node.test)
        children = [child for child in node.iter_child_nodes() if child is not node.test]
    elif isinstance(node, nodes.For):
        asked |= _names(node.iter)
        children = [*node.body, *node.else_]
    elif isinstance(node, nodes.Or):
        children = [node.right]
    elif isinstance(node, nodes.Filter) and node.name in ("default", "d"):
        children = list(node.args)
    else:
        children = list(node.iter_child_nodes())
    for child in children:
        yield from _exposed(child, asked)


def _names(node: nodes.Node) -> frozenset[str]:
    """Names in a condition; who has an order's date has the order: `last_order.` stands for its parts."""
    names = set(filter(None, map(dotted, [node, *node.find_all(nodes.Node)])))
    return frozenset(names | {f"{name.partition('.')[0]}." for name in names if "." in name})
