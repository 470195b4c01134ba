"""One pass over a mailbox's folders: list, fetch, understand, file. Bears being killed at any point."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import DataError, IntegrityError

from outreach.inbox.client import ImapClient, ImapServer, ImapTrouble, Listed
from outreach.inbox.folders import Folders
from outreach.inbox.imap.client import Refused
from outreach.inbox.progress import Progress
from outreach.inbox.sandbox import ParserKilled, Sandbox
from outreach.inbox.store import Fetched, InboxStore, Mark, Quarantined
from outreach.inbox.wire import Reading

log = structlog.get_logger(__name__)

#: After UIDVALIDITY changed, mail since the last pass is read again, and this much before it, for clocks differ.
RESCAN_MARGIN = timedelta(days=2)
#: A UID that breaks the connection this often is left behind.
MOST_FAILURES = 3
#: Seconds before the second try; twice and three times as many before the next.
REST = 2.0
#: How the reason begins why only a mail's headers are there.
LARGER = "larger than"

NAMES = {
    "bounce": "bounces",
    "reply": "replies",
    "autoreply": "autoreplies",
    "unsubscribe": "unsubscribes",
    "complaint": "complaints",
    "other": "other",
}
Group = list[tuple[int, bytes]]
Groups = AsyncGenerator[Group]
Readings = Sequence[Reading | ParserKilled]


@dataclass
class PassResult:
    """What one pass found; `as_dict` is the contract's `inbox sync --json`."""

    fetched: int = 0
    bounces: int = 0
    replies: int = 0
    autoreplies: int = 0
    unsubscribes: int = 0
    complaints: int = 0
    other: int = 0
    own: int = 0
    known: int = 0
    quarantined: int = 0
    unreadable: int = 0  # folders that could not be opened

    def add(self, other: PassResult) -> None:
        """Add another pass."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    def as_dict(self) -> dict[str, int]:
        """Plain counts."""
        return asdict(self)


@dataclass(frozen=True)
class InboxSetup:
    """A mailbox as its pass needs it. `folders`: those to read, the first being the inbox; `sent`: which of them is Sent.

    `discover`: ask the server for Junk and Sent too, as far as they are not named in `junk` and `sent`. `first_days`:
    how far back the first pass looks.
    """

    mailbox_id: int
    name: str
    folders: Sequence[str]
    first_days: int = 30
    max_bytes: int = 25_000_000
    sent: str | None = None
    junk: str | None = None
    discover: bool = False


@dataclass
class _Folder:
    """A folder while it is read."""

    name: str
    mark: Mark
    wanted: dict[int, Listed]
    last: int
    progress: Progress


class InboxPass:
    """Reads one mailbox once, over one connection. Nothing is marked, moved or deleted there.

    `rest`: waits so many seconds before a broken connection is made anew.
    """

    def __init__(
        self,
        store: InboxStore,
        setup: InboxSetup,
        server: ImapServer,
        sandbox: Sandbox,
        *,
        clock: Callable[[], datetime],
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.store, self.setup, self.server, self.sandbox = store, setup, server, sandbox
        self.clock, self.rest = clock, rest
        self.result = PassResult()
        self._client: ImapClient | None = None
        self._failed: dict[tuple[str, int], int] = {}
        self._at: int | None = None  # the mail that is waited for; None while no mail is fetched
        self._broke = False

    async def run(self) -> PassResult:
        """Read every folder to its end. Raises ImapTrouble when the server stays away; what was filed stays."""
        try:
            if self.setup.discover:
                await self._discover()
            for number, folder in enumerate(self.setup.folders):
                await self._folder(folder, needed=number == 0)
        finally:
            if self._client is not None:
                await self._client.close()
        return self.result

    async def _discover(self) -> None:
        """Complete the folders. A server that lists none is read all the same."""
        self._client = await ImapClient.connect(self.server)
        found = Folders()
        if not (self.setup.sent and self.setup.junk):
            with contextlib.suppress(Refused):
                found = await self._client.folders()
        junk, sent = self.setup.junk or found.junk, self.setup.sent or found.sent
        names = dict.fromkeys((*self.setup.folders, *filter(None, (junk, sent))))
        self.setup = replace(self.setup, folders=list(names), junk=junk, sent=sent)

    async def _folder(self, name: str, *, needed: bool) -> None:
        """A connection that breaks is made anew; a mail at which it broke three times goes to quarantine."""
        while True:
            self._at = None
            try:
                folder = await self._open(name, needed)
                if folder is not None:
                    await self._read(folder)
                return
            except ImapTrouble as trouble:
                failures = self._note_failure(name, trouble)
                log.warning("inbox link broken", mailbox=self.setup.name, folder=name, uid=self._at, why=str(trouble))
                await self.rest(REST * failures)

    def _note_failure(self, name: str, trouble: ImapTrouble) -> int:
        """Count a failure against the mail that was waited for; raise `trouble` again where trying on is of no use."""
        broken = self._client is None or not self._client.alive
        if trouble.auth or self._client is None or (self._at is None and not broken):
            raise trouble
        if broken:
            self._client = None
        key = (name, self._at or 0)
        self._failed[key] = self._failed.get(key, 0) + 1
        if self._failed[key] >= MOST_FAILURES and (self._at is None or self._broke):
            raise trouble  # the server itself, or a second mail in a row: for a later pass
        return self._failed[key]

    # -- one folder ----------------------------------------------------------------------------------------------------

    async def _open(self, name: str, needed: bool) -> _Folder | None:
        if self._client is None:
            self._client = await ImapClient.connect(self.server)
        try:
            opened = await self._client.examine(name)
        except ImapTrouble:
            if needed or not self._client.alive:
                raise
            self.result.unreadable += 1
            log.warning("folder cannot be opened", mailbox=self.setup.name, folder=name)
            return None
        mark = await self.store.mark_of(self.setup.mailbox_id, name)
        since: datetime | None = None
        if mark.uidvalidity != opened.uidvalidity or (opened.uidnext and opened.uidnext <= mark.last_uid):
            since = self._since(mark)
            mark = await self.store.reset(mark, opened.uidvalidity)
        listed = await self._client.listed(mark.last_uid + 1)
        wanted = [item for item in listed if since is None or item.arrived is None or item.arrived >= since]
        last = max((item.uid for item in listed), default=mark.last_uid)
        return _Folder(
            name, mark, {item.uid: item for item in wanted}, last, Progress((i.uid for i in wanted), mark.last_uid)
        )

    def _since(self, mark: Mark) -> datetime:
        if mark.read_at is not None:
            return mark.read_at - RESCAN_MARGIN
        return self.clock() - timedelta(days=self.setup.first_days)

    async def _read(self, folder: _Folder) -> None:
        assert self._client is not None
        small = [item for item in folder.wanted.values() if item.size <= self.setup.max_bytes]
        while small and (folder.name, small[0].uid) in self._failed:
            await self._suspect(folder, small.pop(0))
        await self._file_all(folder, self._client.fetch(small))
        for item in folder.wanted.values():
            if item.size > self.setup.max_bytes:
                await self._too_large(folder, item)
        await self.store.note_read(folder.mark, folder.last, self.clock())

    async def _suspect(self, folder: _Folder, item: Listed) -> None:
        """A mail at which the connection broke is asked for alone, and after three times no more."""
        assert self._client is not None
        if self._failed[folder.name, item.uid] < MOST_FAILURES:
            await self._file_all(folder, self._client.fetch([item]))
            return
        self._broke = True
        await self._quarantine(folder, item.uid, b"", f"the server broke off {MOST_FAILURES} times at this mail")

    async def _too_large(self, folder: _Folder, item: Listed) -> None:
        assert self._client is not None
        self._at = item.uid
        failed = self._failed.get((folder.name, item.uid), 0)
        head = await self._client.headers(item.uid) if failed < MOST_FAILURES else b""
        await self._quarantine(
            folder, item.uid, head, f"{LARGER} {self.setup.max_bytes} bytes: only its headers were read"
        )

    # -- one mail ------------------------------------------------------------------------------------------------------

    async def _file_all(self, folder: _Folder, groups: Groups) -> None:
        """File what arrives; the next group is understood while this one is filed and the one after it comes in."""
        pending: deque[tuple[Group, asyncio.Task[list[Reading | ParserKilled]]]] = deque()
        self._at = folder.progress.first_open
        try:
            async with aclosing(groups):
                async for group in groups:
                    raws = [raw for _, raw in group]
                    pending.append((group, asyncio.create_task(self.sandbox.read_many(raws))))
                    if len(pending) > 1:
                        await self._file_first(folder, pending)
            while pending:
                await self._file_first(folder, pending)
        except ImapTrouble:
            while pending:
                await self._file_first(folder, pending)
            self._at = folder.progress.first_open
            raise
        finally:
            for _, reading in pending:
                reading.cancel()

    async def _file_first(self, folder: _Folder, pending: deque[tuple[Group, asyncio.Task[Any]]]) -> None:
        group, reading = pending.popleft()
        await self._file(folder, group, await reading)

    async def _file(self, folder: _Folder, group: Sequence[tuple[int, bytes]], readings: Readings) -> None:
        for (uid, raw), reading in zip(group, readings, strict=True):
            self.result.fetched += 1
            self._broke = False
            if isinstance(reading, ParserKilled):
                await self._quarantine(folder, uid, raw, str(reading))
            else:
                await self._take(folder, uid, raw, reading)

    async def _take(self, folder: _Folder, uid: int, raw: bytes, reading: Reading) -> None:
        mail = self._fetched(folder, uid, raw)
        try:
            seen = await self.store.take(self.setup.mailbox_id, folder.mark, mail, reading, self.clock())
        except (DataError, IntegrityError, LookupError, ValueError) as error:
            # a mail that the database refuses must not hold up those behind it
            log.exception("mail cannot be filed", mailbox=self.setup.name, folder=folder.name, uid=uid)
            await self._quarantine(folder, uid, raw, f"could not be filed: {type(error).__name__}")
            return
        folder.progress.done(uid)
        name = "own" if seen.kind == "own" else NAMES[seen.kind] if seen.new else "known"
        setattr(self.result, name, getattr(self.result, name) + 1)

    async def _quarantine(self, folder: _Folder, uid: int, raw: bytes, why: str) -> None:
        await self.store.quarantine(
            self.setup.mailbox_id, folder.mark, self._fetched(folder, uid, raw), why, self.clock()
        )
        folder.progress.done(uid)
        self.result.quarantined += 1

    def _fetched(self, folder: _Folder, uid: int, raw: bytes) -> Fetched:
        advance = folder.progress.after(uid)
        sent, junk = folder.name == self.setup.sent, folder.name == self.setup.junk
        return Fetched(folder.name, uid, raw, folder.wanted[uid].arrived, advance, sent, junk)


Refetch = Callable[[Any], Awaitable[bytes]]


async def reprocess(
    store: InboxStore, sandbox: Sandbox, now: datetime, refetch: Refetch, only: int | None = None
) -> tuple[int, int]:
    """Try every mail in quarantine again, or `only` the one of that id. Returns (filed, still there).

    `refetch` asks the mailbox for one whose bytes could not be had, or only in part; it returns b"" where it is gone.
    """
    filed = left = 0
    for row in await store.quarantined(only):
        raw = row.raw if row.raw and not row.error.startswith(LARGER) else await refetch(row)
        reading = (await sandbox.read_many([raw]))[0] if raw else ParserKilled("nothing to read")
        why = str(reading) if isinstance(reading, ParserKilled) else await _released(store, row, raw, reading, now)
        if why is None:
            filed += 1
            continue
        left += 1
        if raw:
            await store.still_unread(row.id, why)
    return filed, left


async def _released(store: InboxStore, row: Quarantined, raw: bytes, reading: Reading, now: datetime) -> str | None:
    """File it; why it could not be filed, None when it was. One that the database refuses holds up no other."""
    try:
        await store.release(row, raw, reading, now)
    except (DataError, IntegrityError, LookupError, ValueError) as error:
        log.exception("mail cannot be filed", inbound=row.id)
        return f"could not be filed: {type(error).__name__}"
    return None
