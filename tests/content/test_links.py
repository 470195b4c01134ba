"""Links: numbered in order; the ones that must not be counted are left alone."""

from __future__ import annotations

from typing import Any

import pytest

from outreach.content.compose import Compiled, Urls, compile_content
from outreach.content.template import TemplateSource

RECIPIENT: dict[str, Any] = {
    "email": "a@x.example",
    "city": "Köln & Bonn",
    "attr": {"shop": "https://own.example/"},
    "sender": {"company": "A", "postal_address": "B"},
}
URLS = Urls("https://t.example/u/1", "https://t.example/p/1", click=lambda number, url: f"https://t.example/c/{number}")


def compiled(text: str, values: str = "", written: str | None = None) -> Compiled:
    body = f"<mjml><mj-body><mj-section><mj-column>{text}</mj-column></mj-section></mj-body></mjml>"
    files = {"body.mjml": body, "template.toml": f'[subject]\nen = "x"\n{values}'}
    return compile_content(TemplateSource.from_files("t", files | ({"body.txt": written} if written else {})), "en")


def test_numbers_in_order_with_the_words_and_pictures_they_stand_under() -> None:
    one = compiled(
        '<mj-button href="https://a.example/?x=1&amp;y=2">First &amp; best</mj-button>'
        '<mj-image href="https://b.example/" src="https://i.example/x.png" alt="Lamp" />'
        '<mj-text><a href="https://c.example/">Third <b>bold</b></a><a href="https://a.example/?x=1&amp;y=2">Again</a></mj-text>'
    )
    assert [(link.number, link.url, link.text) for link in one.links] == [
        (1, "https://a.example/?x=1&y=2", "First & best"),
        (2, "https://b.example/", "Lamp"),
        (3, "https://c.example/", "Third bold"),
        (4, "https://a.example/?x=1&y=2", "Again"),
    ]


@pytest.mark.parametrize(
    "href",
    [
        "mailto:li@x.example?subject=Hi",
        "tel:+861234",
        "sms:+86",
        "#top",
        "{{ unsubscribe_url }}",
        "{{unsubscribe_url}}",
        "{{- preferences_url -}}",
        "mailto:{{ email }}",
        "{{ unsubscribe_url|e }}",
    ],
)
def test_untouched(href: str) -> None:
    one = compiled(f'<mj-text><a href="{href}">x</a></mj-text>')
    assert one.links == ()
    page = one.render(RECIPIENT, URLS).html
    assert "https://t.example/c/" not in page


@pytest.mark.parametrize(
    ("href", "destination"),
    [
        ("https://x.example/?city={{ city|urlencode }}", "https://x.example/?city=K%C3%B6ln%20%26%20Bonn"),
        ("https://x.example/?a=1&amp;city={{ city|urlencode }}", "https://x.example/?a=1&city=K%C3%B6ln%20%26%20Bonn"),
        ("{{ attr.shop }}", "https://own.example/"),
        ("{{ attr.shop }}x?a&amp;b", "https://own.example/x?a&b"),
        ("https://x.example/{% if city %}a{% else %}b{% endif %}", "https://x.example/a"),
    ],
)
def test_destinations_known_at_run_time(href: str, destination: str) -> None:
    one = compiled(f'<mj-button href="{href}">x</mj-button>')
    asked: list[tuple[int, str]] = []

    def click(number: int, url: str) -> str:
        asked.append((number, url))
        return "https://t/x"

    urls = Urls("https://t.example/u/1", "https://t.example/p/1", click=click)
    page = one.render(RECIPIENT, urls)
    assert set(asked) == {(1, destination)}
    assert 'href="https://t/x"' in page.html
    assert "https://t/x" in page.text
    assert one.links == ()


def test_values_that_are_the_same_for_all_make_static_links() -> None:
    one = compiled('<mj-button href="{{ shop }}?a=1">x</mj-button>', '[values.shop]\nen = "https://shop.example/"\n')
    assert [link.url for link in one.links] == ["https://shop.example/?a=1"]


def test_a_written_text_part_shares_the_numbers() -> None:
    one = compiled(
        '<mj-button href="https://a.example/">x</mj-button>',
        written="Look: https://a.example/. Or (https://b.example/x)!\n",
    )
    assert [link.url for link in one.links] == ["https://a.example/", "https://b.example/x"]
    text = one.render(RECIPIENT, URLS).text
    assert text.startswith("Look: https://t.example/c/1. Or (https://t.example/c/2)!")
