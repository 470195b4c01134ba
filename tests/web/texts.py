"""What a person reads on a page, and which of it is data: for the tests of the two languages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlmodel import SQLModel

import outreach
from outreach.content.context import VARIABLES
from tests.web.house import House

#: Read aloud or shown as hints; data-sure is asked before something is done.
SAID = ("title", "placeholder", "aria-label", "alt", "data-sure", "label")
#: Their text is a program's, a source's, or another document's.
UNREAD = {"script", "style", "code", "pre", "textarea", "svg", "iframe", "kbd"}
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
HAN = re.compile(r"[\u3400-\u9fff]")
#: Words of English side by side; two of them have three letters or more, so that "DE Berlin" is none.
ENGLISH = re.compile(r"[A-Za-z]{2,}(?:,? [A-Za-z]{2,})+")


class Reader(HTMLParser):
    """Collects texts. What is marked as another language (`lang`) is a quotation or a language's own name."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.texts: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        foreign = "lang" in given and tag != "html"
        if not foreign:
            self.texts |= {" ".join(str(given[name]).split()) for name in SAID if given.get(name)}
        if tag not in VOID:
            self.open.append((tag, foreign))

    def handle_endtag(self, tag: str) -> None:
        if any(name == tag for name, _ in self.open):
            while self.open.pop()[0] != tag:
                pass

    def handle_data(self, data: str) -> None:
        text = " ".join(data.split())
        if text and not any(tag in UNREAD or foreign for tag, foreign in self.open):
            self.texts.add(text)


def read(html: str) -> set[str]:
    """Return the texts of a page or of a part of one."""
    reader = Reader()
    reader.feed(html)
    return reader.texts


class Data:
    """Every text that comes from the company and not from the program: stored, configured, written in templates."""

    def __init__(self, texts: Iterable[str]) -> None:
        self.texts = {" ".join(text.split()) for text in texts}
        self.whole = "\n".join(self.texts).lower()
        self.in_chinese = sorted((text for text in self.texts if HAN.search(text)), key=len, reverse=True)

    @classmethod
    async def of(cls, house: House) -> Data:
        """Read the database, the settings, the templates and the rules."""
        found: list[str] = list(available_timezones())
        async with house.db.read() as conn:
            for table in SQLModel.metadata.tables.values():
                for row in await conn.execute(select(table)):
                    given = strings(list(row))
                    found += [*given, " ".join(given)]  # a name stands in two columns
        found += strings(house.outreach.settings.model_dump(mode="json"))
        package = Path(outreach.__file__).parent
        for file in ("content/gates.toml", "sending/providers.toml"):
            found += strings(tomllib.loads((package / file).read_text()))
        folder = package.parent / "templates"
        found += [
            path.read_text() for path in folder.rglob("*.*") if path.suffix in (".toml", ".mjml", ".json", ".txt")
        ]
        return cls([*found, *(str(known.example) for known in VARIABLES.values())])

    def english(self, text: str) -> list[str]:
        """The runs of English words in a text that are no data; a condition of a segment is no English."""
        runs = [] if " = " in text else ENGLISH.findall(text)
        return [run for run in runs if len(re.findall(r"[A-Za-z]{3,}", run)) > 1 and run.lower() not in self.whole]

    def chinese(self, text: str) -> str:
        """What is Chinese in a text once the data are taken out."""
        for known in self.in_chinese:
            text = text.replace(known, "")
        return "".join(HAN.findall(text))


def strings(value: Any) -> list[str]:
    """Every text in a value as JSON has it."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list | tuple):
        return [text for item in value for text in strings(item)]
    return []
