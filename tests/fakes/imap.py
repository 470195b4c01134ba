"""An IMAP server whose faults are scripted: for what a sound server such as Dovecot never does."""

from __future__ import annotations

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

CRLF = b"\r\n"
CAPABILITIES = "IMAP4rev1 ID IDLE SASL-IR UIDPLUS AUTH=PLAIN AUTH=XOAUTH2"


@dataclass
class ScriptedIMAP:
    """`mails`: UID → bytes. `faults`: UID → what goes wrong when its body is asked for (see `_body`).

    `times`: how often each fault happens, None for ever. `refuses`: command → what is said to it. `commands`: what
    clients said, passwords left out.
    """

    mails: dict[int, bytes] = field(default_factory=dict)
    faults: dict[int, str] = field(default_factory=dict)
    times: dict[int, int] = field(default_factory=dict)
    refuses: dict[str, str] = field(default_factory=dict)
    capabilities: str = CAPABILITIES
    uidvalidity: int = 7
    greeting: bytes = b"* OK ready"
    tokens: tuple[str, ...] = ()
    needs_id: bool = False
    backwards: bool = False
    uid_behind: bool = False
    folders: tuple[str, ...] = ('(\\HasNoChildren) "/" "INBOX"',)
    dead_idle: bool = False
    commands: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0
    arrived: str = field(default_factory=lambda: datetime.now(UTC).strftime("%d-%b-%Y %H:%M:%S +0000"))
    idling: list[asyncio.StreamWriter] = field(default_factory=list)
    idles: asyncio.Event = field(default_factory=asyncio.Event)

    def push(self, uid: int, raw: bytes) -> None:
        """A mail arrives; who waits in IDLE is told."""
        self.mails[uid] = raw
        for writer in self.idling:
            writer.write(b"* %d EXISTS\r\n" % len(self.mails))

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        session = _Session(self, reader, writer)
        try:
            writer.write(self.greeting + CRLF)
            while await session.command():
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # a callback that is cancelled with the loop would be logged as an error
        finally:
            writer.close()


