"""Received mail is parsed in a child process that may be killed: 10 seconds, 512 MB, then it is gone (limits.py).

Only small standard reports are read without it (at_once.py).

The parser has limits of its own and needs no sandbox for the bombs that are known. The child is for the unknown ones:
a hostile mail must not stop the loop. Parent and child speak on the child's stdin and stdout: a question is one byte (b"V"
verdict, b"S" verdict and summary), the number of mails, the length of each, and the raw mails; the answer is the length
of each answer, and the answers in JSON. A batch that kills the child is asked for mail by mail. The parent takes nothing from the child but JSON: a child that read hostile bytes is not trusted with pickles.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import resource
import struct
import sys
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

from outreach.inbox import wire
from outreach.inbox.at_once import read_at_once
from outreach.inbox.limits import DEFAULT, Limits
from outreach.inbox.wire import Reading

_LENGTH = struct.Struct(">I")
_HEAD = struct.Struct(">cH")
READY = b"ready"
START_SECONDS = 60.0  # importing the parser takes half a second, on a busy machine some
LONGEST_ANSWER = 16 * 1024 * 1024  # bytes; a summary with 200,000 characters of text is far below
#: Mails and bytes of one question: fifty answers are read in a few milliseconds of the loop.
BATCH, BATCH_BYTES = 50, 1_000_000
#: Bytes of answers that are read before others get their turn: two milliseconds or so.
FAIR = 50_000
#: Seconds of reading at once before others get their turn.
TURN = 0.005
#: What a pipe is read with at once.
BUFFER = 256 * 1024


class ParserKilled(Exception):
    """The child was stopped or died on this mail. The mail belongs into quarantine, raw; str() says why."""


class Sandbox:
    """One child process, started when first needed, replaced when it had to be killed. Not for two tasks at once."""

    def __init__(self, limits: Limits = DEFAULT, command: Sequence[str] | None = None) -> None:
        self._limits = limits
        self._command = tuple(command or (sys.executable, "-m", "outreach.inbox.sandbox"))
        self._child: asyncio.subprocess.Process | None = None
        self._lock = asyncio.Lock()

    async def read(self, raw: bytes, *, summary: bool = True) -> Reading:
        """Verdict (and summary) of one mail. Raises ParserKilled."""
        found = (await self.read_many([raw], summary=summary))[0]
        if isinstance(found, ParserKilled):
            raise found
        return found

    async def read_many(self, raws: Sequence[bytes], *, summary: bool = True) -> list[Reading | ParserKilled]:
        """The same for a batch, in its order; a mail that kills the child costs only its own answer."""
        plain = await self._at_once(raws, summary)
        rest = iter(await self._by_child([raw for raw, found in zip(raws, plain, strict=True) if not found], summary))
        return [found or next(rest) for found in plain]

    async def _at_once(self, raws: Sequence[bytes], summary: bool) -> list[Reading | None]:
        found: list[Reading | None] = []
        clock = asyncio.get_running_loop().time
        began = clock()
        for raw in raws:
            found.append(read_at_once(raw, summary=summary))
            if clock() - began > TURN:
                await asyncio.sleep(0)
                began = clock()
        return found

    async def _by_child(self, raws: Sequence[bytes], summary: bool) -> list[Reading | ParserKilled]:
        found: list[Reading | ParserKilled] = []
        if not raws:
            return found
        async with self._lock:
            for batch in batches(raws):
                try:
                    found += await self._ask(batch, summary)
                except ParserKilled as killed:
                    found += [killed] if len(batch) == 1 else [await self._alone(raw, summary) for raw in batch]
        return found

    async def _alone(self, raw: bytes, summary: bool) -> Reading | ParserKilled:
        """One of a batch that killed the child: which of them it was is found out one by one."""
        try:
            return (await self._ask([raw], summary))[0]
        except ParserKilled as killed:
            return killed

    async def close(self) -> None:
        """End the child. The sandbox can be used again afterwards."""
        async with self._lock:
            await self._kill()

    async def _ask(self, batch: Sequence[bytes], summary: bool) -> list[Reading]:
        """The child's answers. Raises ParserKilled when there are none in time; the child is gone then."""
        child = await self._running()
        try:
            async with asyncio.timeout(self._limits.seconds):
                await self._question(child, batch, summary)
                return await self._hear(child, len(batch))
        except TimeoutError:
            await self._kill()
            raise ParserKilled(f"reading took longer than {self._limits.seconds:g} seconds") from None
        except (OSError, EOFError, ValueError, KeyError, TypeError) as trouble:
            code = await self._kill()
            raise ParserKilled(f"the reader died (exit {code}): {trouble}") from trouble
        except BaseException:
            # given up half-way: the answer that is still to come would be taken for other mails'
            self._end()
            raise

    async def _question(self, child: asyncio.subprocess.Process, batch: Sequence[bytes], summary: bool) -> None:
        assert child.stdin is not None
        bodies = [raw[: self._limits.size + 1] for raw in batch]
        head = _HEAD.pack(b"S" if summary else b"V", len(bodies))
        child.stdin.write(b"".join((head, *(_LENGTH.pack(len(body)) for body in bodies))))
        for start in range(0, len(bodies), 8):
            child.stdin.write(b"".join(bodies[start : start + 8]))
            await child.stdin.drain()

    async def _hear(self, child: asyncio.subprocess.Process, count: int) -> list[Reading]:
        assert child.stdout is not None
        lengths = _lengths(await child.stdout.readexactly(_LENGTH.size * count))
        if sum(lengths) > LONGEST_ANSWER:
            raise ValueError(f"an answer of {sum(lengths)} bytes")
        found: list[Reading] = []
        start = 0
        while start < count:
            stop, size = _some(lengths, start)
            answers = await child.stdout.readexactly(size)
            at = 0
            for length in lengths[start:stop]:
                found.append(_reading(answers[at : at + length]))
                at += length
            start = stop
            await asyncio.sleep(0)  # what has arrived is read without a pause: others get their turn
        return found

    async def _running(self) -> asyncio.subprocess.Process:
        if self._child is None or self._child.returncode is not None:
            self._child = await asyncio.create_subprocess_exec(
                *self._command,
                str(self._limits.memory),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env={"PATH": os.environ.get("PATH", ""), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
                limit=2**20,
            )
            await self._ready(self._child)
        return self._child

    async def _ready(self, child: asyncio.subprocess.Process) -> None:
        """A child that cannot be started is no mail's fault: nothing may go to quarantine for it."""
        assert child.stdout is not None
        try:
            async with asyncio.timeout(START_SECONDS):
                await child.stdout.readexactly(len(READY))
        except (TimeoutError, EOFError) as trouble:
            code = await self._kill()
            raise RuntimeError(f"the parser's process cannot be started (exit {code})") from trouble

    def _end(self) -> asyncio.subprocess.Process | None:
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
        return child

    async def _kill(self) -> int | None:
        child = self._end()
        if child is None:
            return None
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            if child.stdin is not None:
                child.stdin.close()
        return await child.wait()


def _reading(answer: bytes) -> Reading:
    found: Any = json.loads(answer)
    if not isinstance(found, dict) or "died" in found:
        raise ValueError(str(found["died"]) if isinstance(found, dict) else "no answer at all")
    return wire.reading(found)


def _some(lengths: Sequence[int], start: int) -> tuple[int, int]:
    """Where the answers end that are read together from `start` on, and their bytes: one, or as many as are short."""
    stop, size = start + 1, lengths[start]
    while stop < len(lengths) and size + lengths[stop] <= FAIR:
        size += lengths[stop]
        stop += 1
    return stop, size


def _lengths(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f">{len(packed) // _LENGTH.size}I", packed)


def batches(raws: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Cut into pieces that are asked for at once: bounded by number and bytes, a large mail by itself."""
    start = size = 0
    for at, raw in enumerate(raws):
        if at > start and (at - start >= BATCH or size + len(raw) > BATCH_BYTES):
            yield raws[start:at]
            start, size = at, 0
        size += len(raw)
    if start < len(raws):
        yield raws[start:]


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """The child's loop: until its stdin ends."""
    answers.write(READY)
    answers.flush()
    while len(head := requests.read(_HEAD.size)) == _HEAD.size:
        kind, count = _HEAD.unpack(head)
        lengths = _lengths(requests.read(_LENGTH.size * count))
        found = [_answer(requests.read(length), kind == b"S") for length in lengths]
        answers.write(b"".join((*(_LENGTH.pack(len(answer)) for answer in found), *found)))
        answers.flush()


def _answer(raw: bytes, summary: bool) -> bytes:
    try:
        return json.dumps(wire.answer(raw, summary=summary)).encode()
    except (MemoryError, RecursionError) as trouble:
        return json.dumps({"died": type(trouble).__name__}).encode()


def restrict(memory: int) -> None:
    """No more address space than now plus `memory` bytes, no files, no core dump."""
    with open("/proc/self/statm", "rb") as statm:
        now = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, now + memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def main() -> None:
    with contextlib.suppress(OSError, ValueError):  # not on every system; the time limit stands anyway
        restrict(int(sys.argv[1]))
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        gc.freeze()  # what was imported is not looked through again
        with open(sys.stdin.fileno(), "rb", buffering=BUFFER, closefd=False) as requests:
            serve(requests, sys.stdout.buffer)


if __name__ == "__main__":
    main()
