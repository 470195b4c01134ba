"""`outreach users …` and `outreach audit …`: what a technician and an auditor rely on (contract.md)."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from outreach.cli.main import app

PASSWORD = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new installation."""
    monkeypatch.chdir(tmp_path)
    assert outreach("init", str(tmp_path)).exit_code == 0
    return tmp_path


def outreach(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(app, ["--config", "config.toml", *words], input=stdin)


def told(*words: str, stdin: str = "") -> Any:
    result = outreach(*words, "--json", stdin=stdin)
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def refused(*words: str, stdin: str = "", code: int = 1) -> str:
    result = outreach(*words, stdin=stdin)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


def add(name: str, *roles: str) -> Any:
    words = [word for role in roles for word in ("--role", role)]
    return told("users", "add", name, *words, "--password-stdin", stdin=PASSWORD + "\n")


def test_a_user_is_added_listed_and_closed(folder: Path) -> None:
    found = add("li.na", "marketer", "manager")
    assert found == {"id": found["id"], "name": "li.na", "roles": ["marketer", "manager"]}
    (row,) = told("users", "list")
    assert (row["name"], row["roles"], row["active"]) == ("li.na", ["marketer", "manager"], True)
    assert told("users", "disable", "li.na")["active"] is False
    assert not told("users", "list")[0]["active"]
    assert "(closed)" in outreach("users", "list").stdout


def test_no_password_is_kept_as_it_was_typed(folder: Path) -> None:
    add("li.na", "marketer")
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]


def test_a_password_that_was_made_is_shown_to_people_only(folder: Path) -> None:
    result = outreach("users", "add", "wu", "--role", "admin", "--json")
    assert set(json.loads(result.stdout)) == {"id", "name", "roles"}
    assert "shown this once" in result.stderr


def test_adding_somebody_says_that_it_authorises_and_puts_the_grant_on_record(folder: Path) -> None:
    result = outreach("users", "add", "wu", "--role", "manager", "--json")
    (row,) = told("users", "list")
    assert f"trained and authorised until {row['authorised_until'][:10]}" in " ".join(result.stderr.split())
    without = outreach("users", "add", "li.na", "--role", "marketer", "--not-authorised", "--json")
    assert "trained and authorised" not in without.stderr
    grants = [entry for entry in told("audit", "sample") if entry["action"] == "user.authorised"]
    assert [(one["object"], one["before"]) for one in grants] == [
        (f"user {row['id']}", {"authorised_until": None, "authorised_by": None})
    ]
    assert grants[0]["after"]["authorised_until"]


@pytest.mark.parametrize(
    ("password", "words"),
    [("short", "at least 10"), ("password123", "guessed first"), ("li.na-li.na-li.na", "from the name")],
)
def test_a_weak_password_is_refused_with_the_reason(folder: Path, password: str, words: str) -> None:
    add_it = ("users", "add", "li.na", "--role", "marketer", "--password-stdin")
    assert words in refused(*add_it, stdin=password + "\n")
    assert told("users", "list") == []


def test_names_that_exist_twice_or_not_at_all(folder: Path) -> None:
    add("li.na", "marketer")
    again = ("users", "add", "li.na", "--role", "marketer", "--password-stdin")
    assert "li.na" in refused(*again, stdin=PASSWORD + "\n")
    assert "outreach users list" in refused("users", "disable", "nobody")
    assert "without blanks" in refused("users", "add", "li na", "--role", "marketer")
    assert "emperor" in refused("users", "add", "wu", "--role", "emperor", code=2)


def test_who_acts_must_be_allowed_to(folder: Path) -> None:
    add("li.na", "marketer")
    add("root", "admin")
    more = ("users", "add", "wu", "--role", "admin", "--password-stdin")
    assert refused(*more, "--as", "li.na", stdin=PASSWORD + "\n")
    assert refused(*more, "--as", "ghost", stdin=PASSWORD + "\n")
    assert told(*more, "--as", "root", stdin=PASSWORD + "\n")["name"] == "wu"


