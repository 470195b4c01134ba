"""template.toml, checked: titles, subjects, preview texts, languages by country, variables, values.

[variables.X]  differs from recipient to recipient; what stands here is the fallback
[values.X]     the same for all (a product's name, the address behind a button); fixed when compiled
[labels.X]     what the form of words calls a value, for staff
images = "served"    pictures are loaded from our own address; left out, they travel inside the mail
Both by language: `[values.product] en = "…" zh = "…"`; a value may also be a list or a table.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from outreach.content.languages import base_language
from outreach.content.problem import ContentProblem, Where

FILE = "template.toml"
KEYS = (
    "fallback", "title", "description", "subject", "preview", "countries", "variables", "values", "images", "labels",
)  # fmt: skip
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$")


@dataclass(frozen=True)
class Variable:
    """A declared variable and what stands in for it, by language, where a recipient has none."""

    name: str
    fallbacks: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def fallback(self, language: str, other: str = "") -> Any:
        """The stand-in for that language, its base language, the other language, or none (None)."""
        for key in ("", language, base_language(language), other):
            if key in self.fallbacks:
                return self.fallbacks[key]
        return None


@dataclass(frozen=True)
class Manifest:
    """What template.toml says. served: pictures are loaded from the tracking address, not carried in the mail."""

    fallback: str = "en"
    title: Mapping[str, str] = field(default_factory=dict, hash=False)
    description: Mapping[str, str] = field(default_factory=dict, hash=False)
    subject: Mapping[str, str] = field(default_factory=dict, hash=False)
    preview: Mapping[str, str] = field(default_factory=dict, hash=False)
    countries: Mapping[str, str] = field(default_factory=dict, hash=False)
    variables: Mapping[str, Variable] = field(default_factory=dict, hash=False)
    values: Mapping[str, Variable] = field(default_factory=dict, hash=False)
    served: bool = False
    labels: Mapping[str, Variable] = field(default_factory=dict, hash=False)

    def label(self, name: str, language: str) -> str:
        """What staff call a value; its name in words where template.toml does not say."""
        known = self.labels.get(name)
        told = known.fallback(language, "en") if known else None
        return str(told) if told is not None else name.replace("_", " ").replace(".", " · ")


def parse_manifest(text: str) -> Manifest:
    """Read the file's text; raises ContentProblem with the line."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ContentProblem("template.toml", _error_place(str(error), text), detail=error) from error
    for key in data:
        if key not in KEYS:
            raise ContentProblem("template.key", _key_place(text, key), key=key, allowed=", ".join(KEYS))
    fallback = data.get("fallback", "en")
    if not isinstance(fallback, str) or not _LANGUAGE.match(fallback):
        raise _bad(text, "fallback", "“en”, “zh”, …")
    images = data.get("images", "embedded")
    if images not in ("embedded", "served"):
        raise _bad(text, "images", "“embedded”, “served”")
    tables = {key: _texts(text, data, key, fallback) for key in KEYS[1:6]}
    return Manifest(
        fallback=fallback,
        variables=_variables(text, data, "variables"),
        values=_variables(text, data, "values"),
        served=images == "served",
        labels=_variables(text, data, "labels"),
        **tables,
    )


def _texts(text: str, data: dict[str, Any], key: str, fallback: str) -> dict[str, str]:
    """A table of texts by language; a bare text counts for the fallback language."""
    value = data.get(key, {})
    if isinstance(value, str):
        value = {fallback: value}
    if not isinstance(value, dict) or not all(isinstance(item, str) for item in value.values()):
        raise _bad(text, key, '{ en = "…", zh = "…" }')
    return {name.upper() if key == "countries" else name: item for name, item in value.items()}


def _variables(text: str, data: dict[str, Any], key: str) -> dict[str, Variable]:
    table = data.get(key, {})
    if not isinstance(table, dict):
        raise _bad(text, key, f'[{key}.name] en = "…"')
    return {name: variable for key, value in table.items() for name, variable in _variable(text, key, value)}


def _variable(text: str, name: str, value: Any) -> list[tuple[str, Variable]]:
    """`[variables.owner.phone]` arrives as nested tables: names are dotted here."""
    if not isinstance(value, dict):
        return [(name, Variable(name, {"": value}))]
    if all(_LANGUAGE.match(key) for key in value):
        return [(name, Variable(name, value))]
    if not all(isinstance(item, dict) for item in value.values()):
        raise _bad(text, name, '{ en = "…", zh = "…" }')
    return [pair for key, item in value.items() for pair in _variable(text, f"{name}.{key}", item)]


def _bad(text: str, key: str, expected: str) -> ContentProblem:
    return ContentProblem("template.value", _key_place(text, key), key=key, expected=expected)


def _key_place(text: str, key: str) -> Where:
    for number, line in enumerate(text.splitlines(), 1):
        match = re.search(rf"(?<![\w-]){re.escape(key.rsplit('.')[-1])}(?![\w-])", line)
        if match:
            return Where(FILE, number, match.start() + 1)
    return Where(FILE)


def _error_place(message: str, text: str) -> Where:
    match = re.search(r"line (\d+), column (\d+)", message)
    if match:
        return Where(FILE, int(match[1]), int(match[2]))
    return Where(FILE, max(len(text.splitlines()), 1))  # "at end of document"
