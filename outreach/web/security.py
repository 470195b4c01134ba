"""What every answer and every request must obey: headers, origins, sizes (reliability.md, Security)."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

#: No inline script, nothing from elsewhere. Style attributes carry the widths of bars (numbers that we compute);
#: style elements and sheets from elsewhere stay refused.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; frame-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; manifest-src 'self'"
)
#: A mail that is shown: no script, no form, no remote content, shown only inside our own pages.
MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; style-src 'unsafe-inline'; "
    "img-src data:; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
)
HEADERS = {
    b"x-content-type-options": b"nosniff",
    b"referrer-policy": b"same-origin",
    b"cross-origin-opener-policy": b"same-origin",
    b"cross-origin-resource-policy": b"same-origin",
    b"permissions-policy": b"camera=(), microphone=(), geolocation=(), payment=()",
}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: A form or an API document; an imported list may be larger (1,000,000 rows of about 100 bytes).
BODY_LIMIT = 2_000_000
UPLOAD_LIMIT = 200_000_000
UPLOAD_PATHS = ("/contacts/import", "/template-pictures", "/customers/orders/import", "/customers/files")
#: Public endpoints are posted to by mail providers (RFC 8058) and by websites: no origin to check, no session used.
PUBLIC_PREFIXES = ("/u/", "/p/", "/c/", "/o/", "/s/", "/q/", "/v/", "/api/")


class SecureHeaders:
    """Adds the headers to every answer that has not set its own."""

    def __init__(self, app: App, *, https: bool) -> None:
        self.app = app
        self.https = https

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._add(scope, message)
            await send(message)

        await self.app(scope, receive, send_with_headers)

    def _add(self, scope: Scope, message: Message) -> None:
        headers = message.setdefault("headers", [])
        there = {name.lower() for name, _ in headers}
        wanted = secure_headers(scope["path"], https=self.https)
        headers.extend((name, value) for name, value in wanted.items() if name not in there)


def secure_headers(path: str, *, https: bool) -> dict[bytes, bytes]:
    """What an answer at this path carries. Also for the one answer that no middleware sees: that of a failure."""
    wanted = dict(HEADERS)
    wanted[b"content-security-policy"] = PAGE_POLICY.encode()
    if not path.startswith("/static/"):
        wanted[b"cache-control"] = b"no-store"
    if https:
        wanted[b"strict-transport-security"] = b"max-age=31536000; includeSubDomains"
    return wanted


class HeadAsGet:
    """Answers HEAD as GET without its body (RFC 9110 9.3.2): monitors ask so. Links of mails tell the two apart."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or scope["path"].startswith(PUBLIC_PREFIXES):
            await self.app(scope, receive, send)
            return

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app({**scope, "method": "GET"}, receive, send_head)


class SameOrigin:
    """Refuses a changing request that another site started. The form token is checked by the page (routing.py)."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._fine(scope):
            await refuse(send, 403, b"This request came from another site and was refused. Nothing was changed.")
            return
        await self.app(scope, receive, send)

    def _fine(self, scope: Scope) -> bool:
        if scope["method"] in SAFE_METHODS or scope["path"].startswith(PUBLIC_PREFIXES):
            return True
        headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if headers.get(b"sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        origin = headers.get(b"origin")
        if origin is None:
            return True
        return bool(urlsplit(origin).netloc == headers.get(b"host", ""))


class BodyLimit:
    """Refuses bodies over the limit, announced or not (CVE-2024-24762, CVE-2025-62727)."""

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = UPLOAD_LIMIT if scope["path"].startswith(UPLOAD_PATHS) else BODY_LIMIT
        announced = dict(scope["headers"]).get(b"content-length", b"0")
        if not announced.isdigit() or int(announced) > limit:
            told = f"The request is larger than {limit:,} bytes and was refused."
            if scope["path"].startswith("/api/"):
                await refuse(send, 413, json.dumps({"error": "413", "detail": told}).encode(), b"application/json")
            else:
                await refuse(send, 413, told.encode())
            return
        await self.app(scope, _limited(receive, limit), send)


def _limited(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def receive_counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            return {"type": "http.disconnect"}
        return message

    return receive_counted


async def refuse(send: Send, status: int, text: bytes, kind: bytes = b"text/plain; charset=utf-8") -> None:
    """Answer with a plain line, or with what else `kind` names."""
    headers = [(b"content-type", kind), (b"content-length", str(len(text)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text})


def place_of(request: Request) -> str:
    """Return the page that the visitor looks at, with its choices: after logging in they come back to it.

    What was posted, or asked for as a part of a page, has no page of its own: then it is the one that asked.
    """
    whole = request.method == "GET" and request.headers.get("hx-request") != "true"
    own = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if whole:
        return local_path(own)
    shown = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer") or "")
    if shown.netloc and shown.netloc == request.url.netloc:
        return local_path(shown.path + (f"?{shown.query}" if shown.query else ""))
    return local_path(own) if request.method == "GET" else "/"


def local_path(target: str | None, fallback: str = "/") -> str:
    """Return where to go next if it is a path of ours, else the fallback (no open redirect, CVE-2024-50345)."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return fallback
    if any(ord(char) < 32 or char == "\\" for char in target):
        return fallback
    parts = urlsplit(target)
    return fallback if parts.scheme or parts.netloc else target
