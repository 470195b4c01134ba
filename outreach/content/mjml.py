"""MJML → HTML: checked first (mrml drops unknown tags and attributes in silence), then laid out by mrml.

Jinja is in tokens while all this happens (tokens.py). Fonts are never fetched; `mj-style inline` is
inlined afterwards by css-inline, because mrml does not.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import css_inline
from mjml import mjml2html

from outreach.content.languages import direction, is_rtl
from outreach.content.markup import VOID, Tag, tags
from outreach.content.problem import ContentProblem
from outreach.content.rtl import mirror
from outreach.content.sourcemap import Expanded
from outreach.content.tokens import TOKEN, Protected, protect

DEPTH = 40  # nested tags; the parsers behind recurse, and a stack overflow there ends the process
_FORBIDDEN = re.compile(r"<!DOCTYPE|<!ENTITY|<\?|<!\[CDATA\[", re.IGNORECASE)
_INLINE = re.compile(r"<mj-style\b[^>]*\binline\b[^>]*>(.*?)</mj-style\s*>", re.DOTALL)
_HIDDEN = re.compile(f"<!--({TOKEN.pattern.replace('(', '(?:')})-->")
_ROOT = re.compile(r"<mjml\b([^>]*)>")


class Element(NamedTuple):
    """What mjml_elements.toml says of one tag."""

    parents: tuple[str, ...]
    attributes: frozenset[str]
    html: bool
    any_attribute: bool


class Layout(NamedTuple):
    """A body laid out: HTML with tokens, the tokens, and the source that they come from."""

    html: str
    protected: Protected
    source: Expanded


@cache
def elements() -> dict[str, Element]:
    """The tags of MJML by name."""
    with Path(__file__).with_name("mjml_elements.toml").open("rb") as file:
        data = tomllib.load(file)
    return {name: _element(data["groups"], table) for name, table in data["elements"].items()}


def _element(groups: dict[str, list[str]], table: dict[str, Any]) -> Element:
    shared = [name for group in table.get("groups", ()) for name in groups[group]]
    return Element(
        tuple(table["parents"]),
        frozenset([*table["attributes"], *shared, "css-class", "mj-class"]),
        bool(table.get("html")),
        bool(table.get("any_attribute")),
    )


def lay_out(source: Expanded, language: str) -> Layout:
    """Check and render one body; raises ContentProblem with the place of the first fault."""
    protected = protect(source)
    for problem in faults(source):
        raise problem
    text = _with_language(protected.text, language)
    styles = "\n".join(_INLINE.findall(text))
    html = _render(_INLINE.sub("", text), source)
    if styles.strip():
        html = _inline(html, styles, protected)
    return Layout(mirror(html) if is_rtl(language) else html, protected, source)


def _with_language(text: str, language: str) -> str:
    """Screen readers and bidirectional text go by lang and dir of the root."""

    def root(match: re.Match[str]) -> str:
        given = re.sub(r"""\b(lang|dir)\s*=\s*("[^"]*"|'[^']*')""", "", match[1])
        return f'<mjml{given} lang="{language}" dir="{direction(language)}">'

    return _ROOT.sub(root, text, count=1)


def _render(text: str, source: Expanded) -> str:
    try:
        html = mjml2html(text, fonts={}, disable_comments=True)
    except Exception as error:  # mrml raises ValueError, OSError and bare Exception by case
        raise ContentProblem("mjml.render", source.where(0), detail=error) from error
    return str(html)


def _inline(html: str, styles: str, protected: Protected) -> str:
    """Tokens of statements become comments meanwhile: HTML parsers move text out of tables."""
    inlined = css_inline.inline(
        _hide_statements(html, protected),
        extra_css=styles,
        inline_style_tags=False,
        keep_style_tags=True,
        load_remote_stylesheets=False,
    )
    return _HIDDEN.sub(r"\1", inlined)


def _hide_statements(html: str, protected: Protected) -> str:
    def hide(match: re.Match[str]) -> str:
        return match[0] if protected.tokens[int(match[1])].prints else f"<!--{match[0]}-->"

    pieces, after = [], 0
    for tag in tags(html):
        pieces += [TOKEN.sub(hide, html[after : tag.start]), html[tag.start : tag.end]]
        after = tag.end
    return "".join(pieces) + html[after:]


def faults(source: Expanded) -> Iterator[ContentProblem]:
    """Every structural fault of a body, in order; the first structural break ends the list."""
    protected = protect(source)
    place = _Places(protected, source)
    if forbidden := _FORBIDDEN.search(protected.text):
        yield place.problem("mjml.doctype", forbidden.start())
        return
    yield from _Checker(protected.text, place).run()


class _Places:
    """Offsets in the protected text → places in the files (tokens are shorter than what they hide)."""

    def __init__(self, protected: Protected, source: Expanded) -> None:
        self.source = source
        self.shifts = [(0, 0)]
        for match in TOKEN.finditer(protected.text):
            token = protected.tokens[int(match[1])]
            self.shifts.append((match.end(), token.offset + len(token.code) - match.end()))

    def original(self, offset: int) -> int:
        shift = 0
        for start, value in self.shifts:
            if start > offset:
                break
            shift = value
        return offset + shift

    def problem(self, code: str, offset: int, **details: object) -> ContentProblem:
        return ContentProblem(code, self.source.where(self.original(offset)), **details)


