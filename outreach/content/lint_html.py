"""The lint's rules for the page: images, size, links, HTML that clients ignore."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from outreach.content.envelope import Rendered
from outreach.content.links import addresses
from outreach.content.lint_words import words
from outreach.content.markup import Tag, tags
from outreach.content.problem import NOWHERE, ContentProblem, Where
from outreach.content.sourcemap import Expanded, place
from outreach.content.template import TemplateSource

CLIP = 102 * 1024  # bytes of HTML that Gmail shows before "message clipped" (support.google.com/mail)
PER_IMAGE = 200  # characters of text beside each image
LINKS = 40  # a catalogue in a mail; more look like a link farm to filters
EMBEDDED = 500  # kB of pictures inside each message
_DOMAIN = re.compile(r"(?:https?://)?((?:[a-z0-9-]+\.)+(?:[a-z]{2,}))(?=[/?#:]|$)", re.IGNORECASE)
_FILES = re.compile(r"\.(?:pdf|xlsx?|docx?|pptx?|zip|png|jpe?g)$", re.IGNORECASE)

_RISKY = re.compile(
    r"\.(?:exe|msi|scr|bat|cmd|js|jar|apk|zip|rar|7z|gz|iso|img|docm?|xlsm?|pptm?|html?\.zip)$", re.IGNORECASE
)


def check_html(source: TemplateSource, expanded: Expanded, rendered: Rendered) -> Iterator[ContentProblem]:
    """Findings in the page as it is sent, with places in the source where they can be told."""
    yield from _size(rendered)
    yield from _images(source, expanded, rendered)
    yield from _links(source, expanded, rendered)
    yield from _ignored(expanded)


def _size(rendered: Rendered) -> Iterator[ContentProblem]:
    size = len(rendered.html.encode())
    if size > CLIP:
        yield ContentProblem("size.clipped", kilobytes=round(size / 1024))
    elif size > 0.85 * CLIP:
        yield ContentProblem("size.near", kilobytes=round(size / 1024))


def _images(source: TemplateSource, expanded: Expanded, rendered: Rendered) -> Iterator[ContentProblem]:
    images = [tag for tag in tags(expanded.text) if tag.name in ("mj-image", "img") and tag.kind != "close"]
    characters = len(re.sub(r"https?://\S+|\s", "", rendered.text))
    if images and characters < 80 + 40 * len(images):
        yield ContentProblem("images.only", images=len(images), characters=characters)
    elif len(images) * PER_IMAGE > characters:
        yield ContentProblem("images.balance", images=len(images), characters=characters)
    for image in images:
        yield from _image(source, expanded, image)
    heavy = sum(len(text) for text in source.files.values() if text.startswith("base64:")) * 3 // 4096
    if heavy > EMBEDDED:
        yield ContentProblem("images.heavy", kilobytes=heavy)


def _image(source: TemplateSource, expanded: Expanded, image: Tag) -> Iterator[ContentProblem]:
    where, src = expanded.where(image.start), image.get("src") or ""
    if image.get("alt") is None:
        yield ContentProblem("images.alt", where, src=src)
    if image.get("width") is None:
        yield ContentProblem("images.width", where, src=src)
    name = src.removeprefix("cid:").removeprefix("./")
    if src and not re.match(r"https?:|data:|\{\{", src) and name not in source.files:
        yield ContentProblem("images.missing", where, src=src)


def _links(source: TemplateSource, expanded: Expanded, rendered: Rendered) -> Iterator[ContentProblem]:
    found = list(addresses(rendered.html))
    if len(found) > LINKS:
        yield ContentProblem("link.many", count=len(found))
    for url, text in dict.fromkeys(found):
        yield from check_link(url, text, find(source, expanded, url))


def check_link(url: str, text: str, where: Where = NOWHERE) -> Iterator[ContentProblem]:
    """Findings of one address and the words that it stands under."""
    if url in ("", "#"):
        yield ContentProblem("link.empty", where, text=text)
        return
    parts = urlsplit(url) if re.match(r"https?:", url, re.IGNORECASE) else None
    if parts is None:
        return
    host = (parts.hostname or "").lower()
    if host.removeprefix("www.") in words()["shorteners"]:
        yield ContentProblem("link.shortener", where, url=url)
    if parts.scheme.lower() == "http":
        yield ContentProblem("link.http", where, url=url)
    if re.fullmatch(r"[\d.]+|\[.*\]|.*:.*", host) or _odd_port(parts.netloc):
        yield ContentProblem("link.address", where, url=url)
    if _RISKY.search(parts.path):
        yield ContentProblem("link.file", where, url=url)
    if host in ("example.com", "www.example.com"):
        yield ContentProblem("link.placeholder", where, url=url)
    shown = _DOMAIN.fullmatch(text.strip().rstrip("/")) or _DOMAIN.match(text.strip())
    if shown and not _FILES.search(shown[1]) and "@" not in text and not same_site(shown[1].lower(), host):
        yield ContentProblem("link.mismatch", where, shown=text, url=url)


def _odd_port(netloc: str) -> bool:
    port = netloc.rpartition("@")[2].rpartition("]")[2].partition(":")[2]
    return bool(port) and port not in ("80", "443")


def same_site(shown: str, host: str) -> bool:
    """`www.x.com` and `shop.x.com` belong together, `x.com.evil.com` does not."""
    first, second = shown.removeprefix("www."), host.removeprefix("www.")
    return first == second or second.endswith("." + first) or first.endswith("." + second)


def find(source: TemplateSource, expanded: Expanded, value: str) -> Where:
    """Where an address stands in the body or in template.toml, escaped or not."""
    manifest = source.files.get("template.toml", "")
    for form in (value, value.replace("&", "&amp;"), value.partition("?")[0]):
        if form and (offset := expanded.text.find(form)) >= 0:
            return expanded.where(offset)
        if form and (offset := manifest.find(form)) >= 0:
            return place("template.toml", manifest, offset)
    return NOWHERE


@cache
def support() -> dict[str, Any]:
    """html_support.toml."""
    with Path(__file__).with_name("html_support.toml").open("rb") as file:
        return tomllib.load(file)


def _ignored(expanded: Expanded) -> Iterator[ContentProblem]:
    seen = set()
    rows = {name: row for row in support()["tag"] for name in row["names"]}
    for tag in tags(expanded.text):
        if tag.name in rows and tag.kind != "close" and tag.name not in seen:
            seen.add(tag.name)
            yield _unsupported(rows[tag.name], tag.name, expanded.where(tag.start))
        on = next((item for item in tag.attributes if re.match(r"on[a-z]+$", item.name)), None)
        if on:
            yield _unsupported(rows["script"], on.name, expanded.where(on.offset))
    for row in support()["style"]:
        if match := re.search(row["pattern"], unescape(expanded.text)):
            offset = expanded.text.find(match[0])
            yield _unsupported(row, match[0].strip(), expanded.where(max(offset, 0)))


def _unsupported(row: dict[str, Any], what: str, where: Where) -> ContentProblem:
    code = "html.forbidden" if row.get("error") else "html.ignored"
    details = {"instead_en": row["instead"]["en"], "instead_zh": row["instead"]["zh"]}
    return ContentProblem(code, where, what=what, source=row["source"], clients=row.get("clients", ""), **details)
