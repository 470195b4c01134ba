"""Headers, parameters and boundaries in the wild."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.mime import boundary_spans, normalise, parameters, split_head, un_transfer


@pytest.mark.parametrize(
    ("value", "main", "params"),
    [
        ('text/plain; charset="utf-8"; format=flowed', "text/plain", {"charset": "utf-8", "format": "flowed"}),
        ("TEXT/Plain (comment); charset=us-ascii", "text/plain", {"charset": "us-ascii"}),
        ('multipart/mixed; boundary="a;b=c"', "multipart/mixed", {"boundary": "a;b=c"}),
        ("a/b; name*0*=utf-8''%E6%8A%A5; name*1*=%E4%BB%B7", "a/b", {"name": "报价"}),
        ("a/b; name*0=one; name*1=two", "a/b", {"name": "onetwo"}),
        ("a/b; x=1; x=2", "a/b", {"x": "1"}),
        ('a/b; x="open', "a/b", {"x": "open"}),
        ("", "", {}),
    ],
)
def test_parameters(value: str, main: str, params: dict[str, str]):
    assert parameters(value) == (main, params)


def spans(data: bytes, boundary: bytes) -> list[bytes]:
    return [data[start:end] for start, end in boundary_spans(data, 0, len(data), boundary)]


def test_boundaries():
    assert spans(b"pre\n--b\none\n--b  \ntwo\n--b--\nepilogue", b"b") == [b"one", b"two"]
    assert spans(b"--b\nno end", b"b") == [b"no end"]
    assert spans(b"--bb\nnot ours\n--b\nours\n--b--", b"b") == [b"ours"]
    assert spans(b"nothing", b"b") == []
    assert spans(b"--b\n--b--", b"b") == [b""]


def test_heads():
    data = b"A: 1\nbad line\nB: 2\n folded\n\nbody"
    head, body, cut = split_head(data, 0, len(data), 1000)
    assert head == [(b"A", b" 1"), (b"B", b" 2\n folded")]
    assert (data[body:], cut) == (b"body", False)
    assert split_head(data, 0, len(data), 5)[2]


def test_transfer_encodings():
    assert un_transfer(b"aGk=", "base64") == b"hi"
    assert un_transfer(b"a=\nb=3D", "quoted-printable") == b"ab="
    assert un_transfer(b"begin 644 x\n#:&D*\n`\nend\n", "x-uuencode") == b"hi\n"
    assert un_transfer(b"as is", "martian") == b"as is"


@given(st.binary(max_size=300))
def test_nothing_raises(data: bytes):
    whole = normalise(data)
    split_head(whole, 0, len(whole), 100)
    parameters(whole.decode("latin-1"))
    for encoding in ("base64", "quoted-printable", "x-uuencode"):
        un_transfer(data, encoding)
