"""A read-only IMAP client over aioimaplib: EXAMINE and BODY.PEEK only, by UID ranges, never SEARCH.

Some Chinese providers answer SEARCH wrongly, so a pass goes by UIDs. A lost connection leaves aioimaplib's commands
hanging until their time-out, so every command races against `lost`.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from aioimaplib import aioimaplib

from outreach.inbox import folder_name

T = TypeVar("T")

#: Seconds a command may take. A FETCH of fifty mails over a slow line needs more than a NOOP, none needs two minutes.
COMMAND_SECONDS = 120.0
CONNECT_SECONDS = 30.0
#: A refused XOAUTH2 token is answered with a continuation, and the server waits for an empty line (RFC 7628 3.2.3).
TOKEN_SECONDS = 4.0
#: Mails a FETCH carries: about fifty is fastest, five hundred is slower (and one lost line costs more).
BATCH = 50
#: RFC 2177: servers drop an IDLE after 30 minutes; a dead one is noticed within this.
IDLE_SECONDS = 110.0

_ITEM = re.compile(rb"\b(UID|RFC822\.SIZE) (\d+)")
_INTERNAL = re.compile(rb'INTERNALDATE "([^"]+)"')
_LIST = re.compile(rb'\(([^)]*)\) (?:"[^"]*"|NIL) (.+)$')


class ImapTrouble(Exception):
    """The mailbox cannot be read now. `auth`: its credentials were refused, a person has to act."""

    def __init__(self, text: str, *, auth: bool = False) -> None:
        self.auth = auth
        super().__init__(text)


@dataclass(frozen=True)
class ImapServer:
    """How to reach and enter a mailbox. tls: implicit, starttls is not offered, none is for loopback."""

    host: str
    port: int
    tls: str
    user: str
    password: str | None = field(default=None, repr=False)
    token: Callable[[bool], Awaitable[str]] | None = field(default=None, repr=False)
    trust: ssl.SSLContext | None = None


@dataclass(frozen=True)
class Opened:
    """A folder as EXAMINE described it."""

    name: str
    uidvalidity: int
    uidnext: int
    exists: int


@dataclass(frozen=True)
class Listed:
    """A mail's number, size in bytes and arrival (UTC), before its bytes are fetched."""

    uid: int
    size: int
    arrived: datetime | None


