"""The documentation is tested like code: nothing stale, no dead link, no place that only exists on one machine."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests import reference, security

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
#: Absolute paths of machines on which this was written, and of its package mirrors.
PLACES = re.compile(r"(^|[^\w./-])/(work|root|farm)/|/opt/(wheels|pypi)")


def committed() -> list[Path]:
    """Every file that git holds; outside a repository (an unpacked archive) every file that is not made."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("not a git repository")
    return [ROOT / name for name in done.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("page", reference.PAGES)
def test_reference_pages_are_fresh(page: str):
    stands = (DOCS / page).read_text(encoding="utf-8") if (DOCS / page).exists() else ""
    assert stands == reference.PAGES[page](), f"docs/{page} is stale: run `make docs` and commit it"


def test_the_cases_of_each_security_class_are_counted():
    stands = security.PAGE.read_text(encoding="utf-8")
    assert stands == security.page(), "docs/security.md is stale: run `make docs` and commit it"


def anchors(page: Path) -> set[str]:
    """GitHub's anchors of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    for link in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match(r"(https?|mailto):", link):
            continue
        target, _, anchor = link.partition("#")
        place = (page.parent / target).resolve() if target else page
        assert place.exists(), f"{page.name} links to {link}, which is not there"
        if anchor and place.suffix == ".md":
            assert anchor in anchors(place), f"{page.name} links to {link}, a heading that is not there"


def test_every_picture_is_shown_somewhere():
    shown = {
        (page.parent / link).resolve() for page in PAGES for link in LINK.findall(page.read_text(encoding="utf-8"))
    }
    assert sorted(picture.name for picture in (DOCS / "images").iterdir() if picture not in shown) == []


def test_the_readme_says_how_to_start():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert "make demo" in readme
    assert "make test" in readme


def test_every_adr_has_context_decision_and_consequences():
    records = sorted((DOCS / "adr").glob("[0-9]*.md"))
    assert len(records) >= 4
    for number, record in enumerate(records, 1):
        assert record.name.startswith(f"{number:04d}-"), "ADRs are numbered without gaps"
        text = record.read_text(encoding="utf-8")
        assert all(f"## {part}" in text for part in ("Context", "Decision", "Consequences")), record.name


def test_every_make_target_is_explained():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {name for line in re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE) for name in line.split()}
    explained = set(re.findall(r"^([a-z-]+):.*## ", makefile, re.MULTILINE))
    assert targets - explained <= {"clean"}
    for command in re.findall(r"`make ([a-z-]+)", "".join(page.read_text(encoding="utf-8") for page in PAGES)):
        assert command in targets, f"the docs name `make {command}`, which the Makefile does not have"


def test_the_example_configuration_shows_every_key():
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    keys = re.findall(r"^\| `(\w+)` \|", reference.config_page(), re.MULTILINE)
    missing = [key for key in keys if not re.search(rf"\b{key}\b", text)]
    assert not missing, "config.example.toml explains every key"


def test_every_stage_stands_in_the_architecture():
    text = (DOCS / "architecture.md").read_text(encoding="utf-8")
    for folder in sorted((ROOT / "outreach").iterdir()):
        if (folder / "__init__.py").exists():
            assert f"{folder.name}/" in text, f"docs/architecture.md does not say what {folder.name}/ is for"


def test_the_licence_is_whole():
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in text
    assert "END OF TERMS AND CONDITIONS" in text


def test_nothing_committed_names_a_place_on_one_machine():
    found = []
    for path in committed():
        if path.name in {"test_docs.py", "LICENSE"} or path.suffix in {".png", ".woff2"}:
            continue
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if PLACES.search(line):
                found.append(f"{path.relative_to(ROOT)}:{number}")
    assert not found


def test_the_npm_lock_names_no_addresses():
    lock = (ROOT / "outreach" / "web" / "assets" / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock
