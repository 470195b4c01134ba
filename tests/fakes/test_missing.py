"""What becomes of tests whose server is not installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LACK = "import tests.conftest as house\nhouse.NEEDS['dovecot'] = (lambda: False, 'a post office')\n"
TESTS = "def test_reads_mail(dovecot): ...\ndef test_needs_nothing(): ...\n"


@pytest.fixture
def run(tmp_path):
    (tmp_path / "lack.py").write_text(LACK)
    (tmp_path / "test_it.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers =\n  dovecot: x\n")

    def start(ci: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "CI": ci}
        command = [sys.executable, "-m", "pytest", "-p", "lack", "-p", "tests.conftest", "-p", "no:cacheprovider"]
        return subprocess.run([*command, str(tmp_path)], env=environment, capture_output=True, text=True, check=False)

    return start


def test_they_are_skipped_by_name(run):
    done = run(ci="")
    assert done.returncode == 0, done.stdout
    assert "1 passed, 1 skipped" in done.stdout
    assert "test_it.py::test_reads_mail: lacking a post office" in done.stdout


def test_in_ci_that_is_a_failure(run):
    done = run(ci="true")
    assert done.returncode == 1, done.stdout
    assert "CI=true: these count as failures" in done.stdout
