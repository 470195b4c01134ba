"""Hostile mails end in an answer, within the time any mail may take, and never in an exception."""

from __future__ import annotations

import time

import pytest

from outreach.inbox.classify import classify
from outreach.inbox.limits import DEFAULT
from outreach.inbox.parse import parse
from outreach.inbox.summary import summarise_mail
from tests.inbox.bombs import BOMBS, HEAD


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_answered(name: str):
    data = BOMBS[name]()
    started = time.process_time()
    verdict = classify(data)
    mail = parse(data)
    summarise_mail(mail)
    assert time.process_time() - started < DEFAULT.seconds
    assert verdict.error is None
    assert len(mail.parts) <= DEFAULT.parts


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("a thousand messages within each other", "depth"),
        ("2,000 multiparts within each other", "depth"),
        ("100,000 empty parts", "parts"),
        ("a digest of 100,000", "parts"),
        ("a million headers", "headers"),
        ("30 MB", "size"),
    ],
)
def test_the_limit_that_cut_a_mail_is_named(name: str, limit: str):
    assert limit in parse(BOMBS[name]()).exceeded


def test_an_ordinary_mail_exceeds_nothing():
    assert parse(HEAD + b"\nhello").exceeded == ()
