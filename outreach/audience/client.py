"""Does the domain receive mail? Asked in the background, once a domain and month. A resolver that does not answer gives
no verdict: an address is never refused because the network was slow.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.resolver
from sqlalchemy import or_, select, update

from outreach.db.bulk import chunks
from outreach.db.session import Database
from outreach.model import EmailAddress
from outreach.model.base import table

ADDRESS = table(EmailAddress)

#: A domain that lost its mail server comes back or goes for good within weeks; asking more often tells nothing.
FRESH_FOR = timedelta(days=30)
#: Domains asked at once: a company resolver answers some hundred a second.
AT_ONCE = 20
#: RFC 2606 and RFC 6761: names that the DNS cannot know; trials use `.example`.
_UNASKED = (".example", ".test", ".invalid", ".localhost")


async def mx_verdict(domain: str, resolver: dns.asyncresolver.Resolver) -> str:
    """Return "ok", "none" (no such domain, null MX, neither MX nor address), or "unknown" where nobody answered."""
    try:
        answer = await resolver.resolve(domain, "MX")
        targets = [str(record.exchange) for record in answer]
        # RFC 7505: a single MX of "." says that the domain takes no mail
        return "none" if targets == ["."] else "ok"
    except dns.resolver.NXDOMAIN:
        return "none"
    except dns.resolver.NoAnswer:
        return await _address_verdict(domain, resolver)
    except dns.exception.DNSException:
        return "unknown"


async def _address_verdict(domain: str, resolver: dns.asyncresolver.Resolver) -> str:
    """RFC 5321 5.1: without MX the domain's own address is the mail server."""
    verdict = "none"
    for kind in ("A", "AAAA"):
        try:
            await resolver.resolve(domain, kind)
        except (dns.resolver.NoAnswer, dns.resolver.NXDOMAIN):
            continue
        except dns.exception.DNSException:
            verdict = "unknown"
            continue
        return "ok"
    return verdict


class MxChecker:
    """Checks the domains that were never or long ago checked. `resolver` is for tests; else the system's."""

    def __init__(self, db: Database, resolver: dns.asyncresolver.Resolver | None = None) -> None:
        self.db = db
        self.resolver = resolver

    async def run(self, limit: int, now: datetime) -> dict[str, int]:
        """Check up to `limit` domains and store the verdicts; return how many of each."""
        domains = await self._due(limit, now)
        gate = asyncio.Semaphore(AT_ONCE)

        async def ask(domain: str) -> tuple[str, str]:
            async with gate:
                return domain, await mx_verdict(domain, self._resolver())

        found = await asyncio.gather(*(ask(domain) for domain in domains))
        counts: dict[str, int] = {"ok": 0, "none": 0, "unknown": 0}
        for verdict in counts:
            named = [domain for domain, its in found if its == verdict]
            counts[verdict] = len(named)
            await self._store(named, verdict, now)
        return counts

    def _resolver(self) -> dns.asyncresolver.Resolver:
        if self.resolver is None:
            self.resolver = dns.asyncresolver.Resolver()
            self.resolver.lifetime = 5.0
        return self.resolver

    async def _due(self, limit: int, now: datetime) -> list[str]:
        c = ADDRESS.c
        due = or_(c.mx_checked_at.is_(None), c.mx_checked_at < now - FRESH_FOR)
        special = [~c.domain.endswith(ending) for ending in _UNASKED]
        statement = select(c.domain).where(due, *special).distinct().limit(limit)
        async with self.db.read() as conn:
            return list((await conn.execute(statement)).scalars())

    async def _store(self, domains: Iterable[str], verdict: str, now: datetime) -> None:
        """Store a verdict for all addresses of these domains; "unknown" leaves the last verdict as it is."""
        values: dict[str, Any] = {"mx_checked_at": now}
        if verdict == "unknown":  # asked again tomorrow
            values["mx_checked_at"] = now - FRESH_FOR + timedelta(days=1)
        else:
            values["mx"] = verdict
        for part in chunks(list(domains), 500):
            async with self.db.write() as conn:
                await conn.execute(update(ADDRESS).where(ADDRESS.c.domain.in_(part)).values(values))
