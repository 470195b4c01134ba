"""Every problem can be told in both languages, and every code in the source is in the catalogue."""

from __future__ import annotations

import pickle
import re
from pathlib import Path

import pytest

from outreach.content.problem import ContentProblem, Problem, Where, catalogue

SOURCE = Path(__file__).resolve().parents[2] / "outreach" / "content"


@pytest.mark.parametrize("code", sorted(catalogue()))
def test_every_entry_has_both_languages(code: str) -> None:
    entry = catalogue()[code]
    assert set(entry) - {"severity"} == {"en", "zh", "fix_en", "fix_zh"}
    assert entry.get("severity", "error") in ("error", "warning", "info")
    assert any("一" <= letter <= "鿿" for letter in entry["zh"])
    names = re.compile(r"(?<!\{)\{(\w+)\}(?!\})")
    assert set(names.findall(entry["en"])) == set(names.findall(entry["zh"]))


def test_codes_in_the_source_and_in_the_catalogue_are_the_same() -> None:
    places = (SOURCE, SOURCE.parent / "app")  # the preflight looks at a campaign as a whole
    text = "\n".join(path.read_text() for place in places for path in place.rglob("*.py"))
    named = set(re.findall(r'"([a-z_]+\.[a-z_0-9]+)"', text))
    missing = {name for name in named if name.split(".")[0] in {code.split(".")[0] for code in catalogue()}}
    unknown = {name for name in missing - set(catalogue()) if not re.search(r"\.(toml|mjml|txt|json)$|^sender\.", name)}
    others = {
        "owner.phone",
        "owner.name",
        "campaign.name",
        "images.png",
        "dns.ok",
        "dns.slow",
        "dns.trial",
    }  # of doctor
    acts = {
        name
        for name in unknown
        if re.search(r"\.(added|removed|saved|created|restored|tested|bound_again|enrolled|person_[a-z]+)$", name)
    }
    assert unknown - others - acts == set()  # acts are the audit trail's words
    composed = {
        "no_recipients",
        "sender.no_company",
        "sender.no_postal_address",
        "footer.unsubscribe",
        "footer.postal_address",
    }
    assert set(catalogue()) - named - composed == set()


def test_a_problem_crosses_processes_with_its_place() -> None:
    problem = ContentProblem("mjml.unclosed", Where("body.mjml", 3, 7), tag="mj-text")
    again = pickle.loads(pickle.dumps(problem))
    assert again.message("zh") == problem.message("zh")
    assert again.message().startswith("body.mjml:3:7: ")
    assert Problem.of(again, "zh").as_dict()["column"] == 7


def test_values_are_not_evaluated() -> None:
    problem = ContentProblem("jinja.forbidden", what="{what.__class__}")
    assert "{what.__class__}" in problem.message()
