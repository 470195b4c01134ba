"""A campaign's content, compiled once, and each recipient's message made from it as bytes.

`compile_content` does what is the same for all: includes, MJML, links, text part, encoding of static
text. `Compiled.compose` fills in one recipient and puts the header in front: about a hundred
microseconds for a mail of 30 kB with 16 links. The stdlib's EmailMessage takes 50 to 60 times as long;
tests/content/test_compose.py proves that it reads the same content back.

`compose` of one Compiled is not for several threads at once. `render` may be: where two meet, no more than
the wordings that `spin` chooses for a preview can change.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from markupsafe import escape

from outreach.content.context import KNOWN
from outreach.content.envelope import PREVIEW_URLS, Identity, Rendered, Urls, head
from outreach.content.footer import PIXEL, TRAP, before_body_end, html_footer, missing, phrases, text_footer
from outreach.content.images import Images, place
from outreach.content.links import Link, Links, allowed, counted, mark_html, mark_text
from outreach.content.manifest import Variable
from outreach.content.mjml import Layout, lay_out
from outreach.content.plain import plain_message
from outreach.content.problem import ContentProblem, Where
from outreach.content.program import Program, build
from outreach.content.quoted import encode, encode_link, finish
from outreach.content.rewrite import slot
from outreach.content.sourcemap import Expanded, expand, single
from outreach.content.template import TemplateSource
from outreach.content.textpart import from_mjml, join_statements
from outreach.content.tokens import protect

__all__ = [
    "PREVIEW_URLS",
    "Compiled",
    "Composed",
    "Identity",
    "Rendered",
    "Urls",
    "compile_content",
    "plain_message",
]

BOUNDARY = "=_outreach_alternative"  # "=_" cannot occur in quoted-printable text (RFC 2045 6.7)
_PLAIN = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_MIME = (
    f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n\r\n--{BOUNDARY}\r\n{_PLAIN}'
)
_HTML = "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
_PREVIEW_STYLE = (
    "display:none;font-size:1px;line-height:1px;max-height:0;max-width:0;opacity:0;overflow:hidden;mso-hide:all;"
)
_BODY = re.compile(r"<body\b[^>]*>")


@dataclass(frozen=True, slots=True)
class Composed:
    """A message as it goes over the wire: CRLF, 7 bit, no line begins with a dot (nothing to stuff)."""

    data: bytes
    subject: str
    dynamic_links: tuple[tuple[int, str], ...] = ()
    eight_bit: bool = False
    smtp_utf8: bool = False
    wire_ready: ClassVar[bool] = True  # sending need not look through the bytes again


@dataclass
class Compiled:
    """One content in one language, ready for any number of recipients."""

    language: str
    links: tuple[Link, ...]
    html_template: str
    text_template: str
    variables: frozenset[str]
    exposed: frozenset[str]  # variables that are printed whether or not they have a value
    _subject: Program
    _preview: Program
    _html: Program
    _text: Program
    _images: Images
    _dynamic: dict[str, int] = field(default_factory=dict)

    def compose(self, identity: Identity, context: Mapping[str, Any], urls: Urls) -> Composed:
        """One recipient's message; raises ContentProblem."""
        values = self._values(context, urls, identity.uid)
        subject, preview = self._lines(values)
        top = head(identity, subject, urls)
        tracked = self._tracked_links(urls)
        for link, url in tracked:
            values[link.text_slot], values[link.html_slot] = encode_link(url)
        values["_preview"] = encode(str(escape(preview)))
        text = finish(self._text.coded(values, lambda: _plain_slots(tracked, preview)))
        html = finish(self._html.coded(values, lambda: _plain_slots(tracked, preview)))
        data = f"{top}{_MIME}{text}{self._images.before}{_HTML}{html}{self._images.after}"
        return Composed(data.encode("ascii"), subject, tuple((n, url) for url, n in self._dynamic.items()))

    def render(self, context: Mapping[str, Any], urls: Urls = PREVIEW_URLS, seed: str = "") -> Rendered:
        """The same message for the eye; raises ContentProblem."""
        values = self._values(context, urls, seed)
        subject, preview = self._lines(values)
        values |= _plain_slots(self._tracked_links(urls), preview)
        text = self._text.plain(values)  # first, as in compose: run-time links are numbered as they come
        return Rendered(subject, preview, self._html.plain(values), text)

    def _lines(self, values: Mapping[str, Any]) -> tuple[str, str]:
        return self._subject.plain(values).strip(), self._preview.plain(values).strip()

    def _tracked_links(self, urls: Urls) -> list[tuple[Link, str]]:
        click = urls.click
        return [(link, click(link.number, link.url) if click else link.url) for link in self.links]

    def _values(self, context: Mapping[str, Any], urls: Urls, seed: str) -> dict[str, Any]:
        sender = context.get("sender") or {}
        for name in ("company", "postal_address"):
            if not str(sender.get(name) or "").strip():
                raise ContentProblem(f"sender.no_{name}")
        self._dynamic = {}
        for program in (self._subject, self._preview, self._html, self._text):
            program.sandbox.reset()
            program.sandbox.seed = seed
            program.sandbox.link = lambda url: self._run_time_link(url, urls.click)
        return {
            **context,
            "unsubscribe_url": urls.unsubscribe,
            "preferences_url": urls.preferences,
            "_open": urls.open,
            "_trap": urls.trap,
            "_on": "",
        }

    def _run_time_link(self, url: str, click: Callable[[int, str], str] | None) -> str:
        """A link that holds a variable: both parts share its number."""
        if not allowed(url):
            raise ContentProblem("link.scheme", url=url)
        if not counted(url):
            return url
        number = self._dynamic.setdefault(url, len(self.links) + len(self._dynamic) + 1)
        return click(number, url) if click else url