class _Checker:
    """Walks the tags once with a stack; HTML inside mj-text and its like is checked for balance only."""

    def __init__(self, text: str, place: _Places) -> None:
        self.text, self.place = text, place
        self.stack: list[Tag] = []
        self.after = 0  # where the last tag ended, to find stray text and broken tags
        self.seen_body = False

    def run(self) -> Iterator[ContentProblem]:
        for tag in tags(self.text):
            yield from self.between(tag.start)
            self.after = tag.end
            if tag.kind == "comment":
                continue
            yield from self.close(tag) if tag.kind == "close" else self.open(tag)
            if len(self.stack) > DEPTH:
                yield self.place.problem("mjml.depth", tag.start, limit=DEPTH)
                return
        yield from self.between(len(self.text))
        if self.stack:
            yield self.place.problem("mjml.unclosed", self.stack[-1].start, tag=self.stack[-1].name)
        elif not self.seen_body:
            yield self.place.problem("mjml.root", 0)

    def in_html(self) -> bool:
        return any(_is_html(tag.name) for tag in self.stack)

    def in_unknown(self) -> bool:
        """Within a tag that was reported already."""
        return bool(self.stack) and self.stack[-1].name not in elements()

    def between(self, end: int) -> Iterator[ContentProblem]:
        """Text between two tags: a lone `<` is a broken tag; bare words have no place outside mj-text."""
        text = self.text[self.after : end]
        raw = self.stack and self.stack[-1].name in ("mj-style", "mj-raw", "style")
        if not raw and (broken := re.search(r"<(?=[A-Za-z/!])", text)):
            yield self.place.problem("mjml.syntax", self.after + broken.start(), detail=text[broken.start() :][:40])
        elif (
            not self.in_html()
            and not self.in_unknown()
            and (stray := re.search(r"\S", TOKEN.sub(lambda m: " " * len(m[0]), text)))
        ):
            parent = self.stack[-1].name if self.stack else "mjml"
            yield self.place.problem("mjml.text", self.after + stray.start(), tag=parent)

    def open(self, tag: Tag) -> Iterator[ContentProblem]:
        if not self.in_html():
            yield from self.element(tag)
        elif tag.name.startswith("mj-") and not _is_raw(self.stack):
            yield self.misplaced(tag, self.stack[-1].name)
        yield from self.duplicates(tag)
        if tag.kind == "open" and not (tag.name in VOID and self.in_html()):
            self.stack.append(tag)

    def close(self, tag: Tag) -> Iterator[ContentProblem]:
        if tag.name in VOID and self.in_html():
            return
        if self.stack and self.stack[-1].name == tag.name:
            self.stack.pop()
        else:
            opened = self.stack[-1].name if self.stack else "mjml"
            yield self.place.problem("mjml.unexpected_close", tag.start, tag=tag.name, open=opened)
            self.recover(tag.name)

    def recover(self, name: str) -> None:
        """Close up to the matching tag, so that one slip is not reported twenty times."""
        names = [tag.name for tag in self.stack]
        if name in names:
            del self.stack[len(names) - 1 - names[::-1].index(name) :]

    def element(self, tag: Tag) -> Iterator[ContentProblem]:
        known = elements().get(tag.name)
        if known is None:
            yield self.place.problem(
                "mjml.unknown_tag", tag.start, tag=tag.name, suggestion=_suggest(tag.name, elements())
            )
            return
        self.seen_body = self.seen_body or tag.name == "mj-body"
        parent = self.stack[-1].name if self.stack else ""
        defaults = parent == "mj-attributes" or self.in_unknown()
        if not defaults and parent not in known.parents and (parent or tag.name != "mjml"):
            yield self.misplaced(tag, parent or "–")
        if not known.any_attribute:
            yield from self.attributes(tag, known)

    def misplaced(self, tag: Tag, parent: str) -> ContentProblem:
        known = elements().get(tag.name)
        allowed = ", ".join(known.parents) if known and known.parents else "–"
        return self.place.problem("mjml.misplaced", tag.start, tag=tag.name, parent=parent, allowed=allowed)

    def attributes(self, tag: Tag, known: Element) -> Iterator[ContentProblem]:
        for attribute in tag.attributes:
            if attribute.name not in known.attributes:
                suggestion = _suggest(attribute.name, known.attributes)
                yield self.place.problem(
                    "mjml.unknown_attribute",
                    attribute.offset,
                    tag=tag.name,
                    attribute=attribute.name,
                    suggestion=suggestion,
                )

    def duplicates(self, tag: Tag) -> Iterator[ContentProblem]:
        seen = set()
        for attribute in tag.attributes:
            if attribute.name in seen:
                yield self.place.problem(
                    "mjml.duplicate_attribute", attribute.offset, tag=tag.name, attribute=attribute.name
                )
            seen.add(attribute.name)


def _without_jinja(text: str) -> str:
    return TOKEN.sub(lambda token: " " * len(token[0]), text)


def _is_html(name: str) -> bool:
    known = elements().get(name)
    return known is not None and known.html


def _is_raw(stack: list[Tag]) -> bool:
    return any(tag.name == "mj-raw" for tag in stack)


def _suggest(name: str, known: Any) -> str:
    """Shown in both languages: names need no translation."""
    close = get_close_matches(name, list(known), n=3, cutoff=0.6)
    return " / ".join(close) if close else ", ".join(sorted(known))
