"""Looks outside: are the links of a mail alive, what does a sending domain's DNS say.

Links come from templates, so they are hostile until checked (SSRF): the name is resolved once, every
address must be public, the connection goes to exactly that address, no redirect is followed, only ports
80 and 443, nothing of the body is read beyond the status line.
"""

from __future__ import annotations

import asyncio
import errno
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import SplitResult, quote, urlsplit

import dns.asyncresolver
import dns.exception
import dns.resolver
import dns.reversename
import idna

from outreach.content.deliverability import LOOKUPS, DomainFacts, parse_spf, tree_walk
from outreach.content.problem import ContentProblem

AT_ONCE = 8  # connections; a mail has a few dozen links at most
LINE = 4096  # bytes of a status line
RESERVED = ("example", "example.com", "example.net", "example.org", "test", "invalid", "localhost")  # RFC 2606
EXAMPLE, NO_NAME = "reserved for examples", "no such name"
NO_WAY = (errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN)  # our network's fault, not the link's
LIFETIME = 4.0  # seconds for one name; a resolver that needs longer is called silent
Address = IPv4Address | IPv6Address
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connector = Callable[[str, int, str, bool], Awaitable[Streams]]


@dataclass(frozen=True)
class LinkVerdict:
    """ok None: it could not be checked, which is no verdict. status: HTTP's, 0 where there was none."""

    ok: bool | None
    status: int = 0
    detail: str = ""


async def check_links(
    urls: Iterable[str],
    *,
    timeout: float = 5,
    resolver: Resolver | None = None,
    connector: Connector | None = None,
) -> dict[str, LinkVerdict]:
    """Each address with its verdict; never raises for what a server does."""
    gate = asyncio.Semaphore(AT_ONCE)
    unique = list(dict.fromkeys(urls))

    async def one(url: str) -> LinkVerdict:
        async with gate:
            return await _check(url, timeout, resolver or resolve, connector or connect)

    return dict(zip(unique, await asyncio.gather(*map(one, unique)), strict=True))


def link_problems(verdicts: dict[str, LinkVerdict]) -> list[ContentProblem]:
    """Verdicts as findings of the lint: each dead link, and the unchecked ones by their reason."""
    found = [
        ContentProblem("link.dead", url=url, detail=verdict.detail or str(verdict.status))
        for url, verdict in verdicts.items()
        if verdict.ok is False
    ]
    unchecked: dict[str, list[str]] = {}
    for url, verdict in verdicts.items():
        if verdict.ok is None and verdict.detail != EXAMPLE:  # the lint names sample addresses
            unchecked.setdefault(verdict.detail, []).append(url)
    return found + [
        ContentProblem("link.unchecked", count=len(urls), detail=detail, url=", ".join(urls[:3]))
        for detail, urls in unchecked.items()
    ]


async def _check(url: str, timeout: float, resolver: Resolver, connector: Connector) -> LinkVerdict:
    refused = _refusal(url)
    if refused is not None:
        return refused
    try:
        async with asyncio.timeout(timeout):
            parts = urlsplit(url)
            addresses = await resolver(_host(parts), _port(parts))
            if not addresses or not all(public(address) for address in addresses):
                return LinkVerdict(False, 0, "the address is not public" if addresses else "the name has no address")
            return await _ask(parts, addresses[0], connector)
    except TimeoutError:
        return LinkVerdict(None, 0, "no answer in time")
    except socket.gaierror as error:
        gone = error.errno in (socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME))
        return LinkVerdict(False if gone else None, 0, NO_NAME if gone else "the resolver does not answer")
    except ssl.SSLError as error:
        return LinkVerdict(False, 0, f"bad certificate: {error.reason or error}")
    except (OSError, ValueError) as error:
        away = isinstance(error, OSError) and error.errno in NO_WAY
        return LinkVerdict(None if away else False, 0, "no way there from here" if away else type(error).__name__)


