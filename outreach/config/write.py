"""Writes keys of config.toml for the staff's pages, keeping every comment; a change that is wrong is not kept."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.items import AoT

from outreach.config.mailbox import ConfigError
from outreach.config.read import load
from outreach.config.settings import Settings

#: The domain of the example configuration's mailbox: it goes when a real one comes.
EXAMPLE_DOMAIN = "example.com"
SECRET_NAME = re.compile(r"^[A-Za-z0-9._-]{1,80}$")

Document = tomlkit.TOMLDocument


def set_section(path: Path, section: str, values: Mapping[str, Any]) -> Settings:
    """Set keys of a section ([sender]); None takes a key away. Returns the new settings, raises ConfigError."""
    document = _read(path)
    table = document.setdefault(section, tomlkit.table())
    for key, value in values.items():
        _put(table, key, value)
    return _keep(path, document)


def put_mailbox(path: Path, values: Mapping[str, Any], was: str | None = None) -> Settings:
    """Add a [[mailbox]], or change the one named `was`. Keys that are not in `values` stay as they are."""
    document = _read(path)
    boxes = _mailboxes(document)
    box = next((box for box in boxes if box.get("name") == was), None) if was else None
    if box is None:
        _drop_examples(boxes)
        box = tomlkit.table()
        boxes.append(box)
    for key, value in values.items():
        _put(box, key, value)
    document["mailbox"] = boxes
    return _keep(path, document)


def remove_mailbox(path: Path, name: str) -> Settings:
    """Take a [[mailbox]] away; its row and history stay in the database."""
    document = _read(path)
    boxes = _mailboxes(document)
    for number in reversed([n for n, box in enumerate(boxes) if box.get("name") == name]):
        del boxes[number]
    if len(boxes):
        document["mailbox"] = boxes
    else:
        document.pop("mailbox", None)
    return _keep(path, document)


def store_secret(folder: Path, name: str, secret: str) -> Path:
    """Write a secret into a file that only its owner can read (mode 0600). Returns its absolute path."""
    if not SECRET_NAME.match(name) or name.startswith("."):
        raise ConfigError(f"{name!r} cannot be the name of a secret file", f"“{name}”不能用作密钥文件的名称")
    place = folder.absolute() / "secrets"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = place / f".{name}.{os.getpid()}"
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(secret)
        file.flush()
        os.fsync(file.fileno())
    final = place / name
    partial.replace(final)
    return final


def _read(path: Path) -> Document:
    return tomlkit.parse(path.read_text(encoding="utf-8-sig"))


def _mailboxes(document: Document) -> AoT:
    found = document.get("mailbox")
    return found if isinstance(found, AoT) else tomlkit.aot()


def _drop_examples(boxes: AoT) -> None:
    for number in reversed([n for n, box in enumerate(boxes) if _is_example(str(box.get("address", "")))]):
        del boxes[number]


def _is_example(address: str) -> bool:
    return address.rpartition("@")[2] == EXAMPLE_DOMAIN


def _put(table: Any, key: str, value: Any) -> None:
    if value is None:
        table.pop(key, None)
    elif isinstance(value, Mapping):
        inline = tomlkit.inline_table()
        inline.update({k: v for k, v in value.items() if v is not None})
        table[key] = inline
    elif table.get(key) != value:
        table[key] = value


def _keep(path: Path, document: Document) -> Settings:
    """Write beside, check with the reader that the service uses, then put in place at once. Raises ConfigError."""
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(tomlkit.dumps(document), encoding="utf-8")
    if path.exists():
        partial.chmod(path.stat().st_mode & 0o777)
    try:
        load(partial)
    except ConfigError as error:
        raise ConfigError(*(said.replace(str(partial), str(path)) for said in (error.en, error.zh))) from error
    else:
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return load(path)
