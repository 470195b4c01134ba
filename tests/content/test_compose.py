"""A composed message, read back by the stdlib, is what Jinja and EmailMessage would have made."""

from __future__ import annotations

import os
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import SMTP, compat32
from email.utils import parseaddr
from typing import Any

import pytest

from benchmarks.straightforward import Straightforward
from outreach.content.compose import PREVIEW_URLS, Compiled, Identity, Urls, compile_content
from outreach.content.problem import ContentProblem
from outreach.content.template import TemplateSource

ROUNDS = int(os.environ.get("OUTREACH_COMPOSE_ROUNDS", "1200"))  # 10,000 before a release
BODY = """<mjml><mj-head><mj-title>{{ company }}</mj-title></mj-head><mj-body>
<mj-section><mj-column>
<mj-text>Dear <b>{{ first_name }}</b>{{ last_name }}, you &amp; {{ company }} é.{% if note %}
.{{ note }}
{% endif %}{% for tag in tags %}{{ loop.index }}.{{ tag }}{% if not loop.last %}, {% endif %}{% else %}none{% endfor %}
{% set both %}<i>{{ first_name }}</i> of {{ company }}{% endset %}{{ both }} {{ both }}
{% macro cell(x) %}<td>{{ x }}</td>{% endmacro %}<table><tr>{{ cell(city) }}{{ cell(note) }}</tr></table>
{{ city|upper }}{{ city ~ "<" ~ note }}{{ tags|join(", ") }}{{ [1, 2]|sum }}{{ 3.50 }}{{ note|safe }}
{{ "a & b" }}</mj-text>{% for tag in tags %}
<mj-button href="https://shop.example/{{ tag|urlencode }}?a=1&amp;b={{ loop.index }}">{{ tag }}</mj-button>
<mj-text><a href="https://shop.example/fixed?x=1&amp;y=2">{{ tag }}</a></mj-text>{% endfor %}
<mj-text><a href="https://shop.example/one?x=1&amp;y=2">One</a> <a href="mailto:{{ email }}">write</a>
<a href="{{ unsubscribe_url }}">out</a> {{ sender.postal_address }}</mj-text>
</mj-column></mj-section></mj-body></mjml>"""
MANIFEST = """
[subject]
en = "{{ first_name }}: news for {{ company }}"
[preview]
en = "For {{ city }} & you"
[variables]
note = { en = "" }
"""
TEXT = """.Dear {{ first_name }},
{% if note %}{{ note }}{% endif %}
{% for tag in tags %}
- {{ tag }}
{% endfor %}
{{ company }}
See https://shop.example/one?x=1&y=2 or https://shop.example/{{ city|urlencode }}.
.
..{{ note }}
{{ unsubscribe_url }} {{ sender.postal_address }}
From {{ city }}"""
ALPHABETS = (
    "abcdefghijklmnopqrstuvwxyz ABCXYZ 0123456789",
    "中文字符测试公司名称有限责任,。:「」 ",
    "مرحبا بالعالم شركة ",
    "😀🎉👩‍👩‍👧🇩🇪é",
    "=._-<>&\"'%#@!?/\\ \t",
    "\n\r.=",
    "\u00a0\u200b\u202e\ufeff\u00ad",
)


def source(body: str = BODY, manifest: str = MANIFEST, text: str | None = TEXT) -> TemplateSource:
    files = {"body.mjml": body, "template.toml": manifest} | ({"body.txt": text} if text is not None else {})
    return TemplateSource.from_files("t", files)


@pytest.fixture(scope="module")
def compiled() -> Compiled:
    return compile_content(source(), "en")


@pytest.fixture(scope="module")
def compiled_without_text() -> Compiled:
    return compile_content(source(text=None), "en")


def identity(**changes: Any) -> Identity:
    given: dict[str, Any] = {
        "uid": "0123456789abcdef",
        "message_id": "m1@mail.example",
        "from_name": "Li Na",
        "from_address": "li.na@sender.example",
        "to_name": "Anna Schmidt",
        "to_address": "anna@customer.example",
        "date": datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
        "list_id": "campaign-1.sender.example",
    }
    return Identity(**given | changes)


def click(number: int, url: str) -> str:
    return f"https://t.example/c/{number}?{'a=1&' if number % 2 else ''}z={len(url)}"


URLS = Urls("https://t.example/u/token", "https://t.example/p/token", open="https://t.example/o/token.gif", click=click)
SENDER = {"company": "Aurora & Co.", "postal_address": "8 Harbour Road, 深圳"}


