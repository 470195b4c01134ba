"""A sample of `make chaos`, so that every change meets every kind of trouble."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("parts", ["races", "faults", "kills"])
def test_a_sample_keeps_the_promises(parts: str) -> None:
    command = [sys.executable, "-m", "benchmarks.chaos", "--small", "--database", "sqlite", "--part", parts]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    total = lines[-1]
    assert total["kept"]
    assert (total["duplicates"], total["lost"], total["late"]) == (0, 0, 0)
    assert all(line["part"] == parts and line["kept"] for line in lines[:-1])
    assert total["sent"] > 0
    assert {"races": total["races"] == 40, "faults": total["failed"] > 0, "kills": total["kills"] == 5}[parts]


def test_a_part_that_does_not_exist_is_wrong_usage() -> None:
    command = [sys.executable, "-m", "benchmarks.chaos", "--part", "storms"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "there are kills, points, faults, races" in done.stderr
