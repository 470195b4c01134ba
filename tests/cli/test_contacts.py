"""The commands on contacts, segments and the suppression list: what scripts and people rely on (contract.md)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from outreach.cli.main import app
from tests.audience.files import write_csv

Outreach = Callable[..., Result]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new installation with a list imported; its tests change nothing that another needs."""
    folder = tmp_path_factory.mktemp("installation")
    result = CliRunner().invoke(app, ["--config", str(folder / "config.toml"), "init", str(folder), "--json"])
    assert result.exit_code == 0, result.stderr
    write_csv(folder / "list.csv")
    return folder


@pytest.fixture
def outreach(made: Path, monkeypatch: pytest.MonkeyPatch) -> Outreach:
    monkeypatch.chdir(made)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["--config", str(made / "config.toml"), *arguments])

    return run


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_an_import_says_what_the_contract_promises(outreach: Outreach) -> None:
    first = told(outreach("contacts", "import", "list.csv", "--source", "Frankfurt", "--tag", "fair26", "--json"))
    assert {"read", "added", "updated", "duplicates", "rejected", "rejects_file"} <= set(first)
    assert (first["read"], first["added"], first["duplicates"], first["rejected"]) == (8, 4, 1, 3)
    again = told(outreach("contacts", "import", "list.csv", "--source", "Frankfurt", "--tag", "fair26", "--json"))
    assert (again["added"], again["updated"], again["duplicates"]) == (0, 0, 5)
    assert told(outreach("segments", "count", "tag = fair26", "--json"))["count"] == 4


def test_people_get_words_and_the_way_to_the_refused_rows(outreach: Outreach) -> None:
    result = outreach("contacts", "import", "list.csv", "--source", "Frankfurt")
    assert result.exit_code == 0
    assert "duplicates" in result.stdout
    assert "list.csv.rejects.csv" in result.stderr.replace("\n", "")


def test_of_customers_that_may_be_there_already_the_first_are_told_and_all_are_counted(
    outreach: Outreach, made: Path
) -> None:
    rows = [f"p@alike{n}.example,Halcyon {'Lampworks' + 's' * n},DE" for n in range(4)]
    (made / "alike.csv").write_text("\n".join(["email,company,country", *rows]) + "\n")
    found = told(outreach("contacts", "import", "alike.csv", "--source", "s", "--near", "2", "--json"))
    assert [pair["line"] for pair in found["near_duplicates"]] == [3, 4]
    assert (found["near_duplicates_count"], found["warnings_count"]) == (3, 0)


def test_columns_can_be_mapped(outreach: Outreach, made: Path) -> None:
    (made / "odd.csv").write_text("Buyer mail,X\nzoe@odd.example,Rome\n")
    refused = outreach("contacts", "import", "odd.csv", "--source", "s")
    assert refused.exit_code == 1
    assert "--map COLUMN=email" in refused.stderr.replace("\n", " ")
    assert (
        told(
            outreach(
                "contacts",
                "import",
                "odd.csv",
                "--source",
                "s",
                "--map",
                "Buyer mail=email",
                "--map",
                "X=city",
                "--json",
            )
        )["added"]
        == 1
    )
    assert told(outreach("contacts", "show", "zoe@odd.example", "--json"))["values"]["city"] == "Rome"


@pytest.mark.parametrize(("arguments", "code"), [
    (("contacts", "import", "list.csv"), 2),
    (("contacts", "import", "list.csv", "--source", "x", "--basis", "why not"), 2),
    (("contacts", "import", "list.csv", "--source", "x", "--map", "nonsense"), 2),
    (("contacts", "import", "nothing.csv", "--source", "x"), 1),
    (("contacts", "show", "nobody@x.example"), 1),
    (("contacts", "export", "nobody@x.example"), 1),
    (("contacts", "list", "--sort", "id; DROP TABLE contact"), 1),
    (("segments", "count", "regon = Europe"), 1),
    (("segments", "delete", "none"), 1),
    (("suppress", "add"), 2),
    (("suppress", "add", "nonsense"), 1),
    (("suppress", "check", "no thing"), 1),
])  # fmt: skip
def test_exit_codes(outreach: Outreach, arguments: tuple[str, ...], code: int) -> None:
    result = outreach(*arguments)
    assert result.exit_code == code, result.stderr
    assert result.stderr
    assert "Traceback" not in result.stderr


def test_a_segment_s_error_points_at_the_place(outreach: Outreach) -> None:
    result = outreach("segments", "count", "region = Europe and regon = Asia")
    assert "Did you mean region?" in result.stderr.replace("\n", " ")
    assert "^^^^^" in result.stderr
    checked = outreach("segments", "check", "regon = x", "--json")
    assert checked.exit_code == 1
    assert json.loads(checked.stdout)["error"]["suggestion"] == "region"


