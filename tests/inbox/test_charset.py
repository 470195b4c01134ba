"""Charsets are claims."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.inbox.charset import codec_for, decode, decode_header, un_base64, un_quoted


@pytest.mark.parametrize(
    ("data", "declared", "text"),
    [
        ("报价".encode(), "utf-8", "报价"),
        ("报价".encode("gb18030"), "gb2312", "报价"),
        ("报价".encode("gb18030"), "utf-8", "报价"),
        ("报价".encode("gb18030"), "", "报价"),
        ("報價".encode("big5"), "big5", "報價"),
        ("見積".encode("iso2022_jp"), "iso-2022-jp", "見積"),
        ("견적".encode("cp949"), "ks_c_5601-1987", "견적"),
        ("prix élevé".encode("latin-1"), "iso-8859-1", "prix élevé"),
        ("“x”".encode("cp1252"), "iso-8859-1", "“x”"),
        (b"plain", "x-unknown", "plain"),
        (b"plain", "punycode", "plain"),
        (b"plain", "rot13", "plain"),
        (b"plain", "a\0b", "plain"),
        (b"\xef\xbb\xbfbom", "utf-8", "bom"),
        (b"\xff\xfe\xff", "us-ascii", "\ufffd\ufffd\ufffd"),
    ],
)
def test_decode(data: bytes, declared: str, text: str):
    assert decode(data, declared) == text


@given(
    st.binary(max_size=200),
    st.one_of(
        st.text(max_size=20), st.sampled_from(["utf-7", "hz", "idna", "utf-16", "iso-2022-kr", "big5", "undefined"])
    ),
)
def test_decode_never_raises(data: bytes, declared: str):
    assert isinstance(decode(data, declared), str)


def test_codecs_that_are_no_charsets_are_refused():
    assert [codec_for(name) for name in ("rot13", "zlib", "hex", "idna", "punycode", "unicode_escape")] == [None] * 6


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"=?utf-8?B?5oql5Lu3?=", "报价"),
        (b"=?utf-8?B?5oql5A==?= =?utf-8?B?u7c=?=", "报价"),  # a character split between two words
        (b"=?utf-8?Q?a_b=3D?= c", "a b= c"),
        (b"Re: =?gb2312?B?sai82w==?= (LED)", "Re: 报价 (LED)"),
        (b"folded\n value", "folded value"),
        ("报价".encode("gb18030"), "报价"),
        (b"=?utf-8?Q?open", "=?utf-8?Q?open"),
        (b"=?nonsense?Q?x?=", "x"),
    ],
)
def test_headers(raw: bytes, text: str):
    assert decode_header(raw) == text


@given(st.binary(max_size=300))
def test_headers_and_transfer_encodings_never_raise(data: bytes):
    assert isinstance(decode_header(data), str)
    assert isinstance(un_base64(data), bytes)
    assert isinstance(un_quoted(data), bytes)


def test_prose_that_claims_to_be_base64_stays():
    assert (
        un_base64(b"This is no base64 at all, whatever the header says.")
        == b"This is no base64 at all, whatever the header says."
    )
