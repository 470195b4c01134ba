"""The lint: what it finds, where, how bad, and that it keeps silent on what is fine."""

from __future__ import annotations

from typing import Any

import pytest

from outreach.content.compose import compile_content
from outreach.content.lint import ALIKE, check, check_sequence, lacking, too_similar, untranslated, variables_used
from outreach.content.lint_html import check_link, same_site
from outreach.content.lint_words import check_subject, width
from outreach.content.problem import NOWHERE, Problem
from outreach.content.template import TemplateSource

WORDS = "We make street lights for cities, and this season there is a new family of them that saves a quarter. " * 3
TEXT = f"<mj-text>{WORDS}</mj-text>"
FOOT = "<mj-text><a href='{{ unsubscribe_url }}'>Unsubscribe</a> {{ sender.postal_address }}</mj-text>"


def source(inner: str = TEXT, subject: str = "A new family of street lights", **files: str) -> TemplateSource:
    body = f"<mjml><mj-body><mj-section><mj-column>{inner}{FOOT}</mj-column></mj-section></mj-body></mjml>"
    manifest = f'[subject]\nen = "{subject}"\n[preview]\nen = "Measured on three sites; samples leave within a week."\n'
    return TemplateSource.from_files("t", {"body.mjml": body, "template.toml": manifest} | files)


def codes(found: list[Problem]) -> set[str]:
    return {item.code for item in found}


def test_a_decent_mail_has_no_findings() -> None:
    assert check(source(TEXT + '<mj-button href="https://aurora-lights.com/p2">Data sheet</mj-button>')) == []


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("", {"subject.empty"}),
        ("x" * 61, {"subject.long"}),
        ("新" * 31, {"subject.long"}),
        ("BUY STREET LIGHTS", {"subject.capitals"}),
        ("LED street lights for GMBH", set()),
        ("Street lights!!", {"subject.punctuation"}),
        ("Really??? Lights", {"subject.punctuation"}),
        ("RE: your order", {"subject.fake_reply"}),
        ("回复：报价", {"subject.fake_reply"}),
        ("Fwd: lights", {"subject.fake_reply"}),
        ("Hello , a question", {"subject.hole"}),
        ("Offer ()", {"subject.hole"}),
        ("Refer a friend", set()),
        ("Lights: what is new?", set()),
        ("新品上市，诚邀试样", set()),
    ],
)
def test_subjects(subject: str, expected: set[str]) -> None:
    assert {problem.code for problem in check_subject(subject, NOWHERE)} == expected