class _Session:
    def __init__(self, server: ScriptedIMAP, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.identified = False
        self.refused = False  # the command was answered with NO, and the connection goes on

    def say(self, text: str | bytes) -> None:
        self.writer.write((text.encode() if isinstance(text, str) else text) + CRLF)

    async def command(self) -> bool:
        line = (await self.reader.readline()).decode().rstrip("\r\n")
        if not line:
            return False
        tag, _, rest = line.partition(" ")
        word = rest.split(" ", 2)
        name = " ".join(word[:2]).upper() if word[0].upper() == "UID" else word[0].upper()
        self.server.commands.append(name if name in ("LOGIN", "AUTHENTICATE") else rest)
        refusal = self.server.refuses.get(name)
        if refusal is not None:
            self.say(f"{tag} {refusal}")
            return True
        handler = getattr(self, "_" + name.lower().replace(" ", "_"), None)
        if handler is None:
            self.say(f"{tag} BAD unknown command")
            return True
        return bool(await handler(tag, rest))

    async def _capability(self, tag: str, rest: str) -> bool:
        self.say(f"* CAPABILITY {self.server.capabilities}")
        self.say(f"{tag} OK")
        return True

    async def _login(self, tag: str, rest: str) -> bool:
        self.say(f"{tag} OK" if rest.endswith('"letter-box"') else f"{tag} NO wrong password")
        return True

    async def _authenticate(self, tag: str, rest: str) -> bool:
        words = rest.split(" ")
        if len(words) < 3:
            self.say("+ ")
            words.append((await self.reader.readline()).decode().strip())
        said = base64.b64decode(words[2]).decode()
        if any(f"Bearer {token}\x01" in said for token in self.server.tokens):
            self.say(f"{tag} OK")
            return True
        self.say("+ " + base64.b64encode(b'{"status":"401"}').decode())
        await self.reader.readline()
        self.say(f"{tag} NO AUTHENTICATE failed")
        return True

    async def _id(self, tag: str, rest: str) -> bool:
        self.identified = True
        self.say('* ID ("name" "scripted")')
        self.say(f"{tag} OK")
        return True

    async def _list(self, tag: str, rest: str) -> bool:
        for folder in self.server.folders:
            self.say(f"* LIST {folder}")
        self.say(f"{tag} OK")
        return True

    async def _examine(self, tag: str, rest: str) -> bool:
        if self.server.needs_id and not self.identified:
            self.say(f"{tag} NO EXAMINE Unsafe Login. Please contact kefu for help")
            return True
        self.say(f"* {len(self.server.mails)} EXISTS")
        self.say(f"* OK [UIDVALIDITY {self.server.uidvalidity}]")
        self.say(f"* OK [UIDNEXT {max(self.server.mails, default=0) + 1}]")
        self.say(f"{tag} OK [READ-ONLY]")
        return True

    async def _uid_search(self, tag: str, rest: str) -> bool:
        self.say("* SEARCH")
        self.say(f"{tag} OK")
        return True

    async def _logout(self, tag: str, rest: str) -> bool:
        self.say("* BYE")
        self.say(f"{tag} OK")
        return False

    async def _noop(self, tag: str, rest: str) -> bool:
        self.say(f"{tag} OK")
        return True

    async def _idle(self, tag: str, rest: str) -> bool:
        self.say("+ idling")
        self.server.idling.append(self.writer)
        self.server.idles.set()
        await self.writer.drain()
        await self.reader.readline()
        self.server.idling.remove(self.writer)
        if self.server.dead_idle:
            await self.reader.read()  # the client gives up
            return False
        self.say(f"{tag} OK")
        return True

    async def _uid_fetch(self, tag: str, rest: str) -> bool:
        numbers, _, items = rest.split(" ", 2)[2].partition(" ")
        uids = sorted(self._chosen(numbers), reverse=self.server.backwards)
        for place, uid in enumerate(uids, 1):
            if "BODY" not in items:
                size = len(self.server.mails[uid])
                self.say(f'* {place} FETCH (UID {uid} RFC822.SIZE {size} INTERNALDATE "{self.server.arrived}")')
            elif not await self._body(place, uid, tag, items):
                return self.refused
        self.say(f"{tag} OK")
        return True

    def _chosen(self, numbers: str) -> set[int]:
        chosen: set[int] = set()
        last = max(self.server.mails, default=0)
        for piece in numbers.split(","):
            first, _, end = piece.partition(":")
            low, high = int(first), last if end == "*" else int(end or first)
            found = {uid for uid in self.server.mails if min(low, high) <= uid <= max(low, high)}
            chosen |= found or ({last} if end == "*" and last else set())  # RFC 3501 6.4.8: n:* names the last mail
        return chosen

    async def _body(self, place: int, uid: int, tag: str, items: str) -> bool:
        raw = self.server.mails[uid]
        raw = raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" if "HEADER" in items else raw
        fault = self._fault(uid)
        if fault == "expunged":
            return True
        if fault == "refused":
            self.say(f"{tag} NO [SERVERBUG] this mail cannot be read")
            self.refused = True
            return False
        if fault == "oversize":
            self.say(f"* {place} FETCH (UID {uid} BODY[] {{99999999999}}")
            await self.reader.read()
            return False
        if fault == "garbage":
            self.say(b"\x00\xff\x17 not IMAP at all")
            await self.reader.read()
            return False
        if fault == "silent":
            await self.reader.read()
            return False
        head, tail = (f"BODY[] {{{len(raw)}}}", f" UID {uid})") if self.server.uid_behind else (
            f"UID {uid} BODY[] {{{len(raw)}}}", ")")  # fmt: skip
        self.say(f"* {place} FETCH ({head}")
        if fault == "cut":
            self.writer.write(raw[: len(raw) // 2])
            await self.writer.drain()
            return False
        self.say(raw + tail.encode())
        return True

    def _fault(self, uid: int) -> str | None:
        left = self.server.times.get(uid)
        if left is not None:
            if left == 0:
                return None
            self.server.times[uid] = left - 1
        return self.server.faults.get(uid)


@asynccontextmanager
async def running_imap(server: ScriptedIMAP) -> AsyncIterator[ScriptedIMAP]:
    """Serve on loopback in this loop."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()


def never_changes(commands: list[str]) -> bool:
    """Whether nothing was said that could change the mailbox: no SELECT, STORE, COPY, MOVE, EXPUNGE, bare BODY[]."""
    forbidden = re.compile(r"SELECT|STORE|COPY|MOVE|EXPUNGE|APPEND|CLOSE|DELETE|BODY\[|RFC822\b(?!\.SIZE)", re.I)
    return not any(forbidden.search(command) for command in commands)
