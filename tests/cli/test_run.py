"""`outreach run`: what it leaves behind in a program that calls it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from outreach.cli.main import app


def test_the_loops_of_the_process_stay_as_they_were(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    policy = asyncio.get_event_loop_policy()
    assert CliRunner().invoke(app, ["init", str(tmp_path)]).exit_code == 0
    found = CliRunner().invoke(app, ["--config", "config.toml", "run", "--until-idle", "--json"])
    assert found.exit_code == 0, found.output
    assert json.loads(found.stdout)["sent"] == 0
    assert asyncio.get_event_loop_policy() is policy
