"""Right to left: the layout is mirrored, the words are not."""

from __future__ import annotations

import pytest

from outreach.content.compose import compile_content
from outreach.content.rtl import mirror
from outreach.content.template import TemplateSource, choose_language

BODY = """<mjml><mj-body><mj-section><mj-column width="30%">
<mj-text padding="1px 2px 3px 4px">left: {{ first_name }}</mj-text>
</mj-column><mj-column width="70%"><mj-button align="left" href="https://x.example/">right</mj-button></mj-column>
</mj-section></mj-body></mjml>"""


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<td align="left">left</td>', '<td align="right">left</td>'),
        ('<td align="center">', '<td align="center">'),
        ('<p style="text-align:left">', '<p style="text-align:right">'),
        ('<p style="padding:1px 2px 3px 4px;">', '<p style="padding:1px 4px 3px 2px;">'),
        ('<p style="padding:1px 2px">', '<p style="padding:1px 2px">'),
        ('<p style="padding-left:4px">', '<p style="padding-right:4px">'),
        ('<p style="border-left:3px solid red">', '<p style="border-right:3px solid red">'),
        ('<p style="border-radius:9px 0 0 9px">', '<p style="border-radius:0 9px 9px 0">'),
        ('<p style="direction:ltr">', '<p style="direction:rtl">'),
        ('<p style="direction:ltr;unicode-bidi:embed">', '<p style="direction:ltr;unicode-bidi:embed">'),
        ("<style>.a{margin-left:1px !important}</style>", "<style>.a{margin-right:1px !important}</style>"),
        ("padding-left: words", "padding-left: words"),
        ('<a href="https://x.example/left">', '<a href="https://x.example/left">'),
    ],
)
def test_mirror(before: str, after: str) -> None:
    assert mirror(before) == after
    assert mirror(after).replace("rtl", "ltr") == before


@pytest.mark.parametrize("language", ["ar", "he", "fa"])
def test_a_template_in_a_language_that_runs_from_the_right(language: str) -> None:
    files = {
        "body.mjml": BODY,
        f"body.{language}.mjml": BODY,
        "template.toml": f'[subject]\nen = "Hi"\n{language} = "x"\n',
    }
    source = TemplateSource.from_files("t", files)
    recipient = {"first_name": "Anna", "email": "a@x.example", "sender": {"company": "A", "postal_address": "B"}}
    page = compile_content(source, language).render(recipient).html
    assert f'lang="{language}" dir="rtl"' in page
    assert "text-align:right" in page
    assert "padding:1px 4px 3px 2px" in page
    assert 'align="right"' in page
    assert "left: Anna" in page
    assert "direction:ltr" not in page
    english = compile_content(source, "en").render(recipient).html
    assert 'lang="en" dir="ltr"' in english
    assert "padding:1px 2px 3px 4px" in english
    assert choose_language(source, None, {"ar": "SA", "he": "IL", "fa": "IR"}[language]) == language