@pytest.mark.parametrize(
    ("inner", "code", "severity"),
    [
        ("<mj-text>Act now, this is a limited time offer, click here</mj-text>", "spam.words", "warning"),
        ("<mj-text>限时抢购，全网最低，加微信</mj-text>", "spam.words", "warning"),
        ("<mj-text>" + "WE SELL LIGHTS TO EVERYBODY WITH MONEY " * 9 + "</mj-text>", "body.capitals", "warning"),
        ("<mj-text>Wow!!!</mj-text>", "body.punctuation", "warning"),
        ('<mj-image src="https://i.aurora-lights.com/a.png" width="9px" />', "images.alt", "warning"),
        ('<mj-image src="https://i.aurora-lights.com/a.png" alt="x" />', "images.width", "info"),
        ('<mj-image src="lamp.png" alt="x" width="9px" />', "images.missing", "error"),
        ('<mj-button href="https://bit.ly/x">x</mj-button>', "link.shortener", "error"),
        ('<mj-button href="http://aurora-lights.com/">x</mj-button>', "link.http", "warning"),
        ('<mj-button href="#">x</mj-button>', "link.empty", "error"),
        ('<mj-button href="https://192.0.2.1/x">x</mj-button>', "link.address", "warning"),
        ('<mj-button href="https://aurora-lights.com:8443/">x</mj-button>', "link.address", "warning"),
        ('<mj-button href="https://www.example.com/x">x</mj-button>', "link.placeholder", "warning"),
        ('<mj-text><a href="https://evil.net/">www.bank.com</a></mj-text>', "link.mismatch", "error"),
        ("<mj-raw><form action='https://x.net/'><input></form></mj-raw>", "html.forbidden", "error"),
        ("<mj-raw><script>x()</script></mj-raw>", "html.forbidden", "error"),
        ("<mj-raw><div onclick='x()'></div></mj-raw>", "html.forbidden", "error"),
        ("<mj-raw><video src='https://x.net/a.mp4'></video></mj-raw>", "html.ignored", "warning"),
        ("<mj-text><p style='display:flex'>x</p></mj-text>", "html.ignored", "warning"),
        ("<mj-text>{{ first_name|safe }}</mj-text>", "jinja.safe", "warning"),
        ("<mj-text>{{ first_name }}</mj-text>", "variable.no_fallback", "info"),
        ("<mj-text>" + "<p>lights and more</p>" * 6000 + "</mj-text>", "size.clipped", "error"),
    ],
)
def test_bodies(inner: str, code: str, severity: str) -> None:
    found = [item for item in check(source(TEXT + inner)) if item.code == code]
    assert found, codes(check(source(TEXT + inner)))
    assert found[0].severity == severity
    assert found[0].fix
    chinese = next(item for item in check(source(TEXT + inner), lang="zh") if item.code == code)
    assert chinese.message != found[0].message
    assert any("一" <= letter <= "鿿" for letter in chinese.message + chinese.fix)


def test_findings_have_their_place() -> None:
    found = check(source(f'{TEXT}\n<mj-image\n  src="https://i.aurora-lights.com/a.png" width="9px" />'))
    assert [(item.file, item.line, item.column) for item in found if item.code == "images.alt"] == [("body.mjml", 2, 1)]
    subject = check(source(subject="Act now"))
    assert [(item.file, item.line) for item in subject if item.code == "spam.words"] == [("template.toml", 2)]


def test_an_image_alone_is_an_error() -> None:
    body = '<mj-image src="https://i.aurora-lights.com/a.png" alt="x" width="600px" />'
    assert "images.only" in codes(check(source(body + "<mj-text>Hi</mj-text>")))


def test_the_footer_is_named_when_it_is_added() -> None:
    files = {
        "body.mjml": f"<mjml><mj-body><mj-section><mj-column>{TEXT}</mj-column></mj-section></mj-body></mjml>",
        "template.toml": '[subject]\nen = "A new family"\n',
    }
    found = codes(check(TemplateSource.from_files("t", files)))
    assert {"footer.unsubscribe", "footer.postal_address", "preview.missing"} <= found


def test_languages_without_their_other_half() -> None:
    with_german = dict(source().files) | {"body.de.mjml": source().files["body.mjml"]}
    manifest = with_german["template.toml"].replace("[preview]", 'fr = "Bonjour"\n[preview]')
    found = check(TemplateSource.from_files("t", with_german | {"template.toml": manifest}))
    assert {"template.no_subject", "language.subject_only"} <= codes(found)


@pytest.mark.parametrize(
    ("url", "text", "expected"),
    [
        ("https://www.aurora.net/x", "aurora.net", set()),
        ("https://shop.aurora.net/x", "www.aurora.net", set()),
        ("https://aurora.net.evil.net/", "aurora.net", {"link.mismatch"}),
        ("https://evil.net/", "https://aurora.net/price", {"link.mismatch"}),
        ("https://evil.net/", "data-sheet.pdf", set()),
        ("https://evil.net/", "li@aurora.net", set()),
        ("https://evil.net/", "See our prices", set()),
        ("mailto:li@aurora.net", "li@aurora.net", set()),
    ],
)
def test_shown_and_real_addresses(url: str, text: str, expected: set[str]) -> None:
    assert {problem.code for problem in check_link(url, text)} == expected


def test_sites() -> None:
    assert same_site("x.com", "shop.x.com")
    assert not same_site("x.com", "notx.com")


