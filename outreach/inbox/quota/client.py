"""How full a mailbox is (RFC 9208): a full one refuses the replies and bounces that we wait for.

People ask for it now and then (the connection doctor), so aioimaplib does it: nothing here has to survive what a pass
over a mailbox survives (docs/adr/0007).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from dataclasses import dataclass

from aioimaplib import IMAP4, IMAP4_SSL, AioImapException

from outreach.inbox.client import ImapServer, ImapTrouble
from outreach.inbox.imap import grammar

#: Seconds for each step: somebody is waiting for the doctor.
STEP_SECONDS = 10.0
#: The STORAGE resource, in units of 1,024 bytes: used, limit (RFC 9208 section 5.1).
STORAGE = re.compile(rb"\bSTORAGE (\d+) (\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Quota:
    """Room in a mailbox, in KiB."""

    used: int
    limit: int

    @property
    def share(self) -> float:
        """How much of it is used: 0 to 1, more where the server lets a mailbox overflow."""
        return self.used / self.limit if self.limit else 0.0


async def read_quota(server: ImapServer) -> Quota | None:
    """Ask the server how full the mailbox is; None where it has no limit or does not tell.

    Not asked over STARTTLS, which aioimaplib does not speak. Raises ImapTrouble when the server cannot be asked.
    """
    if server.tls == "starttls":
        return None
    try:
        return await _ask(server)
    except (AioImapException, OSError, TimeoutError) as error:
        raise ImapTrouble(f"{server.host}:{server.port} does not answer: {error or type(error).__name__}") from error


async def _ask(server: ImapServer) -> Quota | None:
    client = _client(server)
    try:
        await client.wait_hello_from_server()
        await _login(client, server)
        await asyncio.wait_for(client.protocol.capability(), STEP_SECONDS)
        if not client.has_capability("QUOTA"):
            return None
        answer = await client.getquotaroot("INBOX")
        found = [STORAGE.search(line) for line in answer.lines] if answer.result == "OK" else []
        limits = [Quota(int(match[1]), int(match[2])) for match in found if match and int(match[2])]
        await client.logout()
        return max(limits, key=lambda quota: quota.share, default=None)
    finally:
        if client.protocol.transport is not None:
            client.protocol.transport.abort()


def _client(server: ImapServer) -> IMAP4:
    if server.tls == "none":
        return IMAP4(server.host, server.port, timeout=STEP_SECONDS)
    trust = server.trust or ssl.create_default_context()
    return IMAP4_SSL(server.host, server.port, timeout=STEP_SECONDS, ssl_context=trust)


async def _login(client: IMAP4, server: ImapServer) -> None:
    if server.token is not None:
        answer = await client.xoauth2(server.user, (await server.token(False)))
    else:
        answer = await client.login(grammar.quoted(server.user), server.password or "")
    if answer.result != "OK":
        said = b" ".join(answer.lines).decode("utf-8", "replace")[:200]
        raise ImapTrouble(f"{server.user} was refused: {said}", auth=True)
