"""Posts to an address that somebody typed in, so hostile until checked (SSRF, CVE-2026-33534).

The name is resolved once, every address must be public unless the host is one of the company's own (config.toml), the
connection goes to exactly that address, no redirect is followed, and of the answer only the first kilobyte is read.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, quote, urlsplit

from outreach.content.client import Connector, Resolver, connect, public, resolve

#: A receiver that needs longer should answer first and work afterwards.
TIMEOUT = 10.0


class AddressRefused(ValueError):
    """The address is none that webhooks may go to. `code`: scheme, port, user, name, private, fragment."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True)
class Answer:
    """status 0: there was none, `detail` says why."""

    status: int
    detail: str = ""

    @property
    def taken(self) -> bool:
        return 200 <= self.status < 300


def checked(url: str, own_hosts: Collection[str] = ()) -> SplitResult:
    """Return the address in parts. https is asked for, but for the company's own hosts. Raises AddressRefused."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise AddressRefused("name") from None
    host = (parts.hostname or "").rstrip(".").lower()
    if not host or not url.isascii() or any(ord(char) < 33 for char in url):
        raise AddressRefused("name")
    own = host in own_hosts
    if parts.scheme != "https" and not (own and parts.scheme == "http"):
        raise AddressRefused("scheme")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused("user")
    if port not in (None, 80, 443, 8443) and not own:
        raise AddressRefused("port")
    return parts


async def deliver(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    *,
    own_hosts: Collection[str] = (),
    resolver: Resolver = resolve,
    connector: Connector = connect,
    timeout: float = TIMEOUT,
) -> Answer:
    """Post once; never raises for what the other side does."""
    try:
        parts = checked(url, own_hosts)
    except AddressRefused as refused:
        return Answer(0, f"refused: {refused.code}")
    host, port = _target(parts)
    try:
        async with asyncio.timeout(timeout):
            addresses = await resolver(host, port)
            if not addresses:
                return Answer(0, "the name has no address")
            if host not in own_hosts and not all(public(address) for address in addresses):
                return Answer(0, "refused: private")
            return await _post(parts, addresses[0], headers, body, connector)
    except TimeoutError:
        return Answer(0, "no answer in time")
    except ssl.SSLError as error:
        return Answer(0, f"bad certificate: {error.reason or error}")
    except socket.gaierror:
        return Answer(0, "no such name")
    except (OSError, ValueError) as error:
        return Answer(0, type(error).__name__)


def _target(parts: SplitResult) -> tuple[str, int]:
    return (parts.hostname or "").rstrip(".").lower(), parts.port or (443 if parts.scheme == "https" else 80)


async def _post(
    parts: SplitResult, address: str, headers: Mapping[str, str], body: bytes, connector: Connector
) -> Answer:
    host, port = _target(parts)
    reader, writer = await connector(address, port, host, parts.scheme == "https")
    try:
        path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
        query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=~-._?')}" if parts.query else ""
        shown = f"[{host}]" if ":" in host else host
        shown += f":{parts.port}" if parts.port else ""
        lines = [f"POST {path}{query} HTTP/1.1", f"Host: {shown}", "User-Agent: outreach-webhooks"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}", "Connection: close", "", ""]
        writer.write("\r\n".join(lines).encode("ascii") + body)
        await writer.drain()
        line = (await reader.readline()).decode("latin-1").strip()
    finally:
        writer.transport.abort()
        with suppress(OSError, ssl.SSLError):
            await writer.wait_closed()
    pieces = line.split(" ", 2)
    if len(pieces) < 2 or not pieces[0].startswith("HTTP/") or not pieces[1].isdigit():
        return Answer(0, "no HTTP answer")
    return Answer(int(pieces[1]), line[:120])
