"""The text part where none is written: from the MJML, not from the HTML, whose layout tables mean nothing.

The MJML is turned into plain HTML of paragraphs (Jinja still in tokens, statements on lines of their own),
which inscriptis turns into text.
"""

from __future__ import annotations

import re
from html import escape, unescape

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig

from outreach.content.links import Links, counted, dynamic
from outreach.content.markup import VOID, Tag, tags
from outreach.content.rewrite import slot
from outreach.content.tokens import TOKEN, Protected

_CONFIG = ParserConfig(css=CSS_PROFILES["strict"])
_SKIPPED = frozenset({"mj-head", "mj-style", "mj-raw", "mj-title", "mj-preview", "style", "script"})
_BLOCKS = frozenset({"mj-text", "mj-accordion-title", "mj-accordion-text", "mj-social-element", "mj-navbar-link"})
_ROWS = frozenset({"tr"})
_CELLS = frozenset({"td", "th"})
_TABLE = frozenset({"table", "tbody", "thead", "tfoot", "tr", "td", "th"})


def from_mjml(protected: Protected, links: Links) -> str:
    """Text (Jinja in tokens, links as slots) with lines ended by LF."""
    html = _Simplifier(protected, links).run()
    text = get_text(f"<html><body>{html}</body></html>", _CONFIG)
    return join_statements(text.replace("\xa0", " "), protected).strip("\n") + "\n"


def join_statements(text: str, protected: Protected) -> str:
    """A line of nothing but statements leaves no line behind, and never more than one blank line."""
    out: list[str] = []
    glue = ""
    blank = True
    for line in (line.rstrip() for line in text.splitlines()):
        found = [protected.tokens[int(match[1])] for match in TOKEN.finditer(line)]
        if found and not TOKEN.sub("", line).strip() and not any(token.prints for token in found):
            glue += line.strip()
        elif line or not blank:
            out.append(glue + line)
            glue, blank = "", not line
    return "\n".join(out) + ("\n" + glue if glue else "")


def _decoration(tag: Tag) -> bool:
    """Drawings made of text carry css-class="decoration": they say nothing in a text part."""
    return "decoration" in (tag.get("css-class") or tag.get("class") or "").split()


class _Simplifier:
    """MJML → paragraphs, in one walk over its tags."""

    def __init__(self, protected: Protected, links: Links) -> None:
        self.protected, self.links = protected, links
        self.text = protected.text
        self.out: list[str] = []
        self.skip = 0
        self.html = 0  # depth within elements whose content is HTML
        self.hrefs: list[tuple[str, int]] = []

    def run(self) -> str:
        after = 0
        for tag in tags(self.text):
            self.words(self.text[after : tag.start])
            after = tag.end
            if tag.name in _SKIPPED or self.skip or _decoration(tag):
                self.skip += 0 if tag.name in VOID else {"open": 1, "close": -1}.get(tag.kind, 0)
            elif not self.skip and tag.kind != "comment":
                self.close(tag) if tag.kind == "close" else self.open(tag)
        return "".join(self.out)

    def words(self, text: str) -> None:
        if self.skip:
            return
        if self.html:
            self.out.append(text)
        else:  # only statements stand between elements
            self.out += [f"<div>{match[0]}</div>" for match in TOKEN.finditer(text)]

    def open(self, tag: Tag) -> None:
        if tag.name == "mj-image":
            self.picture(tag)
        elif tag.name == "img":
            self.out.append(escape(unescape(tag.get("alt") or "")))
        elif tag.name in ("mj-button", "a", "mj-navbar-link", "mj-social-element"):
            self.begin_link(tag)
        elif tag.name in _BLOCKS:
            self.begin("<p>")
        elif tag.name == "mj-table":
            self.begin("<div>")
        elif tag.name == "mj-divider":
            self.out.append("<p>––––––––</p>")
        elif self.html:
            self.out.append(self.table(tag) if tag.name in _TABLE else f"<{tag.name}>")

    def begin(self, opening: str) -> None:
        self.html += 1
        self.out.append(opening)

    def begin_link(self, tag: Tag) -> None:
        if tag.name != "a":
            self.begin("<p>")
        self.hrefs.append((unescape(tag.get("href") or "").strip(), len(self.out)))

    def close(self, tag: Tag) -> None:
        if tag.name in ("mj-button", "a", "mj-navbar-link", "mj-social-element"):
            self.end_link(tag)
        elif tag.name in _BLOCKS or tag.name == "mj-table":
            self.html -= 1
            self.out.append("</p>" if tag.name in _BLOCKS else "</div>")
        elif self.html:
            self.out.append(self.table(tag) if tag.name in _TABLE else f"</{tag.name}>")

    def end_link(self, tag: Tag) -> None:
        href, start = self.hrefs.pop() if self.hrefs else ("", len(self.out))
        words = " ".join("".join(self.out[start:]).split())
        address = self.address(href)
        if address and unescape(words) != href:
            colon = tag.name == "mj-button"
            self.out.append(f": {address}" if colon else f" &lt;{address}&gt;")
        elif address:
            self.out[start:] = [address]
        if tag.name != "a":
            self.html -= 1
            self.out.append("</p>")

    def picture(self, tag: Tag) -> None:
        words, address = tag.get("alt") or "", self.address(unescape(tag.get("href") or "").strip())
        if words and address:
            self.out.append(f"<p>{words}: {address}</p>")

    def address(self, href: str) -> str:
        """An address as it stands in text; mailto and tel say no more than their words."""
        href = self.links.settle(href)
        if TOKEN.search(href) and re.match(r"(?:mailto|tel|sms|callto):", href, re.IGNORECASE):
            return ""
        if TOKEN.search(href):
            code = dynamic(href, self.protected, html=False)
            return escape(code if code is not None else href, quote=False)
        return slot(f"_t{self.links.same(href)}") if counted(href) else ""

    @staticmethod
    def table(tag: Tag) -> str:
        """Rows become lines, cells stand side by side."""
        if tag.name in _CELLS:
            return "" if tag.kind == "open" else " &nbsp; "
        if tag.name in _ROWS:
            return "<div>" if tag.kind == "open" else "</div>"
        return ""
