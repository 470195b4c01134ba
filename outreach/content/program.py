"""A template text → a program that prints one recipient's part, plain or already quoted-printable.

The syntax tree is rewritten before Jinja compiles it: every loop and macro pays for its rounds, texts
that are put together are bounded, declared fallbacks stand in for empty values. For the encoded program,
static text is encoded at once and values are encoded where they are printed. Loops and conditions stay
as they are. What prints through Jinja itself (call and filter blocks, recursive loops) cannot be
rewritten so; such a template runs plain and is encoded afterwards (`fast` is False).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from difflib import get_close_matches
from html import unescape
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from outreach.content import filters
from outreach.content.problem import ContentProblem, Where
from outreach.content.quoted import encode, lines
from outreach.content.sandbox import ALLOWED, Sandbox, as_problem

SLOT = re.compile("\ue000(\\w+)\ue001")  # where a link goes; put in after MJML, split out of static text here
_OPAQUE = (nodes.Macro, nodes.CallBlock, nodes.FilterBlock, nodes.AssignBlock)  # their prints are values
_FORBIDDEN = (nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends, nodes.Block)
_SLOW = (nodes.CallBlock, nodes.FilterBlock, nodes.EvalContextModifier)


def slot(name: str) -> str:
    """A mark in a template's static text that prints the context's value of that name."""
    return f"\ue000{name}\ue001"


REMEMBERED = 20_000  # encoded values: companies, owners and countries repeat; names fill it to 3 MB at most
_SLOT_NAME = re.compile(r"_(?:[lt]\d+|preview)")
_RAW = frozenset({"_code"})  # filters whose result is printed as it is
RESERVED = frozenset({"_h", "_dyn", "_open"})  # what links.py and compose.py write into a template


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


class CarriageReturn(Exception):
    """A value holds a lone CR, which would join with a neighbour's LF: encode the whole, not the parts."""


@dataclass
class Program:
    """A compiled part. `plain` and `coded` give text; both take the finished context."""

    sandbox: Sandbox
    plain_template: Template
    coded_template: Template | None
    where: Callable[[int], Where]
    variables: frozenset[str] = field(default_factory=frozenset)
    constant: str | None = None  # the text, where nothing in it changes

    @property
    def fast(self) -> bool:
        """Whether values are encoded one by one."""
        return self.coded_template is not None

    def plain(self, context: Mapping[str, Any]) -> str:
        """The text as a person reads it; raises ContentProblem with the line."""
        if self.constant is not None:
            return self.constant
        return self._run(self.plain_template, context)

    def coded(self, context: Mapping[str, Any], plain_slots: Callable[[], Mapping[str, Any]]) -> str:
        """The quoted-printable body. The context's slots are encoded; `plain_slots` gives them as text."""
        if self.coded_template is not None:
            try:
                return self._run(self.coded_template, context)
            except CarriageReturn:
                pass
        return encode(lines(self.plain({**context, **plain_slots()})))

    def _run(self, template: Template, context: Mapping[str, Any]) -> str:
        values = {**self.sandbox.globals, **context}
        try:
            return "".join(template.root_render_func(template.new_context(values, shared=True)))
        except CarriageReturn:
            raise
        except Exception as error:
            raise as_problem(error, self.where(_line(template, error))) from error


def _line(template: Template, error: BaseException) -> int:
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == (template.filename or "<template>"):
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def build(
    text: str,
    language: str,
    *,
    html: bool,
    known: frozenset[str],
    fallbacks: Mapping[str, Any],
    where: Callable[[int], Where],
    constants: Mapping[str, Any] | None = None,
) -> Program:
    """Compile one part. `known`: names a template may use; `fallbacks`: dotted name → stand-in,
    `constants`: name → what it is for all.

    `where` tells the place of a line of `text`. Raises ContentProblem.
    """
    sandbox = Sandbox(autoescape=html)
    sandbox.code_generator_class = Coder
    filters.install(sandbox, language, html=html)
    for name, function in _internal(sandbox, html).items():
        sandbox.filters[name] = function
    try:
        tree = sandbox.parse(text)
        for problem in check(tree, sandbox, known, where):
            raise problem
        variables = used(tree) - frozenset(constants or {})
        constant = _constant_text(tree)
        tree = _Guard(fallbacks, constants or {}).visit(tree)
        slow = any(True for _ in tree.find_all(_SLOW)) or any(loop.recursive for loop in tree.find_all(nodes.For))
        plain = _compile(sandbox, _Printer(sandbox, coded=False).visit(deepcopy(tree)))
        coded = None if slow else _compile(sandbox, _Printer(sandbox, coded=True).visit(tree))
    except (TemplateSyntaxError, RecursionError) as error:
        line = error.lineno if isinstance(error, TemplateSyntaxError) else 1
        raise as_problem(error, where(line)) from error
    return Program(sandbox, plain, coded, where, variables, constant)


