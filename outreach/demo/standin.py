"""A small IMAP stand-in for the demo where Dovecot is not installed: one folder, read only. It says that it is one."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

_RANGE = re.compile(r"(\d+):(\d+|\*)")
INTERNAL = "%d-%b-%Y %H:%M:%S +0000"


@dataclass
class StandIn:
    """Serves INBOX to one user on 127.0.0.1. `deliver` files a mail."""

    user: str = "sales"
    password: str = "demo"
    port: int = 0
    name: str = "an in-process IMAP stand-in (install dovecot-imapd for a real server)"
    mails: list[tuple[bytes, datetime]] = field(default_factory=list)
    _server: Any = None

    async def start(self) -> None:
        """Listen on a free port."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening."""
        if self._server is not None:
            self._server.close()

    def deliver(self, raw: bytes) -> None:
        """File a mail."""
        self.mails.append((raw, datetime.now(UTC)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK [CAPABILITY IMAP4rev1] stand-in ready\r\n")
        while line := await reader.readline():
            tag, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            verb, _, argument = rest.partition(" ")
            for part in self._answer(tag, verb.upper(), argument):
                writer.write(part)
            await writer.drain()
            if verb.upper() == "LOGOUT":
                break
        writer.close()

    def _answer(self, tag: str, verb: str, argument: str) -> list[bytes]:
        done = f"{tag} OK {verb} completed\r\n".encode()
        if verb == "CAPABILITY":
            return [b"* CAPABILITY IMAP4rev1\r\n", done]
        if verb == "LOGIN":
            right = self.user in argument and self.password in argument
            return [done] if right else [f"{tag} NO wrong password\r\n".encode()]
        if verb == "LIST":
            return [b'* LIST (\\HasNoChildren) "/" INBOX\r\n', done]
        if verb == "EXAMINE":
            count = len(self.mails)
            head = f"* {count} EXISTS\r\n* OK [UIDVALIDITY 1] ok\r\n* OK [UIDNEXT {count + 1}] ok\r\n"
            return [head.encode(), f"{tag} OK [READ-ONLY] EXAMINE completed\r\n".encode()]
        if verb == "UID":
            return [*self._fetch(argument), f"{tag} OK UID FETCH completed\r\n".encode()]
        if verb == "LOGOUT":
            return [b"* BYE\r\n", done]
        return [done] if verb == "NOOP" else [f"{tag} BAD not in this stand-in\r\n".encode()]

    def _fetch(self, argument: str) -> list[bytes]:
        wanted = argument.split()[1]
        with_body = "BODY" in argument
        out: list[bytes] = []
        for uid in self._uids(wanted):
            raw, arrived = self.mails[uid - 1]
            if with_body:
                out.append(f"* {uid} FETCH (UID {uid} BODY[] {{{len(raw)}}}\r\n".encode() + raw + b")\r\n")
            else:
                when = arrived.strftime(INTERNAL)
                facts = f'UID {uid} RFC822.SIZE {len(raw)} INTERNALDATE "{when}"'
                out.append(f"* {uid} FETCH ({facts})\r\n".encode())
        return out

    def _uids(self, wanted: str) -> list[int]:
        last = len(self.mails)
        span = _RANGE.fullmatch(wanted)
        if span:
            end = last if span[2] == "*" else int(span[2])
            return list(range(int(span[1]), min(end, last) + 1))
        return [uid for uid in map(int, wanted.split(",")) if 1 <= uid <= last]
