"""The Jinja that templates may use: plain values only, and a budget of work.

A template is written by staff, and a stored one may be written by whoever got hold of an account, so
it is treated as hostile. Three fences:
- values are str, numbers, dict, list; attributes and methods are listed by type (ALLOWED), all others
  do not exist, so there is no walk from a text to the interpreter;
- filters, tests and functions are listed (filters.py);
- every loop round (by the size of its body), macro call, filter, test and comparison (by the size of what
  it walks through) spends from a budget that is counted in steps and characters, not in seconds: the same
  template is refused on every machine.
"""

from __future__ import annotations

import math
from collections.abc import Callable, ItemsView, KeysView, ValuesView
from typing import Any, NoReturn

from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.filters import _GroupTuple
from jinja2.runtime import ChainableUndefined, LoopContext, Macro, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Cycler, Joiner, Namespace
from markupsafe import Markup

from outreach.content.problem import ContentProblem, Where

STEPS = 50_000  # of work for one mail; the largest shipped template spends about 100
TEXT = 500_000  # characters of one value: five times what Gmail shows of a whole mail
ITEMS = 10_000  # elements of one list, nested ones counted in
ROUND = 1  # cost of a loop round
CHARACTERS = 64  # characters of a result that cost as much as a loop round
ELEMENTS = 4  # of a list that cost as much as a loop round when they are walked through (some 2 µs each, at worst)
BITS = 256  # of an integer: no price is longer

_TEXT_METHODS = frozenset(
    {"upper", "lower", "title", "capitalize", "strip", "lstrip", "rstrip", "split", "startswith", "endswith"}
    | {"find", "count", "isdigit"}
)
_LOOP = frozenset(
    {"index", "index0", "revindex", "revindex0", "first", "last", "length", "depth", "depth0", "previtem"}
    | {"nextitem", "cycle", "changed"}
)
ALLOWED: dict[type, frozenset[str]] = {
    str: _TEXT_METHODS,
    Markup: _TEXT_METHODS,
    dict: frozenset({"items", "keys", "values", "get"}),
    list: frozenset({"index", "count"}),
    tuple: frozenset({"index", "count"}),
    LoopContext: _LOOP,
    Cycler: frozenset({"next", "current", "reset"}),
    _GroupTuple: frozenset({"grouper", "list"}),
}
_LAZY = (range, KeysView, ValuesView, ItemsView)  # hold nothing of their own, and can be walked through
_CALLABLE = (LoopContext, Joiner, Macro)