def context(**changes: Any) -> dict[str, Any]:
    given = {
        "first_name": "Anna",
        "last_name": "Schmidt",
        "company": "Lumen",
        "city": "Hamburg",
        "email": "anna@customer.example",
        "note": "",
        "tags": [],
        "sender": SENDER,
    }
    return given | changes


def word(rng: random.Random, most: int) -> str:
    length = rng.choice((0, 1, 3, 12, 40, 75, 76, 77, most))
    letters = "".join(rng.sample(ALPHABETS, rng.choice((1, 1, 2, 3))))
    return "".join(rng.choice(letters) for _ in range(length))


def line(rng: random.Random, most: int) -> str:
    """A value that may stand in a header: no line breaks, no bidi or joining trouble at its ends."""
    return re.sub(r"[\n\r\t\ufeff]", "", word(rng, most))


def random_context(rng: random.Random) -> dict[str, Any]:
    note = word(rng, 5000) if rng.random() < 0.2 else word(rng, 200)
    tags = [word(rng, 90) for _ in range(rng.choice((0, 0, 1, 2, 5)))]
    names = {name: line(rng, 120) for name in ("first_name", "company")}
    return context(note=note, tags=tags, last_name=word(rng, 30), city=word(rng, 60), **names)


def parsed(data: bytes) -> EmailMessage:
    return message_from_bytes(data, policy=SMTP)


def parts(message: EmailMessage) -> tuple[str, str]:
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text is not None
    assert html is not None
    return text.get_content().replace("\r\n", "\n"), html.get_content().replace("\r\n", "\n")


def shared(one: str, other: str) -> int:
    """How many characters two texts have in common at their beginning."""
    return next((index for index, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]), 0)


def wire_rules(data: bytes) -> None:
    """What SMTP and MIME ask of the bytes, whatever is in them."""
    assert data.endswith(b"\r\n")
    assert data.isascii()
    assert b"\x00" not in data
    for row in data[:-2].split(b"\r\n"):
        assert b"\r" not in row
        assert b"\n" not in row
        assert len(row) <= 998
        assert not row.startswith(b".")
    body = data.split(b"\r\n\r\n", 1)[1]
    assert max(map(len, body.split(b"\r\n"))) <= 76


def compare(compiled: Compiled, values: dict[str, Any], slow: Straightforward) -> None:
    mine = compiled.compose(identity(), values, URLS)
    wire_rules(mine.data)
    theirs = parsed(slow.message(identity(), values, URLS).as_bytes())
    read = parsed(mine.data)
    for ours, wished in zip(parts(read), parts(theirs), strict=True):
        same = shared(ours, wished)
        assert ours == wished, f"differ at {same}: {ours[same - 60 : same + 40]!r} {wished[same - 60 : same + 40]!r}"
    assert not read.defects
    assert mine.dynamic_links == tuple((number, url) for url, number in slow.dynamic.items())
    assert str(read["Subject"]) == mine.subject
    for name in ("From", "To", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "X-Outreach-Message"):
        assert str(read[name]) == str(theirs[name])


