"""Opens, clicks and scanners of the sample recipients, as real HTTP requests to the running service."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from email import message_from_bytes, policy

from outreach.demo.fate import fate_of
from outreach.demo.people import number_of
from outreach.demo.server import Accepted

#: What the clients call themselves; sources in outreach/tracking/machines.toml.
PERSON = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36"
APPLE = "Mozilla/5.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
SCANNER = "BarracudaCentral/1.0 (link check)"

_LINK = re.compile(r"https?://[^\s\"'<>)]+/([ocu])/[A-Za-z0-9_.-]+")
#: Requests under way at a time: a browser's worth.
AT_ONCE = 24


@dataclass(frozen=True)
class Request:
    """One request to come."""

    url: str
    agent: str
    method: str = "GET"
    body: bytes = b""


def links_of(mail: Accepted) -> dict[str, list[str]]:
    """The signed links of a mail by their kind: o pixel, c clicks, u unsubscribe."""
    parsed = message_from_bytes(mail.data, policy=policy.default)
    found: dict[str, list[str]] = {"o": [], "c": [], "u": []}
    for part in parsed.walk():
        if part.get_content_type() == "text/html":
            for match in _LINK.finditer(str(part.get_content())):
                if match[0] not in found[match[1]]:
                    found[match[1]].append(match[0])
    return found


def at_once(mails: Iterable[Accepted]) -> list[Request]:
    """What machines do within seconds of the arrival: scanners press every link, proxies fetch pictures."""
    requests = []
    for mail in mails:
        fate, links = fate_of(number_of(mail.recipient)), links_of(mail)
        if fate.clicks == "scanner":
            requests += [Request(url, SCANNER, "HEAD") for url in links["c"][:2]]
            requests += [Request(url, SCANNER) for url in [*links["c"], *links["u"]]]
        if fate.opens == "apple":
            requests += [Request(url, APPLE) for url in links["o"]]
    return requests


def later(mails: Iterable[Accepted]) -> list[Request]:
    """What people do in the hours after: open, press one link, leave the list."""
    requests = []
    for mail in mails:
        fate, links = fate_of(number_of(mail.recipient)), links_of(mail)
        if fate.opens in ("human", "gmail"):
            requests += [Request(url, PERSON if fate.opens == "human" else GMAIL) for url in links["o"]]
        if fate.clicks == "human":
            requests += [Request(url, PERSON) for url in [*links["o"], *links["c"][:1]]]
        if fate.unsubscribes:
            requests += [Request(u, PERSON, "POST", b"List-Unsubscribe=One-Click") for u in links["u"][:1]]
    return requests


async def send(requests: list[Request]) -> int:
    """Make the requests; returns how many were answered."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(request: Request) -> int:
        async with gate:
            return await _fetch(request)

    return sum(await asyncio.gather(*(one(request) for request in requests)))


async def _fetch(request: Request) -> int:
    host, _, path = request.url.partition("://")[2].partition("/")
    name, _, port = host.partition(":")
    reader, writer = await asyncio.open_connection(name, int(port or 80))
    head = f"{request.method} /{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {request.agent}\r\nConnection: close\r\n"
    if request.body:
        head += f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(request.body)}\r\n"
    writer.write(head.encode() + b"\r\n" + request.body)
    await writer.drain()
    status = await reader.readline()
    await reader.read()
    writer.close()
    return int(status.split()[1] in (b"200", b"302"))
