"""Sixty broken templates: each is refused with the file, the line and the column of the slip."""

from __future__ import annotations

from time import process_time

import pytest

from outreach.content.compose import compile_content
from outreach.content.lint import check
from outreach.content.problem import ContentProblem
from outreach.content.template import TemplateSource

TOML = '[subject]\nen = "Hi {{ first_name }}"\n'
OPEN = "<mjml><mj-body>\n<mj-section><mj-column>\n"
CLOSE = "\n</mj-column></mj-section>\n</mj-body></mjml>"


def inside(text: str) -> str:
    """A body whose third line (on) is the text."""
    return OPEN + text + CLOSE


# what is wrong in body.mjml, code, line, column
BODIES = [
    (inside("<mj-txt>x</mj-txt>"), "mjml.unknown_tag", 3, 1),
    (inside("<mj-text>x</mj-text><mj-buton>y</mj-buton>"), "mjml.unknown_tag", 3, 21),
    (inside("<div>x</div>"), "mjml.unknown_tag", 3, 1),
    (inside("<mj-text colour='red'>x</mj-text>"), "mjml.unknown_attribute", 3, 10),
    (inside("<mj-text\n  font-colour='red'>x</mj-text>"), "mjml.unknown_attribute", 4, 3),
    (inside("<mj-image source='x.png' />"), "mjml.unknown_attribute", 3, 11),
    (inside("<mj-button url='https://x.example'>x</mj-button>"), "mjml.unknown_attribute", 3, 12),
    (inside("<mj-divider height='1px' />"), "mjml.unknown_attribute", 3, 13),
    (inside("<mj-text onclick='x()'>x</mj-text>"), "mjml.unknown_attribute", 3, 10),
    (inside("<mj-text style='color:red'>x</mj-text>"), "mjml.unknown_attribute", 3, 10),
    (inside("<mj-text color='red' color='blue'>x</mj-text>"), "mjml.duplicate_attribute", 3, 22),
    (inside("<mj-text>x"), "mjml.unexpected_close", 4, 1),
    (inside("<mj-text>x</mj-button>"), "mjml.unexpected_close", 3, 11),
    (inside("<mj-text><b>x</mj-text>"), "mjml.unexpected_close", 3, 14),
    (inside("<mj-text>x</b></mj-text>"), "mjml.unexpected_close", 3, 11),
    (inside("<mj-text><p><i>x</p></i></mj-text>"), "mjml.unexpected_close", 3, 17),
    (inside("</mj-text>"), "mjml.unexpected_close", 3, 1),
    (inside("<mj-text>x</mj-text>") + "<mj-text>", "mjml.misplaced", 5, 18),
    (inside("<mj-section><mj-column></mj-column></mj-section>"), "mjml.misplaced", 3, 1),
    (inside("<mj-column></mj-column>"), "mjml.misplaced", 3, 1),
    (inside("<mj-text><mj-button>x</mj-button></mj-text>"), "mjml.misplaced", 3, 10),
    (inside("<mj-title>x</mj-title>"), "mjml.misplaced", 3, 1),
    ("<mjml>\n<mj-section></mj-section></mjml>", "mjml.misplaced", 2, 1),
    ("<mjml><mj-body>\n<mj-text>x</mj-text></mj-body></mjml>", "mjml.misplaced", 2, 1),
    ("<mjml><mj-body>\n<mj-column></mj-column></mj-body></mjml>", "mjml.misplaced", 2, 1),
    (inside("loose words"), "mjml.text", 3, 1),
    ("<mjml><mj-body>\n  words</mj-body></mjml>", "mjml.text", 2, 3),
    (inside("<mj-text>x</mj-text> and <b>more</b>"), "mjml.text", 3, 22),
    (inside("<mj-text"), "mjml.syntax", 3, 1),
    (inside("<mj-text color='red>x</mj-text>"), "mjml.syntax", 3, 1),
    (inside("<mj-text>a <b x</mj-text>"), "mjml.syntax", 3, 12),
    (inside("<!-- never closed"), "mjml.syntax", 3, 1),
    ("<!DOCTYPE html>\n<mjml><mj-body></mj-body></mjml>", "mjml.doctype", 1, 1),
    ('<?xml version="1.0"?><mjml><mj-body></mj-body></mjml>', "mjml.doctype", 1, 1),
    (inside("<mj-text><![CDATA[x]]></mj-text>"), "mjml.doctype", 3, 10),
    ("<mjml></mjml>", "mjml.root", 1, 1),
    ("", "mjml.root", 1, 1),
    ("<html><body>x</body></html>", "mjml.unknown_tag", 1, 1),
    ("<mjml><mj-body>\n", "mjml.unclosed", 1, 7),
    (inside("<mj-text>{{ first_name </mj-text>"), "jinja.unclosed", 3, 10),
    (inside("<mj-text>{% if first_name </mj-text>"), "jinja.unclosed", 3, 10),
    (inside("<mj-text>{# note</mj-text>"), "jinja.unclosed", 3, 10),
    (inside("<mj-text>{% raw %}x</mj-text>"), "jinja.unclosed", 3, 10),
    (inside("<mj-text>{{ }}</mj-text>"), "jinja.syntax", 3, 10),
    (inside("<mj-text>{{ first_name company }}</mj-text>"), "jinja.syntax", 3, 10),
    (inside("<mj-text>{{ first_name| }}</mj-text>"), "jinja.syntax", 3, 10),
    (inside("<mj-text>{{ 'x }}</mj-text>"), "jinja.syntax", 3, 10),
    (inside("<mj-text>ok\n{% if first_name %}x</mj-text>"), "jinja.syntax", 4, 1),
    (inside("<mj-text>{% endif %}</mj-text>"), "jinja.syntax", 3, 10),
    (inside("<mj-text>{% if %}x{% endif %}</mj-text>"), "jinja.syntax", 3, 10),
    (inside("<mj-text>{% for x %}x{% endfor %}</mj-text>"), "jinja.syntax", 3, 10),
    (inside("<mj-text>{% for x in tags %}x{% endif %}</mj-text>"), "jinja.syntax", 3, 30),
    (inside("<mj-text>{% fro x in tags %}x{% endfor %}</mj-text>"), "jinja.syntax", 3, 10),
    (inside("<mj-text>{{ frist_name }}</mj-text>"), "jinja.unknown_variable", 3, 10),
    (inside("<mj-text>a</mj-text>\n<mj-text>b {{ owner.fone }}</mj-text>"), "jinja.unknown_variable", 4, 12),
    (inside("<mj-button href='https://x.example/{{ nme }}'>x</mj-button>"), "jinja.unknown_variable", 3, 36),
    (inside("<mj-text>{{ first_name|titel }}</mj-text>"), "jinja.unknown_filter", 3, 10),
    (inside("<mj-text>{% if first_name is emtpy %}x{% endif %}</mj-text>"), "jinja.unknown_filter", 3, 10),
    (inside("<mj-button href='javascript:x'>x</mj-button>"), "link.scheme", 3, 18),
    (inside("<mj-text><a href='www.x.example'>x</a></mj-text>"), "link.scheme", 3, 19),
    (inside("<mj-button href='htps://x.example'>x</mj-button>"), "link.scheme", 3, 18),
    (inside("<mj-include path='nothing' />"), "include.missing", 3, 1),
    (inside("<mj-include />"), "include.missing", 3, 1),
    (inside("<mj-include path='circle' />"), "include.depth", 1, 1),
    (inside("<mj-text>{{ 1 / 0 }}</mj-text>"), "jinja.run", 3, 10),
    (inside("<mj-text>{{ first_name + 1 }}</mj-text>"), "jinja.run", 3, 10),
    (inside("<mj-text>ok {{ company }}\n {{ 'soon'|date }}</mj-text>"), "filter.date", 4, 2),
    (inside("<mj-text>{{ 'much'|money }}</mj-text>"), "jinja.run", 3, 10),
]
MANIFESTS = [
    ("subject = ", "template.toml", 1),
    ('[subject]\nen = "x', "template.toml", 2),
    ('[subject]\nen = "x"\n[subjekt]\nen = "y"', "template.key", 3),
    ("[subject]\nen = 5", "template.value", 1),
    ("fallback = 5\n", "template.value", 1),
    ("variables = 5\n", "template.value", 1),
    ("[preview]\nen = ['x']", "template.value", 1),
    ("[variables.x]\nen = 1\nlong_name = 2", "template.value", 1),
    ("[title]\nen = 'x'", "template.no_subject", 0),
    ('[subject]\nen = "{{ x }}"', "jinja.unknown_variable", 2),
    ('[subject]\nen = "{{ first_name"', "jinja.unclosed", 2),
]
RECIPIENT = {
    "first_name": "Anna",
    "company": "Lumen",
    "tags": [],
    "owner": {},
    "sender": {"company": "A", "postal_address": "B"},
    "email": "a@x.example",
}


