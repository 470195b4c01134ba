"""Pure rules of passwords, tokens and waiting."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outreach.access.secrets import derived, password_fault, recovery_key, same, token_hash, wait_after


@pytest.mark.parametrize(
    ("password", "fault"),
    [
        ("short", "short"),
        ("x" * 300, "long"),
        ("aaaaaaaaaaaa", "common"),
        ("Password123", "common"),
        ("li.na12345", "name"),
        ("Li.Na-li.na-li.na", "name"),
        ("-".join(["li.na"] * 12), "name"),
        ("li.na rides a green bicycle", None),
        ("正确的马电池订书钉很长", None),
    ],
)
def test_passwords(password: str, fault: str | None) -> None:
    assert password_fault(password, "li.na") == fault


def test_the_wait_doubles_and_ends() -> None:
    waits = [wait_after(n) for n in (0, 4, 5, 6, 7, 50)]
    assert waits == [timedelta(), timedelta(), *(timedelta(seconds=s) for s in (30, 60, 120, 900))]


def test_recovery_codes_may_be_typed_as_people_do() -> None:
    assert recovery_key("A1B2C3-D4E5F6") == recovery_key(" a1b2c3 d4e5f6 ")


def test_derived_values_depend_on_token_and_purpose() -> None:
    assert same(derived("t", "form"), derived("t", "form"))
    assert not same(derived("t", "form"), derived("t", "other"))
    assert not same(derived("t", "form"), derived("u", "form"))
    assert token_hash("t") != "t"
