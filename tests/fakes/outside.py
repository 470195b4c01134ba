"""The world outside on loopback: a name server with a zone of its own, a spam filter's daemon."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class Zone(asyncio.DatagramProtocol):
    """A name server with a handful of records; names under `silent.` get no answer."""

    def __init__(self, records: dict[tuple[str, str], list[str]]) -> None:
        self.records = records

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), question.rdtype.name
        if "silent" in name:
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.AA
        rows = self.records.get((name, kind))
        if rows:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *rows))
        elif not any(name == known for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), addr)


@asynccontextmanager
async def zone(records: dict[tuple[str, str], list[str]]) -> AsyncIterator[dns.asyncresolver.Resolver]:
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: Zone(records), local_addr=("127.0.0.1", 0))
    found = dns.asyncresolver.Resolver(configure=False)
    found.nameservers = ["127.0.0.1"]
    found.port = transport.get_extra_info("sockname")[1]
    try:
        yield found
    finally:
        transport.close()


@asynccontextmanager
async def spamd(answer: bytes) -> AsyncIterator[int]:
    """A server that speaks spamd's protocol."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(head.partition("Content-length: ")[2].split()[0])
        assert head.startswith("SYMBOLS SPAMC/")
        assert len(await reader.readexactly(length)) == length
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
