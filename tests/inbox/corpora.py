"""The inbox corpora: shared ones with their own score.py, and our own samples in tests/corpus/bounce."""

from __future__ import annotations

import importlib.util
import json
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.conftest import LACKING

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "corpora"
OWN = ROOT / "tests" / "corpus" / "bounce"

Case = dict[str, Any]


def _cases(folder: Path) -> list[Case]:
    lines = (folder / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) | {"bytes": folder / json.loads(line)["file"]} for line in lines]


def shared_is_here() -> bool:
    return (SHARED / "score.py").exists()


def need_shared() -> None:
    """Skip the running test by name where there is nothing beside the repository; in CI that is a failure."""
    if not shared_is_here():
        pytest.skip(f"{LACKING}the shared corpora beside the repository (../shared/corpora)")


@cache
def shared_cases() -> list[Case]:
    """The 831 messages of the shared corpora, which lie beside the repository; without them their tests are skipped."""
    need_shared()
    return _cases(SHARED / "inbox")


@cache
def own_cases() -> list[Case]:
    return _cases(OWN)


def raw(case: Case) -> bytes:
    return Path(case["bytes"]).read_bytes()


@cache
def by_id(name: str) -> Case:
    cases = own_cases() if name.startswith("own:") else shared_cases()
    return next(case for case in cases if case["id"] == name)


@cache
def scorer() -> ModuleType:
    """score.py as a module: the corpora bring their own yardstick."""
    need_shared()
    spec = importlib.util.spec_from_file_location("inbox_score", SHARED / "score.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
