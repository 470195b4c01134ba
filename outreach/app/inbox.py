"""The mailboxes' inboxes: which folders, with which credentials, when; and whom to tell when one cannot be read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import insert, select, update

from outreach.app.build import App
from outreach.app.leads import LeadDesk
from outreach.app.oauth import ConsentNeeded
from outreach.config import ConfigError, MailboxSettings
from outreach.inbox.client import ImapServer, ImapTrouble, fetch_one
from outreach.inbox.sandbox import Sandbox
from outreach.inbox.store import InboxStore
from outreach.inbox.worker import InboxPass, InboxSetup, PassResult, reprocess
from outreach.model import Activity, Mailbox, MailboxState
from outreach.model.base import table

log = structlog.get_logger(__name__)
MAILBOXES, ACTIVITIES = table(Mailbox), table(Activity)

#: A mailbox that cannot be read is tried again after this; doubled each time, up to half an hour.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=30)


class InboxHost:
    """Reads inboxes for one process; keeps one parser child for each mailbox that it reads."""

    def __init__(self, app: App, *, clock: Callable[[], datetime]) -> None:
        self.app, self.clock = app, clock
        addresses = [box.address for box in app.settings.mailbox]
        self.store = InboxStore(
            app.db,
            app.events,
            own_addresses=addresses,
            read_token=self._read_token,
            registrar=LeadDesk(app.audience),
        )
        self._sandboxes: dict[str, Sandbox] = {}
        self._next: dict[str, datetime] = {}
        self._waits: dict[str, timedelta] = {}

    def reconfigured(self) -> None:
        """The configuration has changed: other mailboxes are ours."""
        self.store.own_are([box.address for box in self.app.settings.mailbox])

    def _read_token(self, token: str) -> int | None:
        found = self.app.signer.verify(token)
        return found.message_id if found else None

    # -- when ----------------------------------------------------------------------------------------------------------

    def is_due(self, box: MailboxSettings, now: datetime) -> bool:
        """Whether the mailbox shall be looked at now; notes that it was asked."""
        due = self._next.get(box.name)
        if due is not None and due > now:
            return False
        self._next[box.name] = now + timedelta(seconds=self.app.settings.inbox.poll_seconds)
        return True

    def news(self, name: str) -> None:
        """Something arrived: the mailbox is due, unless it is in trouble."""
        if name not in self._waits:
            self._next.pop(name, None)

    def _back_off(self, box: MailboxSettings, *, person: bool) -> None:
        wait = LONGEST_WAIT if person else min(self._waits.get(box.name, FIRST_WAIT / 2) * 2, LONGEST_WAIT)
        self._waits[box.name] = wait
        self._next[box.name] = self.clock() + wait

    # -- one pass ------------------------------------------------------------------------------------------------------

    async def sync(self, box: MailboxSettings) -> PassResult:
        """One pass over the mailbox's folders. Raises ImapTrouble; people are told of what they must mend."""
        sandbox = self._sandboxes.setdefault(box.name, Sandbox())
        try:
            result = await InboxPass(self.store, self.setup(box), self.server(box), sandbox, clock=self.clock).run()
        except ConsentNeeded as trouble:
            await self._consent_needed(box, str(trouble))
            raise ImapTrouble(str(trouble), auth=True) from trouble
        except ConfigError as trouble:
            self._back_off(box, person=False)
            await self._note(box, str(trouble))
            raise ImapTrouble(str(trouble)) from trouble
        except ImapTrouble as trouble:
            self._back_off(box, person=trouble.auth)
            await self._note(box, str(trouble), tell=trouble.auth)
            raise
        self._waits.pop(box.name, None)
        await self._note(box, None)
        return result

    def setup(self, box: MailboxSettings) -> InboxSetup:
        """What a pass over the mailbox is told."""
        inbox, named = self.app.settings.inbox, box.folders
        return InboxSetup(
            self.app.mailbox_ids[box.name],
            box.name,
            [named.inbox],
            inbox.first_days,
            inbox.max_mail_bytes,
            sent=named.sent,
            junk=named.junk,
            discover=True,
        )

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
            largest=self.app.settings.inbox.max_mail_bytes + 1_000_000,
        )

    # -- whom to tell --------------------------------------------------------------------------------------------------

    async def _consent_needed(self, box: MailboxSettings, why: str) -> None:
        """Without consent nothing is read, so nothing may be sent either: an unsubscribe would go unseen."""
        self._back_off(box, person=True)
        await self._note(box, why, tell=True)
        active = (MAILBOXES.c.name == box.name) & (MAILBOXES.c.state == MailboxState.ACTIVE.value)
        async with self.app.db.write() as conn:
            values = {"state": MailboxState.PAUSED.value, "paused_reason": "token-failed"}
            await conn.execute(update(MAILBOXES).where(active).values(**values))

    async def _note(self, box: MailboxSettings, error: str | None, *, tell: bool = False) -> None:
        """Keep the trouble at the mailbox; tell people once for each new one."""
        async with self.app.db.write() as conn:
            row = (await conn.execute(select(MAILBOXES).where(MAILBOXES.c.name == box.name))).one()
            if row.last_error == error:
                return
            await conn.execute(update(MAILBOXES).where(MAILBOXES.c.id == row.id).values(last_error=error))
            if tell and error:
                data = {"mailbox_id": row.id, "mailbox": box.name, "reason": "inbox-unread", "detail": error[:500]}
                values = {"kind": "warning", "at": self.clock(), "text": "inbox-unread", "data": data}
                await conn.execute(insert(ACTIVITIES).values(**values))

    # -- quarantine ----------------------------------------------------------------------------------------------------

    async def quarantine(self) -> list[dict[str, Any]]:
        """What lies in quarantine, without the mails themselves."""
        names = {number: name for name, number in self.app.mailbox_ids.items()}
        return [
            {
                "id": row.id,
                "mailbox": names.get(row.mailbox_id, "?"),
                "folder": row.folder,
                "uid": row.uid,
                "received_at": row.received_at,
                "bytes": len(row.raw or b""),
                "error": row.error,
            }
            for row in await self.store.quarantined()
        ]

    async def reprocess(self, only: int | None = None) -> tuple[int, int]:
        """Try the mails in quarantine again, or `only` one; (filed, still there)."""
        sandbox = self._sandboxes.setdefault("", Sandbox())
        return await reprocess(self.store, sandbox, self.clock(), self._refetch, only)

    async def _refetch(self, row: Any) -> bytes:
        """Ask the mailbox for a mail whose bytes we do not have; b"" where it cannot be had."""
        box = next((b for b in self.app.settings.mailbox if self.app.mailbox_ids.get(b.name) == row.mailbox_id), None)
        if box is None or box.imap is None:
            return b""
        try:
            mark = await self.store.mark_of(row.mailbox_id, row.folder)
            return await fetch_one(self.server(box), row.folder, mark.uidvalidity, row.uid)
        except (ImapTrouble, ConfigError) as trouble:
            log.warning("mail cannot be fetched again", mailbox=box.name, uid=row.uid, why=str(trouble))
            return b""

    async def stop(self) -> None:
        """End the parser children."""
        for sandbox in self._sandboxes.values():
            await sandbox.close()
