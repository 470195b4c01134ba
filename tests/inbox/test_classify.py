"""Any bytes have a verdict."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from outreach.inbox.classify import classify
from outreach.inbox.verdict import Kind
from tests.inbox.corpora import own_cases, raw, shared_cases, shared_is_here
from tests.inbox.mutate import mutate

SEEDS = [
    raw(case) for case in [*own_cases(), *(shared_cases()[::20] if shared_is_here() else [])] if len(raw(case)) < 20_000
]


@given(st.binary(max_size=2000))
def test_random_bytes(data: bytes):
    assert classify(data).kind in Kind


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SEEDS) - 1), st.integers(0, 2**32))
def test_mutated_mails(seed: int, chance: int):
    verdict = classify(mutate(SEEDS[seed], random.Random(chance)))
    assert verdict.kind in Kind
    assert verdict.kind is not Kind.BOUNCE or all("\n" not in who and len(who) < 400 for who in verdict.recipients)


def test_the_verdict_tells_who_decided():
    assert classify(SEEDS[0]).detector


def test_a_notice_that_promises_recipients_and_names_none():
    """Found by benchmarks/inbox_fuzz.py: the sentence of KDDI's notices with nothing below it."""
    data = b"From: MAILER-DAEMON@x.example\nSubject: Undelivered\n\nThe user(s) account is disabled.\n"
    assert classify(data).kind is Kind.BOUNCE


def test_blank_lines_below_a_screen_name():
    """Found by benchmarks/inbox_fuzz.py: a pattern that tried every way to share out the blank lines."""
    head = b"From: <postmaster@aol.example>\nSubject: Undeliverable\nReturn-Path: <>\n\n"
    data = (
        head + b"Your mail could not be delivered because they are not accepting mail:\n" + b" \n\n\t\n" * 5000 + b"x:"
    )
    assert classify(data).kind in Kind


def test_a_statement_without_screen_names():
    head = b"From: <postmaster@aol.example>\nSubject: Undeliverable\n\n"
    assert classify(head + b"Your mail could not be delivered because of this:\n\n\nBye\n").kind is Kind.BOUNCE