def _plain_slots(tracked: list[tuple[Link, str]], preview: str) -> dict[str, Any]:
    """What stands in the slots where a part is made as text."""
    slots: dict[str, Any] = {"_preview": escape(preview)}
    for link, url in tracked:
        slots[link.text_slot], slots[link.html_slot] = url, escape(url)
    return slots


def compile_content(
    source: TemplateSource,
    language: str,
    *,
    subject: str | None = None,
    preview: str | None = None,
    values: Mapping[str, Any] | None = None,
    media_url: str | None = None,
) -> Compiled:
    """Prepare one language of a template (about 50 ms); subject, preview and values may be a variant's.

    `media_url`: where the template's own images are served; without it they travel inside each message.

    Raises ContentProblem with file, line and column.
    """
    expanded = expand(source.files, source.body_file(language), language)
    layout = lay_out(expanded, language)
    constants = stand_ins(source.values, language, source.fallback_language) | dict(values or {})
    constants |= {f"phrase.{name}": text for name, text in phrases(language).items()}
    links = Links(layout.protected, constants)
    html = mark_html(layout.html, links)
    html, images = place(html, source.files, BOUNDARY, media_url)
    builder = _Builder(source, language, constants)
    html_program, html_text = builder.html(_with_preview(html), layout)
    text_program, text_text = builder.text(source, layout, links)
    subject_program = builder.line(subject or source.subject(language), "subject")
    preview_program = builder.line(source.preview(language) if preview is None else preview, "preview")
    programs = (subject_program, preview_program, html_program, text_program)
    return Compiled(
        language,
        tuple(links.found),
        html_text,
        text_text,
        frozenset().union(*(program.variables for program in programs)),
        frozenset().union(*(program.exposed for program in programs)),
        *programs,
        images,
    )


def _with_preview(html: str) -> str:
    """The preview text, hidden, as the first words of the page."""
    if "display:none;font-size:1px" in html:  # the body has an mj-preview of its own
        return html
    hidden = f'<div style="{_PREVIEW_STYLE}">{slot("_preview")}</div>'
    return _BODY.sub(lambda match: match[0] + hidden, html, count=1)


@dataclass(frozen=True)
class _Builder:
    """What the programs of one content share: names and fallbacks."""

    source: TemplateSource
    language: str
    constants: Mapping[str, Any]

    def build(self, text: str, where: Callable[[int], Where], *, html: bool) -> Program:
        declared = frozenset(self.source.variables) | frozenset(self.constants)
        heads = {name.partition(".")[0] for name in declared}  # a table's name stands for its parts
        return build(
            text,
            self.language,
            html=html,
            known=KNOWN | declared | heads,
            fallbacks=stand_ins(self.source.variables, self.language, self.source.fallback_language),
            constants=self.constants,
            where=where,
        )

    def html(self, html: str, layout: Layout) -> tuple[Program, str]:
        numbered = layout.protected.program(html)
        lacks = missing(numbered.text)
        text = before_body_end(numbered.text, html_footer(lacks, self.language) if lacks else "")
        return self.build(before_body_end(text, TRAP + PIXEL), numbered.where, html=True), text

    def text(self, source: TemplateSource, layout: Layout, links: Links) -> tuple[Program, str]:
        written = source.text_file(self.language)
        if written:
            protected = protect(single(written, source.files[written]))
            links = Links(protected, links.constants, links.found)
            numbered = protected.program(mark_text(join_statements(protected.text, protected) + "\n", links))
        else:
            numbered = layout.protected.program(from_mjml(layout.protected, links))
        lacks = missing(numbered.text)
        text = numbered.text + (text_footer(lacks, self.language) if lacks else "")
        return self.build(text, numbered.where, html=False), text

    def line(self, text: str, key: str) -> Program:
        """A subject or a preview text of template.toml."""
        numbered = protect(_quoted_in(self.source, text)).program(text)
        return self.build(numbered.text, numbered.where, html=False)


def _quoted_in(source: TemplateSource, text: str) -> Expanded:
    """A text of template.toml, with places that point into that file where it stands there as it is."""
    manifest = source.files.get("template.toml", "")
    offset = manifest.find(text)
    expanded = single("template.toml", text)
    if offset < 0:
        return expanded
    piece = expanded.pieces[0].__class__(0, "template.toml", offset)
    return Expanded(text, (piece,), {"template.toml": manifest})


def stand_ins(table: Mapping[str, Variable], language: str, other: str) -> dict[str, Any]:
    """What stands for each variable or value in a language."""
    found = {name: variable.fallback(language, other) for name, variable in table.items()}
    return {name: value for name, value in found.items() if value is not None}