def test_segments_are_stored_and_counted_by_name(outreach: Outreach) -> None:
    told(outreach("segments", "save", "欧洲", "地区 = 欧洲", "--json"))
    assert [s["expression"] for s in told(outreach("segments", "list", "--json"))] == ["region = Europe"]
    by_name = told(outreach("segments", "count", "欧洲", "--json"))
    assert by_name["count"] == told(outreach("segments", "count", "region = Europe", "--json"))["count"]
    assert {"count", "conditions", "reach"} <= set(by_name)
    assert "Europe" in outreach("segments", "count", "欧洲").stdout
    assert told(outreach("segments", "show", "欧洲", "--json"))
    told(outreach("segments", "delete", "欧洲", "--json"))


def test_what_is_suppressed_stays_so(outreach: Outreach, made: Path) -> None:
    (made / "stop.txt").write_text("# from the old system\nstop1@acme.example\nblocked.example\n")
    assert told(outreach("suppress", "add", "--file", "stop.txt", "--reason", "unsubscribed", "--json"))["added"] == 2
    assert told(outreach("suppress", "add", "stop1@acme.example", "--json")) == {"added": 0, "known": 1, "refused": []}
    assert told(outreach("suppress", "check", "x@mail.blocked.example", "--json"))["suppressed"]
    assert (
        told(outreach("suppress", "check", "postmaster@fine.example", "--json"))["because"][0]["source"]
        == "roles.txt: postmaster"
    )
    assert not told(outreach("suppress", "check", "x@fine.example", "--json"))["suppressed"]
    refused = outreach("suppress", "remove", "stop1@acme.example")
    assert refused.exit_code == 1
    assert "--force --why" in refused.stderr.replace("\n", " ")
    assert told(outreach("suppress", "remove", "stop1@acme.example", "--force", "--why", "consent of 1 May", "--json"))[
        "removed"
    ]
    assert told(outreach("suppress", "list", "--search", "blocked", "--json"))["total"] == 1
    assert told(outreach("suppress", "export", "--out", str(made / "all.jsonl"), "--json"))["entries"] >= 1
    assert json.loads((made / "all.jsonl").read_text().splitlines()[0])["reason"] == "unsubscribed"


def test_export_then_erase_then_never_again(outreach: Outreach, made: Path) -> None:
    (made / "one.csv").write_text("email,first_name\ngone@x.example,Gone\n")
    told(outreach("contacts", "import", "one.csv", "--source", "s", "--json"))
    assert told(outreach("contacts", "export", "gone@x.example"))["contact"]["first_name"] == "Gone"
    assert told(outreach("contacts", "erase", "gone@x.example", "--yes", "--json"))["found"]
    assert outreach("contacts", "show", "gone@x.example").exit_code == 1
    again = told(outreach("contacts", "import", "one.csv", "--source", "s", "--json"))
    assert (again["added"], again["rejected"]) == (0, 1)


def test_lists_are_pages(outreach: Outreach) -> None:
    told(outreach("contacts", "import", "list.csv", "--source", "Frankfurt", "--json"))
    page = told(
        outreach("contacts", "list", "--segment", "region = Europe", "--sort", "email", "--limit", "1", "--json")
    )
    assert page["total"] >= 2
    assert [row["email"] for row in page["contacts"]] == ["anna@acme.example"]
    assert "anna@acme.example" in outreach("contacts", "list", "--search", "adler").stdout
    assert "Acme GmbH" in outreach("contacts", "show", "anna@acme.example").stdout


def test_the_trail_says_which_entry_was_added_and_taken_off(outreach: Outreach, made: Path) -> None:
    def entries(action: str) -> list[dict[str, Any]]:
        drawn = told(outreach("audit", "sample", "--count", "1000", "--json"))
        return [entry for entry in drawn if entry["action"] == action]

    known = len(entries("suppression.added"))
    (made / "two.txt").write_text("stop8@acme.example\nstopped8.example\n")
    told(outreach("suppress", "add", "--file", "two.txt", "--json"))
    told(outreach("suppress", "add", "stop9@acme.example", "--json"))
    keys = [
        told(outreach("suppress", "check", entry, "--json"))["because"][0]["key"]
        for entry in ("stop8@acme.example", "x@stopped8.example", "stop9@acme.example")
    ]
    listed, single = entries("suppression.added")[known:]
    assert (listed["after"]["added"], listed["after"]["keys"]) == (2, keys[:2])
    assert single["object"] == f"suppression {keys[2]}"
    told(outreach("suppress", "remove", "stop9@acme.example", "--why", "typed wrongly", "--json"))
    removed = entries("suppression.removed")[-1]
    assert (removed["object"], removed["before"]) == (f"suppression {keys[2]}", {"reason": "manual"})
    assert removed["after"]["why"] == "typed wrongly"
    assert "stop9" not in str(entries("suppression.added") + entries("suppression.removed"))
