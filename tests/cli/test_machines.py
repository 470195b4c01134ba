"""`outreach machines`: the tables can be looked at, each range with its date and source."""

from __future__ import annotations

import json

from typer.testing import CliRunner

from outreach.cli.main import app


def rows(*arguments: str) -> list[dict[str, object]]:
    found = CliRunner().invoke(app, ["machines", "--json", *arguments])
    assert found.exit_code == 0, found.output
    told: list[dict[str, object]] = json.loads(found.stdout)["machines"]
    return told


def test_every_range_has_a_date_and_a_source() -> None:
    networks = [row for row in rows() if row["kind"] != "agent"]
    assert len(networks) >= 8
    assert all(row["date"] and row["source"] and row["ranges"] for row in networks)


def test_an_address_is_looked_up() -> None:
    assert [(row["kind"], row["why"]) for row in rows("--check", "52.16.4.1")] == [("cloud", "amazon_cloud")]
    assert [row["why"] for row in rows("--check", "17.58.1.2")] == ["apple_mpp"]
    assert rows("--check", "192.0.2.7") == []
    assert CliRunner().invoke(app, ["machines", "--check", "nonsense"]).exit_code == 2
