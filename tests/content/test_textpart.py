"""The text part that is made where none is written."""

from __future__ import annotations

from typing import Any

from outreach.content.compose import compile_content
from outreach.content.template import TemplateSource

RECIPIENT: dict[str, Any] = {
    "first_name": "Anna",
    "email": "a@x.example",
    "tags": ["one", "two"],
    "sender": {"company": "A", "postal_address": "B"},
}


def text(inner: str, **values: Any) -> str:
    body = f"<mjml><mj-body><mj-section><mj-column>{inner}</mj-column></mj-section></mj-body></mjml>"
    source = TemplateSource.from_files("t", {"body.mjml": body, "template.toml": '[subject]\nen = "x"\n'})
    return compile_content(source, "en").render(RECIPIENT | values).text.partition("\n--\n")[0].strip("\n")


def test_paragraphs_links_and_buttons() -> None:
    made = text(
        '<mj-text>Dear {{ first_name }} &amp; team,<br/>see <a href="https://a.example/">this</a>.</mj-text>'
        '<mj-button href="https://b.example/">Order</mj-button>'
        '<mj-text><a href="https://c.example/">https://c.example/</a> '
        '<a href="mailto:li@x.example">li@x.example</a></mj-text>'
    )
    assert made == (
        "Dear Anna & team,\nsee this <https://a.example/>.\n\nOrder: https://b.example/\n\n"
        "https://c.example/ li@x.example"
    )


def test_statements_between_elements_leave_no_holes() -> None:
    inner = (
        "<mj-text>A</mj-text>\n{% for tag in tags %}\n<mj-text>{{ tag }}</mj-text>\n{% endfor %}\n"
        "{% if nothing %}<mj-text>never</mj-text>{% endif %}<mj-text>Z</mj-text>"
    ).replace("nothing", "birthday")
    assert text(inner) == "A\n\none\n\ntwo\n\nZ"
    assert text(inner, tags=[]) == "A\n\nZ"


def test_statements_within_a_line_keep_its_breaks() -> None:
    assert text("<mj-text>a{% if first_name %}<br/>{{ first_name }}{% endif %}<br/>c</mj-text>") == "a\nAnna\nc"


def test_decoration_and_pictures_say_nothing_unless_they_link() -> None:
    inner = (
        '<mj-text css-class="decoration">****</mj-text><mj-text>x<span class="decoration">**<br></span></mj-text>'
        '<mj-image src="https://i.example/a.png" alt="A lamp" />'
        '<mj-image src="https://i.example/b.png" alt="Catalogue" href="https://b.example/" />'
    )
    assert text(inner) == "x\n\nCatalogue: https://b.example/"


def test_a_table_becomes_lines() -> None:
    inner = "<mj-table><tr><td>Order</td><td>PO-1</td></tr><tr><td>Sum</td><td>5</td></tr></mj-table>"
    assert text(inner) == "Order PO-1\nSum 5"


def test_lists() -> None:
    assert text("<mj-text><ul><li>one</li><li>two</li></ul></mj-text>").split() == ["*", "one", "*", "two"]