class ImapClient:
    """One connection. Use `connect`, then `examine`; close it with `close`."""

    def __init__(self, imap: Any, lost: asyncio.Event) -> None:
        self._imap = imap
        self._lost = lost

    @classmethod
    async def connect(cls, server: ImapServer) -> ImapClient:
        """Connect, log in and say who we are where that is asked for. Raises ImapTrouble."""
        lost = asyncio.Event()
        imap = _make(server, lost)
        client = cls(imap, lost)
        try:
            await asyncio.wait_for(imap.wait_hello_from_server(), CONNECT_SECONDS)
            await client._login(server)
            await client._identify()
        except (OSError, TimeoutError, aioimaplib.AioImapException) as error:
            await client.close()
            raise ImapTrouble(
                f"{server.host}:{server.port} does not answer: {error or type(error).__name__}"
            ) from error
        except BaseException:
            await client.close()
            raise
        return client

    async def _login(self, server: ImapServer) -> None:
        if server.token is None:
            answer = await self._guard(self._imap.login(server.user, server.password or ""))
            if answer.result != "OK":
                raise ImapTrouble(f"{server.user} was refused: {_words(answer)}", auth=True)
            return
        for fresh in (False, True):
            if await self._token_login(server.user, await server.token(fresh)):
                return
        raise ImapTrouble(f"{server.user}'s access token was refused twice: give consent again", auth=True)

    async def _token_login(self, user: str, token: str) -> bool:
        task: asyncio.Future[Any] = asyncio.ensure_future(self._imap.xoauth2(user, token))
        done, _ = await asyncio.wait([task], timeout=TOKEN_SECONDS)
        if not done:
            self._imap.protocol.transport.write(b"\r\n")
        answer = await self._guard(task)
        return bool(answer.result == "OK")

    async def _identify(self) -> None:
        """NetEase answers "Unsafe Login" to SELECT without ID; QQ drops who sends an unknown command."""
        if self._imap.has_capability("ID"):
            await self._guard(self._imap.id(name="outreach", version="1", vendor="outreach"))

    async def _guard(self, work: Awaitable[T]) -> T:
        """Wait for a command, but not for one whose connection is gone."""
        task: asyncio.Future[T] = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._lost.wait())
        both: list[asyncio.Future[Any]] = [task, gone]
        try:
            await asyncio.wait(both, timeout=COMMAND_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise ImapTrouble("the connection was lost" if self._lost.is_set() else "the server stopped answering")
        except (aioimaplib.AioImapException, TimeoutError, OSError) as error:
            raise ImapTrouble(f"the server's answer cannot be used: {error}") from error
        finally:
            gone.cancel()
            if not task.done():
                task.cancel()

    async def folders(self) -> dict[str, str]:
        """Return the folders with a special use: {"sent": name, "junk": name} (RFC 6154), as far as they are marked."""
        answer = await self._guard(self._imap.list('""', "*"))
        found = {}
        for line in answer.lines:
            parts = _LIST.match(bytes(line))
            if not parts:
                continue
            flags, name = parts[1].lower(), folder_name.decode(parts[2].decode("ascii", "replace").strip())
            for use in ("sent", "junk"):
                if b"\\" + use.encode() in flags:
                    found[use] = name
        return found

    async def examine(self, name: str) -> Opened:
        """Open a folder for reading only. Raises ImapTrouble where it does not exist."""
        answer = await self._guard(self._imap.examine(folder_name.encode(name)))
        if answer.result != "OK":
            raise ImapTrouble(f"folder {name} cannot be opened: {_words(answer)}")
        # aioimaplib notes a selected folder after SELECT alone, and refuses UID commands otherwise
        self._imap.protocol.state = aioimaplib.SELECTED
        text = b"\n".join(bytes(line) for line in answer.lines)
        patterns = (rb"UIDVALIDITY (\d+)", rb"UIDNEXT (\d+)", rb"(\d+) EXISTS")
        return Opened(name, *(_number(pattern, text) for pattern in patterns))

    async def listed(self, first: int) -> list[Listed]:
        """Return what stands in the opened folder from UID `first` on, in order of UID."""
        answer = await self._guard(self._imap.uid("fetch", f"{first}:*", "(UID RFC822.SIZE INTERNALDATE)"))
        found = {item.uid: item for line in answer.lines if (item := _listed(bytes(line))) and item.uid >= first}
        return [found[uid] for uid in sorted(found)]

    async def fetch(self, uids: Sequence[int]) -> AsyncIterator[tuple[int, bytes]]:
        """Yield (uid, raw mail). What was expunged meanwhile is left out without an error."""
        for start in range(0, len(uids), BATCH):
            chunk = uids[start : start + BATCH]
            wanted = ",".join(str(uid) for uid in chunk)
            answer = await self._guard(self._imap.uid("fetch", wanted, "(UID BODY.PEEK[])"))
            for pair in _bodies(answer.lines):
                yield pair

    async def headers(self, uid: int) -> bytes:
        """Return a mail's header block: of one that is too large to be fetched whole."""
        answer = await self._guard(self._imap.uid("fetch", str(uid), "(UID BODY.PEEK[HEADER])"))
        return next((raw for _, raw in _bodies(answer.lines)), b"")

    async def has_message(self, message_id: str) -> bool | None:
        """Whether the opened folder holds this Message-ID, by SEARCH; None where the server cannot say."""
        term = message_id.replace('"', "").replace("\\", "")
        answer = await self._guard(self._imap.uid_search("HEADER", "Message-ID", f'"<{term}>"', charset=None))
        if answer.result != "OK":
            return None
        return any(re.fullmatch(rb"[\d ]*\d[\d ]*", bytes(line).strip()) for line in answer.lines[:1])

    async def idle(self, seconds: float = IDLE_SECONDS) -> bool:
        """Wait for news in the opened folder; False when IDLE is not offered. Ends early when something arrives."""
        if not self._imap.has_capability("IDLE"):
            return False
        task = await self._imap.idle_start(timeout=seconds)
        try:
            await self._guard_idle(self._imap.wait_server_push(timeout=seconds), seconds)
        finally:
            self._imap.idle_done()
            await asyncio.wait({asyncio.ensure_future(task)}, timeout=10)
        return True

    async def _guard_idle(self, work: Awaitable[Any], seconds: float) -> None:
        task = asyncio.ensure_future(work)
        gone = asyncio.ensure_future(self._lost.wait())
        await asyncio.wait([task, gone], timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for item in (task, gone):
            item.cancel()
        if self._lost.is_set():
            raise ImapTrouble("the connection was lost")

    async def close(self) -> None:
        """Log out if that is still possible, and close."""
        protocol = getattr(self._imap, "protocol", None)
        if protocol is None or getattr(protocol, "transport", None) is None:
            return
        if not self._lost.is_set():
            with contextlib.suppress(OSError, TimeoutError, aioimaplib.AioImapException, AttributeError):
                await asyncio.wait_for(self._imap.logout(), 5)
        if protocol.transport is not None:
            protocol.transport.close()


def _make(server: ImapServer, lost: asyncio.Event) -> Any:
    options: dict[str, Any] = {"timeout": COMMAND_SECONDS, "conn_lost_cb": lambda error: lost.set()}
    if server.tls == "none":
        return aioimaplib.IMAP4(server.host, server.port, **options)
    trust = server.trust or ssl.create_default_context()
    return aioimaplib.IMAP4_SSL(server.host, server.port, ssl_context=trust, **options)


def _words(answer: Any) -> str:
    return b" ".join(bytes(line) for line in answer.lines).decode("utf-8", "replace")[:300]


def _number(pattern: bytes, text: bytes) -> int:
    found = re.search(pattern, text)
    return int(found[1]) if found else 0


def _listed(line: bytes) -> Listed | None:
    if b"FETCH" not in line:
        return None
    items = {name: int(value) for name, value in _ITEM.findall(line)}
    if b"UID" not in items:
        return None
    arrived = _INTERNAL.search(line)
    return Listed(items[b"UID"], items.get(b"RFC822.SIZE", 0), _moment(arrived[1]) if arrived else None)


def _moment(text: bytes) -> datetime | None:
    try:
        return parsedate_to_datetime(text.decode("ascii").strip().replace("-", " ", 2)).astimezone(UTC)
    except (ValueError, TypeError):
        return None


def _bodies(lines: Sequence[Any]) -> list[tuple[int, bytes]]:
    """Pair each literal with the UID that stands before or after it (servers differ)."""
    found: list[tuple[int, bytes]] = []
    uid, body = 0, None
    for line in lines:
        if isinstance(line, bytearray):
            body = bytes(line)
            continue
        number = _number(rb"\bUID (\d+)", line)
        if b"FETCH (" in line:
            uid, body = number, None
        elif number:
            uid = number
        if body is not None and uid:
            found.append((uid, body))
            uid, body = 0, None
    return found
