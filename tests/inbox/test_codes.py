"""Reply codes and enhanced status codes in text."""

from __future__ import annotations

import pytest

from outreach.inbox.codes import best_status, is_vague, reason_of_status, reply_in, status_in


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("550 5.1.1 no such user", "5.1.1"),
        ("550-5.7.26 Unauthenticated", "5.7.26"),
        ("sorry (#5.1.2)", "5.1.2"),
        ("5.1.0 - Unknown address error 550-'5.7.1 denied'", "5.7.1"),
        ("host mx[192.0.2.153] said: no", None),
        ("5.1.2.3 is an address", None),
        ("version 5.5.2657.72", None),
        ("no code", None),
    ],
)
def test_status_in(text: str, status: str | None):
    assert status_in(text) == status


@pytest.mark.parametrize(
    ("field", "text", "status"),
    [
        ("5.0.0", "550 5.1.1 no such user", "5.1.1"),
        ("5.1.1", "550 5.7.1 blacklisted", "5.7.1"),
        ("5.2.2 (mailbox full)", "552 full", "5.2.2"),
        (None, "550 no", None),
        ("5.1.1", "550 5.0.0 no", "5.1.1"),
    ],
)
def test_the_refusing_server_knows_best(field: str | None, text: str, status: str | None):
    assert best_status(field, text) == status


@pytest.mark.parametrize(
    ("status", "reason"),
    [("5.1.1", "userunknown"), ("4.2.2", "mailboxfull"), ("5.7.606", "blocked"), ("5.7.620", "blocked"), ("5.0.0", None), ("2.0.0", None), (None, None)],
)  # fmt: skip
def test_what_a_status_says(status: str | None, reason: str | None):
    assert reason_of_status(status) == reason


def test_vague():
    assert is_vague(None)
    assert is_vague("5.0.0")
    assert not is_vague("5.1.1")


def test_reply_in():
    assert reply_in("said: 452 4.2.2 full") == "452"
    assert reply_in("port 2525") is None
