"""A read-only IMAP client: EXAMINE and BODY.PEEK only, by UID ranges; SEARCH is asked for one Message-ID alone.

Some Chinese providers answer SEARCH wrongly or not at all, so a pass goes by UIDs.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from outreach.inbox import folder_name
from outreach.inbox.folders import Folders, choose
from outreach.inbox.imap import grammar
from outreach.inbox.imap.client import CONNECT, PASSING, ImapTrouble, Link, Refused
from outreach.inbox.imap.grammar import Listed

__all__ = ["ImapClient", "ImapServer", "ImapTrouble", "Listed", "Opened"]

#: Mails that one FETCH asks for, and their bytes: the server answers in one go, and what breaks off is asked again.
BATCH, BATCH_BYTES = 500, 20_000_000
#: Mails that are passed on together, as soon as they are there.
GROUP, GROUP_BYTES = 50, 4_000_000
#: RFC 2177: servers drop an IDLE after 30 minutes, and one that died is noticed when it is ended.
IDLE_SECONDS = 110.0
DONE_SECONDS = 15.0


@dataclass(frozen=True)
class ImapServer:
    """How to reach and enter a mailbox. tls: implicit, starttls, or none for loopback. `largest`: bytes of one mail."""

    host: str
    port: int
    tls: str
    user: str
    password: str | None = field(default=None, repr=False)
    token: Callable[[bool], Awaitable[str]] | None = field(default=None, repr=False)
    trust: ssl.SSLContext | None = None
    largest: int = 30_000_000


@dataclass(frozen=True)
class Opened:
    """A folder as EXAMINE described it."""

    name: str
    uidvalidity: int
    uidnext: int
    exists: int


class ImapClient:
    """One connection. Use `connect`, then `examine`; close it with `close`."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self.capabilities: frozenset[str] = frozenset()

    @property
    def alive(self) -> bool:
        """Whether the connection is still there, as far as is known."""
        return self._link.alive

    @classmethod
    async def connect(cls, server: ImapServer) -> ImapClient:
        """Connect, log in and say who we are where that is asked for. Raises ImapTrouble."""
        trust = server.trust or (ssl.create_default_context() if server.tls != "none" else None)
        link = await Link.open(server.host, server.port, trust if server.tls == "implicit" else None, server.largest)
        client = cls(link)
        try:
            await client._enter(server, trust)
        except BaseException:
            link.abort("given up")
            raise
        return client

    async def _enter(self, server: ImapServer, trust: ssl.SSLContext | None) -> None:
        where = f"{server.host}:{server.port}"
        try:
            hello = await self._link.next(CONNECT)
        except ImapTrouble as trouble:
            raise ImapTrouble(f"{where} does not answer: {trouble}") from trouble
        if not hello.text.upper().startswith((b"* OK", b"* PREAUTH")):
            raise ImapTrouble(f"{where} does not greet as an IMAP server: {_words(hello.text)}")
        if server.tls == "starttls":
            assert trust is not None
            await self._starttls(server, trust)
        self._note_capabilities(hello.text)
        if not self.capabilities:
            await self._ask_capabilities()
        await self._login(server)
        await self._ask_capabilities()
        await self._identify()

    async def _starttls(self, server: ImapServer, trust: ssl.SSLContext) -> None:
        """Never in plain text: a server without STARTTLS is not logged in to."""
        try:
            await self._link.start_tls(trust, server.host)
        except Refused as refused:
            raise ImapTrouble(f"{server.host} does not encrypt (STARTTLS): {refused}") from refused
        await self._ask_capabilities()

    def _note_capabilities(self, text: bytes) -> None:
        found = text.upper().partition(b"CAPABILITY ")[2].partition(b"]")[0]
        if found:
            self.capabilities = frozenset(found.decode("ascii", "replace").split())

    async def _ask_capabilities(self) -> None:
        for response in await self._link.command("CAPABILITY"):
            if response.text.upper().startswith(b"* CAPABILITY "):
                self._note_capabilities(response.text)

    # -- who we are ----------------------------------------------------------------------------------------------------

    async def _login(self, server: ImapServer) -> None:
        if server.token is None:
            await self._password(server.user, server.password or "")
            return
        for fresh in (False, True):
            if await self._sasl("XOAUTH2", _xoauth2(server.user, await server.token(fresh))):
                return
        raise ImapTrouble(f"{server.user}'s access token was refused twice: give consent again", auth=True)

    async def _password(self, user: str, password: str) -> None:
        try:
            if (user + password).isascii() and "LOGINDISABLED" not in self.capabilities:
                await self._link.command(f"LOGIN {grammar.quoted(user)} {grammar.quoted(password)}")
                return
            if await self._sasl("PLAIN", f"\0{user}\0{password}".encode()):
                return
            raise ImapTrouble(f"{user} was refused", auth=True)
        except Refused as refused:
            passing = any(code in refused.text.upper() for code in PASSING)
            raise ImapTrouble(f"{user} was refused: {refused}", auth=not passing) from refused

    async def _sasl(self, mechanism: str, secret: bytes) -> bool:
        """Log in by SASL; False when the server says no. A refused token is first answered with a question (RFC 7628)."""
        coded = base64.b64encode(secret).decode()
        at_once = "SASL-IR" in self.capabilities
        tag = self._link.begin(f"AUTHENTICATE {mechanism}" + (f" {coded}" if at_once else ""))
        said = at_once
        try:
            async with aclosing(self._link.answers(tag)) as answers:
                async for response in answers:
                    if response.text.startswith(b"+"):
                        self._link.send("" if said else coded)
                        said = True
        except Refused as refused:
            if any(code in refused.text.upper() for code in PASSING):
                raise ImapTrouble(f"the server is not ready: {refused}") from refused
            return False
        return True

    async def _identify(self) -> None:
        """NetEase answers "Unsafe Login" to SELECT without ID; QQ drops who sends an unknown command."""
        if "ID" in self.capabilities:
            with contextlib.suppress(Refused):
                await self._link.command('ID ("name" "outreach" "version" "1" "vendor" "outreach")')

    # -- folders -------------------------------------------------------------------------------------------------------

    async def folders(self) -> Folders:
        """Find Sent and Junk: by their special use (RFC 6154), else by the names that providers give them."""
        found = []
        for response in await self._link.command('LIST "" "*"'):
            if (listing := grammar.folder(response)) is not None:
                found.append((listing[0], folder_name.decode(listing[1])))
        return choose(found)

    async def examine(self, name: str) -> Opened:
        """Open a folder for reading only. Raises ImapTrouble where it does not exist."""
        try:
            said = await self._link.command(f"EXAMINE {folder_name.encode(name)}")
        except Refused as refused:
            raise ImapTrouble(f"folder {name} cannot be opened: {refused}") from refused
        text = b"\n".join(response.text for response in said)
        patterns = (rb"UIDVALIDITY (\d+)", rb"UIDNEXT (\d+)", rb"(\d+) EXISTS")
        return Opened(name, *(grammar.number(pattern, text) for pattern in patterns))

    async def listed(self, first: int, last: int | None = None) -> list[Listed]:
        """Return what stands in the opened folder from UID `first` on, in order of UID."""
        found: dict[int, Listed] = {}
        tag = self._link.begin(f"UID FETCH {first}:{last or '*'} (UID RFC822.SIZE INTERNALDATE)")
        try:
            async with aclosing(self._link.answers(tag)) as answers:
                async for response in answers:
                    if (item := grammar.listed(response)) and item.uid >= first:
                        found[item.uid] = item
        except Refused as refused:
            raise ImapTrouble(f"the folder cannot be listed: {refused}") from refused
        return [found[uid] for uid in sorted(found)]

    # -- mails ---------------------------------------------------------------------------------------------------------

    async def fetch(self, mails: Sequence[Listed]) -> AsyncGenerator[list[tuple[int, bytes]]]:
        """Yield (uid, raw mail) in groups, as they arrive. What was expunged meanwhile is left out without an error."""
        for batch in batches(mails, BATCH, BATCH_BYTES):
            wanted = frozenset(item.uid for item in batch)
            async for group in self._fetch(ranges(sorted(wanted)), wanted):
                yield group

    async def _fetch(self, numbers: str, wanted: frozenset[int]) -> AsyncGenerator[list[tuple[int, bytes]]]:
        group: list[tuple[int, bytes]] = []
        size = 0
        tag = self._link.begin(f"UID FETCH {numbers} (UID BODY.PEEK[])")
        try:
            async with aclosing(self._link.answers(tag)) as answers:
                async for response in answers:
                    found = grammar.body(response)
                    if found is None or found[0] not in wanted:
                        continue
                    group.append(found)
                    size += len(found[1])
                    if len(group) >= GROUP or size >= GROUP_BYTES:
                        yield group
                        group, size = [], 0
        except ImapTrouble as trouble:
            # what came before is good; a server may also say NO because some of the mails are gone (RFC 2180 4.1)
            if group:
                yield group
            raise ImapTrouble(f"mails cannot be fetched: {trouble}") from trouble
        if group:
            yield group

    async def headers(self, uid: int) -> bytes:
        """Return a mail's header block: of one that is too large to be fetched whole."""
        try:
            said = await self._link.command(f"UID FETCH {uid} (UID BODY.PEEK[HEADER])")
        except Refused:
            return b""
        return next((found[1] for response in said if (found := grammar.body(response)) and found[0] == uid), b"")

    async def has_message(self, message_id: str) -> bool | None:
        """Whether the opened folder holds this Message-ID, by SEARCH; None where the server cannot say."""
        term = message_id.replace('"', "").replace("\\", "")
        try:
            said = await self._link.command(f"UID SEARCH HEADER Message-ID {grammar.quoted(f'<{term}>')}")
        except (Refused, ValueError):
            return None
        hits = [response.text[8:] for response in said if response.text.upper().startswith(b"* SEARCH")]
        return any(hit.strip().replace(b" ", b"").isdigit() for hit in hits) if hits else None

    # -- waiting -------------------------------------------------------------------------------------------------------

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of news by itself (RFC 2177)."""
        return "IDLE" in self.capabilities

    async def idle(self, seconds: float = IDLE_SECONDS) -> bool:
        """Wait in the opened folder for news; True when something arrived before the time was up.

        Ends with DONE and the server's answer to it: a connection that died silently is noticed then. Raises ImapTrouble.
        """
        tag = self._link.begin("IDLE")
        answers = self._link.answers(tag, silence=seconds + DONE_SECONDS)
        async with aclosing(answers):
            await self._confirmed(answers)
            news = await self._news(seconds)
            self._link.send("DONE")
            async for response in self._link.answers(tag, silence=DONE_SECONDS):
                news = news or _is_news(response.text)
        return news

    async def _confirmed(self, answers: AsyncIterator[grammar.Response]) -> None:
        try:
            async for response in answers:
                if response.text.startswith(b"+"):
                    return
        except Refused as refused:
            raise ImapTrouble(f"IDLE is offered and refused: {refused}") from refused

    async def _news(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not _is_news((await self._link.next(seconds + DONE_SECONDS)).text):
                    pass
                return True
        return False

    def abort(self) -> None:
        """Cut the connection without a word."""
        self._link.abort("given up")

    async def close(self) -> None:
        """Log out if that is still possible, and close."""
        await self._link.close()


async def fetch_one(server: ImapServer, folder: str, uidvalidity: int | None, uid: int) -> bytes:
    """Fetch a single mail over a connection of its own; b"" where it is gone or too large. Raises ImapTrouble."""
    client = await ImapClient.connect(server)
    try:
        if (await client.examine(folder)).uidvalidity != uidvalidity:
            return b""
        listed = [item for item in await client.listed(uid, uid) if item.uid == uid and item.size <= server.largest]
        return b"".join([raw async for group in client.fetch(listed) for _, raw in group])
    finally:
        await client.close()


def _is_news(text: bytes) -> bool:
    return text.startswith(b"* ") and text.upper().endswith((b" EXISTS", b" RECENT"))


def _xoauth2(user: str, token: str) -> bytes:
    return f"user={user}\x01auth=Bearer {token}\x01\x01".encode()


def _words(text: bytes) -> str:
    return text.decode("utf-8", "replace")[:200]


def batches(mails: Sequence[Listed], count: int, size: int) -> list[list[Listed]]:
    """Cut a list so that no piece has more mails or (but for one mail alone) more bytes."""
    pieces: list[list[Listed]] = []
    room = 0
    for item in mails:
        if not pieces or len(pieces[-1]) >= count or room < item.size:
            pieces.append([])
            room = size
        pieces[-1].append(item)
        room -= item.size
    return pieces


def ranges(uids: Sequence[int]) -> str:
    """UIDs in order as an IMAP set: 3,5:9."""
    runs: list[list[int]] = []
    for uid in uids:
        if runs and uid == runs[-1][1] + 1:
            runs[-1][1] = uid
        else:
            runs.append([uid, uid])
    return ",".join(f"{first}" if first == last else f"{first}:{last}" for first, last in runs)
