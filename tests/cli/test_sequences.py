"""Sequences and remembered dates from the command line, as a script would drive them (contract.md)."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from outreach.cli.main import app
from tests.app.sequence_house import THREE_STEPS, write_templates
from tests.flow.house import APPROVERS, CONFIG

Outreach = Callable[..., Result]
PEOPLE = ("p0@firm0.example", "p1@firm1.example", "p2@firm2.example")
BIRTHDAYS = """
name = "Birthdays"
mailboxes = ["sales"]
template = "hello"
[occasion]
kind = "birthday"
ask = true
ask_days = 7
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with a mailbox, three approvers, and three people whose birthdays are in three days."""
    folder = tmp_path_factory.mktemp("sequences")
    (folder / "config.toml").write_text(CONFIG.format(port=9))
    write_templates(folder)
    born = (datetime.now(UTC) + timedelta(days=3)).strftime("1980-%m-%d").replace("02-29", "02-28")
    rows = [f"{address},Pat{n},Firm {n},GB,customer,{born}" for n, address in enumerate(PEOPLE)]
    (folder / "people.csv").write_text("\n".join(["email,first_name,company,country,basis,birthday", *rows]))
    (folder / "sequence.toml").write_text(THREE_STEPS)
    (folder / "birthdays.toml").write_text(BIRTHDAYS)
    run = _runner(folder)
    told(run("init", str(folder), "--json"))
    for name, role in APPROVERS:
        told(run("users", "add", name, "--role", role.value, "--json"))
    told(run("contacts", "import", str(folder / "people.csv"), "--source", "fair", "--json"))
    return folder


def _runner(folder: Path) -> Outreach:
    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--config", str(folder / "config.toml"), *arguments])

    return run


@pytest.fixture
def outreach(made: Path) -> Outreach:
    return _runner(made)


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def started(outreach: Outreach, noun: str, file: Path) -> str:
    """Create it from its file, have it approved, and start it; returns its id."""
    number = str(told(outreach(noun, "create", str(file), "--json"))["id"])
    assert told(outreach(noun, "submit", number, "--json"))["state"] == "review"
    seen = told(outreach("campaigns", "status", number, "--json"))["hash"]
    other = outreach(noun, "approve", number, "--as", APPROVERS[0][0], "--hash", "0" * 64)
    assert (other.exit_code, "another version than the one you looked at" in other.stderr) == (1, True), other.stderr
    for name, _ in APPROVERS:
        state = told(outreach(noun, "approve", number, "--as", name, "--hash", seen, "--json"))["state"]
    assert state == "approved"
    assert told(outreach(noun, "start", number, "--json"))["state"] == "running"
    return number


def lines(result: Result) -> list[Any]:
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_a_sequence_from_its_file_to_the_last_person(outreach: Outreach, made: Path) -> None:
    number = started(outreach, "sequences", made / "sequence.toml")
    assert told(outreach("sequences", "enrol", number, *PEOPLE, "--json")) == {"enrolled": 3, "refused": {}}
    again = outreach("sequences", "enrol", number, "--segment", "country = GB")
    assert "enrolled 0" in again.stdout
    assert "is in a sequence, or was in this one" in again.stdout
    people = {row["address"]: row for row in lines(outreach("sequences", "people", number, "--json"))}
    assert set(people) == set(PEOPLE)
    assert {row["state"] for row in people.values()} == {"active"}
    told(outreach("sequences", "pause-person", number, PEOPLE[0], "--until", "2099-01-01", "--json"))
    told(outreach("sequences", "stop-person", number, PEOPLE[1], "--json"))
    status = told(outreach("sequences", "status", number, "--json"))
    assert {key: n for key, n in status["people"].items() if n} == {"active": 1, "paused": 1, "stopped": 1}
    assert status["stopped"] == {"by_hand": 1}
    for address in PEOPLE[:2]:
        told(outreach("sequences", "resume-person", number, address, "--json"))
    assert told(outreach("sequences", "status", number, "--json"))["people"]["active"] == 3
    listed = told(outreach("sequences", "list", "--json"))
    assert (listed[-1]["kind"], listed[-1]["state"]) == ("sequence", "running")
    edited = told(outreach("sequences", "edit", number, str(made / "sequence.toml"), "--json"))
    assert edited["state"] == "draft"


def test_a_birthday_waits_for_its_owners_word(outreach: Outreach, made: Path) -> None:
    started(outreach, "greetings", made / "birthdays.toml")
    told(outreach("run", "--until-idle", "--max-seconds", "20", "--json"))
    due = told(outreach("greetings", "due", "--json"))
    assert sorted(row["address"] for row in due) == list(PEOPLE)
    first, second = (str(row["id"]) for row in due[:2])
    assert told(outreach("greetings", "send", first, "--json"))["leaves"]
    told(outreach("greetings", "decline", second, "--json"))
    assert len(told(outreach("greetings", "due", "--json"))) == 1
    told(outreach("greetings", "reconsider", second, "--json"))
    assert len(told(outreach("greetings", "due", "--json"))) == 2
    twice = outreach("greetings", "send", first)
    assert twice.exit_code == 1
    assert twice.stderr


def test_a_countrys_holidays(outreach: Outreach) -> None:
    days = {row["id"]: row["day"] for row in told(outreach("greetings", "holidays", "de", "--year", "2026", "--json"))}
    assert days["christmas"] == "2026-12-25"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("enrol", "1"), "name addresses, or a segment"),
        (("enrol", "1", "nobody@nowhere.example"), "nobody has the address"),
        (("create", "no-such-file.toml"), "no-such-file.toml"),
        (("approve", "1"), "--as USER"),
        (("status", "4711"), "4711"),
    ],
)
def test_what_is_wrong_is_said_in_words(outreach: Outreach, words: tuple[str, ...], said: str) -> None:
    result = outreach("sequences", *words)
    assert result.exit_code == 1
    assert said in result.stderr.replace("\n", " ")
    assert "Traceback" not in result.stderr
