"""Addresses out of fields and prose."""

from __future__ import annotations

import pytest

from outreach.inbox.address import clean, find, find_all, of_field


@pytest.mark.parametrize(
    ("value", "address"),
    [
        ("rfc822; anna@buyer.example", "anna@buyer.example"),
        ("RFC822;<Anna@buyer.example>", "Anna@buyer.example"),
        ("utf-8; 陈伟@例子.example", "陈伟@例子.example"),
        ("rfc822; anna+40buyer.example", "anna@buyer.example"),
        ("rfc822; anna+99@buyer.example", "anna+99@buyer.example"),
        ("smtp:anna@buyer.example", "anna@buyer.example"),
        ("rfc822; anna", "anna"),
        ('rfc822; "anna.b"@buyer.example', "anna.b@buyer.example"),
        ("", None),
    ],
)
def test_of_field(value: str, address: str | None):
    assert of_field(value) == address


def test_chinese_prose_around_an_address_is_not_part_of_it():
    assert find_all("您的邮件未能送达anna@buyer.example，因为收件人（bo@buyer.example）不存在") == [
        "anna@buyer.example",
        "bo@buyer.example",
    ]


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("to <anna@buyer.example>.", "anna@buyer.example"),
        ("anna@buyer.example, and", "anna@buyer.example"),
        ("no address here @ all", None),
        ("nyaan%gol.example@relay.example", "nyaan%gol.example@relay.example"),
    ],
)
def test_find(text: str, address: str | None):
    assert find(text) == address


def test_clean():
    assert clean(" <anna@buyer.example.>; ") == "anna@buyer.example"