def source(body: str = inside("<mj-text>x</mj-text>"), manifest: str = TOML) -> TemplateSource:
    files = {"body.mjml": body, "template.toml": manifest, "circle.mjml": '<mj-include path="circle" />'}
    return TemplateSource.from_files("t", files)


def test_there_are_sixty() -> None:
    assert len(BODIES) >= 60


@pytest.mark.parametrize("number", range(len(BODIES)))
def test_the_place_of_a_slip_in_the_body(number: int) -> None:
    body, code, line, column = BODIES[number]
    start = process_time()
    with pytest.raises(ContentProblem) as caught:
        compile_content(source(body), "en").render(RECIPIENT)
    found = caught.value
    assert process_time() - start < 2
    assert (found.code, found.line, found.column) == (code, line, column), (str(found), body)
    assert found.file == ("circle.mjml" if code == "include.depth" else "body.mjml")
    assert found.zh
    assert found.fix("en")


@pytest.mark.parametrize(("manifest", "code", "line"), MANIFESTS)
def test_the_line_of_a_slip_in_the_manifest(manifest: str, code: str, line: int) -> None:
    with pytest.raises(ContentProblem) as caught:
        compile_content(source(manifest=manifest), "en")
    assert (caught.value.code, caught.value.file, caught.value.line) == (code, "template.toml", line)