class Sandbox(ImmutableSandboxedEnvironment):
    """One environment a compiled content; not to be shared between threads that render."""

    intercepted_binops = frozenset(["+", "-", "*", "/", "//", "%", "**"])

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(
            autoescape=autoescape,
            keep_trailing_newline=True,
            cache_size=0,
            undefined=ChainableUndefined,  # `owner.phone` of a contact without owner prints nothing
        )
        self.left = STEPS
        self.seed = ""  # of the wordings that spin chooses; a mail's own id
        self.link: Callable[[str], str] = str  # what becomes of a link that is only known at run time
        self.globals.clear()

    def reset(self) -> None:
        """A new mail begins."""
        self.left = STEPS

    def spend(self, steps: int) -> None:
        """Raises ContentProblem when the budget is used up."""
        self.left -= steps
        if self.left < 0:
            raise ContentProblem("jinja.work", limit=STEPS)

    def charge(self, *values: Any) -> None:
        """Pay for walking once through each of the values."""
        self.spend(sum(map(cost, values)))

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        if isinstance(obj, (Namespace, Undefined)):
            return not attr.startswith("_")
        return attr in ALLOWED.get(type(obj), frozenset())

    def is_safe_callable(self, obj: Any) -> bool:
        if isinstance(obj, _CALLABLE) or obj in self.globals.values():
            return True
        owner = getattr(obj, "__self__", None)
        return getattr(obj, "__name__", "") in ALLOWED.get(type(owner), frozenset())

    def unsafe_undefined(self, obj: Any, attribute: str) -> NoReturn:
        raise ContentProblem("jinja.forbidden", what=f"{type(obj).__name__}.{attribute}")

    def call(__self, __context: Any, __obj: Any, *args: Any, **kwargs: Any) -> Any:
        __self.spend(ROUND + cost(getattr(__obj, "__self__", None)))  # `text.count` walks through the text
        __self.charge(*args, *kwargs.values())
        return __self.checked(super().call(__context, __obj, *args, **kwargs))

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic whose result stays small; `%` formats no texts (that is what `format` is for)."""
        if operator == "%" and isinstance(left, str):
            raise ContentProblem("jinja.forbidden", what="%")
        _check_operands(operator, left, right)
        return self.checked(super().call_binop(context, operator, left, right))

    def checked(self, value: Any) -> Any:
        """The value, if it is small enough; its making is paid for."""
        if isinstance(value, str):
            self.spend(ROUND + len(value) // CHARACTERS)
            if len(value) > TEXT:
                raise ContentProblem("jinja.too_big", limit=TEXT)
        elif isinstance(value, (list, tuple, dict)):
            self.spend(ROUND + weigh(value) // 8)  # made by the machine's own loops: half of a walk
        elif isinstance(value, int) and value.bit_length() > BITS:
            raise ContentProblem("jinja.too_big", limit=BITS)
        return value


def cost(value: Any) -> int:
    """Steps that walking once through a value costs; raises ContentProblem for one that is too large."""
    if isinstance(value, str):
        return len(value) // CHARACTERS
    if isinstance(value, (list, tuple, dict)):
        return weigh(value) // ELEMENTS
    return len(value) // ELEMENTS if isinstance(value, _LAZY) else 0


def weigh(value: Any) -> int:
    """Elements of a nested value, long texts as several; raises ContentProblem beyond ITEMS.

    A list may hold itself many times: each time counts.
    """
    weight, open_ = 0, [value]
    while open_:
        item = open_.pop()
        weight += 1
        if weight > ITEMS:
            raise ContentProblem("jinja.too_big", limit=ITEMS)
        if isinstance(item, dict):
            weight += len(item)
            open_.extend(item.values())
        elif isinstance(item, (list, tuple)):
            if len(item) > ITEMS:
                raise ContentProblem("jinja.too_big", limit=ITEMS)
            open_.extend(item)
        elif isinstance(item, str):
            weight += len(item) // CHARACTERS
    return weight


def _check_operands(operator: str, left: Any, right: Any) -> None:
    if operator == "*":
        for sequence, times in ((left, right), (right, left)):
            if isinstance(sequence, (str, list, tuple)) and isinstance(times, int):
                _limit(len(sequence) * times, TEXT if isinstance(sequence, str) else ITEMS)
    elif operator == "**":
        if not (_is_number(left) and _is_number(right)) or abs(right) > 64:
            raise ContentProblem("jinja.too_big", limit=BITS)
        if abs(left) > 1 and abs(right) * math.log2(abs(left)) > BITS:
            raise ContentProblem("jinja.too_big", limit=BITS)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _limit(size: int, limit: int) -> None:
    if size > limit:
        raise ContentProblem("jinja.too_big", limit=limit)


def as_problem(error: BaseException, where: Where) -> ContentProblem:
    """Whatever rendering raised, as a ContentProblem with a place."""
    if isinstance(error, ContentProblem):
        return error if error.line or not where.line else ContentProblem(error.code, where, **error.details)
    if isinstance(error, TemplateSyntaxError):
        return ContentProblem("jinja.syntax", where, detail=error.message or "")
    if isinstance(error, SecurityError):
        return ContentProblem("jinja.forbidden", where, what=str(error))
    if isinstance(error, (UndefinedError, TemplateError)):
        return ContentProblem("jinja.run", where, detail=error.message or "")
    if isinstance(error, (RecursionError, SyntaxError, MemoryError)):
        return ContentProblem("jinja.nested", where)
    return ContentProblem("jinja.run", where, detail=f"{type(error).__name__}: {error}")
