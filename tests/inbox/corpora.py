"""The inbox corpora: shared ones with their own score.py, and our own samples in tests/corpus/bounce."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "corpora"
OWN = ROOT / "tests" / "corpus" / "bounce"

Case = dict[str, Any]


def _cases(folder: Path) -> list[Case]:
    lines = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) | {"bytes": folder / json.loads(line)["file"]} for line in lines]


@cache
def shared_cases() -> list[Case]:
    """The 831 messages of the shared corpora, which lie beside the repository; without them their tests are skipped."""
    if not (SHARED / "inbox" / "cases.jsonl").exists():
        pytest.skip("the shared corpora (../shared/corpora) are not here")
    return _cases(SHARED / "inbox")


@cache
def own_cases() -> list[Case]:
    return _cases(OWN)


def raw(case: Case) -> bytes:
    return Path(case["bytes"]).read_bytes()


@cache
def by_id(name: str) -> Case:
    return next(case for case in [*shared_cases(), *own_cases()] if case["id"] == name)


@cache
def scorer() -> ModuleType:
    """score.py as a module: the corpora bring their own yardstick."""
    spec = importlib.util.spec_from_file_location("inbox_score", SHARED / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
