from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.sending.reply_code import Reply, ReplyLimits, ReplyReader


def test_replies_are_found_however_they_are_cut() -> None:
    data = b"250-first\r\n250-second\r\n250 last\r\n354 go\r\n550 5.1.1 no\r\n"
    for cut in range(len(data) + 1):
        reader = ReplyReader()
        found = reader.feed(data[:cut]) + reader.feed(data[cut:])
        assert [(r.code, r.raw) for r in found] == [(250, b"first\nsecond\nlast"), (354, b"go"), (550, b"5.1.1 no")]
        assert reader.error is None
        assert not reader.partial


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n",
        b"25 short\r\n",
        b"199 too low\r\n",
        b"600 too high\r\n",
        b"250ok\r\n",
        b"250 bare line feed\n",
        b"250 carriage\rreturn\r\n",
        b"250 nul\0\r\n",
        b"250 " + b"x" * 509 + b"\r\n",
        b"250" + b"x" * 600,
        b"250-one\r\n251 two\r\n",
        b"250-more\r\n" * 101,
    ],
)
def test_what_no_server_may_send_is_an_error(data: bytes) -> None:
    reader = ReplyReader()
    assert reader.feed(data) == []
    assert reader.error is not None


def test_what_came_before_the_error_counts() -> None:
    reader = ReplyReader()
    assert [r.code for r in reader.feed(b"250 fine\r\n\x00\r\n")] == [250]
    assert reader.error is not None


@given(st.binary(max_size=2000), st.integers(0, 2000))
def test_no_bytes_do_harm(data: bytes, cut: int) -> None:
    reader = ReplyReader(ReplyLimits(total=500))
    for reply in reader.feed(data[:cut]) + reader.feed(data[cut:]):
        assert 200 <= reply.code < 600
        assert "\0" not in reply.text
        _ = reply.enhanced


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("5.1.1 no such user", (5, 1, 1)),
        ("4.7.1", (4, 7, 1)),
        ("rejected: 5.7.26 see", (5, 7, 26)),
        ("blocked 5.1.1.1 address", None),
        ("version 5.10.200.3", None),
        ("10.5.1.1", None),
        ("no code", None),
        ("[x] <5.2.2>", (5, 2, 2)),
    ],
)
def test_enhanced_codes(text: str, code: tuple[int, int, int] | None) -> None:
    assert Reply.of(550, text).enhanced == code
