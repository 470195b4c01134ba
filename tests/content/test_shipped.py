"""The shipped templates: in both languages they pass the lint, look right, and can be read by everybody."""

from __future__ import annotations

import re
from email import message_from_bytes
from email.policy import SMTP
from pathlib import Path
from typing import Any

import pytest

from outreach.content.compose import Compiled, compile_content
from outreach.content.context import build_context
from outreach.content.lint import ALIKE, check, sample, too_similar
from outreach.content.snippets import snippets
from outreach.content.template import TemplateSource, list_templates, load_template
from tests.content.test_compose import URLS, identity, wire_rules
from tests.fakes.axe import violations

ROOT = Path(__file__).resolve().parents[2] / "templates"
NAMES = ["exhibition-invitation", "follow-up", "holiday-greeting", "product-launch", "quality-check"]
EVERY = [(name, language) for name in NAMES for language in ("en", "zh")]
SENDER = {"company": "Aurora Lighting Co., Ltd.", "postal_address": "8 Harbour Road, Shenzhen"}
REMOTE = re.compile(r"""(?:src|background)\s*=\s*["']?https?:|url\(\s*["']?https?:|@import|<link\b""", re.IGNORECASE)


def source(name: str) -> TemplateSource:
    return load_template(ROOT / name)


def made(name: str, language: str) -> tuple[Compiled, dict[str, Any]]:
    given = source(name)
    return compile_content(given, language), sample(given, language)


def test_the_five_are_there() -> None:
    assert list_templates(ROOT) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_the_lint_asks_only_for_the_companys_own_pages(name: str) -> None:
    given = source(name)
    assert given.languages == ("en", "zh")
    assert {item.code for item in check(given)} <= {"link.placeholder"}
    assert given.title("zh") != given.title("en")
    assert given.manifest.description["zh"]


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_nothing_is_loaded_from_elsewhere_and_gmail_shows_it_whole(name: str, language: str) -> None:
    compiled, values = made(name, language)
    page = compiled.render(values).html
    assert not REMOTE.search(page)
    assert len(page.encode()) < 60_000
    assert "prefers-color-scheme: dark" in page


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_every_message_carries_sender_address_and_a_way_out(name: str, language: str) -> None:
    compiled, values = made(name, language)
    assert compiled._html.fast
    assert compiled._text.fast
    data = compiled.compose(identity(), values, URLS).data
    wire_rules(data)
    message = message_from_bytes(data, policy=SMTP)
    for kind in ("plain", "html"):
        body = message.get_body((kind,))
        assert body is not None
        text = body.get_content()
        assert text.count(URLS.unsubscribe) == 1
        assert URLS.preferences in text
        assert values["sender"]["postal_address"] in text
        assert values["owner"]["name"] in text


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_a_contact_of_whom_nothing_is_known_gets_whole_sentences(name: str, language: str) -> None:
    compiled, _ = made(name, language)
    values = build_context(contact={"email": "info@lumen.example"}, sender=SENDER, language=language)
    rendered = compiled.render(values)
    for text in (rendered.subject, rendered.preview, rendered.text):
        assert not re.search(r"\(\s*\)|（\s*）| ,|， ，|None|\{\{|  \S+  ", text), text
        assert not re.search(r"Dear\s*[,，]|尊敬的\s*[:：]", text)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_no_two_are_worded_alike(language: str) -> None:
    pages = [compiled.render(values) for compiled, values in (made(name, language) for name in NAMES)]
    for index, one in enumerate(pages):
        for other in pages[index + 1 :]:
            assert too_similar(one, other) < ALIKE


@pytest.mark.parametrize(
    ("country", "language", "words"),
    [
        ("DE", "en", "You may object"),
        ("FR", "en", "responsible for your data"),
        ("US", "en", "advertisement"),
        ("CA", "en", "60 days"),
        ("CN", "zh", "广告"),
        ("BR", "en", ""),
    ],
)
def test_the_legal_footer_follows_the_country(country: str, language: str, words: str) -> None:
    compiled, values = made("follow-up", language)
    page = compiled.render(values | {"country": country}).text
    assert words in page
    others = {"You may object", "responsible for your data", "advertisement", "60 days"} - {words}
    assert not any(other in page for other in others)


def test_snippets_lay_out_in_a_mail() -> None:
    files = dict(source("follow-up").files)
    for snippet in snippets(files):
        body = files["body.mjml"].replace('<mj-include path="_layout/signature" />', snippet.tag)
        compile_content(TemplateSource.from_files("x", files | {"body.mjml": body}), "en")
    assert len(snippets(files)) >= 3


@pytest.mark.parametrize(("name", "language"), EVERY)
def test_readable_by_everybody(chromium: Any, name: str, language: str) -> None:
    """axe (WCAG 2.1 AA: contrast, alternative texts, link names); nothing wider than the screen."""
    compiled, values = made(name, language)
    context = chromium.new_context(viewport={"width": 800, "height": 800})
    try:
        page = context.new_page()
        page.set_content(compiled.render(values).html)
        for width, scheme in ((800, "light"), (600, "dark"), (375, "light")):
            page.set_viewport_size({"width": width, "height": 800})
            page.emulate_media(color_scheme=scheme)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert barriers(page) == [], (width, scheme)
    finally:
        context.close()


def test_the_tool_sees_what_it_is_there_for(chromium: Any) -> None:
    context = chromium.new_context()
    try:
        page = context.new_page()
        page.set_content('<html lang="en"><title>x</title><p style="color:#ccc">pale</p><img src="data:,">')
        assert {line.partition(":")[0] for line in barriers(page)} == {"color-contrast", "image-alt"}
    finally:
        context.close()


def barriers(page: Any) -> list[str]:
    """What axe finds, one line each: rule, element, reason."""
    return [
        f"{rule['id']}: {node['html'][:90]} {node.get('failureSummary', '')[:200]}"
        for rule in violations(page, runOnly=["wcag2a", "wcag2aa", "wcag21aa"])
        for node in rule["nodes"]
    ]
