"""Waits in each inbox for news (IMAP IDLE), so that a reply is seen within seconds and not at the next poll.

A watcher only tells that something arrived; the pass that reads it is a job like any other, and polls go on beside it
(at least every 120 s): an IDLE that died silently, or a server without IDLE, costs a minute and no mail. One process of
an installation watches: the oldest that lives.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from outreach.app.inbox import InboxHost
from outreach.config import ConfigError, MailboxSettings
from outreach.inbox.client import IDLE_SECONDS, ImapClient, ImapTrouble

log = structlog.get_logger(__name__)

#: Seconds before a broken watch is begun again, doubled each time.
FIRST_REST, LONGEST_REST = 5.0, 600.0
#: Servers without IDLE are asked again whether they have learnt it.
WITHOUT_IDLE = 3600.0


class Watch:
    """The watchers of one process. `told(name)` is called when something arrived in that mailbox."""

    def __init__(
        self,
        host: InboxHost,
        told: Callable[[str], None],
        *,
        rest: Callable[[float], Awaitable[None]] = asyncio.sleep,
        seconds: float = IDLE_SECONDS,
    ) -> None:
        self.host, self.told, self.rest, self.seconds = host, told, rest, seconds
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def active(self) -> bool:
        """Whether anything is watched."""
        return bool(self._tasks)

    def start(self) -> None:
        """Watch every mailbox that can be read; those that are watched stay as they are."""
        for box in self.host.app.settings.mailbox:
            task = self._tasks.get(box.name)
            if box.imap is not None and (task is None or task.done()):
                self._tasks[box.name] = asyncio.create_task(self._forever(box), name=f"watch {box.name}")

    async def stop(self) -> None:
        """End all watching."""
        tasks, self._tasks = list(self._tasks.values()), {}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _forever(self, box: MailboxSettings) -> None:
        rest = FIRST_REST
        while True:
            try:
                if not await self.once(box):
                    await self.rest(WITHOUT_IDLE)
                    continue
                rest = FIRST_REST
            except (ImapTrouble, ConfigError) as trouble:
                log.warning("inbox watch broken", mailbox=box.name, why=str(trouble))
                if isinstance(trouble, ImapTrouble) and trouble.auth:
                    rest = LONGEST_REST
                await self.rest(rest)
                rest = min(rest * 2, LONGEST_REST)

    async def once(self, box: MailboxSettings) -> bool:
        """Watch over one connection until it breaks (raises ImapTrouble); False at once where there is no IDLE."""
        client = await ImapClient.connect(self.host.server(box))
        try:
            if not client.can_idle:
                return False
            await client.examine(box.folders.inbox)
            self.told(box.name)  # what came before the watch began
            while True:
                if await client.idle(self.seconds):
                    self.told(box.name)
        finally:
            client.abort()
