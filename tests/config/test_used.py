"""No key of config.toml is only read and forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

import outreach
from outreach.config.settings import Settings

SOURCE = Path(outreach.__file__).parent
#: config/ itself opens secrets.
OWN = {"keyring", "file", "env"}


def leaves(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        types = [field.annotation, *get_args(field.annotation)]
        below = [one for one in types if isinstance(one, type) and issubclass(one, BaseModel)]
        if below:
            for one in below:
                yield from leaves(one, f"{above}{name}.")
        elif name not in OWN:
            yield f"{above}{name}", name


def test_every_key_is_used_by_the_program() -> None:
    files = [path for path in SOURCE.rglob("*.py") if "config" not in path.relative_to(SOURCE).parts]
    used = set(re.findall(r"\.([a-z_0-9]+)\b", "\n".join(path.read_text(encoding="utf-8") for path in files)))
    assert sorted(key for key, name in leaves(Settings) if name not in used) == []