def test_the_lint_tells_all_slips_of_structure_at_once() -> None:
    body = inside("<mj-txt>a</mj-txt>\n<mj-text colour='x'>b</mj-text>\n<mj-divider hight='1px' />\nloose")
    found = check(source(body))
    assert [(item.code, item.line) for item in found if item.severity == "error"] == [
        ("mjml.unknown_tag", 3),
        ("mjml.unknown_attribute", 4),
        ("mjml.unknown_attribute", 5),
        ("mjml.text", 6),
    ]
    assert "mj-text" in found[0].fix


def test_a_slip_in_an_included_file_is_placed_there() -> None:
    files = {
        "body.mjml": inside('<mj-include path="_layout/part" />\n<mj-text>{{ nobody }}</mj-text>'),
        "_layout/part.mjml": "<mj-text>fine</mj-text>\n<mj-text>{{ nothing }}</mj-text>",
        "template.toml": TOML,
    }
    with pytest.raises(ContentProblem) as caught:
        compile_content(TemplateSource.from_files("t", files), "en")
    assert (caught.value.file, caught.value.line, caught.value.column) == ("_layout/part.mjml", 2, 10)
    files["_layout/part.mjml"] = "<mj-text>fine</mj-text>\n<mj-text>fine</mj-text>"
    with pytest.raises(ContentProblem) as caught:
        compile_content(TemplateSource.from_files("t", files), "en")
    assert (caught.value.file, caught.value.line, caught.value.column) == ("body.mjml", 4, 10)
