"""Links: found, numbered, and made ready to be swapped for tracked ones.

Counted: http and https. Untouched: mailto, tel, sms, anchors, and the unsubscribe and preference links.
Refused: any other scheme. A link whose address holds a variable is only known when a mail is written; it
takes a run-time path and gets a number after the static ones.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape, unescape
from typing import Any

from outreach.content.markup import tags
from outreach.content.problem import ContentProblem
from outreach.content.rewrite import slot
from outreach.content.tokens import TOKEN, Protected

_UNTOUCHED = re.compile(r"(?:mailto|tel|sms|callto):|#|$", re.IGNORECASE)
_HTTP = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_OWN = re.compile(r"\{\{-?\s*(?:unsubscribe_url|preferences_url|open_url)\b[^}]*\}\}$")
_NAME = re.compile(r"\{\{-?\s*(\w+)\s*-?\}\}")
_IN_TEXT = re.compile(r"https?://[^\s<>\"'`]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}。，；：！？）】」"


@dataclass(frozen=True)
class Link:
    """A static link: its number in the mail (from 1), where it leads, the words that it stands under."""

    number: int
    url: str
    text: str = ""
    html_slot: str = field(init=False)
    text_slot: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "html_slot", f"_l{self.number}")
        object.__setattr__(self, "text_slot", f"_t{self.number}")


@dataclass
class Links:
    """The links of one content, numbered while its parts are prepared."""

    protected: Protected
    constants: Mapping[str, Any] = field(default_factory=dict)
    found: list[Link] = field(default_factory=list)

    def settle(self, value: str) -> str:
        """An address whose variables are the same for all, as that address."""

        def constant(match: re.Match[str]) -> str:
            name = _NAME.fullmatch(self.protected.tokens[int(match[1])].code)
            known = self.constants.get(name[1]) if name else None
            return known if isinstance(known, str) else match[0]

        return TOKEN.sub(constant, value)

    def number(self, url: str, text: str) -> int:
        """A new number for a static link."""
        self.found.append(Link(len(self.found) + 1, url, text))
        return len(self.found)

    def same(self, url: str) -> int:
        """The number that a link of the HTML part has; a new one for a link of the text part alone."""
        known = next((link.number for link in self.found if link.url == url), 0)
        return known or self.number(url, url)


def allowed(url: str) -> bool:
    """Whether a mail may lead there."""
    return bool(_HTTP.match(url) or _UNTOUCHED.match(url))


def counted(url: str) -> bool:
    """Whether a click there is counted."""
    return bool(_HTTP.match(url))


def mark_html(html: str, links: Links) -> str:
    """HTML (Jinja in tokens) whose link addresses are slots; raises ContentProblem on a bad scheme."""
    pieces, after = [], 0
    for tag in tags(html):
        href = next((item for item in tag.attributes if item.name == "href"), None)
        if tag.name not in ("a", "area") or href is None or tag.kind == "close":
            continue
        replaced = _href(unescape(href.value).strip(), html, tag.end, links)
        if replaced is not None:
            pieces += [html[after : href.start], replaced]
            after = href.end
    return "".join(pieces) + html[after:]


def _href(value: str, html: str, end: int, links: Links) -> str | None:
    """What stands in the place of an address; None: it stays as it is."""
    value = links.settle(value)
    if TOKEN.search(value):
        return dynamic(value, links.protected, html=True)
    if counted(value):
        return slot(f"_l{links.number(value, _words(html, end))}")
    if allowed(value):
        return None
    raise _bad(value, links.protected)


def dynamic(value: str, protected: Protected, *, html: bool) -> str | None:
    """Jinja that works an address out and asks for its tracked form; None: it stays as it is."""
    source = protected.restore(value)
    head = TOKEN.split(value, maxsplit=1)[0]
    if _OWN.fullmatch(source) or (head and _UNTOUCHED.match(head)):
        return None
    if head and not re.match(r"https?:", head, re.IGNORECASE) and ":" in head:
        raise _bad(source, protected)
    body = escape(value) if html else value
    return "{% set _h %}" + body + "{% endset %}{{ _h|_dyn }}"


def _bad(url: str, protected: Protected) -> ContentProblem:
    offset = protected.source.text.find(url)
    return ContentProblem("link.scheme", protected.source.where(max(offset, 0)), url=url)


def _words(html: str, start: int) -> str:
    """The words (or the alt text) between <a …> and </a>, for reports."""
    end = html.find("</a>", start)
    inner = html[start : end if end >= 0 else start]
    alt = re.search(r'\balt="([^"]*)"', inner)
    text = " ".join(unescape(re.sub(r"<[^>]*>", " ", inner)).split())
    return TOKEN.sub("…", text or (unescape(alt[1]) if alt else ""))[:120]


def mark_text(text: str, links: Links) -> str:
    """A written text part (Jinja in tokens) whose addresses are slots."""
    return _IN_TEXT.sub(lambda match: _text_link(match[0], links), text)


def _text_link(found: str, links: Links) -> str:
    url = found.rstrip(_TRAILING)
    rest = found[len(url) :]
    url = links.settle(url)
    if TOKEN.search(url):
        return (dynamic(url, links.protected, html=False) or url) + rest
    return slot(f"_t{links.same(url)}") + rest


def addresses(html: str) -> Iterator[tuple[str, str]]:
    """(address, words) of all links of finished HTML, for the lint."""
    for tag in tags(html):
        href = tag.get("href")
        if tag.name in ("a", "area") and href is not None and tag.kind != "close":
            yield unescape(href).strip(), _words(html, tag.end)