def _refusal(url: str) -> LinkVerdict | None:
    """What is not even resolved."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return LinkVerdict(False, 0, "not an address")
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname:
        return LinkVerdict(False, 0, "neither http nor https")
    if parts.username is not None or port not in (None, 80, 443):
        return LinkVerdict(False, 0, "a user name or an unusual port")
    return LinkVerdict(None, 0, EXAMPLE) if reserved(parts.hostname) else None


def reserved(domain: str) -> bool:
    """A name for examples and trials, which nobody looks up (RFC 2606)."""
    labels = domain.lower().rstrip(".").split(".")
    return labels[-1] in RESERVED or ".".join(labels[-2:]) in RESERVED


def _host(parts: SplitResult) -> str:
    host = (parts.hostname or "").rstrip(".")
    return host if host.isascii() else idna.encode(host, uts46=True).decode()


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme.lower() == "https" else 80)


def public(text: str) -> bool:
    """Whether an address belongs to the public Internet, whatever its spelling."""
    address: Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return public(str(inner))
    return address.is_global and not address.is_multicast and not address.is_reserved


_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052


async def resolve(
    host: str, port: int, resolver: dns.asyncresolver.Resolver | None = None, timeout: float = LIFETIME
) -> Sequence[str]:
    """Every address of a name (a number stands for itself). Raises socket.gaierror as `getaddrinfo` does.

    dnspython, because a thread in `getaddrinfo` cannot be stopped and would hold up the end of the program.
    """
    with suppress(ValueError):
        return [str(ip_address(host))]
    ask = Asker(resolver, timeout)
    answers = await asyncio.gather(ask.ask(host, "A"), ask.ask(host, "AAAA"))
    if all(answer is None for answer in answers):
        raise socket.gaierror(socket.EAI_AGAIN, "the resolver does not answer")
    found = [address for answer in answers for address in answer or ()]
    if not found:
        raise socket.gaierror(socket.EAI_NONAME, NO_NAME)
    return found


async def connect(address: str, port: int, host: str, tls: bool) -> Streams:
    """A connection to exactly that address; the certificate must be the name's."""
    context = ssl.create_default_context() if tls else None
    return await asyncio.open_connection(address, port, ssl=context, server_hostname=host if tls else None, limit=LINE)


async def _ask(parts: SplitResult, address: str, connector: Connector) -> LinkVerdict:
    status = await _status("HEAD", parts, address, connector)
    if status in (400, 403, 404, 405, 501):  # some servers know GET only
        status = await _status("GET", parts, address, connector)
    if status in (404, 410):
        return LinkVerdict(False, status, f"HTTP {status}")
    if status >= 500 or status < 200:
        return LinkVerdict(None, status, f"HTTP {status}")
    return LinkVerdict(True, status)


async def _status(method: str, parts: SplitResult, address: str, connector: Connector) -> int:
    host = _host(parts)
    reader, writer = await connector(address, _port(parts), host, parts.scheme.lower() == "https")
    try:
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._") + (
            f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
        )
        shown = f"[{host}]" if ":" in host else host
        writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: {shown}\r\nUser-Agent: outreach-link-check\r\n"
            "Accept: */*\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        await writer.drain()
        line = (await reader.readline()).decode("latin-1")
    finally:
        writer.transport.abort()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
    pieces = line.split(" ", 2)
    if len(pieces) < 2 or not pieces[0].startswith("HTTP/") or not pieces[1].isdigit():
        raise ValueError("no HTTP answer")
    return int(pieces[1])


