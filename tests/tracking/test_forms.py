"""Only the RFC's pair unsubscribes; everything else is read with care or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.tracking.forms import Choice, is_one_click, read_choice, read_form

URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=xYz"


def multipart(name: str, value: str) -> bytes:
    return f'--xYz\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n--xYz--\r\n'.encode()


@pytest.mark.parametrize(
    ("kind", "body", "acts"),
    [
        (URLENCODED, b"List-Unsubscribe=One-Click", True),
        (URLENCODED + "; charset=utf-8", b"a=b&List-Unsubscribe=One-Click", True),
        (MULTIPART, multipart("List-Unsubscribe", "One-Click"), True),
        ('multipart/form-data; boundary="xYz"', multipart("List-Unsubscribe", "One-Click"), True),
        (URLENCODED, b"", False),
        (URLENCODED, b"List-Unsubscribe=one-click", False),
        (URLENCODED, b"list-unsubscribe=One-Click", False),
        (URLENCODED, b"List-Unsubscribe=One-Click2", False),
        ("application/json", b'{"List-Unsubscribe":"One-Click"}', False),
        ("text/plain", b"List-Unsubscribe=One-Click", False),
        ("", b"List-Unsubscribe=One-Click", False),
        ("multipart/form-data", multipart("List-Unsubscribe", "One-Click"), False),
        (MULTIPART, b"List-Unsubscribe=One-Click", False),
        (URLENCODED, b"&".join(b"a=1" for _ in range(60)) + b"&List-Unsubscribe=One-Click", False),
    ],
)
def test_what_unsubscribes(kind: str, body: bytes, acts: bool) -> None:
    assert is_one_click(read_form(kind, body)) is acts


@given(st.sampled_from([URLENCODED, MULTIPART, "multipart/form-data; boundary=("]), st.binary(max_size=500))
def test_no_body_breaks_the_reader(kind: str, body: bytes) -> None:
    assert isinstance(read_form(kind, body), dict)


def test_a_choice_holds_what_is_offered_and_nothing_else() -> None:
    body = b"save=1&topic=new&topic=evil&often=1&pause=90&request=drop+table"
    expected = Choice(saved=True, topics=frozenset({"new"}), mails_per_month=1, pause_days=90)
    assert read_choice(read_form(URLENCODED, body), frozenset({"new", "show"})) == expected
    assert read_choice({}, frozenset({"new"})) == Choice()