def _constant_text(tree: nodes.Template) -> str | None:
    """The text of a template without constructs and slots, None for any other."""
    children = [child for node in tree.body if isinstance(node, nodes.Output) for child in node.nodes]
    fixed = all(isinstance(node, nodes.Output) for node in tree.body) and all(
        isinstance(child, nodes.TemplateData) and not SLOT.search(child.data) for child in children
    )
    return "".join(child.data for child in children if isinstance(child, nodes.TemplateData)) if fixed else None


def _compile(sandbox: Sandbox, tree: nodes.Template) -> Template:
    tree.set_environment(sandbox)
    code = sandbox._compile(sandbox._generate(tree, None, None), "<template>")
    return Template.from_code(sandbox, code, sandbox.globals)


def _internal(sandbox: Sandbox, html: bool) -> dict[str, Callable[..., Any]]:
    """Filters that only the rewritten tree uses; their names begin with _, which no author can write."""
    cache: dict[str, str] = {}

    def code(value: Any) -> str:
        repeats = type(value) is str  # not Markup, which equals a str that has yet to be escaped
        if repeats and value in cache:
            return cache[value]
        text = filters.printable(value)
        if "\r" in text:
            raise CarriageReturn
        sandbox.checked(text)
        coded = encode(str(escape(text)) if html else text) if text else ""
        if repeats and len(value) <= 64 and len(cache) < REMEMBERED:
            cache[value] = coded
        return coded

    def dynamic(href: Any) -> str:
        url = unescape(str(href)) if html else str(href)
        return sandbox.link(url.strip())

    def tick(value: Any) -> str:
        sandbox.spend(1)
        return ""

    def fallback(value: Any, stand_in: Any) -> Any:
        empty = value is None or value == "" or value == [] or filters.is_undefined(value)
        return stand_in if empty else value

    return {
        "_code": code,
        "_print": filters.printable,
        "_dyn": dynamic,
        "_tick": tick,
        "_or": fallback,
        "_items": filters.container,
        "_concat": lambda parts: sandbox.checked(filters.concatenate(parts)),
    }


def check(
    tree: nodes.Template, sandbox: Sandbox, known: frozenset[str], where: Callable[[int], Where]
) -> Iterator[ContentProblem]:
    """What an author may not write, each with its place."""
    own = {node.name for node in tree.find_all(nodes.Name) if node.ctx in ("store", "param")}
    own |= {macro.name for macro in tree.find_all(nodes.Macro)} | set(sandbox.globals)
    own |= {"loop", "caller", "varargs", "kwargs"}
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


def _filter(node: nodes.Expr, name: str, *args: nodes.Expr) -> nodes.Filter:
    return nodes.Filter(node, name, list(args), [], None, None, lineno=node.lineno)


class _Guard(NodeTransformer):
    """Puts in what keeps a template within bounds, and the fallbacks."""

    def __init__(self, fallbacks: Mapping[str, Any], constants: Mapping[str, Any]) -> None:
        self.fallbacks, self.constants = fallbacks, constants

    def _with_tick(self, node: Any) -> Any:
        self.generic_visit(node)
        on = nodes.Name("_on", "load", lineno=node.lineno)  # a name, so that Jinja does not run it when it compiles
        node.body.insert(0, nodes.ExprStmt(_filter(on, "_tick"), lineno=node.lineno))
        return node

    def visit_For(self, node: nodes.For) -> Any:
        return self._with_tick(node)

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

    def visit_If(self, node: nodes.If) -> Any:
        """A condition asks for the value itself, not for its stand-in."""
        node.body = self._all(node.body)
        node.elif_ = self._all(node.elif_)
        node.else_ = self._all(node.else_)
        node.test = _Guard({}, self.constants).visit(node.test)
        return node

    def visit_CondExpr(self, node: nodes.CondExpr) -> Any:
        node.test = _Guard({}, self.constants).visit(node.test)
        node.expr1 = self.visit(node.expr1)
        node.expr2 = self.visit(node.expr2) if node.expr2 is not None else None
        return node

    def visit_Test(self, node: nodes.Test) -> Any:
        return _Guard({}, self.constants).generic_visit(node)

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
        return node if isinstance(node, nodes.Name) else self.generic_visit(node)

    visit_Name = visit_Getattr = visit_Getitem = _named


def _constant(node: Any) -> bool:
    """A short list of texts needs no weighing."""
    return isinstance(node, (nodes.List, nodes.Tuple)) and all(isinstance(i, nodes.Const) for i in node.items)


class _Printer(NodeTransformer):
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
        return _Printer(self.sandbox, coded=False).generic_visit(node)

    visit_Macro = visit_CallBlock = visit_FilterBlock = visit_AssignBlock = _opaque
