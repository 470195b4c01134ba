"""A folder becomes a source; a source can be rebuilt from its texts alone; a language is chosen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from outreach.content.problem import ContentProblem
from outreach.content.template import TemplateSource, choose_language, list_templates, load_template

BODY = "<mjml><mj-body></mj-body></mjml>"


def folder(root: Path, **files: str) -> Path:
    path = root / "offer"
    path.mkdir(exist_ok=True)
    given = {"body.mjml": BODY, "template.toml": '[subject]\nen = "Hi"\nzh = "您好"\n', "body.zh.mjml": BODY}
    for name, text in (given | files).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, encoding="utf-8")
    return path


def test_a_snapshot_is_the_source(tmp_path: Path) -> None:
    source = load_template(folder(tmp_path))
    again = TemplateSource.from_files(source.name, json.loads(json.dumps(dict(source.files))))
    assert again == source
    assert again.digest() == source.digest()
    assert again.languages == ("en", "zh")
    assert again.subject("zh") == "您好"


def test_every_edit_but_the_sample_changes_the_digest(tmp_path: Path) -> None:
    path = folder(tmp_path, **{"sample.json": "{}"})
    (tmp_path / "_layout").mkdir()
    (tmp_path / "_layout" / "footer.mjml").write_text("x")
    first = load_template(path).digest()
    (path / "sample.json").write_text('{"a": 1}')
    assert load_template(path).digest() == first
    (tmp_path / "_layout" / "footer.mjml").write_text("y")
    assert load_template(path).digest() != first


def test_a_byte_order_mark_is_welcome_other_encodings_are_not(tmp_path: Path) -> None:
    path = folder(tmp_path)
    (path / "body.mjml").write_bytes(b"\xef\xbb\xbf" + BODY.encode())
    assert load_template(path).files["body.mjml"] == BODY
    (path / "body.mjml").write_bytes("正文".encode("gb18030"))
    with pytest.raises(ContentProblem) as caught:
        load_template(path)
    assert caught.value.code == "template.file"


def test_links_out_of_the_folder_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    path = folder(tmp_path)
    (path / "link.txt").symlink_to(secret)
    assert "link.txt" not in load_template(path).files


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ContentProblem) as caught:
        load_template(tmp_path / "nothing")
    assert "nothing" in caught.value.message("zh")


def test_templates_are_listed_without_the_layout(tmp_path: Path) -> None:
    folder(tmp_path)
    (tmp_path / "_layout").mkdir()
    (tmp_path / "_layout" / "template.toml").write_text("")
    assert list_templates(tmp_path) == ["offer"]


@pytest.mark.parametrize(
    ("contact", "country", "expected"),
    [
        ("zh", "DE", "zh"),
        ("zh-TW", None, "zh-TW"),
        ("zh_HK", None, "zh"),
        ("ZH", None, "zh"),
        (None, "CN", "zh"),
        (None, "TW", "zh-TW"),
        (None, "AT", "de"),
        (None, "CH", "de"),
        (None, "EG", "ar"),
        (None, "BR", "pt"),
        (None, "US", "en"),
        ("fr", "DE", "de"),
        ("fr", None, "en"),
        (None, None, "en"),
        ("", "??", "en"),
    ],
)
def test_choice_of_language(contact: str | None, country: str | None, expected: str) -> None:
    bodies = {f"body.{language}.mjml": BODY for language in ("zh", "zh-TW", "de", "ar", "pt")}
    files = {"body.mjml": BODY, "template.toml": '[countries]\nTW = "zh-TW"\n'} | bodies
    assert choose_language(TemplateSource.from_files("t", files), contact, country) == expected


def test_the_fallback_language_may_be_another_than_english() -> None:
    files = {"body.mjml": BODY, "body.en.mjml": BODY, "template.toml": 'fallback = "zh"\nsubject = "您好"\n'}
    source = TemplateSource.from_files("t", files)
    assert source.languages == ("zh", "en")
    assert source.subject("zh") == "您好"
    assert source.body_file("zh") == "body.mjml"
    with pytest.raises(ContentProblem):
        source.subject("en")


def test_samples_by_language() -> None:
    sample = json.dumps({"first_name": "Anna", "city": "Hamburg", "zh": {"first_name": "娜"}})
    files = {"body.mjml": BODY, "body.zh.mjml": BODY, "template.toml": "", "sample.json": sample}
    source = TemplateSource.from_files("t", files)
    assert source.sample_for("zh") == {"first_name": "娜", "city": "Hamburg"}
    assert source.sample_for("en") == {"first_name": "Anna", "city": "Hamburg"}
