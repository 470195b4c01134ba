"""Received mail is parsed in a child process that may be killed: 10 seconds, 512 MB, then it is gone (limits.py).

The parser has limits of its own and needs no sandbox for the bombs that are known. The child is for the unknown ones:
a hostile mail must not stop the loop. Parent and child speak in frames on the child's stdin and stdout: four bytes of
length, then a body; a request's body is one byte (b"V" verdict, b"S" verdict and summary) and the raw mail, an answer's
is JSON. The parent takes nothing from the child but JSON: a child that read hostile bytes is not trusted with pickles.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import struct
import sys
from collections.abc import Sequence
from typing import Any, BinaryIO

from outreach.inbox import wire
from outreach.inbox.limits import DEFAULT, Limits
from outreach.inbox.wire import Reading

_LENGTH = struct.Struct(">I")
LONGEST_ANSWER = 16 * 1024 * 1024  # bytes; a summary with 200,000 characters of text is far below


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
        found: list[Reading | ParserKilled] = []
        async with self._lock:
            while len(found) < len(raws):
                try:
                    await self._batch(raws[len(found) :], summary, found)
                except TimeoutError:
                    await self._kill()
                    found.append(ParserKilled(f"reading took longer than {self._limits.seconds:g} seconds"))
                except (OSError, EOFError, ValueError, KeyError, TypeError) as trouble:
                    code = await self._kill()
                    found.append(ParserKilled(f"the reader died (exit {code}): {trouble}"))
                except BaseException:
                    # given up half-way: the answers that are still to come would be taken for other mails'
                    self._end()
                    raise
        return found

    async def close(self) -> None:
        """End the child. The sandbox can be used again afterwards."""
        async with self._lock:
            await self._kill()

    async def _batch(self, raws: Sequence[bytes], summary: bool, found: list[Reading | ParserKilled]) -> None:
        """Append an answer for each of `raws`. Questions go out while answers come in, or both pipes fill up."""
        child = await self._running()
        asking = asyncio.create_task(self._ask(child, raws, summary))
        try:
            for _ in raws:
                async with asyncio.timeout(self._limits.seconds):
                    found.append(await self._hear(child))
        finally:
            asking.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await asking

    async def _ask(self, child: asyncio.subprocess.Process, raws: Sequence[bytes], summary: bool) -> None:
        assert child.stdin is not None
        for raw in raws:
            body = raw[: self._limits.size + 1]
            child.stdin.write(_LENGTH.pack(len(body) + 1) + (b"S" if summary else b"V"))
            child.stdin.write(body)
            await child.stdin.drain()

    async def _hear(self, child: asyncio.subprocess.Process) -> Reading:
        assert child.stdout is not None
        (length,) = _LENGTH.unpack(await child.stdout.readexactly(_LENGTH.size))
        if length > LONGEST_ANSWER:
            raise ValueError(f"an answer of {length} bytes")
        answer: dict[str, Any] = json.loads(await child.stdout.readexactly(length))
        if "died" in answer:
            raise ValueError(str(answer["died"]))
        return wire.reading(answer)

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
        return self._child

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


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """The child's loop: until its stdin ends."""
    while len(head := requests.read(_LENGTH.size)) == _LENGTH.size:
        body = requests.read(_LENGTH.unpack(head)[0])
        answer = _answer(body)
        answers.write(_LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _answer(body: bytes) -> bytes:
    try:
        return json.dumps(wire.answer(body[1:], summary=body[:1] == b"S")).encode()
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
        serve(sys.stdin.buffer, sys.stdout.buffer)


if __name__ == "__main__":
    main()
