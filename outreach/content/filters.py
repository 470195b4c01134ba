"""The filters, tests and functions that a template may use, each with bounded arguments and results.

Dates, numbers and money follow the mail's language (Babel, CLDR). `spin` chooses a wording by a stable
hash, so a retry sends the same bytes. Left out on purpose: `random` (not repeatable), `attr`, `tojson`,
`xmlattr`, `urlize` (its links would not be counted), `pprint`, `lipsum`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime
from hashlib import blake2b
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from jinja2 import filters as builtin
from jinja2 import pass_context
from jinja2.runtime import Undefined
from jinja2.tests import TESTS
from jinja2.utils import Cycler, Joiner, Namespace
from markupsafe import Markup, escape

from outreach.content.languages import babel_locale, country_name
from outreach.content.problem import ContentProblem
from outreach.content.sandbox import ITEMS, TEXT, Sandbox, cost

WIDTH = 1_000  # of padding, indents and precision: wider than any screen

# Jinja's own, safe as they are: what they return is no larger than what they are given.
_PLAIN = (
    *("abs", "capitalize", "count", "d", "default", "dictsort", "e", "escape", "filesizeformat", "first", "float"),
    *("forceescape", "groupby", "int", "items", "last", "length", "list", "lower", "map", "max", "min", "reject"),
    *("rejectattr", "reverse", "safe", "select", "selectattr", "sort", "striptags", "sum", "title", "trim"),
    *("unique", "upper", "urlencode", "wordcount"),
)
_WIDTHS = ("batch", "center", "indent", "round", "slice", "truncate", "wordwrap")
_TESTS = (
    *("boolean", "defined", "divisibleby", "eq", "equalto", "even", "false", "ge", "gt", "greaterthan", "in"),
    *("integer", "float", "iterable", "le", "lt", "lessthan", "lower", "mapping", "ne", "none", "number", "odd"),
    *("sequence", "string", "true", "undefined", "upper", "==", "!=", "<", "<=", ">", ">="),
)


def install(sandbox: Sandbox, language: str, *, html: bool) -> None:
    """Give an environment exactly these filters, tests and functions."""
    sandbox.filters.clear()
    sandbox.tests.clear()
    sandbox.tests.update({name: _paid(sandbox, TESTS[name]) for name in _TESTS if name in TESTS})
    for name in _PLAIN:
        sandbox.filters[name] = _guard(sandbox, builtin.FILTERS[name])
    for name in _WIDTHS:
        sandbox.filters[name] = _guard(sandbox, builtin.FILTERS[name], limit=WIDTH)
    for name, function in _own(sandbox, language).items():
        sandbox.filters[name] = _guard(sandbox, function)
    if not html:  # one source makes both parts: marks of HTML mean nothing in the text part
        for name in ("e", "escape", "forceescape", "safe", "nl2br"):
            sandbox.filters[name] = _text
    sandbox.globals.update(_functions(sandbox))


def _guard(sandbox: Sandbox, function: Callable[..., Any], limit: int | None = None) -> Callable[..., Any]:
    """Bound what a filter is told and what it returns, pay for what it walks through; a lazy result becomes a list."""
    passes = getattr(function, "jinja_pass_arg", None)
    first = 1 if passes is None else 2

    def call(*args: Any, **kwargs: Any) -> Any:
        value, told = args[first - 1], (*args[first:], *kwargs.values())
        sandbox.spend(1 + cost(value) * _parts(value, told))
        sandbox.charge(*told)
        if limit is not None:
            _bound(told, limit)
        result = function(*args, **kwargs)
        return sandbox.checked(list(result) if hasattr(result, "__next__") else result)

    call.__dict__.update(getattr(function, "__dict__", {}))
    return call


def _parts(value: Any, told: Iterable[Any]) -> int:
    """How often each element is looked at: `map(attribute="a.b")` and `sort(attribute="a,b")` look two times."""
    if isinstance(value, str):
        return 1
    return 1 + sum(text.count(".") + text.count(",") for text in told if isinstance(text, str))


def _paid(sandbox: Sandbox, function: Any) -> Callable[..., bool]:
    """A test that pays for what it walks through."""

    def call(*args: Any) -> bool:
        sandbox.spend(1 + sum(map(cost, args)))
        return bool(function(*args))

    return call


def _bound(arguments: Iterable[Any], limit: int) -> None:
    for argument in arguments:
        if isinstance(argument, (int, float)) and abs(argument) > limit:
            raise ContentProblem("jinja.too_big", limit=limit)
        if isinstance(argument, str) and len(argument) > limit:
            raise ContentProblem("jinja.too_big", limit=limit)


def _own(sandbox: Sandbox, language: str) -> dict[str, Callable[..., Any]]:
    locale = babel_locale(language)

    @pass_context  # so that Jinja does not choose once for all when it compiles
    def spin(_context: Any, value: Any) -> Any:
        """One of a list, or of `a|b|c`; always the same one for the same message."""
        choices = value.split("|") if isinstance(value, str) else list(value)
        if not choices:
            return ""
        key = "|".join([sandbox.seed, *map(str, choices)]).encode("utf-8", "replace")
        return choices[int.from_bytes(blake2b(key, digest_size=8).digest(), "big") % len(choices)]

    return {
        "date": lambda value, style="long": _date(value, style, locale),
        "number": lambda value: "" if _empty(value) else format_decimal(_number(value), locale=locale),
        "money": lambda value, currency="USD": _money(value, currency, locale),
        "percent": lambda value: "" if _empty(value) else format_percent(_number(value), locale=locale),
        "country": lambda value: country_name(str(value or ""), language),
        "string": _text,
        "join": _join,
        "replace": _replace,
        "format": _format,
        "nl2br": lambda value: Markup("<br>").join(escape(_text(value)).splitlines()),
        "spin": spin,
    }


def _functions(sandbox: Sandbox) -> dict[str, Any]:
    def spin(*choices: str) -> Any:
        return sandbox.filters["spin"](None, choices[0] if len(choices) == 1 else list(choices))

    def bounded_range(*args: int) -> range:
        numbers = range(*args)
        if len(numbers) > ITEMS:
            raise ContentProblem("jinja.work", limit=ITEMS)
        return numbers

    return {"range": bounded_range, "namespace": Namespace, "cycler": Cycler, "joiner": Joiner, "spin": spin}


def _empty(value: Any) -> bool:
    return value is None or value == "" or isinstance(value, Undefined)


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return float(value.replace(",", "").strip())
    return value


def _date(value: Any, style: str, locale: Any) -> str:
    if _empty(value):
        return ""
    try:
        day = value if isinstance(value, date) else datetime.fromisoformat(str(value).strip())
    except ValueError as error:
        raise ContentProblem("filter.date", value=value) from error
    return format_date(day, format=style if len(style) <= 40 else "long", locale=locale)


def _money(value: Any, currency: str, locale: Any) -> str:
    return "" if _empty(value) else format_currency(_number(value), str(currency)[:3].upper(), locale=locale)


def _text(value: Any) -> Any:
    """A value as it is printed; lists and tables have no one way to be printed."""
    if isinstance(value, (str, int, float)):
        return value if isinstance(value, str) else str(value)
    if value is None or isinstance(value, Undefined):
        return ""
    kind = "table" if isinstance(value, dict) else "list" if isinstance(value, (list, tuple)) else "object"
    raise ContentProblem("jinja.print", kind=kind)


def _join(values: Iterable[Any], separator: str = "", attribute: str | int | None = None) -> Any:
    items = list(values)
    if attribute is not None:
        items = [item.get(attribute, "") if isinstance(item, dict) else "" for item in items]
    texts = [_text(item) for item in items]
    if sum(map(len, texts)) + len(separator) * len(texts) > TEXT:
        raise ContentProblem("jinja.too_big", limit=TEXT)
    if any(isinstance(text, Markup) for text in (separator, *texts)):
        return Markup(separator if isinstance(separator, Markup) else escape(separator)).join(texts)
    return separator.join(texts)


def _replace(value: Any, old: str, new: str, count: int = -1) -> Any:
    text, old, new = _text(value), _text(old), _text(new)
    if len(text) + (text.count(old) if old else len(text) + 1) * len(new) > TEXT:
        raise ContentProblem("jinja.too_big", limit=TEXT)
    return text.replace(old, new, count)


def _format(value: Any, *args: Any) -> str:
    """printf-style, without widths that fill the memory."""
    pattern = _text(value)
    if any(len(digits) > 3 for digits in "".join(c if c.isdigit() else " " for c in pattern).split()):
        raise ContentProblem("jinja.too_big", limit=WIDTH)
    if "*" in pattern:
        raise ContentProblem("jinja.forbidden", what="%*")
    return str(pattern % tuple(item if isinstance(item, (int, float)) else _text(item) for item in args))


def concatenate(parts: list[Any]) -> Any:
    """`a ~ b`, bounded."""
    return _join(parts)


printable = _text


def is_undefined(value: Any) -> bool:
    """A variable that nobody gave."""
    return isinstance(value, Undefined)
