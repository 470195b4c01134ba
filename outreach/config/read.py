"""Reads and checks config.toml: a wrong key or value is refused with its line and with what is allowed there."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from outreach.campaigns.refusal import check_words
from outreach.config.mailbox import ConfigError
from outreach.config.settings import Settings


def presets() -> dict[str, dict[str, Any]]:
    """Return the provider presets (sending/providers.toml), by name."""
    text = resources.files("outreach").joinpath("sending/providers.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def find_config(explicit: str | None = None) -> Path:
    """Return the configuration's path: --config, $OUTREACH_CONFIG, ./config.toml. Raises ConfigError if absent."""
    path = Path(explicit or os.environ.get("OUTREACH_CONFIG") or "config.toml")
    if not path.is_file():
        raise ConfigError(
            f"there is no configuration at {path}: run  outreach init  or name one with --config FILE",
            f"{path} 处没有配置文件：请运行  outreach init  或用 --config FILE 指定",
        )
    return path


def load(path: Path) -> Settings:
    """Read and check a configuration file. Raises ConfigError naming line, key and what is allowed."""
    text = path.read_text(encoding="utf-8-sig")
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    for number, box in enumerate(raw.get("mailbox", [])):
        _apply_preset(box, path, text, number)
    try:
        return Settings(**raw, folder=path.parent, file=path)
    except ValidationError as error:
        told = [_explain(problem, path, text) for problem in error.errors()]
        raise ConfigError(*("\n".join(said) for said in zip(*told, strict=True))) from error


#: What a preset may set of a mailbox; the rest of providers.toml is for sending and the inbox.
PRESET_KEYS = (
    *("smtp", "imap", "connections", "limits", "files_sent", "quota_scope", "folders"),
    *("spf_include", "dkim_selectors"),
)


def _apply_preset(box: Any, path: Path, text: str, number: int) -> None:
    """Lay the mailbox's own keys over its provider's preset, in place."""
    name = box.get("provider") if isinstance(box, dict) else None
    if not name:
        return
    known = presets()
    if name not in known:
        line = line_of(text, ("mailbox", number, "provider"))
        en, zh = _did_you_mean(str(name), known)
        there = ", ".join(sorted(known))
        raise ConfigError(
            f"{path}:{line}: unknown provider {name!r}{en}; there are: {there}",
            f"{path}:{line}：没有名为 {name!r} 的服务商{zh}；可选：{there}",
        )
    for key in PRESET_KEYS:
        given = known[name].get(key)
        if given is None:
            continue
        if isinstance(given, dict) and isinstance(box.get(key, {}), dict):
            box[key] = {**given, **box.get(key, {})}
        else:
            box.setdefault(key, given)


def _explain(problem: Any, path: Path, text: str) -> tuple[str, str]:
    """Return what is wrong with one value, where, and what is allowed, in English and Chinese."""
    location = tuple(part for part in problem["loc"] if isinstance(part, str | int))
    where = f"{path}:{line_of(text, location)}"
    dotted = ".".join(str(part) for part in location)
    if problem["type"] == "extra_forbidden":
        allowed = _allowed_keys(location[:-1])
        en, zh = _did_you_mean(str(location[-1]), allowed)
        listed = ", ".join(allowed)
        return (
            f"{where}: unknown key {dotted}{en}; allowed here: {listed}",
            f"{where}：未知的键 {dotted}{zh}；此处可用：{listed}",
        )
    if problem["type"] == "missing":
        return f"{where}: {dotted} is missing", f"{where}：缺少 {dotted}"
    message, said = check_words(problem)
    found = ("", "") if _secretive(location) else (f" (found {problem['input']!r})", f"（现为 {problem['input']!r}）")
    if location and location[-1] == "password" and isinstance(problem["input"], str):
        ways = ('{ env = "NAME" }', '{ file = "PATH" }', '{ keyring = "NAME" }')
        message = f"a password never stands in the file: use {ways[0]}, {ways[1]} or {ways[2]}"
        said = f"密码不写在文件里：请用 {ways[0]}、{ways[1]} 或 {ways[2]}"
    return f"{where}: {dotted}: {message}{found[0]}", f"{where}：{dotted}：{said}{found[1]}"


def _secretive(location: tuple[str | int, ...]) -> bool:
    return any(part in ("password", "oauth2", "client_secret", "refresh_token") for part in location)


def _did_you_mean(word: str, allowed: Mapping[str, Any] | list[str]) -> tuple[str, str]:
    close = difflib.get_close_matches(word, list(allowed), n=1)
    return (f" (did you mean {close[0]}?)", f"（是否指 {close[0]}？）") if close else ("", "")


def _allowed_keys(location: tuple[str | int, ...]) -> list[str]:
    model: Any = Settings
    for part in location:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        model = _model_in(field.annotation) if field else None
        if model is None:
            return []
    return [name for name in model.model_fields if name not in ("folder", "file")]


def _model_in(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None


_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]")
_KEY = re.compile(r"^\s*([A-Za-z0-9_\-\"']+)\s*=")


def line_of(text: str, location: tuple[str | int, ...]) -> int:
    """Return the 1-based line where the deepest part of `location` stands; tomllib keeps no positions."""
    best, depth = 1, 0
    table: tuple[str | int, ...] = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        header = _HEADER.match(line)
        if header:
            name = header[2].strip("\"'")
            parts: tuple[str | int, ...] = tuple(name.split("."))
            if header[1] == "[[":
                counts[name] = counts.get(name, -1) + 1
                parts = (*parts, counts[name])
            table = parts
            found = table
        else:
            key = _KEY.match(line)
            if not key:
                continue
            found = (*table, key[1].strip("\"'"))
        if len(found) > depth and found == location[: len(found)]:
            best, depth = number, len(found)
    return best
