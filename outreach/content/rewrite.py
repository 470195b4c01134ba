"""The syntax tree of a template, rewritten before Jinja compiles it.

Guard puts in the bounds and the fallbacks; Printer splits link slots out of static text and, for the
encoded program, encodes static text at once and wraps what is printed; Coder generates the code.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from outreach.content.names import dotted
from outreach.content.quoted import encode, lines
from outreach.content.sandbox import CHARACTERS, ROUND, Sandbox

SLOT = re.compile("\ue000(\\w+)\ue001")  # where a link goes; put in after MJML, split out of static text here
_SLOT_NAME = re.compile(r"_(?:[lt]\d+|preview)")
_RAW = frozenset({"_code"})  # filters whose result is printed as it is
NODES = 16  # of a loop's body that cost as much as its round: some 50 ns each


def slot(name: str) -> str:
    """A mark in a template's static text that prints the context's value of that name."""
    return f"\ue000{name}\ue001"


class Coder(CodeGenerator):
    """Generates code that prints what is already encoded without asking it to be escaped again."""

    def _output_child_to_const(self, node: nodes.Expr, frame: Frame, finalize: Any) -> str:
        if _encoded(node):
            raise nodes.Impossible
        return super()._output_child_to_const(node, frame, finalize)

    def _output_child_pre(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not _encoded(node):
            super()._output_child_pre(node, frame, finalize)

    def _output_child_post(self, node: nodes.Expr, frame: Frame, finalize: Any) -> None:
        if not _encoded(node):
            super()._output_child_post(node, frame, finalize)


def _encoded(node: nodes.Expr) -> bool:
    if isinstance(node, nodes.Name):
        return bool(_SLOT_NAME.fullmatch(node.name))
    return isinstance(node, nodes.Filter) and node.name in _RAW


def _filter(node: nodes.Expr, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


def _size(body: list[nodes.Node]) -> int:
    """Steps that one run of a body costs: a thousand expressions in a loop are no cheaper than a thousand rounds."""
    tree = nodes.Template(body)
    texts = sum(len(data.data) for data in tree.find_all(nodes.TemplateData))
    return ROUND + sum(1 for _ in tree.find_all(nodes.Node)) // NODES + texts // CHARACTERS


def _tick(line: int, steps: int) -> nodes.Filter:
    """Pays for a round; prints nothing and is false. Its name keeps Jinja from running it when it compiles."""
    return _filter(nodes.Name("_on", "load", lineno=line), "_tick", nodes.Const(steps, lineno=line))


def _walk(node: nodes.Expr) -> nodes.Expr:
    return node if isinstance(node, nodes.Const) else _filter(node, "_walk")


class Guard(NodeTransformer):
    """Puts in what keeps a template within bounds, and the fallbacks."""

    def __init__(self, fallbacks: Mapping[str, Any], constants: Mapping[str, Any]) -> None:
        self.fallbacks, self.constants = fallbacks, constants

    def _with_tick(self, node: Any) -> Any:
        size = _size(node.body)
        self.generic_visit(node)
        node.body.insert(0, nodes.ExprStmt(_tick(node.lineno, size), lineno=node.lineno))
        return node

    def visit_For(self, node: nodes.For) -> Any:
        node = self._with_tick(node)
        if node.test is not None:  # what it leaves out never gets to the body
            node.test = nodes.Or(_tick(node.lineno, ROUND), node.test, lineno=node.lineno)
        return node

    def visit_Macro(self, node: nodes.Macro) -> Any:
        return self._with_tick(node)

    def visit_CallBlock(self, node: nodes.CallBlock) -> Any:
        return self._with_tick(node)

    def visit_Concat(self, node: nodes.Concat) -> Any:
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), "_concat")

    def _weighed(self, node: Any) -> Any:
        self.generic_visit(node)
        return node if _constant(node) else _filter(node, "_items")

    visit_List = visit_Dict = _weighed

    def visit_Tuple(self, node: nodes.Tuple) -> Any:
        return self._weighed(node) if node.ctx == "load" else self.generic_visit(node)

    def visit_Compare(self, node: nodes.Compare) -> Any:
        """`in` walks through its right side, all others through both, unless a constant ends it at once."""
        self.generic_visit(node)
        left = node.expr
        for operand in node.ops:
            right = operand.expr
            if operand.op in ("in", "notin") or (
                not isinstance(left, nodes.Const) and not isinstance(right, nodes.Const)
            ):
                operand.expr = _walk(right)
            left = right
        return node

    def visit_If(self, node: nodes.If) -> Any:
        """A condition asks for the value itself, not for its stand-in."""
        node.body = self._all(node.body)
        node.elif_ = self._all(node.elif_)
        node.else_ = self._all(node.else_)
        node.test = Guard({}, self.constants).visit(node.test)
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> Any:
        node.test = Guard({}, self.constants).visit(node.test)
        node.expr1 = self.visit(node.expr1)
        node.expr2 = self.visit(node.expr2) if node.expr2 is not None else None
        return node

    def visit_Test(self, node: nodes.Test) -> Any:
        return Guard({}, self.constants).generic_visit(node)

    def _all(self, children: list[Any]) -> list[Any]:
        result: list[Any] = []
        for child in children:
            visited = self.visit(child)
            result.extend(visited if isinstance(visited, list) else [visited])
        return result

    def _named(self, node: Any) -> Any:
        name = dotted(node)
        if name in self.constants:
            return nodes.Const(self.constants[name], lineno=node.lineno)
        if name in self.fallbacks:
            stand_in = nodes.Const(self.fallbacks[name], lineno=node.lineno)
            return _filter(node, "_or", stand_in)
        if isinstance(node, nodes.Name):
            return node
        self.generic_visit(node)
        sliced = isinstance(node, nodes.Getitem) and isinstance(node.arg, nodes.Slice)
        return _filter(node, "_items") if sliced else node  # a slice is a new text or list

    visit_Name = visit_Getattr = visit_Getitem = _named


def _constant(node: Any) -> bool:
    """A short list of texts needs no weighing."""
    return isinstance(node, (nodes.List, nodes.Tuple)) and all(isinstance(i, nodes.Const) for i in node.items)


class Printer(NodeTransformer):
    """Splits link slots out of static text; encodes static text and wraps what is printed."""

    def __init__(self, sandbox: Sandbox, *, coded: bool) -> None:
        self.sandbox, self.coded = sandbox, coded

    def visit_Output(self, node: nodes.Output) -> Any:
        node.nodes = [piece for child in node.nodes for piece in self._print(child)]
        return node

    def _print(self, child: Any) -> Iterator[Any]:
        if isinstance(child, nodes.Const) and isinstance(child.value, str) and self.coded:
            text = str(escape(child.value)) if self.sandbox.autoescape else child.value
            child = nodes.TemplateData(lines(text), lineno=child.lineno)
        if not isinstance(child, nodes.TemplateData):
            yield _filter(child, "_code" if self.coded else "_print")
            return
        for index, text in enumerate(SLOT.split(child.data)):
            if index % 2:
                yield nodes.Name(text, "load", lineno=child.lineno)
            elif text:
                yield nodes.TemplateData(encode(text) if self.coded else text, lineno=child.lineno)

    def _opaque(self, node: Any) -> Any:
        """What a macro or a block assignment prints is a value first."""
        return Printer(self.sandbox, coded=False).generic_visit(node)

    visit_Macro = visit_CallBlock = visit_FilterBlock = visit_AssignBlock = _opaque
