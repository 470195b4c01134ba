"""The form of a template's words: every text has a field, and writing one changes that text alone."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from outreach.content.manifest import parse_manifest
from outreach.content.problem import ContentProblem
from outreach.content.wording import Group, groups, lacking, texts, written

ROOT = Path(__file__).resolve().parents[2] / "templates"
NAMES = sorted(path.parent.name for path in ROOT.glob("*/template.toml"))

MANIFEST = """\
# Ours.
fallback = "en"
subject = "Hello {{ first_name }}"  # short

[preview]
en = "One line"

[values]
button_url = "https://www.example.com/a"  # for all
count = 3
headline = { en = "More light", zh = "更亮" }
points = { en = ["first", "second"] }

[values.reasons]
en = [
  # the best one first
  { title = "One", text = "1" },
  { title = "Two", text = "2" },
]

[variables]
owner.name = { en = "Your team" }

[labels]
headline = { en = "Headline", zh = "标题" }
"""


def changed(before: str, after: str) -> list[str]:
    return [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[:1] in "+-"]


def group(text: str, key: str, language: str = "en") -> Group:
    manifest = parse_manifest(text)
    found = [*groups(manifest, "values", language), *groups(manifest, "variables", language)]
    return next(one for one in found if one.key == key)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_form_that_changes_nothing_leaves_the_file_byte_for_byte(name: str, language: str) -> None:
    text = (ROOT / name / "template.toml").read_text(encoding="utf-8")
    manifest = parse_manifest(text)
    fields = [*texts(manifest, language)]
    for section in ("values", "variables"):
        fields += [f for g in groups(manifest, section, language, "zh") for row in g.rows for f in row]
    assert written(text, language, {field.key: field.text for field in fields}) == text


@pytest.mark.parametrize("name", NAMES)
def test_staff_read_what_a_value_is_in_both_languages(name: str) -> None:
    manifest = parse_manifest((ROOT / name / "template.toml").read_text(encoding="utf-8"))
    for value in manifest.values:
        assert manifest.label(value, "zh") != manifest.label(value, "en"), value


def test_one_text_is_changed_alone_and_comments_stay() -> None:
    after = written(MANIFEST, "en", {"values.headline": "Less power"})
    assert changed(MANIFEST, after) == [
        '- headline = { en = "More light", zh = "更亮" }',
        '+ headline = { en = "Less power", zh = "更亮" }',
    ]
    after = written(MANIFEST, "en", {"values.reasons.1.text": "2.5"})
    assert changed(MANIFEST, after) == ['-   { title = "Two", text = "2" },', '+   { title = "Two", text = "2.5" },']
    assert "# for all" in written(MANIFEST, "zh", {"values.button_url": "https://www.example.com/b"})


def test_a_bare_subject_becomes_one_for_each_language() -> None:
    manifest = parse_manifest(written(MANIFEST, "zh", {"subject": "您好"}))
    assert manifest.subject == {"en": "Hello {{ first_name }}", "zh": "您好"}


def test_rows_are_added_and_taken_away() -> None:
    more = written(MANIFEST, "en", {"values.reasons.2.title": "Three", "values.reasons.2.text": "3"})
    assert [row["title"] for row in parse_manifest(more).values["reasons"].fallback("en")] == ["One", "Two", "Three"]
    fewer = written(more, "en", {"values.reasons.0.title": "", "values.reasons.0.text": ""})
    assert [row["title"] for row in parse_manifest(fewer).values["reasons"].fallback("en")] == ["Two", "Three"]
    points = written(MANIFEST, "en", {"values.points.2": "third"})
    assert parse_manifest(points).values["points"].fallback("en") == ["first", "second", "third"]


def test_what_a_language_lacks_is_shown_from_the_fallback_counted_and_written_anew() -> None:
    manifest = parse_manifest(MANIFEST)
    assert lacking(manifest, "en") == 0
    assert (
        lacking(manifest, "zh") == 9
    )  # subject, preview, four of reasons, two points, the owner; values for all count not
    row = group(MANIFEST, "values.reasons", "zh").rows[0]
    assert [(field.text, field.other) for field in row] == [("", "One"), ("", "1")]
    after = written(
        MANIFEST, "zh", {"values.reasons.0.title": "一", "values.reasons.0.text": "1", "variables.owner.name": "团队"}
    )
    found = parse_manifest(after)
    assert found.values["reasons"].fallbacks["zh"] == [{"title": "一", "text": "1"}]
    assert found.variables["owner.name"].fallbacks == {"en": "Your team", "zh": "团队"}


def test_an_empty_text_lets_the_fallback_stand_in() -> None:
    assert parse_manifest(written(MANIFEST, "zh", {"values.headline": ""})).values["headline"].fallbacks == {
        "en": "More light"
    }


def test_what_is_no_text_is_left_to_the_file() -> None:
    assert "values.count" not in {one.key for one in groups(parse_manifest(MANIFEST), "values", "en")}
    assert "count = 3" in written(MANIFEST, "en", {"values.count": "4"})


def test_words_with_every_sign_come_back_as_they_were() -> None:
    for words in (
        'a "quoted" word',
        "back\\slash",
        "two\nlines",
        "tab\there",
        "{{ company }} 'x' # no comment",
        "\U0001f4a1",
    ):
        after = written(MANIFEST, "en", {"values.headline": words, "values.points.0": words})
        manifest = parse_manifest(after)
        assert manifest.values["headline"].fallback("en") == words
        assert manifest.values["points"].fallback("en")[0] == words


def test_a_broken_file_is_told_with_its_place() -> None:
    with pytest.raises(ContentProblem):
        written("subject = ", "en", {"subject": "x"})
