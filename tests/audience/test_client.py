"""MX verdicts against a real DNS server on loopback, faults included."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import dns.asyncresolver
import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from sqlalchemy import select

from outreach.audience.client import FRESH_FOR, MxChecker, mx_verdict
from outreach.audience.store import AudienceStore
from outreach.db.session import Database
from outreach.model import EmailAddress
from outreach.model.base import table

ADDRESS = table(EmailAddress)
ZONE: dict[tuple[str, str], list[str]] = {
    ("mx.test-zone.", "MX"): ["10 mail.mx.test-zone."],
    ("null.test-zone.", "MX"): ["0 ."],
    ("bare.test-zone.", "A"): ["192.0.2.1"],
    ("six.test-zone.", "AAAA"): ["2001:db8::1"],
    ("web.test-zone.", "TXT"): ["x"],
}


class Zone(asyncio.DatagramProtocol):
    """Answers from ZONE; `broken.` is SERVFAIL, `silent.` never answers, `halfway.` answers MX alone with nothing."""

    asked: int = 0

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, address: Any) -> None:
        self.asked += 1
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text().lower(), dns.rdatatype.to_text(question.rdtype)
        if name.startswith("silent.") or (name.startswith("halfway.") and kind != "MX"):
            return
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if name.startswith("broken."):
            answer.set_rcode(dns.rcode.SERVFAIL)
        elif (name, kind) in ZONE:
            answer.answer.append(dns.rrset.from_text(name, 60, "IN", kind, *ZONE[name, kind]))
        elif not name.startswith("halfway.") and not any(known == name for known, _ in ZONE):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self.transport.sendto(answer.to_wire(), address)


@pytest.fixture
async def zone() -> AsyncIterator[Zone]:
    loop = asyncio.get_running_loop()
    transport, protocol = await loop.create_datagram_endpoint(Zone, local_addr=("127.0.0.1", 0))
    yield protocol
    transport.close()


@pytest.fixture
def resolver(zone: Zone) -> dns.asyncresolver.Resolver:
    made = dns.asyncresolver.Resolver(configure=False)
    made.nameservers, made.port = ["127.0.0.1"], zone.transport.get_extra_info("sockname")[1]
    made.lifetime, made.timeout = 0.4, 0.2
    return made


@pytest.mark.parametrize(("domain", "verdict"), [
    ("mx.test-zone", "ok"),
    ("null.test-zone", "none"),
    ("bare.test-zone", "ok"),
    ("six.test-zone", "ok"),
    ("web.test-zone", "none"),
    ("nowhere.test-zone", "none"),
    ("broken.test-zone", "unknown"),
    ("silent.test-zone", "unknown"),
    ("halfway.test-zone", "unknown"),
])  # fmt: skip
async def test_verdicts(resolver: dns.asyncresolver.Resolver, domain: str, verdict: str) -> None:
    assert await mx_verdict(domain, resolver) == verdict


async def test_a_resolver_that_is_not_there_is_no_verdict() -> None:
    gone = dns.asyncresolver.Resolver(configure=False)
    gone.nameservers, gone.port, gone.lifetime = ["127.0.0.1"], 9, 0.3
    assert await mx_verdict("mx.test-zone", gone) == "unknown"


async def test_each_domain_is_asked_once_a_month_and_example_never(
    db: Database, zone: Zone, resolver: dns.asyncresolver.Resolver, now: datetime
) -> None:
    store = AudienceStore(db, b"s" * 32)
    for address in ("a@mx.test-zone", "b@mx.test-zone", "c@nowhere.test-zone", "d@broken.test-zone", "e@acme.example"):
        await store.add_contact({"email": address}, source="fair", now=now)
    checker = MxChecker(db, resolver)
    assert await checker.run(100, now) == {"ok": 1, "none": 1, "unknown": 1}
    asked = zone.asked
    assert await checker.run(100, now + timedelta(hours=1)) == {"ok": 0, "none": 0, "unknown": 0}
    assert zone.asked == asked
    assert await checker.run(100, now + timedelta(days=2)) == {"ok": 0, "none": 0, "unknown": 1}
    assert (await checker.run(100, now + FRESH_FOR + timedelta(days=1)))["ok"] == 1
    async with db.read() as conn:
        found = {row.normal: row.mx for row in await conn.execute(select(ADDRESS.c.normal, ADDRESS.c.mx))}
    assert found == {"a@mx.test-zone": "ok", "b@mx.test-zone": "ok", "c@nowhere.test-zone": "none",
                     "d@broken.test-zone": "unknown", "e@acme.example": "unknown"}  # fmt: skip
