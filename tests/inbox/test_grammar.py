"""The stream of an IMAP server, cut into responses however it arrives."""

from __future__ import annotations

import asyncio
from email.utils import parsedate_to_datetime
from random import Random

import pytest

from outreach.inbox.imap.client import FAIR, HIGH_WATER, Link
from outreach.inbox.imap.grammar import LONGEST_LINE, Garbage, Reader, moment

STREAM = b"".join(
    b"* %d FETCH (UID %d BODY[] {%d}\r\n%b)\r\n* %d EXISTS\r\n" % (at, at, size, (b"{5}\r\n a" * size)[:size], at)
    for at, size in enumerate([0, 1, 7, 100, 3_000, 70_000, 300_000, 12])
)


def cut(pieces: list[bytes]) -> list[list[bytes]]:
    reader = Reader()
    found = [response.parts for piece in pieces for response in reader.feed(piece)]
    assert reader.empty
    return found


def test_responses_are_the_same_however_the_bytes_arrive():
    whole = cut([STREAM])
    assert len(whole) == 16
    assert [len(parts[1]) for parts in whole[::2]] == [0, 1, 7, 100, 3_000, 70_000, 300_000, 12]
    for seed in range(30):
        chance, pieces, at = Random(seed), [], 0
        longest = chance.choice([400, 4_000, 100_000, 2_000_000])
        while at < len(STREAM):
            size = chance.randint(1, longest)
            pieces.append(STREAM[at : at + size])
            at += size
        assert cut(pieces) == whole, seed
    short = STREAM[:4_000]
    reader = Reader()
    assert [r.parts for at in range(len(short)) for r in reader.feed(short[at : at + 1])] == whole[:10]
    assert not reader.empty


def test_a_line_without_end_is_garbage_in_one_piece_or_many():
    with pytest.raises(Garbage):
        list(Reader().feed(b"x" * (LONGEST_LINE + 1)))
    reader = Reader()
    for _ in range(LONGEST_LINE // 50_000):
        assert list(reader.feed(b"x" * 50_000)) == []
    with pytest.raises(Garbage):
        list(reader.feed(b"x"))


@pytest.mark.parametrize(
    "text",
    [
        "17-Jul-1996 02:44:25 -0700", " 1-JAN-2026 23:59:59 +0000", "31-dec-2026 00:00:00 +0545", "29-Feb-2024 12:00:00 +1400",
        "3-Nov-2026 09:13:02 -0030", "03 Nov 2026 09:13:02 +0800",
    ],
)  # fmt: skip
def test_the_arrival_is_what_the_library_reads(text: str):
    assert moment(text.encode()) == parsedate_to_datetime(text.strip().replace("-", " ", 2))


@pytest.mark.parametrize("text", [b"", b"30-Feb-2026 00:00:00 +0000", b"1-Xyz-2026 00:00:00 +0000", b"now"])
def test_an_arrival_that_makes_no_sense_is_none(text: bytes):
    assert moment(text) is None


async def test_others_get_their_turn_while_waiting_responses_are_taken():
    """A listing of a large folder may lie ready in full: taking it is no reason to hold up the loop."""
    link, count = Link(1_000), 20 * FAIR
    lines = b"* 1 FETCH (UID 1 RFC822.SIZE 9)\r\n" * count
    assert len(lines) < HIGH_WATER
    link.data_received(lines + b"o1 OK done\r\n")
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    taken = [response async for response in link.answers(b"o1")]
    task.cancel()
    assert len(taken) == count + 1
    assert turns >= count // FAIR
