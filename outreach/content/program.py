"""A template text → a program that prints one recipient's part, plain or already quoted-printable.

The syntax tree is rewritten before Jinja compiles it: every loop and macro pays for its rounds, texts
that are put together are bounded, declared fallbacks stand in for empty values. For the encoded program,
static text is encoded at once and values are encoded where they are printed. Loops and conditions stay
as they are. What prints through Jinja itself (call and filter blocks, recursive loops) cannot be
rewritten so; such a template runs plain and is encoded afterwards (`fast` is False).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from html import unescape
from typing import Any

from jinja2 import Template, TemplateSyntaxError, nodes
from markupsafe import escape

from outreach.content import filters
from outreach.content.names import check, exposed, used
from outreach.content.problem import Where
from outreach.content.quoted import encode, lines
from outreach.content.rewrite import SLOT, Coder, Guard, Printer
from outreach.content.sandbox import Sandbox, as_problem

_SLOW = (nodes.CallBlock, nodes.FilterBlock, nodes.EvalContextModifier)


REMEMBERED = 20_000  # encoded values: companies, owners and countries repeat; names fill it to 3 MB at most


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
    exposed: frozenset[str] = field(default_factory=frozenset)  # of these, the ones printed without a condition
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
        shown = exposed(tree) & variables
        constant = _constant_text(tree)
        tree = Guard(fallbacks, constants or {}).visit(tree)
        slow = any(True for _ in tree.find_all(_SLOW)) or any(loop.recursive for loop in tree.find_all(nodes.For))
        plain = _compile(sandbox, Printer(sandbox, coded=False).visit(deepcopy(tree)))
        coded = None if slow else _compile(sandbox, Printer(sandbox, coded=True).visit(tree))
    except (
        TemplateSyntaxError,
        RecursionError,
        SyntaxError,
        MemoryError,
    ) as error:  # SyntaxError: of the generated Python
        line = error.lineno if isinstance(error, TemplateSyntaxError) else 1
        raise as_problem(error, where(line)) from error
    return Program(sandbox, plain, coded, where, variables, shown, constant)


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

    def tick(value: Any, steps: int) -> str:
        sandbox.spend(steps)
        return ""

    def walked(value: Any) -> Any:
        sandbox.charge(value)
        return value

    def fallback(value: Any, stand_in: Any) -> Any:
        empty = value is None or value == "" or value == [] or filters.is_undefined(value)
        return stand_in if empty else value

    return {
        "_code": code,
        "_print": lambda value: sandbox.checked(filters.printable(value)),
        "_dyn": dynamic,
        "_tick": tick,
        "_or": fallback,
        "_items": sandbox.checked,
        "_walk": walked,
        "_concat": lambda parts: sandbox.checked(filters.concatenate(parts)),
    }
