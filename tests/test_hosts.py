"""This very machine is told from names that begin like it."""

from __future__ import annotations

import pytest

from outreach.content.hosts import is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.1", "::1", "localhost", "LocalHost"])
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["127.evil.example", "localhost.evil.example", "10.0.0.1", "::2", "", "127.0.0.1.example"]
)
def test_every_other(host: str) -> None:
    assert not is_loopback(host)
