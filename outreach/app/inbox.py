"""The mailboxes' inboxes: which folders, with which credentials, when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update

from outreach.app.build import App
from outreach.config import MailboxSettings
from outreach.inbox.client import ImapClient, ImapServer, ImapTrouble
from outreach.inbox.sandbox import Sandbox
from outreach.inbox.store import InboxStore
from outreach.inbox.worker import InboxPass, InboxSetup, PassResult, reprocess
from outreach.model import Mailbox
from outreach.model.base import table

log = structlog.get_logger(__name__)
MAILBOXES = table(Mailbox)


class InboxHost:
    """Reads inboxes for one process; keeps one parser child for each mailbox that it reads."""

    def __init__(self, app: App, *, clock: Callable[[], datetime]) -> None:
        self.app, self.clock = app, clock
        addresses = [box.address for box in app.settings.mailbox]
        self.store = InboxStore(app.db, app.events, own_addresses=addresses, read_token=self._read_token)
        self._sandboxes: dict[str, Sandbox] = {}
        self._next: dict[str, datetime] = {}

    def reconfigured(self) -> None:
        """The configuration has changed: other mailboxes are ours."""
        self.store.own_are([box.address for box in self.app.settings.mailbox])

    def _read_token(self, token: str) -> int | None:
        found = self.app.signer.verify(token)
        return found.message_id if found else None

    def is_due(self, box: MailboxSettings, now: datetime) -> bool:
        """Whether the mailbox shall be looked at now; notes that it was asked."""
        due = self._next.get(box.name)
        if due is not None and due > now:
            return False
        self._next[box.name] = now + timedelta(seconds=self.app.settings.inbox.poll_seconds)
        return True

    async def sync(self, box: MailboxSettings) -> PassResult:
        """One pass over the mailbox's folders. Raises ImapTrouble; a refused login is noted at the mailbox."""
        server = self.server(box)
        try:
            folders = await self._folders(box, server)
            setup = InboxSetup(
                self.app.mailbox_ids[box.name],
                box.name,
                folders,
                self.app.settings.inbox.first_days,
                self.app.settings.inbox.max_mail_bytes,
            )
            sandbox = self._sandboxes.setdefault(box.name, Sandbox())
            result = await InboxPass(self.store, setup, server, sandbox, clock=self.clock).run()
        except ImapTrouble as trouble:
            await self._note(box, str(trouble))
            raise
        await self._note(box, None)
        return result

    def server(self, box: MailboxSettings) -> ImapServer:
        """How to enter the mailbox. Raises ConfigError when a secret is missing."""
        assert box.imap is not None
        tokens = self.app.token_source(box)
        return ImapServer(
            host=box.imap.host,
            port=box.imap.port,
            tls=box.imap.tls,
            user=box.user or box.address,
            password=box.password.read() if box.password else None,
            token=tokens.token if tokens else None,
        )

    async def _folders(self, box: MailboxSettings, server: ImapServer) -> list[str]:
        """INBOX, and junk and sent as configured or as the server marks them."""
        named = box.folders
        if named.junk and named.sent:
            return [named.inbox, named.junk, named.sent]
        client = await ImapClient.connect(server)
        try:
            found = await client.folders()
        finally:
            await client.close()
        names = [named.inbox, named.junk or found.get("junk"), named.sent or found.get("sent")]
        return [name for name in names if name]

    async def _note(self, box: MailboxSettings, error: str | None) -> None:
        async with self.app.db.write() as conn:
            await conn.execute(update(MAILBOXES).where(MAILBOXES.c.name == box.name).values(last_error=error))

    async def reprocess(self) -> tuple[int, int]:
        """Try the mails in quarantine again; (filed, still there)."""
        sandbox = self._sandboxes.setdefault("", Sandbox())
        return await reprocess(self.store, sandbox, self.clock())

    async def stop(self) -> None:
        """End the parser children."""
        for sandbox in self._sandboxes.values():
            await sandbox.close()
