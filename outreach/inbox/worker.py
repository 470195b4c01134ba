"""One pass over a mailbox's folders: list, fetch, understand, file. Bears being killed at any point."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog

from outreach.inbox.client import ImapClient, ImapServer, ImapTrouble, Listed
from outreach.inbox.sandbox import ParserKilled, Sandbox
from outreach.inbox.store import Fetched, InboxStore, Mark

log = structlog.get_logger(__name__)

#: After UIDVALIDITY changed, mail since the last pass is read again, and this much before it, for clocks differ.
RESCAN_MARGIN = timedelta(days=2)
#: A UID that breaks the connection this often is left behind.
MOST_FAILURES = 3

NAMES = {
    "bounce": "bounces",
    "reply": "replies",
    "autoreply": "autoreplies",
    "unsubscribe": "unsubscribes",
    "complaint": "complaints",
    "other": "other",
}


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

    def add(self, other: PassResult) -> None:
        """Add another pass."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    def as_dict(self) -> dict[str, int]:
        """Plain counts."""
        return asdict(self)


@dataclass(frozen=True)
class InboxSetup:
    """A mailbox as its pass needs it. `folders`: those to read; `first_days`: how far back the first pass looks."""

    mailbox_id: int
    name: str
    folders: Sequence[str]
    first_days: int = 30
    max_bytes: int = 25_000_000


class InboxPass:
    """Reads one mailbox once. Nothing is marked, moved or deleted there."""

    def __init__(
        self,
        store: InboxStore,
        setup: InboxSetup,
        server: ImapServer,
        sandbox: Sandbox,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self.store, self.setup, self.server, self.sandbox = store, setup, server, sandbox
        self.clock = clock
        self.result = PassResult()
        self._failures: dict[tuple[str, int], int] = {}

    async def run(self) -> PassResult:
        """Read every folder to its end. Raises ImapTrouble when the server stays away; what was filed stays."""
        for folder in self.setup.folders:
            await self._folder(folder)
        return self.result

    async def _folder(self, folder: str) -> None:
        """A link that breaks is opened again; a mail that breaks it three times goes to quarantine."""
        while True:
            client = await ImapClient.connect(self.server)
            try:
                await self._read(client, folder)
                return
            except ImapTrouble as trouble:
                if trouble.auth or not self._tolerable(folder):
                    raise
                log.warning("inbox link lost", mailbox=self.setup.name, folder=folder, why=str(trouble))
            finally:
                await client.close()

    def _tolerable(self, folder: str) -> bool:
        key = (folder, -1)
        self._failures[key] = self._failures.get(key, 0) + 1
        return self._failures[key] < MOST_FAILURES

    async def _read(self, client: ImapClient, folder: str) -> None:
        opened = await client.examine(folder)
        mark = await self.store.mark_of(self.setup.mailbox_id, folder)
        since: datetime | None = None
        if mark.uidvalidity != opened.uidvalidity or (opened.uidnext and opened.uidnext <= mark.last_uid):
            since = self._since(mark)
            mark = await self.store.reset(mark, opened.uidvalidity)
        listed = await client.listed(mark.last_uid + 1)
        wanted = [item for item in listed if since is None or item.arrived is None or item.arrived >= since]
        await self._take_all(client, folder, mark, wanted)
        await self.store.note_read(mark, max((item.uid for item in listed), default=mark.last_uid), self.clock())

    def _since(self, mark: Mark) -> datetime:
        if mark.read_at is not None:
            return mark.read_at - RESCAN_MARGIN
        return self.clock() - timedelta(days=self.setup.first_days)

    async def _take_all(self, client: ImapClient, folder: str, mark: Mark, wanted: Sequence[Listed]) -> None:
        arrived = {item.uid: item.arrived for item in wanted}
        large = [item.uid for item in wanted if item.size > self.setup.max_bytes]
        small = [item.uid for item in wanted if item.size <= self.setup.max_bytes]
        async for uid, raw in client.fetch(small):
            await self._take(mark, Fetched(folder, uid, raw, arrived.get(uid)))
        for uid in large:
            head = await client.headers(uid)
            why = f"larger than {self.setup.max_bytes} bytes: only its headers were read"
            await self.store.quarantine(
                self.setup.mailbox_id, mark, Fetched(folder, uid, head, arrived.get(uid)), why, self.clock()
            )
            self.result.quarantined += 1

    async def _take(self, mark: Mark, mail: Fetched) -> None:
        self.result.fetched += 1
        try:
            reading = await self.sandbox.read(mail.raw)
        except ParserKilled as killed:
            await self.store.quarantine(self.setup.mailbox_id, mark, mail, str(killed), self.clock())
            self.result.quarantined += 1
            return
        seen = await self.store.take(self.setup.mailbox_id, mark, mail, reading, self.clock())
        name = "own" if seen.kind == "own" else NAMES[seen.kind] if seen.new else "known"
        setattr(self.result, name, getattr(self.result, name) + 1)


async def reprocess(store: InboxStore, sandbox: Sandbox, now: datetime) -> tuple[int, int]:
    """Try every mail in quarantine again. Returns (filed, still there)."""
    filed = left = 0
    for row in await store.quarantined():
        try:
            reading = await sandbox.read(row.raw)
        except ParserKilled:
            left += 1
            continue
        await store.release(row, reading, now)
        filed += 1
    return filed, left
