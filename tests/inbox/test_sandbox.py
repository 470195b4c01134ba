"""The child that reads hostile mail: same answers, and it can be killed without losing the rest."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from io import BytesIO

import pytest

from outreach.inbox import wire
from outreach.inbox.classify import classify
from outreach.inbox.limits import DEFAULT
from outreach.inbox.parse import parse
from outreach.inbox.sandbox import FAIR, READY, ParserKilled, Sandbox, batches, serve
from outreach.inbox.summary import summarise_mail
from tests.inbox.bombs import BOMBS, many
from tests.inbox.corpora import by_id, raw, shared_cases

#: A stand-in for the child that does what its mail says: the parser itself has no known way to hang or die.
UNRULY = """
import os, struct, sys, time
sys.stdout.buffer.write(b"ready"); sys.stdout.buffer.flush()
while head := sys.stdin.buffer.read(3):
    _, count = struct.unpack(">cH", head)
    sizes = struct.unpack(f">{count}I", sys.stdin.buffer.read(4 * count))
    body = sys.stdin.buffer.read(sum(sizes))
    if b"sleep" in body: time.sleep(60)
    if b"exit" in body: os._exit(7)
    if b"eat" in body: bytearray(2**40)
    one = b'{"verdict": {"kind": "other", "findings": [], "recipients": [], "original_ids": [], "own_uids": []}}'
    if b"babble" in body: one = b"not json"
    lengths = [2**31 if b"boast" in body else len(one)] * count
    sys.stdout.buffer.write(struct.pack(f">{count}I", *lengths) + one * count)
    sys.stdout.buffer.flush()
"""


@pytest.fixture
async def sandbox() -> AsyncIterator[Sandbox]:
    box = Sandbox()
    yield box
    await box.close()


@pytest.fixture
async def unruly() -> AsyncIterator[Sandbox]:
    box = Sandbox(replace(DEFAULT, seconds=2.0), command=(sys.executable, "-c", UNRULY))
    yield box
    await box.close()


async def test_the_child_answers_as_we_would(sandbox: Sandbox):
    cases = shared_cases()[::10]
    found = await sandbox.read_many([raw(case) for case in cases])
    for case, reading in zip(cases, found, strict=True):
        assert not isinstance(reading, ParserKilled), (case["id"], reading)
        assert reading.verdict == classify(raw(case)), case["id"]
        assert reading.summary == summarise_mail(parse(raw(case))), case["id"]


async def test_a_verdict_may_be_asked_for_alone(sandbox: Sandbox):
    reading = await sandbox.read(raw(by_id("own:icloud")), summary=False)
    assert reading.summary is None
    assert reading.verdict.reason == "mailboxfull"


async def test_bombs_do_not_reach_the_limits(sandbox: Sandbox):
    names = ["100,000 empty parts", "nested comments", "24 MB of base64", "a thousand messages within each other"]
    found = await sandbox.read_many([BOMBS[name]() for name in names])
    assert not [reading for reading in found if isinstance(reading, ParserKilled)]


async def test_two_hundred_bombs_of_every_kind_size_and_charset_are_answered_in_time_and_memory(sandbox: Sandbox):
    """Each alone in the real child, which is killed at 10 seconds or 512 MB."""
    bombs = many()
    assert len(bombs) + len(BOMBS) >= 200
    assert (DEFAULT.seconds, DEFAULT.memory) == (10, 512 * 1024 * 1024)
    for name, make in bombs.items():
        (reading,) = await sandbox.read_many([make()])
        assert not isinstance(reading, ParserKilled), (name, str(reading))
        assert reading.verdict.error is None, name


@pytest.mark.parametrize(
    ("mail", "why"),
    [(b"sleep", "longer than 2 seconds"), (b"exit", "died"), (b"eat", "died"), (b"babble", "died"), (b"boast", "died")],
)
async def test_a_mail_that_kills_the_child_costs_only_its_own_answer(unruly: Sandbox, mail: bytes, why: str):
    found = await unruly.read_many([b"good", mail, b"good too"])
    assert [isinstance(reading, ParserKilled) for reading in found] == [False, True, False]
    assert why in str(found[1])


async def test_one_mail_raises(unruly: Sandbox):
    with pytest.raises(ParserKilled):
        await unruly.read(b"exit")
    assert (await unruly.read(b"good")).verdict.kind == "other"


async def test_memory_is_bounded():
    """The real child under a small limit says that it died of memory, and is replaced."""
    box = Sandbox(replace(DEFAULT, memory=20_000_000))
    try:
        found = await box.read_many([BOMBS["24 MB of escapes"](), raw(by_id("own:icloud"))])
        assert [isinstance(reading, ParserKilled) for reading in found] == [True, False]
    finally:
        await box.close()


def test_the_child_ends_with_its_input():
    answers = BytesIO()
    serve(BytesIO(b"\0\0"), answers)
    assert answers.getvalue() == READY


async def test_a_child_that_cannot_start_is_no_mails_fault():
    with pytest.raises(RuntimeError, match="cannot be started"):
        await Sandbox(command=(sys.executable, "-c", "raise SystemExit(3)")).read(b"good")


def test_batches_are_bounded_by_number_and_bytes():
    assert [len(batch) for batch in batches([b"x"] * 120)] == [50, 50, 20]
    assert [len(batch) for batch in batches([b"x" * 600_000] * 3)] == [1, 1, 1]
    assert list(batches([])) == []


async def test_many_answers_are_read_with_pauses(sandbox: Sandbox):
    """What has arrived is read without waiting for anything, so the loop must be given back on purpose."""
    letters = [b"From: a@b.example\r\nSubject: Re: x\r\n\r\n" + b"Please quote. " * 1_500] * 12
    await sandbox.read(letters[0])
    longest = turns = 0
    answered = wire.reading

    def counted(found: dict[str, object]) -> object:
        nonlocal turns, longest
        turns += 1
        longest = max(longest, turns)
        return answered(found)

    async def other() -> None:
        nonlocal turns
        while True:
            turns = 0
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wire, "reading", counted)
        found = await sandbox.read_many(letters)
    task.cancel()
    assert len(found) == 12
    assert 1 <= longest <= FAIR // 20_000 + 1
