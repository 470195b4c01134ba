"""The demo's mail server: accepts, defers and refuses by address, on loopback; keeps what it accepted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.smtp import SMTP

from outreach.demo.fate import fate_of
from outreach.demo.people import number_of


@dataclass
class Accepted:
    """A mail that the server took."""

    recipient: str
    data: bytes


@dataclass
class SampleServer:
    """Speaks SMTP on 127.0.0.1; `accepted` holds what it took, in order."""

    port: int = 0
    accepted: list[Accepted] = field(default_factory=list)
    deferred: set[str] = field(default_factory=set)
    on_accept: Callable[[Accepted], None] | None = None
    _server: Any = None

    async def start(self) -> None:
        """Listen on a free port."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: SMTP(self, hostname="mail.demo.example", enable_SMTPUTF8=True, data_size_limit=20_000_000),
            "127.0.0.1",
            0,
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer pipelining, as real servers do."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        """Refuse the dead, put off the greylisted once."""
        fate = fate_of(number_of(address))
        if fate.refuse:
            return f"550 5.1.1 <{address}>: Recipient address rejected: User unknown"
        if fate.defer and address not in self.deferred:
            self.deferred.add(address)
            return "451 4.7.1 Greylisted, please come back in five minutes"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """Take the mail."""
        mail = Accepted(envelope.rcpt_tos[0], envelope.content)
        self.accepted.append(mail)
        if self.on_accept:
            self.on_accept(mail)
        return f"250 2.0.0 Ok: queued as {len(self.accepted):06X}"
