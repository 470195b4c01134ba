"""Versions compared and put back; snippets found."""

from __future__ import annotations

from pathlib import Path

import pytest

from outreach.content.problem import ContentProblem
from outreach.content.snippets import snippets
from outreach.content.versions import FileChange, diff, restore

OLD = {"body.mjml": "a\nb\nc\n", "template.toml": "x = 1\n", "i.png": "base64:AA==", "gone.txt": "bye"}
NEW = {"body.mjml": "a\nB\nc\n", "template.toml": "x = 1\n", "i.png": "base64:AQ==", "new.txt": "hi"}


def test_what_changed() -> None:
    assert diff(OLD, OLD) == []
    assert diff(OLD, NEW) == [
        FileChange("body.mjml", "changed", ("@@ -1,3 +1,3 @@", " a", "-b", "+B", " c")),
        FileChange("gone.txt", "removed", ("@@ -1 +0,0 @@", "-bye")),
        FileChange("i.png", "changed"),
        FileChange("new.txt", "added", ("@@ -0,0 +1 @@", "+hi")),
    ]


def test_restore_puts_exactly_that_version_back(tmp_path: Path) -> None:
    restore(tmp_path / "t", NEW | {"_layout/footer.mjml": "not mine"})
    assert restore(tmp_path / "t", OLD) == sorted(OLD)
    assert sorted(path.name for path in (tmp_path / "t").iterdir()) == sorted(OLD)
    assert (tmp_path / "t" / "i.png").read_bytes() == b"\0"
    assert not (tmp_path / "_layout").exists()


@pytest.mark.parametrize(
    "name", ["../x.mjml", "/etc/x.txt", "a/../../x.mjml", "x.py", "a\0.mjml", "..mjml", "a/.b.mjml/.."]
)
def test_names_cannot_lead_outside(tmp_path: Path, name: str) -> None:
    with pytest.raises(ContentProblem):
        restore(tmp_path / "t", {name: "x"})
    assert list(tmp_path.rglob("*.*")) == []


def test_snippets_have_captions_in_both_languages() -> None:
    files = {
        "_layout/snippets/price-table.mjml": "<!-- en: Prices | zh: 价目 -->\n<mj-section />",
        "_layout/snippets/price-table.zh.mjml": "<mj-section />",
        "_layout/snippets/my-own.mjml": "<mj-section />",
        "_layout/footer.mjml": "x",
    }
    own, prices = snippets(files)
    assert (own.path, own.caption("zh")) == ("_layout/snippets/my-own", "My own")
    assert (prices.caption("en"), prices.caption("zh")) == ("Prices", "价目")
    assert prices.tag == '<mj-include path="_layout/snippets/price-table" />'