def recipient(**values: Any) -> dict[str, Any]:
    return {"first_name": "Anna", "owner": {"name": "Li", "phone": "1"}, "city": "Hamburg"} | values


def test_who_lacks_what_is_counted() -> None:
    inner = (
        "<mj-text>{{ first_name }} {{ owner.phone }} {% if city %}{{ city }}{% endif %} {{ industry or 'x' }}</mj-text>"
    )
    given = source(inner + TEXT)
    people = [recipient(), recipient(first_name=""), recipient(owner={}), recipient(first_name=None, city="")]
    assert lacking(given, "en", people) == {"first_name": 2, "owner.phone": 1}
    found = [item for item in check(given, contexts=people) if item.code == "variable.lacking"]
    assert len(found) == 2
    assert "2 of 4" in found[0].message
    assert {"first_name", "owner.phone", "city", "industry"} <= variables_used(given, "en")


def test_lists_further_columns_and_our_own_data_are_counted_as_well() -> None:
    inner = "<mj-text>Your interest in {{ interests|join(', ') }}, tag {{ tags|first }}, booth {{ attr.booth }}: "
    given = source(inner + "{{ sender.website }}, {{ sender.company }}</mj-text>" + TEXT)
    known = {"interests": ["lamps"], "tags": ["fair"], "attr": {"booth": "B1"}, "sender": {"website": "https://a.net"}}
    bare = {"interests": [], "tags": [], "attr": {}, "sender": {"website": ""}}
    names = {"interests", "tags", "attr.booth", "sender.website"}
    assert lacking(given, "en", [recipient(**known)]) == {}
    assert lacking(given, "en", [recipient(**known), recipient(**bare)]) == dict.fromkeys(names, 1)
    unsure = [item.message for item in check(given, sender=known["sender"]) if item.code == "variable.no_fallback"]
    assert len(unsure) == 3
    assert not any("sender.website" in message for message in unsure)


def test_a_condition_ends_the_counting() -> None:
    inner = (
        "<mj-text>{% if interests %}{{ interests|join(', ') }}{% endif %}{{ attr.booth|default('', true) }}</mj-text>"
    )
    assert lacking(source(inner + TEXT), "en", [recipient(interests=[], attr={})]) == {}


def test_a_fallback_ends_the_counting() -> None:
    files = dict(source("<mj-text>{{ first_name }}</mj-text>" + TEXT).files)
    manifest = files["template.toml"] + '[variables]\nfirst_name = { en = "there" }\n'
    given = TemplateSource.from_files("t", files | {"template.toml": manifest})
    assert lacking(given, "en", [recipient(first_name="")]) == {}


def test_a_second_mail_must_say_something_else() -> None:
    people = {"first_name": "Anna", "email": "a@x.net", "sender": {"company": "A", "postal_address": "B"}}
    first = compile_content(source(), "en").render(people)
    same = compile_content(source(TEXT.replace("this season", "this spring")), "en").render(people)
    other = "<mj-text>Did my note reach you? One word is enough, and I send you a quotation for your port.</mj-text>"
    different = compile_content(source(other), "en").render(people)
    assert too_similar(first, first) == 1
    assert too_similar(first, same) >= ALIKE
    assert too_similar(first, different) < 0.6
    assert check_sequence([first, different]) == []
    assert codes(check_sequence([first, different, same], lang="zh")) == {"wording.same"}
    assert too_similar("新品上市，样品一周内寄出", "新品上市，样品一周内寄出！") >= ALIKE
    assert too_similar("新品上市，样品一周内寄出", "上次的资料您看到了吗？") < 0.5


def test_columns() -> None:
    assert width("abc") == 3
    assert width("新品!") == 5


def test_missing_translations_are_counted() -> None:
    people = [("de", None), (None, "AT"), (None, "FR"), ("en", "DE"), (None, "US"), (None, None), ("zh-TW", None)]
    assert untranslated(source(), people) == {"de": 2, "fr": 1, "zh": 1}