async def domain_report(
    domain: str,
    *,
    selectors: Sequence[str] = (),
    provider_spf: str = "",
    mail_from: str = "",
    dkim_domain: str = "",
    relay_address: str = "",
    resolver: dns.asyncresolver.Resolver | None = None,
    timeout: float = 5,
) -> DomainFacts:
    """A sending domain's records, for `deliverability.judge`; unanswered questions are None.

    mail_from, dkim_domain: those of envelope and signature where they are others (RFC 9989, alignment).
    """
    ask = Asker(resolver, timeout)
    walked = [name for one in (domain, mail_from, dkim_domain) if one for name in tree_walk(one)]
    names = list(dict.fromkeys(walked))
    spf, mx, *dmarc = await asyncio.gather(
        ask.texts(domain), ask.hosts(domain), *(ask.texts(f"_dmarc.{name}") for name in names)
    )
    keys = await asyncio.gather(*(ask.texts(f"{name}._domainkey.{dkim_domain or domain}") for name in selectors))
    return DomainFacts(
        domain,
        spf=spf,
        spf_lookups=await ask.spf_lookups(spf or (), {domain}),
        dkim=dict(zip(selectors, keys, strict=True)),
        dmarc=dict(zip(names, dmarc, strict=True)),
        mx=mx,
        ptr=await ask.name(relay_address) if relay_address else None,
        mail_from=mail_from or domain,
        dkim_domain=dkim_domain or (domain if selectors else ""),
        provider_spf=provider_spf,
    )


class Asker:
    """DNS questions whose answer is a list, an empty list (there is none) or None (no answer)."""

    def __init__(self, resolver: dns.asyncresolver.Resolver | None, timeout: float) -> None:
        self.resolver, self.timeout = resolver, timeout

    async def ask(self, name: str, kind: str) -> list[str] | None:
        """The records of a name as texts."""
        try:
            resolver = self.resolver or dns.asyncresolver.get_default_resolver()
            answer = await resolver.resolve(name, kind, lifetime=self.timeout)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except (dns.exception.DNSException, OSError, UnicodeError):
            return None
        if kind == "TXT":
            return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
        return [record.to_text() for record in answer]

    async def texts(self, name: str) -> list[str] | None:
        return await self.ask(name, "TXT")

    async def hosts(self, domain: str) -> list[str] | None:
        rows = await self.ask(domain, "MX")
        return None if rows is None else [row.split()[-1] for row in rows]

    async def name(self, address: str) -> str | None:
        rows = await self.ask(dns.reversename.from_address(address).to_text(), "PTR")
        return None if rows is None else next(iter(rows), "")

    async def spf_lookups(self, texts: Sequence[str], seen: set[str]) -> int | None:
        """Questions that a receiver must ask to follow an SPF record, includes counted in."""
        count = 0
        for record in parse_spf(texts):
            count += record.own_lookups
            for name in record.includes:
                if name not in seen and len(seen) <= 2 * LOOKUPS and "%" not in name:
                    seen.add(name)
                    inner = await self.texts(name)
                    count += (await self.spf_lookups(inner or (), seen)) or 0
        return count


@dataclass(frozen=True)
class SpamScore:
    """What a SpamAssassin says: its score, where it calls a mail spam, the rules that matched."""

    score: float
    limit: float
    rules: tuple[str, ...]


async def spam_score(raw: bytes, *, host: str = "127.0.0.1", port: int = 783, timeout: float = 10) -> SpamScore | None:
    """Ask a spamd (SYMBOLS of its protocol 1.5); None where none runs or its answer is not one."""
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port, limit=LINE)
            try:
                writer.write(f"SYMBOLS SPAMC/1.5\r\nContent-length: {len(raw)}\r\n\r\n".encode() + raw)
                await writer.drain()
                answer = b""
                while len(answer) < 64 * LINE and (more := await reader.read(LINE)):  # it closes when it has told all
                    answer += more
            finally:
                writer.transport.abort()
                with suppress(OSError):
                    await writer.wait_closed()
    except (OSError, TimeoutError):
        return None
    return _spamd(answer.decode("latin-1"))


def _spamd(answer: str) -> SpamScore | None:
    """`Spam: True ; 6.4 / 5.0`, then the rules' names by commas."""
    found = re.search(r"^Spam: \w+ ; (-?[\d.]+) / (-?[\d.]+)\r?$", answer, re.MULTILINE)
    if found is None or not answer.startswith("SPAMD/"):
        return None
    rules = answer.partition("\r\n\r\n")[2].strip().split(",")
    return SpamScore(float(found[1]), float(found[2]), tuple(rule.strip() for rule in rules if rule.strip()))
