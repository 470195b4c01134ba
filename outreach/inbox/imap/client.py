"""One IMAP connection: commands out, responses in, each with a deadline. What the commands mean is client.py's matter.

One command is under way at a time. Responses wait in a queue until they are taken; while much waits, the socket is not
read, so that a fast server cannot fill the memory.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from collections.abc import AsyncGenerator
from typing import cast

from outreach.inbox.imap.grammar import Garbage, Reader, Response

#: Seconds without a byte after which a server is taken for dead: a slow one drips, a dead one is silent.
SILENCE = 60.0
#: Seconds that one command may take in all, however much drips in: a batch is at most a few megabytes.
COMMAND = 600.0
CONNECT = 30.0
#: Bytes of responses that may wait to be taken.
HIGH_WATER, LOW_WATER = 8_000_000, 2_000_000
#: Responses that are taken before others get their turn: what waits here would be taken without any pause.
FAIR = 100
#: Response codes that speak of the server's troubles, not of the credentials (RFC 5530).
PASSING = (b"[UNAVAILABLE]", b"[INUSE]", b"[SERVERBUG]", b"[LIMIT]")


class ImapTrouble(Exception):
    """The mailbox cannot be read now. `auth`: its credentials were refused, a person has to act."""

    def __init__(self, text: str, *, auth: bool = False) -> None:
        self.auth = auth
        super().__init__(text)


class Refused(ImapTrouble):
    """The server said NO or BAD to a command; the connection is sound. `text` is what it said."""

    def __init__(self, text: bytes) -> None:
        self.text = text
        super().__init__(text.decode("utf-8", "replace")[:300])


class Link(asyncio.Protocol):
    """The connection. Not for two tasks at once."""

    def __init__(self, largest: int) -> None:
        self._reader = Reader(largest)
        self._waiting: deque[Response] = deque()
        self._bytes = 0
        self._paused = False
        self._news = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._why: str | None = None
        self._heard = 0.0
        self._count = 0
        self._taken = 0

    @classmethod
    async def open(cls, host: str, port: int, trust: ssl.SSLContext | None, largest: int) -> Link:
        """Connect; with `trust` the connection is encrypted from its first byte. Raises ImapTrouble."""
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT):
                _, link = await loop.create_connection(lambda: cls(largest), host, port, ssl=trust)
        except (OSError, TimeoutError) as error:
            raise ImapTrouble(f"{host}:{port} does not answer: {error or type(error).__name__}") from error
        return link

    # -- what the network does -----------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._heard = asyncio.get_running_loop().time()
        try:
            for response in self._reader.feed(data):
                self._waiting.append(response)
                self._bytes += response.size
        except Garbage as garbage:
            self.abort(f"the server's answer cannot be used: {garbage}")
        if self._bytes > HIGH_WATER and not self._paused and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()
        self._news.set()

    def connection_lost(self, error: Exception | None) -> None:
        self._why = self._why or f"the connection was lost{f': {error}' if error else ''}"
        self._news.set()

    def abort(self, why: str) -> None:
        """Cut the connection; whoever waits is told why."""
        self._why = self._why or why
        if self._transport is not None:
            self._transport.abort()
        self._news.set()

    @property
    def alive(self) -> bool:
        return self._why is None

    # -- commands ------------------------------------------------------------------------------------------------------

    async def next(self, silence: float | None = None) -> Response:
        """The next response, whatever it answers. Raises ImapTrouble when the server is silent or gone."""
        if not self._waiting:
            await self._wait(SILENCE if silence is None else silence)
        self._taken += 1
        if self._taken % FAIR == 0:
            await asyncio.sleep(0)
        return self._take()

    async def _wait(self, silence: float) -> None:
        loop = asyncio.get_running_loop()
        self._heard = loop.time()
        while not self._waiting:
            if self._why is not None:
                raise ImapTrouble(self._why)
            self._news.clear()
            left = self._heard + silence - loop.time()
            if left <= 0:
                self.abort("the server stopped answering")
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._news.wait()

    def _take(self) -> Response:
        response = self._waiting.popleft()
        self._bytes -= response.size
        if self._paused and self._bytes < LOW_WATER and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        if response.text[:6].upper() == b"* BYE ":
            self._why = self._why or f"the server hung up: {response.text[6:206].decode('utf-8', 'replace')}"
        return response

    def send(self, line: str | bytes) -> None:
        """Write one line."""
        if self._why is not None or self._transport is None:
            raise ImapTrouble(self._why or "not connected")
        self._transport.write((line.encode("ascii") if isinstance(line, str) else line) + b"\r\n")

    def begin(self, command: str) -> bytes:
        """Send a command; return its tag."""
        self._count += 1
        tag = f"o{self._count}"
        self.send(f"{tag} {command}")
        return tag.encode()

    async def answers(
        self, tag: bytes, *, silence: float | None = None, finish: bool = True
    ) -> AsyncGenerator[Response]:
        """Yield what comes until the command is done. Raises Refused when it was not, ImapTrouble when it broke."""
        loop, waited = asyncio.get_running_loop(), 0.0
        while True:
            began = 0.0 if self._waiting else loop.time()
            response = await self.next(silence)
            waited += loop.time() - began if began else 0  # the server's time alone: who takes responses may be slow
            start = response.text[:2]
            if start in (b"* ", b"+ ", b"+"):
                yield response
            elif response.text.startswith(tag + b" "):
                status = response.text[len(tag) + 1 :]
                if status[:2].upper() != b"OK":
                    raise Refused(status)
                if finish:
                    yield response
                return
            else:
                self.abort("the server's answer cannot be used: it answers what nobody asked")
            if waited > COMMAND:
                self.abort("the server took too long for one command")

    async def command(self, command: str, *, silence: float | None = None) -> list[Response]:
        """Send a command and return all that answers it, the last being its completion."""
        return [response async for response in self.answers(self.begin(command), silence=silence)]

    async def start_tls(self, trust: ssl.SSLContext, host: str) -> None:
        """Encrypt from here on. What was said before the handshake counts as an attack."""
        await self.command("STARTTLS")
        if self._waiting or not self._reader.empty:
            self.abort("the server spoke on before the handshake")
            raise ImapTrouble(str(self._why))
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CONNECT):
                transport = await loop.start_tls(
                    cast(asyncio.Transport, self._transport), self, trust, server_hostname=host
                )
        except (OSError, TimeoutError) as error:
            self.abort(f"no encrypted connection: {error or type(error).__name__}")
            raise ImapTrouble(str(self._why)) from error
        self._transport = transport

    async def close(self) -> None:
        """Log out if that is still possible, and close."""
        if self._why is None:
            with contextlib.suppress(ImapTrouble):
                await self.command("LOGOUT", silence=5)
        if self._transport is not None:
            self._transport.abort()