@pytest.mark.parametrize("seed", range(12))
def test_equals_email_message_on_random_recipients(
    compiled: Compiled, compiled_without_text: Compiled, seed: int
) -> None:
    rng = random.Random(seed)
    for one in (compiled, compiled_without_text):
        slow = Straightforward(one, "{{ first_name }}: news for {{ company }}", "For {{ city }} & you")
        for _ in range(max(1, ROUNDS // 24)):
            compare(one, random_context(rng), slow)


@pytest.mark.parametrize(
    "value",
    [
        "\r",
        "\n",
        "\r\n",
        "a\r",
        "\rb",
        ".\r\n.",
        "x" * 5000,
        "。" * 5000,
        "...",
        " ",
        "\t",
        "=",
        "=\r\n",
        "\n.\n",
        "😀" * 99,
    ],
)
def test_awkward_values(compiled: Compiled, value: str) -> None:
    slow = Straightforward(compiled, "{{ first_name }}: news for {{ company }}", "For {{ city }} & you")
    compare(compiled, context(note=value, tags=[value, value], city=value), slow)


def test_one_click_headers_and_visible_links(compiled: Compiled) -> None:
    data = compiled.compose(identity(), context(), URLS).data
    assert b"\r\nList-Unsubscribe: <https://t.example/u/token>\r\n" in data
    assert b"\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in data
    assert b"\r\nX-Outreach-Message: 0123456789abcdef\r\n" in data
    text, html = parts(parsed(data))
    for part in (text, html):
        assert "https://t.example/u/token" in part
        assert "8 Harbour Road" in part


def test_mailto_may_stand_beside_the_https_address(compiled: Compiled) -> None:
    urls = Urls("https://t.example/u/x", "https://t.example/p/x", unsubscribe_mailto="stop@sender.example?subject=x")
    message = parsed(compiled.compose(identity(), context(), urls).data)
    wished = "<https://t.example/u/x>, <mailto:stop@sender.example?subject=x>"
    assert " ".join(str(message["List-Unsubscribe"]).split()) == wished


def test_no_pixel_and_no_tracked_links_where_tracking_is_off(compiled: Compiled) -> None:
    urls = Urls("https://t.example/u/x", "https://t.example/p/x")
    text, html = parts(parsed(compiled.compose(identity(), context(tags=["a"]), urls).data))
    assert 'width="1"' not in html
    assert "https://shop.example/one?x=1&amp;y=2" in html
    assert "https://shop.example/one?x=1&y=2" in text
    assert "https://shop.example/a?a=1&amp;b=1" in html


def test_footer_is_added_where_the_template_forgot_it() -> None:
    body = "<mjml><mj-body><mj-section><mj-column><mj-text>Hi</mj-text></mj-column></mj-section></mj-body></mjml>"
    compiled = compile_content(source(body, text="Hi"), "en")
    for part in parts(parsed(compiled.compose(identity(), context(), URLS).data)):
        assert "https://t.example/u/token" in part
        assert "https://t.example/p/token" in part
        assert "8 Harbour Road" in part


def test_a_conditional_unsubscribe_link_does_not_count() -> None:
    body = (
        "<mjml><mj-body><mj-section><mj-column><mj-text>Hi {% if note %}{{ unsubscribe_url }}"
        "{{ sender.postal_address }}{% endif %}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    compiled = compile_content(source(body, text=None), "en")
    for part in parts(parsed(compiled.compose(identity(), context(), URLS).data)):
        assert "https://t.example/u/token" in part
        assert "8 Harbour Road" in part


@pytest.mark.parametrize("missing", ["company", "postal_address"])
def test_no_sender_no_mail(compiled: Compiled, missing: str) -> None:
    with pytest.raises(ContentProblem) as caught:
        compiled.compose(identity(), context(sender=SENDER | {missing: " "}), URLS)
    assert caught.value.code == f"sender.no_{missing}"


@pytest.mark.parametrize("bad", ["\r", "\n", "\r\n", "\0", "\u2028", "\u2029", "\x85", "\x0b", "\x1f"])
@pytest.mark.parametrize(
    "make",
    [
        lambda bad: (identity(), context(company=f"x{bad}Bcc: a@b.example")),
        lambda bad: (identity(from_name=f"x{bad}y"), context()),
        lambda bad: (identity(to_name=f"x{bad}y"), context()),
        lambda bad: (identity(to_address=f"x{bad}@y.example"), context()),
        lambda bad: (identity(reply_to=f"x@y.example{bad}"), context()),
        lambda bad: (identity(message_id=f"x{bad}@y"), context()),
        lambda bad: (identity(uid=f"x{bad}"), context()),
        lambda bad: (identity(list_id=f"x{bad}"), context()),
        lambda bad: (identity(in_reply_to=f"x{bad}"), context()),
        lambda bad: (identity(references=("a@b", f"x{bad}")), context()),
    ],
)
def test_header_injection_is_refused(
    compiled: Compiled, make: Callable[[str], tuple[Identity, dict[str, Any]]], bad: str
) -> None:
    who, values = make(bad)
    with pytest.raises(ContentProblem) as caught:
        compiled.compose(who, values, URLS)
    assert caught.value.code == "header.injection"
    assert caught.value.zh
    assert caught.value.fix("zh")


@pytest.mark.parametrize(
    ("name", "address", "shown"),
    [
        ("李娜", "li@例子.example", "li@xn--fsqu00a.example"),
        ('O"Brien, \\ Ann', "ann@x.example", "ann@x.example"),
        ("A" * 200, "a@x.example", "a@x.example"),
        ("=?utf-8?q?x?=", "a@x.example", "a@x.example"),
        ("Ann (Sales) <x>; y", "a@x.example", "a@x.example"),
        ("", "a@x.example", "a@x.example"),
        ("محمد 😀" * 20, "a@x.example", "a@x.example"),
    ],
)
def test_names_and_addresses_survive(compiled: Compiled, name: str, address: str, shown: str) -> None:
    data = compiled.compose(identity(to_name=name, to_address=address), context(), URLS).data
    wire_rules(data)
    raw, spec = parseaddr(message_from_bytes(data, policy=compat32)["To"].replace("\r\n", ""))
    assert (str(make_header(decode_header(raw))), spec) == (name, shown)


def test_non_ascii_local_part_is_said_to_be_unsupported(compiled: Compiled) -> None:
    with pytest.raises(ContentProblem) as caught:
        compiled.compose(identity(to_address="娜@x.example"), context(), URLS)
    assert caught.value.code == "address.local_part"


def test_a_thread_names_its_ancestors(compiled: Compiled) -> None:
    who = identity(in_reply_to="a@x.example", references=("a@x.example", "b@x.example"), reply_to="li@x.example")
    message = parsed(compiled.compose(who, context(), URLS).data)
    assert message["In-Reply-To"] == "<a@x.example>"
    assert message["References"] == "<a@x.example> <b@x.example>"
    assert message["Reply-To"] == "li@x.example"


def test_date_keeps_its_zone(compiled: Compiled) -> None:
    when = datetime(2026, 11, 22, 9, 0, tzinfo=timezone(timedelta(hours=8)))
    assert b"Date: Sun, 22 Nov 2026 09:00:00 +0800\r\n" in compiled.compose(identity(date=when), context(), URLS).data


def test_a_retry_sends_the_same_bytes() -> None:
    manifest = MANIFEST.replace("{{ company }}", "{{ spin('a|b|c|d') }}")
    one = compile_content(source(manifest=manifest), "en")
    two = compile_content(source(manifest=manifest), "en")
    subjects = set()
    for number in range(40):
        who = identity(uid=f"uid{number}")
        first = one.compose(who, context(), URLS)
        assert first.data == two.compose(who, context(), URLS).data == one.compose(who, context(), URLS).data
        subjects.add(first.subject)
    assert len(subjects) == 4


def test_run_time_links_share_a_number_in_both_parts(compiled: Compiled) -> None:
    composed = compiled.compose(identity(), context(tags=["a b", "c"], city="x y"), URLS)
    assert composed.dynamic_links == (
        (3, "https://shop.example/x%20y"),
        (4, "https://shop.example/a%20b?a=1&b=1"),
        (5, "https://shop.example/c?a=1&b=2"),
    )
    assert [link.number for link in compiled.links] == [1, 2]


@pytest.mark.parametrize(
    "href", ["javascript:alert(1)", "data:text/html,x", "ftp://x.example/", "//x.example/", "x.html"]
)
def test_a_link_that_turns_out_bad_stops_the_mail(href: str) -> None:
    body = BODY.replace("https://shop.example/{{ tag|urlencode }}?a=1&amp;b={{ loop.index }}", "{{ tag }}")
    compiled = compile_content(source(body), "en")
    with pytest.raises(ContentProblem) as caught:
        compiled.compose(identity(), context(tags=[href]), URLS)
    assert caught.value.code == "link.scheme"


def test_fallbacks_stand_in_for_empty_values_but_not_in_conditions() -> None:
    manifest = MANIFEST + 'first_name = { en = "there", zh = "您" }\nowner.name = { en = "us" }\n'
    body = (
        "<mjml><mj-body><mj-section><mj-column><mj-text>Hi {{ first_name }} from {{ owner.name }}"
        "{% if first_name %}known{% else %}unknown{% endif %}</mj-text></mj-column></mj-section></mj-body></mjml>"
    )
    compiled = compile_content(source(body, manifest, text=None), "en")
    for empty in ("", None):
        values = context(first_name=empty)
        assert "Hi there from usunknown" in compiled.render(values).html
        assert "Hi there from us" in parts(parsed(compiled.compose(identity(), values, URLS).data))[1]
    assert "Hi Anna from Bobknown" in compiled.render(context(owner={"name": "Bob"})).html


def test_render_shows_what_compose_sends(compiled: Compiled) -> None:
    values = context(tags=["x & y"], note="n")
    rendered = compiled.render(values, URLS, seed=identity().uid)
    text, html = parts(parsed(compiled.compose(identity(), values, URLS).data))
    assert (rendered.text.rstrip("\n"), rendered.html.rstrip("\n")) == (text.rstrip("\n"), html.rstrip("\n"))
    assert rendered.subject == "Anna: news for Lumen"
    assert rendered.preview == "For Hamburg & you"
    assert PREVIEW_URLS.unsubscribe in compiled.render(values).html
