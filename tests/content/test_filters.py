"""Dates, numbers, money by language; wordings chosen once and for all."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from outreach.content.compose import Compiled, compile_content
from outreach.content.problem import ContentProblem
from outreach.content.template import TemplateSource

RECIPIENT: dict[str, Any] = {
    "first_name": "<Anna>",
    "email": "a@x.example",
    "orders_total": 1234567.5,
    "last_order": {"date": "2026-09-30"},
    "country": "DE",
    "tags": ["a", "<b>"],
    "sender": {"company": "A", "postal_address": "B"},
}


def compiled(text: str, language: str = "en") -> Compiled:
    body = (
        f"<mjml><mj-body><mj-section><mj-column><mj-text>[{text}]</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    subject = f'[subject]\n{language} = "x"\nen = "x"\n' if language != "en" else '[subject]\nen = "x"\n'
    files = {"body.mjml": body, f"body.{language}.mjml": body, "template.toml": subject}
    return compile_content(TemplateSource.from_files("t", files), language)


def shown(text: str, language: str = "en", html: bool = True, seed: str = "") -> str:
    rendered = compiled(text, language).render(RECIPIENT, seed=seed)
    page = rendered.html if html else rendered.text
    return (
        page[page.index("[") + 1 : page.index("]", page.index("["))] if not html else page.split(">[")[1].split("]<")[0]
    )


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("{{ last_order.date|date }}", "en", "September 30, 2026"),
        ("{{ last_order.date|date }}", "zh", "2026年9月30日"),
        ("{{ last_order.date|date }}", "de", "30. September 2026"),
        ("{{ last_order.date|date('short') }}", "de", "30.09.26"),
        ("{{ orders_total|number }}", "de", "1.234.567,5"),
        ("{{ orders_total|money('EUR') }}", "de", "1.234.567,50\xa0€"),
        ("{{ orders_total|money('EUR') }}", "en", "€1,234,567.50"),
        ("{{ orders_total|money('CNY') }}", "zh", "¥1,234,567.50"),
        ("{{ 0.25|percent }}", "en", "25%"),
        ("{{ country|country }}", "fr", "Allemagne"),
        ("{{ birthday|date }}", "en", ""),
        ("{{ '12,5'|number }}", "en", "125"),
        ("{{ first_name }}", "en", "&lt;Anna&gt;"),
        ("{{ tags|join('+') }}", "en", "a+&lt;b&gt;"),
        ("{{ 'a\nb<c'|nl2br }}", "en", "a<br>b&lt;c"),
        ("{{ 'x%05.1fy'|format(2.5) }}", "en", "x002.5y"),
        ("{{ tags|length }}", "en", "2"),
        ("{{ 'a-b'|replace('-', '<') }}", "en", "a&lt;b"),
        ("{{ none }}", "en", ""),
        ("{{ owner.phone }}", "en", ""),
        ("{{ attr.anything }}", "en", ""),
        ("{{ 3.0 }}", "en", "3.0"),
    ],
)
def test_what_is_printed(text: str, language: str, expected: str) -> None:
    assert shown(text, language) == expected


def test_the_text_part_holds_no_marks_of_html() -> None:
    assert shown("{{ first_name }} {{ first_name|e }} {{ 'a&b'|safe }}", html=False) == "<Anna> <Anna> a&b"


def test_spin_is_stable_and_fair() -> None:
    one = compiled("{{ spin('a|b|c') }}{{ ['x', 'y']|spin }}{{ spin('a|b|c') }}")
    first = [one.render(RECIPIENT, seed=str(number)).text[1:4] for number in range(600)]
    again = [one.render(RECIPIENT, seed=str(number)).text[1:4] for number in range(600)]
    assert first == again
    assert all(word[0] == word[2] for word in first)  # the same question, the same answer
    counts = Counter(word[0] for word in first)
    assert set(counts) == set("abc")
    assert min(counts.values()) > 120
    assert set(Counter(word[:2] for word in first)) == {a + b for a in "abc" for b in "xy"}


@pytest.mark.parametrize("value", ["soon", "2026-13-01", "31.12.2026"])
def test_a_date_that_is_none_is_said_to_be_none(value: str) -> None:
    with pytest.raises(ContentProblem) as caught:
        shown("{{ '" + value + "'|date }}")
    assert caught.value.code == "filter.date"
