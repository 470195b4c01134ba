"""The outsiders' report as pages: /v/ asks and takes it, /v/answer shows what became of it. No session, no cookie.

How often a network reports is counted in memory alone, under a key that this process makes: nothing on disk says who.
"""

from __future__ import annotations

import hmac
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from hashlib import sha256
from ipaddress import ip_network
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from outreach.access.violations.store import ViolationStore
from outreach.tracking.concern.pages import ABOUT, HONEYPOT, ConcernPages
from outreach.tracking.pages import choose_language, content_policy
from outreach.tracking.signup.form import network_of
from outreach.tracking.views import client_address

#: A report of 10,000 characters, each of at most nine bytes when a form carries it, and the names of the fields.
MAX_BODY = 100_000
LONGEST = 10_000
#: Receipts that one network may try in an hour: they have 64 bits, so this only spares the database.
LOOKS = 30
#: Networks that are counted at once; the oldest is forgotten.
MOST_NETWORKS = 10_000
HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-robots-tag": "noindex, nofollow",
}


class Often:
    """How often each network did something within the last hour."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(16)
        self._times: dict[bytes, deque[datetime]] = {}

    def too_often(self, what: str, ip: str, most: int, now: datetime) -> bool:
        """Note one more; True when it was too much."""
        name = hmac.new(self._key, f"{what} {network_of(ip)}".encode(), sha256).digest()[:12]
        times = self._times.pop(name, deque())
        while times and times[0] <= now - timedelta(hours=1):
            times.popleft()
        full = len(times) >= most
        if not full:
            times.append(now)
        self._times[name] = times
        while len(self._times) > MOST_NETWORKS:
            self._times.pop(next(iter(self._times)))
        return full


class ConcernViews:
    """Answers /v/ and /v/answer. `per_network`, `per_hour`: reports in an hour, from one network and in all."""

    def __init__(
        self,
        store: ViolationStore,
        pages: ConcernPages,
        often: Often,
        clock: Callable[[], datetime],
        *,
        per_network: int = 5,
        per_hour: int = 60,
        trusted_proxies: Iterable[str] = (),
    ) -> None:
        self.store, self.pages, self.often, self.clock = store, pages, often, clock
        self.per_network, self.per_hour = per_network, per_hour
        self.proxies = [ip_network(text, strict=False) for text in trusted_proxies]

    async def __call__(self, request: Request) -> Response:
        asked = request.query_params.get("lang", "")[:10]
        lang = choose_language(asked, None, request.headers.get("accept-language", ""))
        if request.method in ("GET", "HEAD"):
            return _page(self.pages.form(lang))
        form = await _form(request)
        if form is None:
            return Response("The report is too long.", status_code=413, headers=HEADERS)
        ip = client_address(request.scope, self.proxies)
        if request.url.path.rstrip("/").endswith("/answer"):
            return await self._answer(lang, form.get("receipt", "")[:40], ip)
        return await self._report(lang, form, ip)

    async def _report(self, lang: str, form: dict[str, str], ip: str) -> Response:
        about = form.get("about", "") if form.get("about", "") in ABOUT else "other"
        text = form.get("text", "").strip()[:LONGEST]
        if form.get(HONEYPOT, "").strip():  # a program: it reads what a person would, and nothing is kept
            return _page(self.pages.done(lang, secrets.token_hex(8)))
        if not text:
            return _page(self.pages.form(lang, "empty", about), 422)
        now = self.clock()
        if self.often.too_often("report", ip, self.per_network, now) or await self._full(now):
            return _page(self.pages.form(lang, "busy", about, text), 429)
        return _page(self.pages.done(lang, await self.store.report(about, text, now, outside=True)))

    async def _full(self, now: datetime) -> bool:
        return await self.store.from_outside(now) >= self.per_hour

    async def _answer(self, lang: str, receipt: str, ip: str) -> Response:
        if self.often.too_often("look", ip, LOOKS, self.clock()):
            return _page(self.pages.form(lang, "busy"), 429)
        row = await self.store.of_receipt(receipt) if receipt else None
        status = 404 if row is None else 200
        return _page(self.pages.answer(lang, row.answer if row else None, known=row is not None), status)


async def _form(request: Request) -> dict[str, str] | None:
    """The posted fields, None when they are too many bytes."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    again = Request(dict(request.scope), _replayed(body))
    async with again.form(max_fields=20, max_files=0) as form:
        return {name: str(value) for name, value in form.items()}


def _replayed(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _page(html: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(html, status_code=status, headers=HEADERS | {"content-security-policy": content_policy()})