def test_a_leaver_hands_over_and_takes_back(folder: Path) -> None:
    add("li.na", "salesperson")
    add("wu", "salesperson")
    assert told("users", "transfer", "li.na", "--to", "wu", "--dry-run")["counts"]["companies"] == 0
    assert [row["active"] for row in told("users", "list")] == [True, True]
    done = told("users", "transfer", "li.na", "--to", "wu")
    assert {row["name"]: row["active"] for row in told("users", "list")} == {"li.na": False, "wu": True}
    told("users", "take-back", str(done["handover"]))
    assert all(row["active"] for row in told("users", "list"))
    assert "taken back already" in refused("users", "take-back", str(done["handover"]))
    assert "somebody else" in refused("users", "transfer", "wu", "--to", "wu")


def test_the_trail_names_every_step_and_holds(folder: Path) -> None:
    add("li.na", "marketer")
    told("users", "disable", "li.na")
    whole = told("audit", "verify")
    assert whole["ok"]
    assert whole["entries"] >= 2
    assert {"user.added", "user.disabled"} <= {row["action"] for row in told("audit", "sample", "--count", "100")}
    assert told("audit", "head") == {"count": whole["entries"], "hash": whole["hash"]}


def tamper(folder: Path, *statements: str) -> None:
    """What somebody with the database file can do: drop the triggers, then change the trail."""
    (file,) = folder.rglob("outreach.db")
    with sqlite3.connect(file) as conn:
        names = conn.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name LIKE 'audit%'")
        for (name,) in names.fetchall():
            conn.execute(f'DROP TRIGGER "{name}"')
        for statement in statements:
            assert conn.execute(statement).rowcount
    conn.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET action = 'user.praised' WHERE id = 2",
        "DELETE FROM audit_entry WHERE id = 2",
        "UPDATE audit_entry SET actor = 'somebody' WHERE id = 1",
    ],
)
def test_a_changed_trail_is_found(folder: Path, statement: str) -> None:
    for name in ("li.na", "wu", "chen"):
        add(name, "marketer")
    tamper(folder, statement)
    result = outreach("audit", "verify", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert not found["ok"]
    assert found["fault"]["number"] in (1, 2, 3)
    assert "tell the auditors" in refused("audit", "verify")


def test_a_trail_that_was_cut_off_is_found_by_a_head_that_was_kept(folder: Path) -> None:
    add("li.na", "marketer")
    add("wu", "marketer")
    (folder / "head.txt").write_text(outreach("audit", "head").stdout)
    assert told("audit", "verify", "--head", "head.txt")["ok"]
    tamper(folder, "DELETE FROM audit_entry WHERE id = (SELECT max(id) FROM audit_entry)")
    assert refused("audit", "verify", "--head", "head.txt")
    (folder / "head.txt").write_text("nothing of the kind")
    assert "no kept head" in refused("audit", "verify", "--head", "head.txt")


def test_the_doctor_says_what_is_wrong_and_what_to_do(folder: Path) -> None:
    """The example's mailbox has no server that answers: exit code 1, and every finding with its cure."""
    config = (folder / "config.toml").read_text()
    start = config.index("[[mailbox]]")
    end = config.find("\n[", start + 2)
    box = (
        '[[mailbox]]\nname = "sales"\naddress = "sales@mingxu.example"\n'
        'smtp = { host = "127.0.0.1", port = 9, tls = "none" }\n'
    )
    (folder / "config.toml").write_text(config[:start] + box + (config[end:] if end > 0 else ""))
    result = outreach("doctor", "--json")
    assert result.exit_code == 1, result.output
    found = json.loads(result.stdout)
    assert not found["ok"]
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["database"]["ok"]
    wrong = [check for check in found["checks"] if not check["ok"]]
    assert any("smtp" in check["name"].lower() for check in wrong)
    assert all(check["fix"] for check in wrong)
    assert "→" in outreach("doctor").stdout
