"""Writes the reference pages of docs/ from the code: `make docs`. tests/test_docs.py fails while they are stale.

docs/cli.md from the Typer app, docs/config.md from the settings, docs/states.md from the TRANSITIONS tables.
"""

from __future__ import annotations

import enum
import importlib
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from tests.inbox import precision

ROOT = Path(__file__).resolve().parents[1]
CONFIG_INTRO = """\
# config.toml

`config.example.toml` holds the same keys with examples. A key that is left out has its default. Secrets never stand in
the file. In the environment `OUTREACH_SECTION__KEY` overrides a key.
"""
CLI_INTRO = """\
# Command line

Configuration comes from `--config`, `$OUTREACH_CONFIG` or `./config.toml`. Every command has `--json`: one JSON
document on stdout and everything else on stderr. Exit codes: 0 done, 1 refused or failed (the message says why and what
to do), 2 wrong usage.
"""
NOTE = "<!-- Written by `make docs` from the code. Change it there. -->\n\n"


# --- docs/config.md ---------------------------------------------------------------------------------------------------


def type_name(annotation: Any) -> str:
    """A type as a reader of TOML understands it."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return type_name(inner[0])
    if origin is typing.Literal:
        return " \\| ".join(f"`{value}`" for value in inner)
    if origin in (typing.Union, types.UnionType):
        return " or ".join(type_name(part) for part in inner if part is not type(None))
    if origin is list:
        return f"list of {type_name(inner[0])}"
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " \\| ".join(f"`{member.value}`" for member in annotation)
    plain = {str: "text", int: "whole number", float: "number", bool: "true or false", dict: "table", Path: "path"}
    return plain.get(annotation, "table" if model_in(annotation) else str(getattr(annotation, "__name__", annotation)))


def model_in(annotation: Any) -> type[BaseModel] | None:
    """The settings class inside an annotation, if there is one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in typing.get_args(annotation) if (found := model_in(part))), None)


def toml_value(value: Any) -> str:
    if isinstance(value, BaseModel):
        return "{ " + ", ".join(f"{key} = {toml_value(item)}" for key, item in value if item is not None) + " }"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, enum.Enum):
        return toml_value(value.value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(item) for item in value) + "]"
    return f'"{value}"' if isinstance(value, str) else str(value)


def default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    value = field.get_default(call_default_factory=True)
    return "" if value in (None, PydanticUndefined) else f"`{toml_value(value)}`"


def limits_of(field: FieldInfo) -> str:
    """ge=1, le=9 → "at least 1, at most 9"."""
    words = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than", "min_length": "at least"}
    found = [
        f"{text} {getattr(rule, key)}" for rule in field.metadata for key, text in words.items() if hasattr(rule, key)
    ]
    return ", ".join(found)


def config_rows(model: type[BaseModel]) -> Iterator[str]:
    yield "| key | value | default | meaning |\n| --- | --- | --- | --- |\n"
    for name, field in model.model_fields.items():
        meaning = "; ".join(part for part in (field.description or "", limits_of(field)) if part)
        yield f"| `{name}` | {type_name(field.annotation)} | {default_of(field)} | {meaning} |\n"


def config_section(title: str, model: type[BaseModel], level: int, seen: set[type[BaseModel]]) -> Iterator[str]:
    """A class as a table of its keys, then the classes inside it."""
    caption = (model.__doc__ or "").strip().split("\n\n")[0]
    yield f"\n{'#' * level} {title}\n\n{caption}\n\n"
    yield from config_rows(model)
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        if inner is not None and inner not in seen:
            seen.add(inner)
            yield from config_section(f"`{name}` of {title}", inner, 3, seen)


def config_page() -> str:
    settings = importlib.import_module("outreach.config").Settings
    parts = [NOTE, CONFIG_INTRO]
    seen: set[type[BaseModel]] = set()
    for name, field in settings.model_fields.items():
        model = model_in(field.annotation)
        if model is None:
            continue  # the folder of the file, which no file sets
        title = f"[[{name}]]" if typing.get_origin(field.annotation) is list else f"[{name}]"
        parts += config_section(title, model, 2, seen)
    return "".join(parts)


# --- docs/cli.md ------------------------------------------------------------------------------------------------------


def plain(text: str | None) -> str:
    """Help text without Rich's markup and line breaks."""
    return re.sub(r"\s+", " ", (text or "").replace("\b", "")).strip()


def parameter_row(parameter: Any) -> str:
    is_argument = parameter.param_type_name == "argument"
    names = parameter.name.upper() if is_argument else ", ".join([*parameter.opts, *parameter.secondary_opts])
    is_flag = getattr(parameter, "is_flag", False)
    kind = "" if is_flag else parameter.metavar or type_name(parameter.type_descriptor.annotation)
    default = parameter.default
    shown = "" if default in (None, False, (), []) or callable(default) else f"`{getattr(default, 'value', default)}`"
    required = " (required)" if parameter.required else ""
    return f"| `{names}` | {kind} | {shown} | {plain(parameter.help)}{required} |\n"


def command_section(path: str, command: Any) -> Iterator[str]:
    """A command with its options, or a group with its commands."""
    if command.hidden:
        return
    children = getattr(command, "commands", None)
    if not children or path == "outreach":
        yield f"\n## {path}\n\n{plain(command.help)}\n"
        shown = [p for p in command.params if not getattr(p, "hidden", False) and p.name not in {"help", "as_json"}]
        if shown:
            yield "\n| parameter | value | default | meaning |\n| --- | --- | --- | --- |\n"
            yield from map(parameter_row, shown)
    for name in sorted(children or {}):
        yield from command_section(f"{path} {name}", children[name])


def cli_page() -> str:
    import typer.main

    app = importlib.import_module("outreach.main").app
    return NOTE + CLI_INTRO + "".join(command_section("outreach", typer.main.get_command(app)))


# --- docs/states.md ---------------------------------------------------------------------------------------------------


def machines() -> list[tuple[str, Any]]:
    """Every state.py with a TRANSITIONS table: (where it is, module)."""
    package = ROOT / "outreach"
    names = sorted(path.parent.relative_to(package).as_posix() for path in package.rglob("state.py"))
    modules = [(name, importlib.import_module(f"outreach.{name.replace('/', '.')}.state")) for name in names]
    return [(name, module) for name, module in modules if hasattr(module, "TRANSITIONS")]


def states_page() -> str:
    parts = [NOTE, "# States\n\nEach life is a table in the code; what is not listed cannot happen.\n"]
    for name, module in machines():
        caption = (module.__doc__ or "").strip().split("\n")[0]
        parts.append(f"\n## {name}\n\n{caption}\n\n```mermaid\n{module.mermaid().strip()}\n```\n")
    return "".join(parts)


PAGES = {"cli.md": cli_page, "config.md": config_page, "inbox.md": precision.page, "states.md": states_page}


if __name__ == "__main__":
    for page, make in PAGES.items():
        (ROOT / "docs" / page).write_text(make(), encoding="utf-8")
        print(f"docs/{page}")
