from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outreach.sending.address import UnsupportedAddress, envelope_address, ready_for_dot


def test_domains_become_ascii() -> None:
    assert envelope_address("anna@bücher.example") == "anna@xn--bcher-kva.example"
    assert envelope_address("Anna.O'Neil+x@buyer.example") == "Anna.O'Neil+x@buyer.example"


@pytest.mark.parametrize(
    "address",
    [
        *("", "anna", "@b.example", "a@", "a b@c.example", "a@b.example>\r\nRCPT TO:<c@d.example", "张@b.example"),
        *("a@-.example\x00", "a@exa mple", "a" * 250 + "@b.example", "<a@b.example>", "a@\u200b.example"),
    ],
)
def test_what_cannot_stand_in_an_envelope_is_refused(address: str) -> None:
    with pytest.raises(UnsupportedAddress):
        envelope_address(address)


@given(st.text(max_size=60))
def test_no_address_injects_a_command(address: str) -> None:
    try:
        made = envelope_address(address)
    except UnsupportedAddress:
        return
    assert made.isascii()
    assert not set(made) & set("\r\n\0 <>")


@given(st.lists(st.binary(max_size=20).filter(lambda b: b"\r" not in b and b"\n" not in b), max_size=10))
def test_dots_are_stuffed_and_come_off_again(lines: list[bytes]) -> None:
    data = b"".join(line + b"\r\n" for line in lines) or b"\r\n"
    wire = ready_for_dot(data)
    assert not any(line == b"." for line in wire.split(b"\r\n"))
    unstuffed = b"\r\n".join(line[1:] if line.startswith(b".") else line for line in wire.split(b"\r\n"))
    assert unstuffed == data


@pytest.mark.parametrize("data", [b"a\nb\r\n", b"a\rb\r\n", b"a\r\n.\nb\r\n", b"\r\r\n"])
def test_bare_cr_and_lf_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="bare"):
        ready_for_dot(data)


def test_a_message_without_its_last_line_end_gets_one() -> None:
    assert ready_for_dot(b"a\r\nb") == b"a\r\nb\r\n"
