"""A real HTTP server on loopback that answers as it is told and keeps what it got."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from outreach.content.client import Streams

PUBLIC = "93.184.215.14"


@dataclass
class Receiver:
    """`answers` are given in turn, the last one for ever."""

    port: int = 0
    answers: list[str] = field(default_factory=lambda: ["200 OK"])
    got: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)

    async def resolver(self, host: str, port: int) -> Sequence[str]:
        """Names of the tests: hook.… is public, everything with a number is itself."""
        self.asked.append((host, port))
        if host.startswith("inside"):
            return ["10.0.0.7"]
        if host.startswith("both"):
            return [PUBLIC, "127.0.0.1"]
        return [host] if host[0].isdigit() or ":" in host else [PUBLIC]

    async def connector(self, address: str, port: int, host: str, tls: bool) -> Streams:
        """What is public leads to this server; the test fails for anything else."""
        assert address == PUBLIC, address
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii")
        first, *lines = head.strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        body = await reader.readexactly(int(headers["Content-Length"]))
        self.got.append((first, headers, body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(f"HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def running_receiver(*answers: str) -> AsyncIterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver(answers=list(answers) or ["200 OK"])
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    async with server:
        yield receiver
