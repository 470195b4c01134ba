"""What is read without the child: the child's answer, and nothing that could be large, long or nested (ADR 8)."""

from __future__ import annotations

import json
from random import Random

import pytest

from benchmarks.inbox_parse import report
from outreach.inbox import wire
from outreach.inbox.at_once import HEAD, HEADER, LARGEST, ROOM, read_at_once
from outreach.inbox.sandbox import Sandbox
from tests.inbox.bombs import BOMBS
from tests.inbox.corpora import own_cases, raw, shared_cases
from tests.inbox.mutate import mutate

STANDARD = report(1, 1).replace(b"\n", b"\r\n")
GROUP = b"Final-Recipient: rfc822; anna1@buyer1.example\r\n"


def by_child(data: bytes, *, summary: bool) -> wire.Reading:
    return wire.reading(json.loads(json.dumps(wire.answer(data, summary=summary))))


def test_it_is_the_childs_answer_on_every_message_there_is():
    taken = 0
    for case in [*shared_cases(), *own_cases()]:
        data = raw(case)
        found = read_at_once(data, summary=False)
        if found is not None:
            taken += 1
            assert found == by_child(data, summary=False), case["id"]
        whole = read_at_once(data, summary=True)
        assert whole is None or whole == by_child(data, summary=True), case["id"]
    assert taken >= 80  # a floor, so that it does not quietly die


@pytest.mark.parametrize("summary", [True, False])
def test_it_is_the_childs_answer_on_our_own_bounces_whole_or_broken(summary: bool):
    taken = 0
    for seed in range(400):
        data = STANDARD if seed == 0 else mutate(STANDARD, Random(seed))
        found = read_at_once(data, summary=summary)
        if found is not None:
            taken += 1
            assert found == by_child(data, summary=summary), seed
    assert taken >= 100


def with_header(name: bytes, size: int) -> bytes:
    return b"%b: %b\r\n" % (name, b"x" * size) + STANDARD


@pytest.mark.parametrize(
    "data",
    [
        STANDARD + b"x" * LARGEST,
        with_header(b"X-Scan", HEAD),
        with_header(b"Subject", HEADER),
        with_header(b"SUBJECT ", HEADER),
        b"Subject: a" + b"\r\n x" * HEADER + b"\r\n" + STANDARD,
        STANDARD.replace(GROUP, GROUP + b"X-Note: " + b"x" * ROOM.report + b"\r\n"),
        STANDARD.replace(GROUP, (GROUP + b"Action: failed\r\nStatus: 5.1.1\r\n\r\n") * ROOM.recipients + GROUP),
        STANDARD.replace(b"Content-Description: Delivery report", b"X-Part: " + b"x" * HEADER),
        STANDARD.replace(b"B00000001.1793668382/relay.seller.example", b"b"),
    ],
    ids=[
        "mail",
        "headers",
        "header",
        "header with a blank",
        "folded header",
        "report",
        "recipients",
        "part",
        "boundary",
    ],
)
def test_what_is_larger_is_left_to_the_child(data: bytes):
    assert data != STANDARD
    assert read_at_once(STANDARD, summary=True) is not None
    assert read_at_once(data, summary=True) is None


def test_a_header_that_is_not_read_may_be_long():
    assert read_at_once(with_header(b"ARC-Seal", 4_000), summary=True) is not None


def test_without_our_own_header_the_child_looks_for_tokens():
    data = STANDARD.replace(b"X-Outreach-Message", b"X-Something")
    assert read_at_once(data, summary=True) is None
    assert read_at_once(data, summary=False) is not None


@pytest.mark.parametrize("name", BOMBS)
def test_no_bomb_is_read_at_once(name: str):
    assert read_at_once(BOMBS[name](), summary=True) is None


async def test_no_child_is_started_for_standard_reports_alone():
    box = Sandbox(command=("false",))
    found = await box.read_many([STANDARD, report(2, 1)])
    assert [reading.verdict.recipients for reading in found if isinstance(reading, wire.Reading)] == [
        ("anna1@buyer1.example",),
        ("anna2@buyer2.example",),
    ]
    with pytest.raises(RuntimeError, match="cannot be started"):
        await box.read_many([STANDARD, b"From: a@b.example\r\n\r\nhello"])


async def test_order_is_kept_between_what_is_read_here_and_there():
    box = Sandbox()
    try:
        letter = b"From: a@b.example\r\nSubject: Re: x\r\n\r\nPlease quote."
        found = await box.read_many([letter, STANDARD, letter, letter, STANDARD])
    finally:
        await box.close()
    kinds = [reading.verdict.kind for reading in found if isinstance(reading, wire.Reading)]
    assert kinds == ["reply", "bounce", "reply", "reply", "bounce"]
