"""docs/templates.md names every variable, filter and function that there is, and none that is not."""

from __future__ import annotations

import re
from pathlib import Path

from outreach.content import filters
from outreach.content.context import VARIABLES
from outreach.content.languages import base_language
from outreach.content.manifest import KEYS, parse_manifest
from outreach.content.sandbox import Sandbox

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")


def test_variables() -> None:
    shown = re.findall(r"^\| `\{\{ ([\w.]+) \}\}` \| ([^|]+) \| ([^|]+) \|", GUIDE, re.MULTILINE)
    assert {name: (en.strip(), zh.strip()) for name, en, zh in shown} == {
        name: (info.en, info.zh) for name, info in VARIABLES.items()
    }


def test_filters_and_functions() -> None:
    sandbox = Sandbox(autoescape=True)
    filters.install(sandbox, "en", html=True)
    section = GUIDE.partition("## Filters")[2].partition("## What")[0]
    words = set(re.findall(r"[a-z][a-z0-9_]*", section))
    assert set(sandbox.filters) | set(sandbox.globals) <= words


def test_the_manifest_in_the_guide_is_one() -> None:
    text = GUIDE.partition("```toml\n")[2].partition("```")[0]
    manifest = parse_manifest(text)
    assert manifest.values["product"].fallback("zh") == "极光 P2"
    assert manifest.countries == {"TW": "zh-TW"}
    assert all(key in text for key in KEYS if key != "description")
    assert base_language(manifest.countries["TW"]) == "zh"
