"""`outreach inbox classify`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outreach.cli.inbox_classify import classify_files
from tests.inbox.corpora import by_id

CONTRACT = {
    "file", "kind", "recipients", "status", "hard", "reason", "reply_text", "intent", "return_date", "successor", "left",
    "error",
}  # fmt: skip


def test_a_line_of_json_for_each_file(capsys: pytest.CaptureFixture[str]):
    files = [by_id("own:icloud")["bytes"], by_id("own:not-question")["bytes"]]
    assert classify_files(files, as_json=True) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line) for line in lines] == [CONTRACT, CONTRACT]
    assert [line["file"] for line in lines] == [str(file) for file in files]
    assert (lines[0]["kind"], lines[0]["recipients"], lines[0]["hard"]) == (
        "bounce",
        ["anna.berg@buyer.example"],
        False,
    )


def test_for_people(capsys: pytest.CaptureFixture[str]):
    assert classify_files([by_id("own:qmail")["bytes"]], as_json=False) == 0
    assert "bounce · anna.berg@buyer.example, carlo.rossi@buyer.example" in capsys.readouterr().out


def test_a_file_that_cannot_be_read_is_an_error_of_its_own(capsys: pytest.CaptureFixture[str], tmp_path: Path):
    assert classify_files([tmp_path / "missing.eml", by_id("own:icloud")["bytes"]], as_json=True) == 1
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert "cannot be read" in first["error"]
    assert second["error"] is None
