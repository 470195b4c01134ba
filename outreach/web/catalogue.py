"""Keeps the catalogues in step with the pages: ``python -m outreach.web.catalogue``.

New texts are added (English as they stand, Chinese empty), texts that no page has any more are removed. The test
tests/web/test_i18n.py fails while a text is missing, empty, or lacks a placeholder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from outreach.web.i18n import LOCALES

HERE = Path(__file__).parent
METHODS = [("static/**", "ignore"), ("assets/**", "ignore"), ("**.py", "python"), ("html/**.html", "jinja2")]
OPTIONS = {"html/**.html": {"extensions": "jinja2.ext.do", "silent": "false"}}
KEYWORDS = {"N_": None, "_": None, "gettext": None, "say": None, "ngettext": (1, 2), "translate": (2,)}


def extract() -> Catalog:
    """Return every text of the pages."""
    catalog = Catalog(charset="utf-8")
    found = extract_from_dir(str(HERE), METHODS, OPTIONS, keywords=KEYWORDS, comment_tags=())
    for name, _line, message, _comments, context in found:
        if message:
            catalog.add(message, None, [(f"outreach/web/{name}", None)], context=context)  # type: ignore[list-item]
    return catalog


def stored(name: str) -> Catalog:
    """Return a committed catalogue."""
    path = LOCALES / name / "messages.po"
    if not path.exists():
        return Catalog(locale=name, charset="utf-8", project="outreach", fuzzy=False)
    with path.open("rb") as file:
        return read_po(file, locale=name)


def update(name: str) -> int:
    """Bring one catalogue up to date; how many texts lack a translation."""
    old = stored(name)
    new = Catalog(locale=name, charset="utf-8", project="outreach", fuzzy=False, copyright_holder="the authors")
    lacking = 0
    for message in sorted(extract(), key=lambda m: str(m.id)):
        if not message.id:
            continue
        known = old.get(message.id)
        string = known.string if known is not None else None
        if name == "en":
            string = message.id if message.pluralizable else str(message.id)
        lacking += not (all(string) if isinstance(string, tuple | list) else string)
        new.add(message.id, string, sorted(set(message.locations)))
    path = LOCALES / name / "messages.po"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        write_po(file, new, width=120, include_lineno=False, omit_header=False, sort_output=True)
    return lacking


def main() -> None:
    """Update both and say what is missing."""
    for name in ("en", "zh_CN"):
        lacking = update(name)
        sys.stderr.write(f"{name}: {lacking} texts without translation\n")


if __name__ == "__main__":
    main()
