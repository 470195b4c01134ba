"""A mail server that remembers every message that it takes: what a kill must not double or lose."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

MESSAGE_ID = re.compile(rb"^Message-ID: <([^>]+)>", re.MULTILINE | re.IGNORECASE)


@dataclass
class RecordingSink:
    """Accepts everything. `taken` has the Message-ID of each message in the order in which it was accepted.

    log: a file that gets a line a message (for a sink in a process of its own). fault: is asked at the final dot; what
    it returns is answered instead of 250 (b"" closes the connection); `keep` decides whether it was taken all the same.
    early: the same for MAIL, RCPT and DATA, by the verb.
    """

    log: Path | None = None
    fault: Callable[[bytes], tuple[bytes, bool] | None] | None = None
    early: Callable[[bytes], bytes | None] | None = None
    delay: float = 0.0
    taken: list[str] = field(default_factory=list)
    server: asyncio.Server | None = None
    port: int = 0
    links: set[asyncio.BaseTransport] = field(default_factory=set)
    wanted: tuple[int, asyncio.Future[None]] | None = None

    async def start(self, port: int = 0) -> RecordingSink:
        loop = asyncio.get_running_loop()
        self.server = await loop.create_server(lambda: _Session(self), "127.0.0.1", port)
        self.port = self.server.sockets[0].getsockname()[1]
        self._file = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND) if self.log else None
        return self

    async def stop(self) -> None:
        assert self.server is not None
        self.server.close()
        for link in list(self.links):
            link.abort()  # type: ignore[attr-defined]
        await self.server.wait_closed()

    async def has(self, number: int) -> None:
        """Wait until so many messages have been taken."""
        self.wanted = (number, asyncio.get_running_loop().create_future())
        self.check()
        await self.wanted[1]

    def check(self) -> None:
        if self.wanted and len(self.taken) >= self.wanted[0] and not self.wanted[1].done():
            self.wanted[1].set_result(None)

    def take(self, data: bytes) -> None:
        found = MESSAGE_ID.search(data)
        name = found[1].decode() if found else "?"
        self.taken.append(name)
        self.check()
        if self._file is not None:
            os.write(self._file, name.encode() + b"\n")


class _Session(asyncio.Protocol):
    def __init__(self, sink: RecordingSink) -> None:
        self.sink = sink
        self.buffer = bytearray()
        self.in_data = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.sink.links.add(transport)
        self.say(b"220 sink\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.sink.links.discard(self.transport)

    def say(self, data: bytes) -> None:
        if self.sink.delay:
            asyncio.get_running_loop().call_later(self.sink.delay, self.transport.write, data)  # type: ignore[attr-defined]
        else:
            self.transport.write(data)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while True:
            if self.in_data:
                # a lone dot ends a message for nobody (RFC 2920 3.1)
                end = -2 if self.buffer.startswith(b".\r\n") else self.buffer.find(b"\r\n.\r\n")
                if end == -1:
                    return
                message = bytes(self.buffer[: end + 2])
                del self.buffer[: end + 5]
                self.in_data = False
                if message:
                    self.dot(message)
                else:
                    self.say(b"554 5.5.1 no valid recipients\r\n")
            else:
                end = self.buffer.find(b"\r\n")
                if end < 0:
                    return
                line = bytes(self.buffer[:end])
                del self.buffer[: end + 2]
                self.command(line)

    def command(self, line: bytes) -> None:
        verb = line[:4].upper()
        wrong = self.sink.early(verb) if self.sink.early and verb in (b"MAIL", b"RCPT", b"DATA") else None
        if wrong is not None:
            self.say(wrong) if wrong else self.transport.abort()  # type: ignore[attr-defined]
        elif verb == b"EHLO":
            self.say(b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        elif verb == b"DATA":
            self.in_data = True
            self.say(b"354 go on\r\n")
        elif verb == b"QUIT":
            self.say(b"221 bye\r\n")
            self.transport.close()
        else:
            self.say(b"250 2.0.0 ok\r\n")

    def dot(self, message: bytes) -> None:
        answer = self.sink.fault(message) if self.sink.fault else None
        if answer is None or answer[1]:
            self.sink.take(message)
        if answer is None:
            self.say(b"250 2.0.0 taken\r\n")
        elif answer[0]:
            self.say(answer[0])
        else:
            self.transport.abort()  # type: ignore[attr-defined]
